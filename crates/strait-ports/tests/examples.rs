//! The examples, run as their users run them: what they show, and that they end well.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No example takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where cargo puts examples. A run of this test program alone does not build them.
fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path.join("examples").join(name);
    if !path.exists() {
        let status = Command::new(env!("CARGO")).args(["build", "-p", "strait-ports", "--example", name]).status().unwrap();
        assert!(status.success() && path.exists(), "{} is not built", path.display());
    }
    path
}

/// An example's lines.
fn lines(name: &str) -> Vec<String> {
    let mut child = Command::new(program(name)).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut output = String::new();
        stdout.read_to_string(&mut output).unwrap();
        output
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            panic!("{name} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let output = reader.join().unwrap();
    assert!(status.success(), "{name} ends with {status}: {output}");
    output.lines().map(str::to_owned).collect()
}

#[test]
fn worker_pool() {
    let mut lines = lines("worker_pool");
    assert_eq!(lines.pop().unwrap(), "12 jobs done by 3 processes");
    // Answers come as they are ready.
    lines.sort();
    let mut expected: Vec<String> = (1..=12u64).map(|n| format!("1 + … + {n} squared is {}", n * (n + 1) * (2 * n + 1) / 6)).collect();
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn plugin() {
    let lines = lines("plugin");
    assert_eq!(lines[..2], ["message becomes MESSAGE", "port becomes PORT"]);
    assert!(lines[2].starts_with("bug: the plug-in has crashed, with signal: 6"), "{}", lines[2]);
    assert_eq!(lines[3..], ["channel becomes CHANNEL", "the plug-in ends with exit status: 0"]);
}

#[test]
fn log_fan_in() {
    let mut lines = lines("log_fan_in");
    assert_eq!(lines.pop().unwrap(), "4 writers have ended");
    let mut writers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let (pid, text) = line.strip_prefix('[').unwrap().split_once("] ").unwrap();
        assert!(pid.parse::<u32>().unwrap() > 0);
        writers.entry(pid.to_owned()).or_default().push(text.to_owned());
    }
    assert_eq!(writers.len(), 4);
    assert!(writers.values().all(|lines| *lines == ["line 1 of 3", "line 2 of 3", "line 3 of 3"]), "{writers:?}");
}

#[test]
fn tokio_loop() {
    assert_eq!(lines("tokio_loop"), ["the child says HELLO", "the child has exited"]);
}

#[test]
fn poll_loop() {
    let (heard, ticks): (Vec<_>, Vec<_>) = lines("poll_loop").into_iter().partition(|line| line.starts_with("the child"));
    assert_eq!(heard, ["the child has heard tick 1", "the child has heard tick 2", "the child has heard tick 3", "the child has exited"]);
    assert_eq!(ticks[..3], ["tick 1", "tick 2", "tick 3"]);
}

#[test]
fn ping_pong() {
    let lines = lines("ping_pong");
    assert!(lines[0].starts_with("10000 rounds, ") && lines[0].ends_with(" each, then the port was closed"), "{lines:?}");
}
