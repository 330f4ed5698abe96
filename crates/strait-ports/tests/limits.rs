//! An unprivileged process with few descriptors: links, large payloads and shared buffers go on, or fail cleanly, and nothing is lost.
//!
//! The tests run in children of this binary, which give up root if they have it.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Resource, Rlimit, getuid, setrlimit};
use strait_ports::{CloseReason, Event, LinkKind, Message, Node, Port, SharedBuffer};

const ROLE: &str = "STRAIT_TEST_ROLE";
const DESCRIPTORS: u64 = 256;
/// Nothing in here takes this long.
const PATIENCE: Duration = Duration::from_secs(120);
const NOBODY: u32 = 65_534;

/// Runs `role` in a process of its own.
fn run(role: &str, kind: LinkKind) {
    let mut command = Command::new("/proc/self/exe");
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, format!("{role} {kind:?}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir("/");
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{role} hangs");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(status.success(), "{role}: {status}");
}

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    assert!(!getuid().is_root());
    setrlimit(Resource::Nofile, Rlimit { current: Some(DESCRIPTORS), maximum: Some(DESCRIPTORS) }).unwrap();
    let (role, kind) = role.split_once(' ').unwrap();
    let kind = if kind == "Rings" { LinkKind::Rings } else { LinkKind::Socket };
    match role {
        "too-many-under-way" => too_many_under_way(kind),
        "no-descriptors-left" => no_descriptors_left(kind),
        "no-introductions" => no_introductions(kind),
        "on-loan" => on_loan(kind),
        "on-loan-to-all" => on_loan_to_all(kind),
        "introduced-in-vain" => introduced_in_vain(kind),
        role => panic!("no role {role}"),
    }
}

macro_rules! over_both {
    ($($test:ident: $role:literal),* $(,)?) => {
        mod sockets {
            $(#[test] fn $test() { super::run($role, super::LinkKind::Socket) })*
        }
        mod rings {
            $(#[test] fn $test() { super::run($role, super::LinkKind::Rings) })*
        }
    };
}

over_both!(
    who_has_too_many_descriptors_under_way_sends_bytes: "too-many-under-way",
    who_has_no_descriptor_left_goes_on: "no-descriptors-left",
    what_came_in_place_of_the_reserve_is_read_and_not_kept: "on-loan",
    threads_that_need_the_reserve_at_the_same_time_wait_for_each_other: "on-loan-to-all",
    an_introduction_that_cannot_be_made_leaves_things_as_they_are: "no-introductions",
    an_introduction_that_cannot_be_received_leaves_things_as_they_are: "introduced-in-vain",
);

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn pair() -> Option<(OwnedFd, OwnedFd)> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).ok()
}

/// Another node; `None` if that cannot be.
fn join(broker: &Node) -> Option<(Port, Node, Port)> {
    let (ours, theirs) = pair()?;
    let port = broker.invite(ours).ok()?;
    let (node, bootstrap) = Node::join(theirs).ok()?;
    Some((port, node, bootstrap))
}

fn is_readable(node: &Node) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(node, PollFlags::IN)], Some(&now)) != Ok(0)
}

fn settle(nodes: &[&Node]) {
    let mut quiet = 0;
    for _ in 0..200_000 {
        let idle = !nodes.iter().any(|node| is_readable(node));
        for node in nodes {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
        quiet = if idle { quiet + 1 } else { 0 };
        if quiet == 3 {
            return;
        }
    }
    panic!("it never settles");
}

fn message(port: &Port) -> Message {
    match port.try_recv() {
        Some(Event::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn too_many_under_way(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    // Several: one socket has not room for so many.
    let members: Vec<_> = (0..3).map(|_| join(&broker).unwrap()).collect();
    let nodes: Vec<&Node> = std::iter::once(&broker).chain(members.iter().map(|m| &m.1)).collect();
    let before = descriptors();
    let buffer = SharedBuffer::new(&[7; 20_000]);
    // More than may be under way. Nobody takes any meanwhile.
    for number in 0..600u32 {
        members[number as usize % 3].0.post(Message::with_buffers(number.to_le_bytes().to_vec(), vec![buffer.clone()])).unwrap();
    }
    // Who waits for room sleeps: it is not told of room that is none.
    let _ = broker.dispatch(Duration::ZERO).unwrap();
    assert!(!is_readable(&broker), "it spins");
    // An arena has no chance now.
    members[0].0.post(vec![1; 1 << 20]).unwrap();
    settle(&nodes);
    let mut shared = 0;
    for number in 0..600u32 {
        let message = message(&members[number as usize % 3].2);
        assert_eq!((&message.data[..], &message.buffers[0][..]), (&number.to_le_bytes()[..], &[7; 20_000][..]));
        shared += usize::from(format!("{:?}", message.buffers[0]).contains("shared: true"));
    }
    assert!((1..600).contains(&shared), "{shared} shared: both ways have been gone");
    assert_eq!(message(&members[0].2).data, vec![1; 1 << 20]);
    drop(buffer);
    settle(&nodes);
    // The clock of an arena, if one was made.
    assert!(descriptors() <= before + 1, "{} after {before}", descriptors());
}

/// So many descriptors, which are good for nothing; fewer where there are no more.
fn occupy(count: usize) -> Vec<OwnedFd> {
    std::iter::from_fn(|| rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC).ok()).take(count).collect()
}

fn limit_descriptors(limit: u64) {
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: Some(DESCRIPTORS) }).unwrap();
}

/// A few nodes, and every number of descriptors that are in use besides: what is left in the middle of something is never twice the same.
fn no_descriptors_left(kind: LinkKind) {
    let others = descriptors();
    for extra in 0..=8 {
        limit_descriptors(64);
        let occupied = occupy(extra);
        until_none_is_left(kind, 3);
        drop(occupied);
        assert_eq!(descriptors(), others, "with {extra} more");
    }
    limit_descriptors(DESCRIPTORS);
    until_none_is_left(kind, 10);
}

fn until_none_is_left(kind: LinkKind, at_least: usize) {
    let broker = Node::broker_with(kind).unwrap();
    let before = descriptors();
    let mut members = Vec::new();
    while let Some(member) = join(&broker) {
        members.push(member);
        assert!(members.len() < DESCRIPTORS as usize);
    }
    assert!(members.len() > at_least, "{} nodes", members.len());
    // To the last one.
    let rest = occupy(usize::MAX);
    let all = |members: &[(Port, Node, Port)]| {
        let nodes: Vec<&Node> = std::iter::once(&broker).chain(members.iter().map(|m| &m.1)).collect();
        settle(&nodes);
    };
    // What the first leaves behind is what the next ones stumble over.
    for round in 0..3u8 {
        for (port, ..) in &members {
            port.post(Message::with_buffers(vec![round; 300_000], vec![SharedBuffer::new(&[round; 30_000])])).unwrap();
            let mut buffer = port.alloc(1 << 20).unwrap();
            buffer.fill(round);
            port.post_buffer(buffer, vec![]).unwrap();
        }
        all(&members);
        for (_, _, port) in &members {
            let first = message(port);
            assert_eq!((first.data, &first.buffers[0][..]), (vec![round; 300_000], &[round; 30_000][..]));
            assert_eq!(message(port).data, vec![round; 1 << 20]);
        }
    }
    drop((rest, members));
    settle(&[&broker]);
    let deadline = Instant::now() + PATIENCE;
    while descriptors() > before {
        assert!(Instant::now() < deadline, "{} descriptors, {before} before", descriptors());
        let _ = broker.wait(Some(Duration::from_millis(100))).unwrap();
    }
}

/// Shared buffers and an arena that were sent while there were descriptors, and are received with none left, or next to none.
fn on_loan(kind: LinkKind) {
    for left_over in 0..=5 {
        let broker = Node::broker_with(kind).unwrap();
        let (to_member, member, at_member) = join(&broker).unwrap();
        let nodes = [&broker, &member];
        let before = descriptors();
        for number in 0..10u8 {
            let buffers = vec![SharedBuffer::new(&[number; 20_000]), SharedBuffer::new(&[number; 30_000])];
            to_member.post(Message::with_buffers(vec![number], buffers)).unwrap();
        }
        to_member.post(vec![1; 1 << 20]).unwrap();
        let mut rest = occupy(usize::MAX);
        rest.truncate(rest.len() - left_over);
        settle(&nodes);
        let received: Vec<Message> = (0..10).map(|_| message(&at_member)).collect();
        assert_eq!(message(&at_member).data, vec![1; 1 << 20]);
        for (number, message) in received.into_iter().enumerate() {
            let number = number as u8;
            assert_eq!((&message.buffers[0][..], &message.buffers[1][..]), (&[number; 20_000][..], &[number; 30_000][..]));
            assert!(format!("{:?}", message.buffers).matches("shared: true").count() == 2, "not in place");
            // Without a descriptor it goes on as bytes.
            at_member.post(Message::with_buffers(message.data, message.buffers)).unwrap();
        }
        // The arena can be seen.
        to_member.post(vec![2; 1 << 20]).unwrap();
        assert_eq!(broker.stats().lent_bytes, 1 << 20);
        settle(&nodes);
        assert_eq!(message(&at_member).data, vec![2; 1 << 20]);
        for number in 0..10u8 {
            let message = message(&to_member);
            assert_eq!((&message.buffers[0][..], &message.buffers[1][..]), (&[number; 20_000][..], &[number; 30_000][..]));
        }
        drop(rest);
        settle(&nodes);
        // The clock of the arena.
        assert!(descriptors() <= before + 1, "{} after {before}", descriptors());
    }
}

/// Several nodes of one process, each in a thread of its own, receive descriptors and none is left.
fn on_loan_to_all(kind: LinkKind) {
    const MESSAGES: u8 = 30;
    let broker = Node::broker_with(kind).unwrap();
    let members: Vec<_> = (0..4).map(|_| join(&broker).unwrap()).collect();
    let buffer = SharedBuffer::new(&[7; 20_000]);
    for number in 0..MESSAGES {
        for (port, ..) in &members {
            port.post(Message::with_buffers(vec![number], vec![buffer.clone()])).unwrap();
        }
    }
    let rest = occupy(usize::MAX);
    let start = std::sync::Barrier::new(members.len());
    std::thread::scope(|scope| {
        for (_, node, port) in &members {
            let (start, buffer) = (&start, &buffer);
            scope.spawn(move || {
                let deadline = Instant::now() + PATIENCE;
                // Nothing is given back: what one took in place of another's reserve would be missed.
                let mut received = Vec::new();
                start.wait();
                for number in 0..MESSAGES {
                    while port.queued().0 == 0 {
                        assert!(Instant::now() < deadline && node.stats().links == 1, "nothing comes");
                        let _ = node.dispatch(Duration::ZERO).unwrap();
                    }
                    let message = message(port);
                    assert_eq!((&message.data[..], &message.buffers[..]), (&[number][..], std::slice::from_ref(buffer)));
                    received.push(message);
                }
            });
        }
    });
    drop(rest);
    assert!(members.iter().all(|(_, node, _)| node.stats().links == 1));
}

/// The ends of a channel are given to two nodes that cannot be introduced: it goes on through the broker.
fn no_introductions(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (to_one, one, at_one) = join(&broker).unwrap();
    let (to_two, two, at_two) = join(&broker).unwrap();
    let rest = occupy(usize::MAX);
    let (left, right) = broker.channel();
    to_one.post(Message::with_ports(vec![], vec![left])).unwrap();
    to_two.post(Message::with_ports(vec![], vec![right])).unwrap();
    let nodes = [&broker, &one, &two];
    settle(&nodes);
    let (left, right) = (message(&at_one).ports.remove(0), message(&at_two).ports.remove(0));
    for number in 0..50u8 {
        left.post(vec![number; 100_000]).unwrap();
        right.post(vec![number]).unwrap();
        settle(&nodes);
        assert_eq!((message(&right).data, message(&left).data), (vec![number; 100_000], vec![number]));
    }
    assert_eq!((one.stats().links, two.stats().links, broker.stats().links), (1, 1, 2));
    drop(rest);
    left.close();
    settle(&nodes);
    assert!(matches!(right.try_recv(), Some(Event::Close(CloseReason::Closed))));
}

/// The same where the broker has descriptors enough, and the two have not: neither, or only one, can take its end of the new link.
fn introduced_in_vain(kind: LinkKind) {
    let mut direct = 0;
    for left_over in 0..=12 {
        let broker = Node::broker_with(kind).unwrap();
        let (to_one, one, at_one) = join(&broker).unwrap();
        let (to_two, two, at_two) = join(&broker).unwrap();
        let nodes = [&broker, &one, &two];
        let (left, right) = broker.channel();
        to_one.post(Message::with_ports(vec![], vec![left])).unwrap();
        to_two.post(Message::with_ports(vec![], vec![right])).unwrap();
        // One round of each: they are asked to meet.
        for node in [&one, &two] {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
        let (left, right) = (message(&at_one).ports.remove(0), message(&at_two).ports.remove(0));
        // The broker introduces them; what it has sent waits until there is next to nothing left.
        let before = (descriptors(), one.stats().links + two.stats().links);
        let mut rest = Vec::new();
        for _ in 0..50 {
            settle(&[&broker]);
            rest.extend(occupy(usize::MAX));
            rest.truncate(rest.len().saturating_sub(left_over));
            for node in [&one, &two] {
                let _ = node.dispatch(Duration::ZERO).unwrap();
            }
            drop(std::mem::take(&mut rest));
        }
        assert_eq!(before.1, 2);
        rest.extend(occupy(usize::MAX));
        settle(&nodes);
        for number in 0..20u8 {
            left.post(vec![number; 50_000]).unwrap();
            right.post(vec![number]).unwrap();
            settle(&nodes);
            assert_eq!((message(&right).data, message(&left).data), (vec![number; 50_000], vec![number]), "{left_over} left");
        }
        let links = (one.stats().links, two.stats().links, broker.stats().links);
        match links {
            (1, 1, 2) => {}
            (2, 2, 2) => direct += 1,
            links => panic!("{left_over} left: {links:?}"),
        }
        drop(rest);
        left.close();
        settle(&nodes);
        assert!(matches!(right.try_recv(), Some(Event::Close(CloseReason::Closed))));
    }
    assert!((1..13).contains(&direct), "{direct} introductions: both ways have been gone");
}
