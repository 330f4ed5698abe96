//! A process without a descriptor left.

use std::{env, fs::File, process::Command};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;
use crate::io::{Dropped, listener::Listener};

/// Set in the process of its own that the test needs: the limit is the whole process's.
const CHILD: &str = "STRAIT_TEST_SHORTAGE";
const LIMIT: u64 = 128;

#[test]
fn a_connection_that_cannot_be_accepted_is_not_polled_for() {
    if env::var_os(CHILD).is_none() {
        let name = "io::tests::shortage::a_connection_that_cannot_be_accepted_is_not_polled_for";
        let output = Command::new(env::current_exe().unwrap()).args([name, "--exact"]).env(CHILD, "1").output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    }
    let mut main = Main::start();
    let folder = RuntimeDir::create().unwrap();
    let mut listener = Listener::bind(&folder.socket()).unwrap();
    main.socket = folder.socket();
    let _agent = main.connect(&main.token());
    let limit = Rlimit { current: Some(LIMIT), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert_eq!(listener.descriptors().count(), 1);
    listener.handle(&[true], &main.shared);
    assert_eq!(listener.descriptors().count(), 0, "it would be ready at once, and nothing could be done");
    let pause = listener.next_deadline().expect("it is tried again");
    drop(taken);
    listener.overdue(pause);
    assert_eq!(listener.descriptors().count(), 1);
    listener.handle(&[true], &main.shared);
    assert_eq!(main.shared.state().agents.len(), 1, "the agent has lost nothing");
}

#[test]
fn what_a_limit_dropped_is_one_line_for_all_ports() {
    let mut dropped = Dropped::default();
    dropped.add(3, 5 << 20);
    assert_eq!(dropped.to_string(), "a message port was closed: 3 messages (5 MiB) waited to be received");
    dropped.add(2, 1 << 20);
    assert_eq!(dropped.to_string(), "2 message ports were closed: 5 messages (6 MiB) waited to be received");
}
