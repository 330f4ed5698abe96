//! The agent in real web processes: a main process in miniature opens windows and watches what their pages do.

mod closes;
mod collection;
mod flow;
mod host;
mod hostile;
mod ipc;
mod large;
mod modules;
mod ports;
mod server;
mod values;
mod wire;
mod workers;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use host::{Case, Host};

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

fn main() {
    if std::env::var_os("DISPLAY").is_none() && std::env::var_os("WAYLAND_DISPLAY").is_none() {
        std::process::exit(run_under_xvfb());
    }
    gtk::init().expect("a display");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let host = Host::start().expect("the host starts");
    let cases: Vec<Case> = [
        ipc::CASES,
        modules::CASES,
        ports::CASES,
        workers::CASES,
        closes::CASES,
        hostile::CASES,
        flow::CASES,
        values::CASES,
        large::CASES,
        collection::CASES,
    ]
    .concat();
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases.into_iter().filter(|(name, _)| filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&host)));
        match outcome {
            Ok(Ok(())) => {
                passed += 1;
                println!("ok      {name}");
            }
            Ok(Err(text)) => {
                failed += 1;
                println!("FAILED  {name}: {text}");
            }
            Err(_) => {
                failed += 1;
                println!("FAILED  {name}: panicked");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    drop(host);
    std::process::exit(i32::from(failed > 0));
}
