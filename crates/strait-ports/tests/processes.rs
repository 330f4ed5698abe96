//! Nodes in processes of their own: direct links, moves, deaths.
//!
//! The children are this very test binary: `child` below is their entry point and does nothing unless it is one. A child's socket is its standard
//! input, so that nobody else can inherit it.

mod common;

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use strait_ports::{CloseReason, Event, LinkKind, Message, Node, Port};

use common::{Process, ROLE};

/// Nothing in these tests takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Both kinds of link must pass every one of these.
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

over_both!(
    two_processes_talk_while_the_broker_is_stopped,
    both_ends_move_in_opposite_directions_while_messages_flow,
    ports_inside_ports_three_deep,
    a_killed_process_closes_its_ports_at_once,
    a_departure_that_was_announced_has_its_reason,
    an_orderly_end_delivers_everything_and_says_so,
    direct_links_outlive_the_broker,
);

// What both sides need.

fn text(text: impl std::fmt::Display, ports: Vec<Port>) -> Message {
    Message::with_ports(text.to_string().into_bytes(), ports)
}

fn words(message: &Message) -> Vec<String> {
    String::from_utf8(message.data.clone()).unwrap().split(' ').map(str::to_owned).collect()
}

fn next(port: &Port) -> Event {
    port.recv_blocking(Some(PATIENCE)).unwrap()
}

fn message(port: &Port) -> Message {
    match next(port) {
        Event::Message(message) => message,
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

impl Process {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// The exit code; `None` if a signal ended it.
    fn ends(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the child does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

// The children.

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let socket = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3).unwrap();
    let code = match role.as_str() {
        "socket-broker" => broker(socket, LinkKind::Socket),
        "rings-broker" => broker(socket, LinkKind::Rings),
        "echo" => echo(socket),
        "pump" => pump(socket),
        "flood" => flood(socket),
        "count" => count(socket),
        "forward" => forward(socket),
        "unpack" => unpack(socket),
        "leave" => leave(socket),
        role => panic!("no role {role}"),
    };
    std::process::exit(code);
}

/// Sends back what comes on the port that it is given, until that closes.
fn echo(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    while let Event::Message(message) = next(&port) {
        port.post(message).unwrap();
    }
    node.leave(CloseReason::Exited);
    0
}

fn broker_role(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Socket => "socket-broker",
        LinkKind::Rings => "rings-broker",
    }
}

/// A broker of its own: lets its parent join, starts an echo, and connects the two.
fn broker(socket: OwnedFd, kind: LinkKind) -> i32 {
    let node = Node::broker_with(kind).unwrap();
    let parent = node.invite(socket).unwrap();
    let (_echo, to_echo) = Process::member(&node, "echo");
    let (one, other) = node.channel();
    parent.post(text("your end", vec![one])).unwrap();
    to_echo.post(text("your end", vec![other])).unwrap();
    while node.stats().proxies > 0 {
        let _ = node.wait(Some(PATIENCE)).unwrap();
    }
    parent.post(text("settled", vec![])).unwrap();
    // Until the parent is done.
    while let Event::Message(_) = next(&parent) {}
    0
}

const TOTAL: u32 = 10_000;

/// What a pump has in its hands.
struct Pumped {
    port: Port,
    sent: u32,
    received: u32,
    /// So many it may send before the next move.
    quota: u32,
}

/// Posts numbered messages and checks those that come, on a port that it hands on, with the numbers, when told to.
fn pump(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let mut held: Option<Pumped> = None;
    loop {
        match bootstrap.try_recv() {
            Some(Event::Message(mut message)) => match words(&message)[0].as_str() {
                "take" => {
                    let numbers: Vec<u32> = words(&message)[1..].iter().map(|n| n.parse().unwrap()).collect();
                    held = Some(Pumped { port: message.ports.remove(0), sent: numbers[0], received: numbers[1], quota: numbers[2] });
                }
                "give" => {
                    let Pumped { port, sent, received, .. } = held.take().unwrap();
                    bootstrap.post(text(format_args!("{sent} {received}"), vec![port])).unwrap();
                }
                other => panic!("{other}"),
            },
            Some(Event::Close(_)) => return 0,
            None => {}
        }
        let mut idle = true;
        if let Some(Pumped { port, sent, received, quota }) = &mut held {
            for _ in 0..5 {
                if sent < quota {
                    port.post(sent.to_le_bytes().to_vec()).unwrap();
                    *sent += 1;
                    idle = false;
                }
            }
            while let Some(event) = port.try_recv() {
                // Closed: the other child was ended, or the parent will miss that we were complete.
                let Event::Message(message) = event else { return 0 };
                assert_eq!(message.data, received.to_le_bytes());
                *received += 1;
                idle = false;
                if *received == TOTAL {
                    bootstrap.post(text("complete", vec![])).unwrap();
                }
            }
        }
        let _ = if idle { node.wait(Some(PATIENCE)).unwrap() } else { node.dispatch(Duration::ZERO).unwrap() };
    }
}

/// Posts numbered messages as fast as the links take them, for ever.
fn flood(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    for number in 0u32.. {
        port.post(number.to_le_bytes().to_vec()).unwrap();
        while node.stats().queued_bytes > 10_000 {
            let _ = node.wait(Some(PATIENCE)).unwrap();
        }
        if number % 64 == 0 {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
    }
    0
}

/// Checks the numbers that come on its port; reports when they are many, and at the end how many they were and why they ended.
fn count(socket: OwnedFd) -> i32 {
    let (_node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    let mut received = 0u32;
    loop {
        match next(&port) {
            Event::Message(message) => {
                assert_eq!(message.data, received.to_le_bytes());
                received += 1;
                if received == 1000 {
                    bootstrap.post(text("many", vec![])).unwrap();
                }
            }
            Event::Close(reason) => {
                bootstrap.post(text(format_args!("{received} {reason}"), vec![])).unwrap();
                break;
            }
        }
    }
    while let Event::Message(_) = next(&bootstrap) {}
    0
}

/// Sends the second port it gets away through the first.
fn forward(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let mut ports = message(&bootstrap).ports;
    let cargo = ports.remove(1);
    ports[0].post(text("forwarded", vec![cargo])).unwrap();
    node.leave(CloseReason::Exited);
    0
}

/// Takes a port out of a message on a port out of a message on a port, and answers there.
fn unpack(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let road = message(&bootstrap).ports.remove(0);
    let first = message(&road).ports.remove(0);
    let second = message(&first).ports.remove(0);
    let third = message(&second).ports.remove(0);
    let question = message(&third);
    third.post(text(format_args!("{} indeed", words(&question)[0]), vec![])).unwrap();
    assert!(matches!(next(&third), Event::Close(CloseReason::Closed)));
    node.leave(CloseReason::Exited);
    0
}

/// Posts a hundred messages and ends in good order.
fn leave(socket: OwnedFd) -> i32 {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    for number in 0u32..100 {
        port.post(number.to_le_bytes().to_vec()).unwrap();
    }
    node.leave(CloseReason::Exited);
    0
}

// The tests.

fn two_processes_talk_while_the_broker_is_stopped(kind: LinkKind) {
    let (broker, socket) = Process::start(broker_role(kind));
    let (node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    assert_eq!(words(&message(&bootstrap)), ["settled"]);
    broker.signal(Signal::STOP);
    for number in 0u32..1000 {
        port.post(number.to_le_bytes().to_vec()).unwrap();
    }
    for number in 0u32..1000 {
        assert_eq!(message(&port).data, number.to_le_bytes());
    }
    assert_eq!(node.stats().links, 2);
    broker.signal(Signal::CONT);
    bootstrap.post(text("still there?", vec![])).unwrap();
    port.close();
    bootstrap.close();
    let mut broker = broker;
    assert_eq!(broker.ends(), Some(0));
}

fn both_ends_move_in_opposite_directions_while_messages_flow(kind: LinkKind) {
    const MOVES: u32 = 12;
    let node = Node::broker_with(kind).unwrap();
    let members = [Process::member(&node, "pump"), Process::member(&node, "pump")];
    let (one, other) = node.channel();
    let quota = |step: u32| TOTAL * step / MOVES;
    for ((_, bootstrap), port) in members.iter().zip([one, other]) {
        bootstrap.post(text(format_args!("take 0 0 {}", quota(1)), vec![port])).unwrap();
    }
    for step in 2..=MOVES {
        // Both give theirs away at the same time, and get the other's.
        members.iter().for_each(|(_, bootstrap)| bootstrap.post(text("give", vec![])).unwrap());
        for (from, to) in [(0, 1), (1, 0)] {
            let state = message(&members[from].1);
            let numbers = words(&state).join(" ");
            members[to].1.post(text(format_args!("take {numbers} {}", quota(step)), state.ports)).unwrap();
        }
    }
    for (_, bootstrap) in &members {
        assert_eq!(words(&message(bootstrap)), ["complete"]);
    }
    // Everything settles: nothing goes through this process any more.
    let deadline = Instant::now() + PATIENCE;
    while node.stats().proxies > 0 {
        assert!(Instant::now() < deadline);
        let _ = node.wait(Some(PATIENCE)).unwrap();
    }
}

fn ports_inside_ports_three_deep(kind: LinkKind) {
    let node = Node::broker_with(kind).unwrap();
    let (_forward, to_forward) = Process::member(&node, "forward");
    let (_unpack, to_unpack) = Process::member(&node, "unpack");
    let (road, road_end) = node.channel();
    let [(a, first), (b, second), (c, third)] = [node.channel(), node.channel(), node.channel()];
    a.post(text("the second", vec![second])).unwrap();
    b.post(text("the third", vec![third])).unwrap();
    c.post(text("deep", vec![])).unwrap();
    to_unpack.post(text("the road", vec![road_end])).unwrap();
    // The first port goes through one process to the other, with the second in its queue, which has the third in its queue.
    to_forward.post(text("road and cargo", vec![road, first])).unwrap();
    assert_eq!(words(&message(&c)), ["deep", "indeed"]);
    c.close();
}

/// Kills a process in the middle of its flood: how long until the broker knows, and until a third process has told of it.
fn kill_in_mid_flood(kind: LinkKind) -> (Duration, Duration) {
    let node = Node::broker_with(kind).unwrap();
    let (mut flood, to_flood) = Process::member(&node, "flood");
    let (_count, to_count) = Process::member(&node, "count");
    let (one, other) = node.channel();
    to_count.post(text("your end", vec![other])).unwrap();
    to_flood.post(text("your end", vec![one])).unwrap();
    assert_eq!(words(&message(&to_count)), ["many"]);
    let killed = Instant::now();
    flood.signal(Signal::KILL);
    assert!(matches!(next(&to_flood), Event::Close(CloseReason::Crashed)));
    let known = killed.elapsed();
    let report = words(&message(&to_count));
    let told = killed.elapsed();
    assert_eq!(report[1], "crashed");
    assert!(report[0].parse::<u32>().unwrap() >= 1000, "what came before is counted, without a gap");
    assert_eq!(flood.ends(), None);
    (known, told)
}

fn a_killed_process_closes_its_ports_at_once(kind: LinkKind) {
    // A few milliseconds where nothing else runs. On a machine that is busy with other things nobody promises when a process runs: one good try
    // counts, and it is one if no time had to pass first.
    let tries: Vec<_> = (0..3).map(|_| kill_in_mid_flood(kind)).collect();
    let limit = Duration::from_secs(2);
    assert!(tries.iter().any(|(known, told)| *known < limit && *told < limit), "known, told after: {tries:?}");
}

fn a_departure_that_was_announced_has_its_reason(kind: LinkKind) {
    let node = Node::broker_with(kind).unwrap();
    let (flood, to_flood) = Process::member(&node, "flood");
    let (_count, to_count) = Process::member(&node, "count");
    let (one, other) = node.channel();
    to_count.post(text("your end", vec![other])).unwrap();
    to_flood.post(text("your end", vec![one])).unwrap();
    assert_eq!(words(&message(&to_count)), ["many"]);
    node.expect_departure(&to_flood, CloseReason::Unloaded);
    flood.signal(Signal::KILL);
    assert!(matches!(next(&to_flood), Event::Close(CloseReason::Unloaded)));
    assert_eq!(words(&message(&to_count))[1], "unloaded");
}

fn an_orderly_end_delivers_everything_and_says_so(kind: LinkKind) {
    let node = Node::broker_with(kind).unwrap();
    let (mut leave, to_leave) = Process::member(&node, "leave");
    let (_count, to_count) = Process::member(&node, "count");
    let (one, other) = node.channel();
    to_count.post(text("your end", vec![other])).unwrap();
    to_leave.post(text("your end", vec![one])).unwrap();
    assert_eq!(words(&message(&to_count)), ["100", "exited"]);
    assert!(matches!(next(&to_leave), Event::Close(CloseReason::Exited)));
    assert_eq!(leave.ends(), Some(0));
}

fn direct_links_outlive_the_broker(kind: LinkKind) {
    let (mut broker, socket) = Process::start(broker_role(kind));
    let (node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    assert_eq!(words(&message(&bootstrap)), ["settled"]);
    broker.signal(Signal::KILL);
    assert_eq!(broker.ends(), None);
    assert!(matches!(next(&bootstrap), Event::Close(CloseReason::Crashed)));
    port.post(vec![1; 1 << 20]).unwrap();
    assert_eq!(message(&port).data, vec![1; 1 << 20]);
    assert_eq!(node.stats().links, 1);
}
