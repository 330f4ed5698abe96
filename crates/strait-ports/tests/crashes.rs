//! Processes are killed at random moments, one after another, while ports move through them.
//!
//! Two survivors and this process stay. Each round a victim joins, floods one survivor with numbers and hands on, to the other, a port that the first
//! one talks through; then it is killed. Every port that it had a part in must close or work on, without a gap, and nothing of it may be left behind.
//! The children are this very test binary, see `child`; a child's socket is its standard input.

mod common;

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use strait_ports::{CloseReason, Event, Message, Node, Port};

use common::{Process, ROLE};

/// Nothing in a round takes this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many rounds until allocators and tables have the size that they keep.
const WARM_UP: u32 = 40;
/// So many bytes a process may be bigger at the end than after the warm-up: what allocators do, not what rounds leave.
const SLACK: u64 = 1 << 20;
/// So many numbers go each way through a port in a round.
const NUMBERS: u32 = 300;
/// Nobody gets further ahead of the links than this.
const QUEUE: usize = 10_000;
/// So many numbers the flood is ahead of who counts them, at most: how much a survivor ever has in its queue must not depend on who runs when, because
/// allocators do not give it back.
const AHEAD: u32 = 4_000;
/// After so many numbers who counts them says so.
const COUNTED: u32 = 500;

fn text(text: impl std::fmt::Display, ports: Vec<Port>) -> Message {
    Message::with_ports(text.to_string().into_bytes(), ports)
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
    match role.as_str() {
        "survivor" => survivor(socket),
        "victim" => victim(socket),
        role => panic!("no role {role}"),
    }
    std::process::exit(0);
}

/// Gets a port to flood, one to hand on, and one to hand that on through. Does so until it is killed.
fn victim(socket: OwnedFd) {
    let (node, bootstrap) = Node::join(socket).unwrap();
    bootstrap.post(text("here", vec![])).unwrap();
    let [flood, cargo, road]: [Port; 3] = message(&bootstrap).ports.try_into().unwrap();
    let mut cargo = Some(cargo);
    let mut counted = 0;
    for number in 0u32.. {
        while number >= counted + AHEAD {
            match flood.recv_blocking(Some(PATIENCE)).unwrap() {
                Event::Message(_) => counted += COUNTED,
                Event::Close(reason) => panic!("closed: {reason}"),
            }
        }
        flood.post(number.to_le_bytes().to_vec()).unwrap();
        if number == 20 {
            road.post(text("handed on", cargo.take().into_iter().collect())).unwrap();
        }
        while node.stats().queued_bytes > QUEUE {
            let _ = node.wait(Some(PATIENCE)).unwrap();
        }
        if number % 16 == 0 {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
    }
}

/// A port through which numbers come, and go if `sends`.
struct Line {
    port: Port,
    sends: bool,
    sent: u32,
    received: u32,
    /// The other side has said that this was all.
    complete: bool,
}

impl Line {
    fn new(port: Port, sends: bool) -> Self {
        Self { port, sends, sent: 0, received: 0, complete: false }
    }

    /// Takes what has come; false once the port has closed.
    fn receive(&mut self, idle: &mut bool) -> bool {
        while let Some(event) = self.port.try_recv() {
            *idle = false;
            match event {
                Event::Message(message) => {
                    assert!(!self.complete, "something comes after the last");
                    let number = u32::from_le_bytes(message.data[..4].try_into().unwrap());
                    assert_eq!(number, self.received, "a gap, or something twice");
                    match message.data.len() {
                        4 => self.received += 1,
                        _ => self.complete = true,
                    }
                    if !self.sends && self.received.is_multiple_of(COUNTED) {
                        let _ = self.port.post(Vec::new());
                    }
                }
                Event::Close(reason) => {
                    // Who closes in order has said that it was all; everything before the close has come.
                    assert!(self.complete || reason != CloseReason::Closed, "closed before everything had come");
                    return false;
                }
            }
        }
        true
    }

    fn send(&mut self, node: &Node, idle: &mut bool) {
        if self.sends && self.sent < NUMBERS && node.stats().queued_bytes < QUEUE {
            // To a closed port: its close has not been taken yet.
            let _ = self.port.post(self.sent.to_le_bytes().to_vec());
            self.sent += 1;
            *idle = false;
        }
    }

    /// Says that this is all.
    fn finish(self) {
        let mut last = self.sent.to_le_bytes().to_vec();
        last.push(0);
        let _ = self.port.post(last);
        self.port.close();
    }
}

/// Checks the numbers on all its ports; reports when every port of a round has closed and nothing is left of it.
fn survivor(socket: OwnedFd) {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let mut lines: Vec<Line> = Vec::new();
    let mut roads: Vec<Port> = Vec::new();
    // A channel to the other survivor that nothing may disturb: what is sent comes back.
    let mut steady = None;
    let (mut echoes, mut reported) = (0u32, 0u32);
    let mut finishing = false;
    let mut numbers = 0;
    loop {
        let mut idle = true;
        while let Some(event) = bootstrap.try_recv() {
            idle = false;
            let Event::Message(mut message) = event else { return };
            match &message.data[..] {
                b"lead" | b"follow" => {
                    let port = message.ports.remove(0);
                    let leads = message.data == b"lead";
                    if leads {
                        port.post(0u32.to_le_bytes().to_vec()).unwrap();
                    }
                    steady = Some((port, leads));
                }
                b"count, talk" => {
                    let [count, talk]: [Port; 2] = message.ports.try_into().unwrap();
                    lines.extend([Line::new(count, false), Line::new(talk, true)]);
                }
                b"road" => roads.push(message.ports.remove(0)),
                b"finish" => finishing = true,
                b"close, finish" => {
                    finishing = true;
                    for talk in lines.extract_if(.., |line| line.sends) {
                        talk.finish();
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        roads.retain(|road| {
            while let Some(event) = road.try_recv() {
                idle = false;
                match event {
                    Event::Message(message) => lines.extend(message.ports.into_iter().map(|port| Line::new(port, true))),
                    Event::Close(_) => return false,
                }
            }
            true
        });
        lines.retain_mut(|line| {
            line.send(&node, &mut idle);
            let before = line.received;
            let stays = line.receive(&mut idle);
            numbers += u64::from(line.received - before);
            stays
        });
        if let Some((port, leads)) = &steady {
            while let Some(event) = port.try_recv() {
                let Event::Message(message) = event else {
                    // If this is not the end of the test, it ends here.
                    let _ = bootstrap.post(text("the steady channel has closed", vec![]));
                    return node.leave(CloseReason::Crashed);
                };
                let number = u32::from_le_bytes(message.data[..].try_into().unwrap());
                assert_eq!(number, echoes, "the steady channel loses something");
                echoes += 1;
                port.post(if *leads { echoes } else { number }.to_le_bytes().to_vec()).unwrap();
            }
        }
        let stats = node.stats();
        // The links to the broker and to the other survivor; the bootstrap and the steady channel.
        let rest = (stats.links, stats.ports, stats.proxies, stats.queued_bytes) == (2, 2, 0, 0);
        if finishing && lines.is_empty() && roads.is_empty() && rest && echoes > reported {
            finishing = false;
            reported = echoes;
            bootstrap.post(text(Footprint::mine(numbers), vec![])).unwrap();
        }
        if idle {
            let _ = node.wait(Some(PATIENCE)).unwrap();
        } else {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
    }
}

/// What a process takes.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    /// Numbers that have come so far.
    numbers: u64,
    descriptors: usize,
    /// Pieces of memory shared with others.
    shared: usize,
    /// Of its own. What is shared belongs to links and is touched bit by bit: it is counted, not measured.
    bytes: u64,
}

impl Footprint {
    fn mine(numbers: u64) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let private = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        let kilobytes: u64 = private.trim_end_matches("kB").trim().parse().unwrap();
        // One is for the reading of the folder.
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count() - 1;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let shared = maps.lines().filter(|line| line.contains("/memfd:")).count();
        Self { numbers, descriptors, shared, bytes: kilobytes * 1024 }
    }

    fn parse(message: &Message) -> Self {
        let text = std::str::from_utf8(&message.data).unwrap();
        let numbers: Vec<u64> = text.split(' ').map(|number| number.parse().unwrap_or_else(|_| panic!("{text}"))).collect();
        Self { numbers: numbers[0], descriptors: numbers[1] as usize, shared: numbers[2] as usize, bytes: numbers[3] }
    }
}

impl std::fmt::Display for Footprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.numbers, self.descriptors, self.shared, self.bytes)
    }
}

/// Routes until `until`.
fn drive(node: &Node, until: Instant) {
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        let _ = node.wait(Some(left)).unwrap();
    }
}

/// The broker's node without the victim: two links, two bootstrap channels.
fn await_rest(node: &Node) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = node.stats();
        if (stats.links, stats.ports, stats.proxies, stats.queued_bytes) == (2, 2, 0, 0) {
            return;
        }
        assert!(Instant::now() < deadline, "left behind: {stats:?}");
        let _ = node.wait(Some(PATIENCE)).unwrap();
    }
}

#[test]
fn killed_processes_leave_neither_gaps_nor_open_ports_nor_anything_else() {
    let budget = Duration::from_secs(if std::env::var_os("STRAIT_LONG").is_some() { 120 } else { 20 });
    let began = Instant::now();
    let node = Node::broker().unwrap();
    let survivors = [Process::member(&node, "survivor"), Process::member(&node, "survivor")];
    let [first, second] = [&survivors[0].1, &survivors[1].1];
    let (lead, follow) = node.channel();
    first.post(text("lead", vec![lead])).unwrap();
    second.post(text("follow", vec![follow])).unwrap();
    let mut chance = 1u64;
    let mut warm: Option<[Footprint; 3]> = None;
    let mut rounds = 0u32;
    loop {
        let (victim, to_victim) = Process::member(&node, "victim");
        let [(count, flood), (talk, cargo), (road, way)] = [node.channel(), node.channel(), node.channel()];
        first.post(text("count, talk", vec![count, talk])).unwrap();
        second.post(text("road", vec![road])).unwrap();
        to_victim.post(text("flood, cargo, road", vec![flood, cargo, way])).unwrap();
        if !rounds.is_multiple_of(4) {
            // In the other rounds it may be killed before it has joined.
            assert_eq!(message(&to_victim).data, b"here");
        }
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        drive(&node, Instant::now() + Duration::from_micros((chance >> 33) % 15_000));
        kill_process(Pid::from_child(&victim.0), Signal::KILL).unwrap();
        loop {
            match to_victim.recv_blocking(Some(PATIENCE)).unwrap() {
                Event::Message(message) => assert_eq!(message.data, b"here"),
                Event::Close(reason) => break assert_eq!(reason, CloseReason::Crashed),
            }
        }
        drop((victim, to_victim));
        first.post(text("close, finish", vec![])).unwrap();
        second.post(text("finish", vec![])).unwrap();
        let theirs = [Footprint::parse(&message(first)), Footprint::parse(&message(second))];
        await_rest(&node);
        let now = [Footprint::mine(0), theirs[0], theirs[1]];
        rounds += 1;
        if rounds == WARM_UP {
            warm = Some(now);
        }
        for (then, now) in warm.iter().flatten().zip(now) {
            assert_eq!(now.descriptors, then.descriptors, "descriptors are left behind after round {rounds}");
            assert_eq!(now.shared, then.shared, "shared memory is left behind after round {rounds}");
            assert!(now.bytes <= then.bytes + SLACK, "memory is left behind after round {rounds}: {then:?}, {now:?}");
        }
        if began.elapsed() > budget && rounds > WARM_UP {
            let warm = warm.expect("set during the warm-up");
            println!("{rounds} processes killed in {:.1} s; after the warm-up {warm:?}, then {now:?}", began.elapsed().as_secs_f32());
            assert!(now[1..].iter().all(|survivor| survivor.numbers > 0), "nothing was ever under way");
            return;
        }
    }
}
