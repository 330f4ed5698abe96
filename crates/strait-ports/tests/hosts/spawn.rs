//! `Node::spawn` and `Node::from_env`.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, send, socket_with, socketpair};
use strait_ports::{CloseReason, Event, Node, PORT_FD_VARIABLE, SpawnError};

use super::common::{Folder, PATIENCE, Process, chain, close, data, next, output, role, say};

// The children.

pub(crate) fn play(role: &str) -> bool {
    match role {
        "echo" => echo(),
        "report" => report(),
        "report-twice" => {
            report();
            report();
        }
        "own-descriptor" => own_descriptor(),
        "sockets" => say(sockets()),
        "parent" => parent(),
        "orphan" => orphan(),
        _ => return false,
    }
    true
}

fn echo() {
    let (node, port) = Node::from_env().unwrap();
    while let Event::Message(message) = next(&port) {
        port.post(message).unwrap();
    }
    node.leave(CloseReason::Exited);
}

/// Says how `from_env` ends, and whether the descriptor is still there.
fn report() {
    match Node::from_env() {
        Ok((node, _)) => {
            say("joined");
            std::mem::forget(node);
        }
        Err(error) => say(chain(&error)),
    }
    let number = std::env::var(PORT_FD_VARIABLE).unwrap_or("none".to_owned());
    if fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok() {
        say("open");
    }
}

/// The variable names a descriptor that this process has opened itself: it must be found unfit and left alone.
fn own_descriptor() {
    let number: i32 = std::env::var(PORT_FD_VARIABLE).unwrap().parse().unwrap();
    let mut opened = Vec::new();
    while opened.last().is_none_or(|fd: &OwnedFd| fd.as_raw_fd() < number) {
        let (one, other) = seqpacket();
        opened.extend([one, other]);
    }
    report();
}

/// How many sockets this process has.
fn sockets() -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Has children of its own once it has its port.
fn parent() {
    let (_node, port) = Node::from_env().unwrap();
    let mut said = output(&mut role("sockets"));
    said.extend(output(&mut role("report")));
    port.post(said.join("\n").into_bytes()).unwrap();
    assert_eq!(close(&port), CloseReason::Closed);
}

/// Waits until its parent is gone.
fn orphan() {
    let (_node, port) = Node::from_env().unwrap();
    port.post(b"here".to_vec()).unwrap();
    close(&port);
}

// The tests.

fn seqpacket() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// Runs a role with `descriptor` as number 5, and the variable as it is to be.
fn with_descriptor(descriptor: impl Into<Stdio>, value: &str, role_name: &str) -> Vec<String> {
    let inner = role(role_name);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" 5<&0 0</dev/null", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env(PORT_FD_VARIABLE, value).stdin(descriptor).stdout(Stdio::piped());
    output(&mut command)
}

#[test]
fn a_child_talks_and_leaves() {
    let node = Node::broker().unwrap();
    let (child, port) = node.spawn(&mut role("echo")).unwrap();
    let mut child = Process(child);
    port.post(b"hello".to_vec()).unwrap();
    assert_eq!(data(&port), b"hello");
    port.close();
    assert_eq!(child.ends().1, Some(0));
}

#[test]
fn a_killed_child_closes_its_port_while_the_command_lives_on() {
    let node = Node::broker().unwrap();
    let mut command = role("echo");
    let (child, port) = node.spawn(&mut command).unwrap();
    let mut child = Process(child);
    port.post(b"hello".to_vec()).unwrap();
    assert_eq!(data(&port), b"hello");
    child.0.kill().unwrap();
    let killed = Instant::now();
    assert_eq!(close(&port), CloseReason::Crashed);
    assert!(killed.elapsed() < PATIENCE);
    // The command can be used again: with a port, and without one.
    let (child, port) = node.spawn(&mut command).unwrap();
    let _child = Process(child);
    port.post(b"again".to_vec()).unwrap();
    assert_eq!(data(&port), b"again");
    let said = output(command.env(super::common::ROLE, "report").stdout(Stdio::piped()));
    assert!(said[0].contains("is not set: this program expects to be started by Node::spawn"), "{said:?}");
    assert_eq!(said.len(), 1);
}

#[test]
fn a_child_learns_that_its_parent_is_gone() {
    let node = Node::broker().unwrap();
    let (child, port) = node.spawn(&mut role("orphan")).unwrap();
    let mut child = Process(child);
    assert_eq!(data(&port), b"here");
    drop((port, node));
    assert_eq!(child.ends().1, Some(0));
}

#[test]
fn a_child_that_never_asks_for_its_port_closes_it_by_ending() {
    let node = Node::broker().unwrap();
    let (child, port) = node.spawn(&mut role("sockets")).unwrap();
    assert_eq!(Process(child).ends().1, Some(0));
    assert_eq!(close(&port), CloseReason::Crashed);
}

#[test]
fn nobody_but_the_child_gets_the_descriptor() {
    let without: usize = output(&mut role("sockets"))[0].parse().unwrap();
    let node = Node::broker().unwrap();
    let plain = || assert_eq!(output(&mut role("sockets")), [without.to_string()]);
    let spawned = || {
        let (child, port) = node.spawn(&mut role("sockets")).unwrap();
        let (said, code) = Process(child).ends();
        assert_eq!((said, code), (vec![(without + 1).to_string()], Some(0)));
        drop(port);
    };
    // At the same time: what is for one child must not show in another.
    thread::scope(|scope| {
        scope.spawn(|| (0..12).for_each(|_| plain()));
        scope.spawn(|| (0..12).for_each(|_| spawned()));
        (0..12).for_each(|_| spawned());
    });
}

#[test]
fn a_command_that_is_run_again_hands_on_nothing_that_has_come_under_the_number() {
    let without = output(&mut role("sockets"));
    let node = Node::broker().unwrap();
    let mut command = role("sockets");
    let (child, _port) = node.spawn(&mut command).unwrap();
    assert_eq!(Process(child).ends().1, Some(0));
    // The number is free again, and so are few others: one of these has it.
    let _sockets: Vec<_> = (0..8).map(|_| seqpacket()).collect();
    assert_eq!(output(&mut command), without);
}

#[test]
fn grandchildren_get_a_clear_error() {
    let without: usize = output(&mut role("sockets"))[0].parse().unwrap();
    let node = Node::broker().unwrap();
    let (child, port) = node.spawn(&mut role("parent")).unwrap();
    let mut child = Process(child);
    let said = String::from_utf8(data(&port)).unwrap();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[0], without.to_string(), "a grandchild inherits the socket");
    assert!(said[1].contains("is not open: the port was for the process that started this one"), "{said:?}");
    port.close();
    assert_eq!(child.ends().1, Some(0));
}

#[test]
fn a_port_goes_through_a_program_in_between() {
    let node = Node::broker().unwrap();
    let inner = role("echo");
    let mut command = Command::new("sh");
    command.args(["-c", "\"$@\"; exit 0", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(Stdio::piped());
    let (child, port) = node.spawn(&mut command).unwrap();
    let mut child = Process(child);
    port.post(b"through".to_vec()).unwrap();
    assert_eq!(data(&port), b"through");
    port.close();
    assert_eq!(child.ends().1, Some(0));
}

#[test]
fn wrong_values_say_the_way_out() {
    let cases = [
        ("", "is ``, which is not the number of a descriptor"),
        ("soup", "is `soup`, which is not the number of a descriptor"),
        ("-1", "is `-1`, which is not the number of a descriptor"),
        ("0", "is `0`, which is not the number of a descriptor"),
        ("4294967301", "is `4294967301`, which is not the number of a descriptor"),
        ("700", "descriptor 700 of STRAIT_PORT_FD is not open"),
        ("2147483647", "descriptor 2147483647 of STRAIT_PORT_FD is not open"),
    ];
    for (value, expected) in cases {
        let said = output(role("report").env(PORT_FD_VARIABLE, value));
        assert!(said[0].contains(expected), "{value}: {said:?}");
    }
    let said = output(role("report").env_remove(PORT_FD_VARIABLE));
    assert_eq!(said, ["STRAIT_PORT_FD is not set: this program expects to be started by Node::spawn"]);
}

#[test]
fn descriptors_of_another_kind_are_left_alone() {
    let folder = Folder::new();
    fs::write(folder.join("file"), b"").unwrap();
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    bind(&listener, &SocketAddrUnix::new(folder.join("socket")).unwrap()).unwrap();
    listen(&listener, 1).unwrap();
    let stream = UnixStream::pair().unwrap();
    let datagram = socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).unwrap();
    let descriptors: [OwnedFd; 4] = [fs::File::open(folder.join("file")).unwrap().into(), listener, stream.0.into(), datagram.0];
    for descriptor in descriptors {
        let said = with_descriptor(descriptor, "5", "report");
        assert!(said[0].contains("descriptor 5 of STRAIT_PORT_FD is not a connected Unix SOCK_SEQPACKET socket"), "{said:?}");
        assert_eq!(said[1], "open");
    }
}

#[test]
fn a_descriptor_of_ones_own_is_not_taken() {
    // No child has so many to begin with.
    let said = output(role("own-descriptor").env(PORT_FD_VARIABLE, "40"));
    assert!(said[0].contains("descriptor 40 of STRAIT_PORT_FD was not inherited"), "{said:?}");
    assert_eq!(said[1], "open");
}

#[test]
fn a_parent_that_is_gone_or_talks_nonsense_is_found_out() {
    let (ours, theirs) = seqpacket();
    drop(ours);
    let said = with_descriptor(theirs, "5", "report");
    assert!(said[0].contains("does not let this process join: the broker closed the socket without a welcome"), "{said:?}");
    let (ours, theirs) = seqpacket();
    send(&ours, b"\0hello there", rustix::net::SendFlags::empty()).unwrap();
    let said = with_descriptor(theirs, "5", "report");
    assert!(said[0].contains("expected `Welcome`"), "{said:?}");
    drop(ours);
}

#[test]
fn a_port_is_taken_once() {
    let node = Node::broker().unwrap();
    let (child, _port) = node.spawn(&mut role("report-twice")).unwrap();
    let (said, code) = Process(child).ends();
    assert_eq!(said[0], "joined");
    assert!(said.iter().any(|line| line.contains("has been taken before in this process")), "{said:?}");
    assert_eq!(code, Some(0));
}

#[test]
fn what_cannot_be_started_leaves_nothing() {
    let node = Node::broker().unwrap();
    let mut command = Command::new("/no/such/program");
    let error = node.spawn(&mut command).unwrap_err();
    assert_eq!(chain(&error), "cannot start `/no/such/program`: No such file or directory (os error 2)");
    let deadline = Instant::now() + PATIENCE;
    while node.stats().links > 0 {
        assert!(Instant::now() < deadline);
        let _ = node.wait(Some(Duration::from_millis(50))).unwrap();
    }
    assert_eq!(node.stats().ports, 0);
    assert!(command.get_envs().all(|(name, value)| name != PORT_FD_VARIABLE || value.is_none()));

    // Only the broker spawns.
    let (ours, theirs) = seqpacket();
    let _port = node.invite(ours).unwrap();
    let (member, _parent) = Node::join(theirs).unwrap();
    let mark = Folder::new();
    let error = member.spawn(Command::new("touch").arg(mark.join("ran"))).unwrap_err();
    assert!(matches!(error, SpawnError::Connect(_)), "{error:?}");
    assert!(!mark.join("ran").exists());
}
