//! A virtual display for a machine without one.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
};

/// Ends the display with the test.
struct Display(Child);

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Without a display: starts Xvfb, runs this program again on it, and gives its result.
pub(super) fn rerun_with_display() -> Option<ExitCode> {
    if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return None;
    }
    let started = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut display = match started {
        Ok(child) => Display(child),
        Err(error) => {
            eprintln!("these tests need a display, and Xvfb does not start: {error}; see cargo xtask setup");
            return Some(ExitCode::FAILURE);
        }
    };
    let mut number = String::new();
    // Xvfb writes the number when it is ready, or closes the pipe when it fails.
    let stdout = display.0.stdout.take().expect("piped");
    if BufReader::new(stdout).read_line(&mut number).unwrap_or(0) == 0 {
        eprintln!("Xvfb gave no display");
        return Some(ExitCode::FAILURE);
    }
    let status = Command::new(env::current_exe().expect("own path"))
        .args(env::args_os().skip(1))
        .env("DISPLAY", format!(":{}", number.trim()))
        .status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the test does not start again: {error}");
            ExitCode::FAILURE
        }
    })
}
