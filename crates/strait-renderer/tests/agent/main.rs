//! The agent in real web processes: a main process in miniature opens windows and watches what their pages do.

mod closes;
mod flow;
mod host;
mod hostile;
mod ipc;
mod ports;
mod wire;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use host::{Check, Host};

/// A display of our own, if there is none.
struct Display(Option<Child>);

impl Display {
    fn open() -> Self {
        if std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some() {
            return Self(None);
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (cargo xtask setup)");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut number).expect("Xvfb says its display");
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("DISPLAY", format!(":{}", number.trim())) };
        Self(Some(server))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(server) = &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

type Case = (&'static str, fn(&Host) -> Check);

fn main() {
    let display = Display::open();
    gtk::init().expect("a display");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let host = Host::start().expect("the host starts");
    let cases: Vec<Case> = [ipc::CASES, ports::CASES, closes::CASES, hostile::CASES, flow::CASES].concat();
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
    drop(display);
    std::process::exit(i32::from(failed > 0));
}
