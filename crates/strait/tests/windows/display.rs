//! A virtual display for a machine without one.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
};

/// A shell that ends Xvfb when its own standard input ends, which it does with this process at the latest.
const WATCHDOG: &str = r#"Xvfb "$@" & server=$!; exec >/dev/null; cat; kill $server; wait $server"#;

/// Ends the display with the test.
struct Display(Child);

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Without a display: starts Xvfb, runs this program again on it, and gives its result.
pub(super) fn rerun_with_display() -> Option<ExitCode> {
    if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return None;
    }
    let started = Command::new("sh")
        .args(["-c", WATCHDOG, "sh", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut display = match started {
        Ok(child) => Display(child),
        Err(error) => {
            eprintln!("these tests need a display, and no shell starts one: {error}");
            return Some(ExitCode::FAILURE);
        }
    };
    let mut number = String::new();
    // Xvfb writes the number when it is ready, or closes the pipe when it fails.
    let stdout = display.0.stdout.take().expect("piped");
    if BufReader::new(stdout).read_line(&mut number).unwrap_or(0) == 0 {
        eprintln!("these tests need a display, and Xvfb gives none; `cargo xtask setup` installs it");
        return Some(ExitCode::FAILURE);
    }
    Some(run_again("DISPLAY", format!(":{}", number.trim())))
}

/// Runs this program again with a variable, and gives its result.
pub(super) fn run_again(variable: &str, value: impl AsRef<OsStr>) -> ExitCode {
    let status = Command::new(env::current_exe().expect("own path")).args(env::args_os().skip(1)).env(variable, value).status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the test does not start again: {error}");
            ExitCode::FAILURE
        }
    }
}
