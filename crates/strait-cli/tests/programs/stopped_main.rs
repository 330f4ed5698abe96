//! Ports are direct: stop the main process, and two windows, or a window and a child, that hold a channel go on talking.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::http::Server;
use crate::program::{PATIENCE, Running, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("two windows talk while main is stopped", || talk_while_main_is_stopped(&fixture("stopped-main"))),
        test("utility: a window and a child talk while main is stopped", || talk_while_main_is_stopped(&fixture("utility").join("direct"))),
    ]
}

fn talk_while_main_is_stopped(path: &Path) -> Outcome {
    let (asked, asking) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let (done, report) = mpsc::channel();
    let gate: Mutex<Receiver<()>> = Mutex::new(gate);
    // The page talks to this server while nobody else listens: WebKit's network process is not main.
    let server = Server::start(move |request| {
        match request.path.as_str() {
            "/go" => {
                let _ = asked.send(());
                let _ = gate.lock().map(|gate| gate.recv_timeout(PATIENCE));
            }
            "/done" => drop(done.send(request.body)),
            _ => return None,
        }
        Some(("text/plain", String::new()))
    });
    let mut command = run(path);
    command.env("TEST_SERVER", server.origin());
    let mut program = Running::start(command);
    if asking.recv_timeout(PATIENCE).is_err() {
        program.expect("the windows to have settled");
    }

    let main = program.pid();
    kill_process(main, Signal::STOP).expect("stop main");
    let deadline = Instant::now() + PATIENCE;
    while state(main) != 'T' {
        assert!(Instant::now() < deadline, "main does not stop");
        std::thread::yield_now();
    }
    go.send(()).expect("the server waits");
    let report = report.recv_timeout(PATIENCE);
    let still = state(main);
    kill_process(main, Signal::CONT).expect("continue main");
    assert_eq!(report.as_deref(), Ok("1000 in order"), "{}", program.report());
    assert_eq!(still, 'T', "main was stopped all the time");

    program.expect("main is here");
    program.end_well();
    Ok(())
}

/// The process's state letter in `/proc`.
fn state(pid: Pid) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?')
}
