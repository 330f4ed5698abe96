//! Processes that die with blocks of shared memory in flight: what they had posted is received, and nothing is left of them.
//!
//! The children are this very test binary, see `child`; a child's socket is its standard input.

mod common;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use strait_ports::{CloseReason, Event, LinkKind, Message, Node, Port};

use common::{Process, ROLE};

/// Nothing in these tests takes this long.
const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

impl Process {
    fn kill(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::KILL).unwrap();
        self.0.wait().unwrap();
    }
}

fn message(port: &Port) -> Message {
    match port.recv_blocking(Some(PATIENCE)).unwrap() {
        Event::Message(message) => message,
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let socket = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3).unwrap();
    let (node, port) = Node::join(socket).unwrap();
    match role.as_str() {
        "lender" => {
            // The second is answered after the arena has been seen.
            for _ in 0..2 {
                port.post(vec![0; MIB]).unwrap();
                message(&port);
            }
            (1..=3).for_each(|number| port.post(vec![number; MIB]).unwrap());
            assert_eq!(node.stats().lent_bytes, 3 * MIB);
            let mut unfinished = port.alloc(MIB).unwrap();
            unfinished.fill(9);
            port.post(b"kill me".to_vec()).unwrap();
            let _ = port.recv_blocking(None);
        }
        "borrower" => {
            // Has what it is sent, and reads it never.
            while node.stats().queued_bytes < 3 * MIB {
                let _ = node.wait(Some(PATIENCE)).unwrap();
            }
            port.post(b"kill me".to_vec()).unwrap();
            loop {
                let _ = node.wait(None).unwrap();
            }
        }
        role => panic!("no role {role}"),
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Arenas that are mapped here.
fn arenas() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().filter(|line| line.contains("strait-arena")).count()
}

/// The node has no link left, and everything that came with the last has been done.
fn until_alone(node: &Node) {
    while node.stats().links > 0 {
        let _ = node.wait(Some(PATIENCE)).unwrap();
    }
}

/// A broker whose thread has everything that a thread keeps for waiting.
fn node(kind: LinkKind) -> Node {
    let node = Node::broker_with(kind).unwrap();
    let (port, _other) = node.channel();
    assert!(port.recv_blocking(Some(Duration::ZERO)).is_err());
    node
}

fn what_was_lent_before_a_kill_is_received(kind: LinkKind) {
    let node = node(kind);
    let before = descriptors();
    for _ in 0..3 {
        let (mut lender, port) = Process::member(&node, "lender");
        for _ in 0..2 {
            message(&port);
            port.post(vec![]).unwrap();
        }
        // Without reading: so that everything is still lent when it dies.
        while port.queued().0 < 4 {
            let _ = node.wait(Some(PATIENCE)).unwrap();
        }
        lender.kill();
        until_alone(&node);
        for number in 1..=3 {
            assert!(arenas() > 0);
            assert_eq!(message(&port).data, vec![number; MIB]);
        }
        assert_eq!(message(&port).data, b"kill me");
        assert!(matches!(port.recv_blocking(Some(PATIENCE)), Ok(Event::Close(CloseReason::Crashed))));
        drop(port);
        assert_eq!((descriptors(), arenas()), (before, 0));
    }
}

fn what_a_killed_process_has_borrowed_is_free(kind: LinkKind) {
    let node = node(kind);
    let before = descriptors();
    for _ in 0..3 {
        let (mut borrower, port) = Process::member(&node, "borrower");
        let deadline = Instant::now() + PATIENCE;
        // Until the arena has been seen over there, whenever that is.
        while node.stats().lent_bytes == 0 {
            assert!(Instant::now() < deadline);
            drop(port.alloc(MIB).unwrap());
            let mut buffer = port.alloc(MIB).unwrap();
            if format!("{buffer:?}").contains("shared: true") {
                buffer.fill(1);
                port.post_buffer(buffer, vec![]).unwrap();
            } else {
                let _ = node.wait(Some(PATIENCE)).unwrap();
            }
        }
        (0..2).for_each(|_| port.post(vec![1; MIB]).unwrap());
        assert_eq!(message(&port).data, b"kill me");
        assert_eq!(node.stats().lent_bytes, 3 * MIB);
        borrower.kill();
        assert!(matches!(port.recv_blocking(Some(PATIENCE)), Ok(Event::Close(CloseReason::Crashed))));
        until_alone(&node);
        drop(port);
        assert_eq!((node.stats().lent_bytes, arenas()), (0, 0));
        // The clock that watches arenas goes at its next tick.
        let deadline = Instant::now() + PATIENCE;
        while descriptors() > before {
            assert!(Instant::now() < deadline, "{} descriptors, {before} before", descriptors());
            let _ = node.wait(Some(PATIENCE)).unwrap();
        }
    }
}

macro_rules! over_both {
    ($($test:ident),* $(,)?) => {
        mod sockets {
            $(#[test] fn $test() { super::$test(super::LinkKind::Socket) })*
        }
        mod rings {
            $(#[test] fn $test() { super::$test(super::LinkKind::Rings) })*
        }
    };
}

over_both!(what_was_lent_before_a_kill_is_received, what_a_killed_process_has_borrowed_is_free);
