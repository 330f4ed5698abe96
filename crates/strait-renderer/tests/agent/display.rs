//! A display to open windows on: the present one, or an Xvfb of the program's own.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Runs this program again under a display of its own, which ends with it.
fn run_under_xvfb() -> i32 {
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed (cargo xtask setup)");
    let mut number = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut number).expect("Xvfb says its display");
    let program = std::env::current_exe().expect("the test knows its own path");
    let status = Command::new(program).args(std::env::args_os().skip(1)).env("DISPLAY", format!(":{}", number.trim())).status();
    let _ = server.kill();
    let _ = server.wait();
    status.ok().and_then(|status| status.code()).unwrap_or(1)
}

/// Comes back where there is a display; elsewhere the program ends here, having run once more under a display of its own.
pub(crate) fn or_run_again_under_xvfb() {
    if std::env::var_os("DISPLAY").is_none() && std::env::var_os("WAYLAND_DISPLAY").is_none() {
        std::process::exit(run_under_xvfb());
    }
}
