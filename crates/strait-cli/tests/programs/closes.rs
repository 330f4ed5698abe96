//! Every way a channel can end: what was sent before arrives, then exactly one close, with its reason.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{PATIENCE, Running, fixture, run};
use crate::{Outcome, Test, test};

/// From the kill of a renderer to the close in another process. Where nothing else runs that is some 15 ms; who waited for a time to pass, or for
/// WebKit to notice something, would need far longer than a machine under load.
const CRASH_LIMIT: Duration = Duration::from_secs(1);

/// WebKit collects when it sees fit.
const COLLECTION_LIMIT: Duration = Duration::from_secs(180);

/// A scenario of the `closes` program, and what the watched ends saw in all.
const TABLE: &[(&str, &[&str])] = &[
    ("page closes", &["main: 1 2 3 close(closed)", "closing end: 0 closes"]),
    ("main closes", &["page: 1 2 3 close(closed), heard by 1 listener", "main: close(closed)"]),
    ("main reloads", &["main: 1 2 3 close(unloaded)"]),
    ("page reloads itself", &["main: 1 2 3 close(unloaded)"]),
    ("main navigates", &["main: 1 2 3 close(unloaded)"]),
    ("page navigates", &["main: 1 2 3 close(unloaded)"]),
    ("iframe removed", &["main: 1 2 3 close(unloaded)"]),
    ("iframe navigates", &["main: 1 2 3 close(unloaded)"]),
    ("window closed", &["main: 1 2 3 close(unloaded)"]),
    ("window destroyed", &["main: 1 2 3 close(unloaded)"]),
    ("page closes its window", &["main: 1 2 3 close(unloaded)"]),
    ("window of another window", &["page: 1 2 3 close(unloaded), heard by 1 listener"]),
    ("unstarted port let go in main", &["page: 1 close(dropped), heard by 1 listener"]),
    ("unstarted port let go in a page", &["main: 1 close(dropped)"]),
    ("nobody listens in main", &["page: close(dropped), heard by 1 listener"]),
    ("nobody listens in the page", &["main: close(dropped)"]),
    ("port in a message nobody took", &["main: close(dropped)"]),
    ("both ends in main", &["main two: 1 2 3 close(closed)", "main one: close(closed)"]),
    ("both ends in a page", &["page: 1 2 3 close(closed), heard by 1 listener", "closing end: 0 closes"]),
    ("close waits for an unstarted port", &["page: start 1 2 3 close(closed)"]),
];

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = TABLE
        .iter()
        .map(|(scenario, expected)| {
            test(format!("close: {scenario}"), || {
                let mut program = start(scenario);
                let limit = if scenario.contains("let go in a page") { COLLECTION_LIMIT } else { PATIENCE };
                for line in *expected {
                    program.expect_within(line, limit);
                }
                Ok(())
            })
        })
        .collect();
    tests.push(test("close: renderer killed", || crash("renderer killed", "main", "main: 1 2 3 close(crashed)")));
    tests.push(test("close: renderer of another window killed", || {
        crash("renderer of another window killed", "page", "page: 1 2 3 close(crashed), heard by 1 listener")
    }));
    tests
}

fn start(scenario: &str) -> Running {
    let mut command = run(&fixture("closes"));
    command.env("SCENARIO", scenario);
    Running::start(command)
}

/// A renderer is killed, and the other end hears of it soon: at one of three attempts, because a machine that is busy with
/// something else is late for reasons of its own.
fn crash(scenario: &str, watcher: &str, expected: &str) -> Outcome {
    let mut times = Vec::new();
    while times.len() < 3 {
        let took = time_of_crash(scenario, watcher, expected);
        if took <= CRASH_LIMIT {
            return Ok(());
        }
        times.push(took);
    }
    panic!("the close took {times:?}");
}

/// From the kill to the close in another process.
fn time_of_crash(scenario: &str, watcher: &str, expected: &str) -> Duration {
    let mut program = start(scenario);
    let line = program.expect("renderer ");
    let pid = line.rsplit(' ').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, Signal::KILL).expect("kill the renderer");
    let killed = Instant::now();
    program.expect(&format!("{watcher} saw a close"));
    let took = killed.elapsed();
    program.expect(expected);
    took
}
