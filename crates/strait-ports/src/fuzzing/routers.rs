//! Routers that carry each other's events, programs that do what they like, and a forger that is linked to all.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::input::{Input, Names};
use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, SideName};
use crate::router::{Action, ElementKey, Frame, Received, Router};
use crate::wire::{self, Packet};

/// Honest nodes. The forger's number is the next.
const HONEST: usize = 3;
const FORGER: usize = HONEST;

/// A bound for deliveries until all is quiet. A message that chases its port passes up to [`MAX_HOPS`](crate::router::MAX_HOPS) proxies, and few inputs
/// make more than one do so.
const MOST_DELIVERIES: usize = 2_000_000;

/// Ports and messages beyond which the programs post no more: nothing new comes of them.
const MOST_PORTS: usize = 200;

/// Names in the order of asking, for all routers.
struct Counter(Arc<AtomicU64>);

impl NameSource for Counter {
    fn next(&mut self) -> u128 {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        // Neither ascending nor descending, as names compare.
        u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(number)
    }
}

fn name(node: usize) -> NodeName {
    NodeName(node as u128 + 1)
}

fn number(node: NodeName) -> usize {
    (node.0 as usize).wrapping_sub(1)
}

enum Parcel {
    Frame(Frame),
    /// The link's end.
    Lost,
}

struct World {
    routers: Vec<Router>,
    /// By sender and receiver.
    links: Vec<Vec<VecDeque<Parcel>>>,
    /// `(a, b)`: what a sends arrives at b.
    linked: BTreeSet<(usize, usize)>,
    /// Pairs that have had a link once.
    met: BTreeSet<(usize, usize)>,
    /// Who has asked for whom.
    asked: VecDeque<(usize, NodeName)>,
    /// Ports in programs' hands.
    ports: Vec<(usize, ElementKey)>,
    /// What the forger knows.
    names: Names,
}

impl World {
    fn new() -> Self {
        let given = Arc::new(AtomicU64::new(1));
        let routers = (0..HONEST).map(|node| Router::new(name(node), Box::new(Counter(Arc::clone(&given))))).collect();
        let mut world = Self {
            routers,
            links: (0..=FORGER).map(|_| (0..=FORGER).map(|_| VecDeque::new()).collect()).collect(),
            linked: BTreeSet::new(),
            met: BTreeSet::new(),
            asked: VecDeque::new(),
            ports: Vec::new(),
            names: Names::new(),
        };
        // Node 0 is linked to all, the forger too; 1 and 2 have to be introduced.
        for (number, (a, b)) in [(0, 1), (0, 2), (0, FORGER), (1, FORGER), (2, FORGER)].into_iter().enumerate() {
            world.meet(a, b);
            let side = |which: u128| SideName(0xa11 << 64 | (2 * number as u128 + which));
            for (node, other, ours, theirs) in [(a, b, side(0), side(1)), (b, a, side(1), side(0))] {
                if node < HONEST {
                    let key = world.routers[node].adopt(ours, Addr { node: name(other), side: theirs });
                    world.ports.push((node, key));
                } else {
                    [ours.0, theirs.0].into_iter().for_each(|name| world.names.add(name));
                }
            }
        }
        (0..=FORGER).for_each(|node| world.names.add(name(node).0));
        world
    }

    fn meet(&mut self, a: usize, b: usize) {
        self.linked.extend([(a, b), (b, a)]);
        self.met.extend([(a, b), (b, a)]);
        for (node, other) in [(a, b), (b, a)] {
            if node < HONEST {
                self.routers[node].link_up(name(other));
            }
        }
    }

    /// Does what the routers want done.
    fn settle(&mut self) {
        for node in 0..HONEST {
            while let Some(action) = self.routers[node].next_action() {
                match action {
                    Action::Send { node: to, frame } => {
                        let to = number(to);
                        assert!(to <= FORGER && to != node, "a router sends to nobody");
                        if self.linked.contains(&(node, to)) {
                            if to == FORGER {
                                self.names.learn(Packet::Event(frame));
                            } else {
                                self.links[node][to].push_back(Parcel::Frame(frame));
                            }
                        }
                    }
                    Action::Introduce(to) => self.asked.push_back((node, to)),
                    Action::Ready(_) | Action::CreditAvailable(_) | Action::Overflow { .. } => {}
                }
            }
        }
    }

    /// The broker's answer to somebody who has asked.
    fn introduce(&mut self, grant: bool) {
        let Some((node, to)) = self.asked.pop_front() else { return };
        let other = number(to);
        let possible = other <= FORGER && other != node && !self.met.contains(&(node, other));
        if possible && grant {
            self.meet(node, other);
        } else if !self.linked.contains(&(node, other)) {
            self.routers[node].unreachable(to);
        }
        self.settle();
    }

    fn deliver(&mut self, from: usize, to: usize) {
        match self.links[from][to].pop_front() {
            Some(Parcel::Frame(frame)) => {
                // Only the forger breaks a rule that costs the link.
                self.routers[to].handle(name(from), frame).expect("honest nodes keep to the protocol");
            }
            Some(Parcel::Lost) => self.routers[to].lose_node(name(from), CloseReason::Crashed),
            None => return,
        }
        self.settle();
    }

    /// The link between two honest nodes breaks; what is under way arrives.
    fn sever(&mut self, a: usize, b: usize) {
        if self.linked.remove(&(a, b)) && self.linked.remove(&(b, a)) {
            self.links[a][b].push_back(Parcel::Lost);
            self.links[b][a].push_back(Parcel::Lost);
        }
    }

    /// The forger's link to a node goes.
    fn lose_liar(&mut self, node: usize) {
        if self.linked.remove(&(FORGER, node)) {
            self.linked.remove(&(node, FORGER));
            self.routers[node].lose_node(name(FORGER), CloseReason::Crashed);
            self.settle();
        }
    }

    /// The forger says something.
    fn forge(&mut self, node: usize, frame: Vec<u8>) {
        let Ok(Packet::Event(frame)) = wire::decode(frame) else { return };
        if !self.linked.contains(&(FORGER, node)) {
            return;
        }
        let heard = self.routers[node].handle(name(FORGER), frame);
        self.settle();
        if heard.is_err() {
            self.lose_liar(node);
        }
    }

    fn post(&mut self, input: &mut Input<'_>) {
        let (count, length) = (input.byte() % 4, input.byte() % 32);
        let Some(from) = input.index(self.ports.len()) else { return };
        let (node, key) = self.ports[from];
        let mut posted = Vec::new();
        for _ in 0..count {
            let Some(port) = input.index(self.ports.len()) else { break };
            let (there, other) = self.ports[port];
            if there == node && other != key {
                self.ports.swap_remove(port);
                posted.push(other);
            }
        }
        self.routers[node].post(key, vec![length; usize::from(length)], posted);
        self.settle();
    }

    fn pop(&mut self, which: usize) {
        let (node, key) = self.ports[which];
        if let Some(Received::Message { ports, .. }) = self.routers[node].pop(key) {
            self.ports.extend(ports.into_iter().map(|port| (node, port)));
        }
    }

    /// Delivers and introduces until nothing is left.
    fn quiet(&mut self, grant: bool) {
        self.settle();
        for _ in 0..MOST_DELIVERIES {
            let next = (0..HONEST).flat_map(|a| (0..HONEST).map(move |b| (a, b))).find(|(a, b)| !self.links[*a][*b].is_empty());
            match next {
                Some((from, to)) => self.deliver(from, to),
                None if self.asked.is_empty() => return,
                None => self.introduce(grant),
            }
        }
        panic!("it never comes to rest");
    }

    /// What must hold at any time.
    fn check(&mut self) {
        for node in 0..HONEST {
            let (endpoints, _) = self.routers[node].counts();
            let held: Vec<_> = self.ports.iter().filter(|(n, _)| *n == node).map(|(_, key)| *key).collect();
            assert!(endpoints >= held.len(), "a port in somebody's hands is gone");
            let buffered: usize = held.into_iter().map(|key| self.routers[node].queued(key).1).sum();
            assert!(self.routers[node].queued_bytes() >= buffered, "queued bytes are not counted");
        }
    }

    fn remains(&self) -> Vec<((usize, usize), usize)> {
        self.routers.iter().map(|router| (router.counts(), router.queued_bytes())).collect()
    }
}

/// Programs create, post, receive and close; links deliver in order and otherwise when they like, and break; the forger says whatever can be decoded. In the
/// end all programs close what they have and the forger is gone: then nothing may be left in any router.
pub fn router(bytes: &[u8]) {
    const NOTHING: [((usize, usize), usize); HONEST] = [((0, 0), 0); HONEST];
    let mut world = World::new();
    let mut input = Input::new(bytes);
    let mut denied = false;
    while let Some(step) = input.step() {
        let (one, other) = (usize::from(step / 16) % HONEST, usize::from(step / 16 / 3) % HONEST);
        match step % 16 {
            0 if world.ports.len() < MOST_PORTS => {
                let (a, b) = world.routers[one].channel();
                world.ports.extend([(one, a), (one, b)]);
            }
            1..4 if world.ports.len() < MOST_PORTS => world.post(&mut input),
            4 | 5 => {
                if let Some(which) = input.index(world.ports.len()) {
                    world.pop(which);
                }
            }
            6 => {
                if let Some(which) = input.index(world.ports.len()) {
                    let (node, key) = world.ports.swap_remove(which);
                    world.routers[node].close(key, CloseReason::Closed);
                    world.settle();
                }
            }
            7 | 8 => (0..=step / 64).for_each(|_| world.deliver(one, other)),
            9 => world.introduce(true),
            10 => {
                denied |= !world.asked.is_empty();
                world.introduce(false);
            }
            11 if step > 0xc0 => world.sever(one, other),
            12 if step > 0xc0 => world.lose_liar(one),
            13 => world.quiet(true),
            _ => {
                let frame = input.frame(&world.names);
                world.forge(one, frame);
            }
        }
        world.check();
    }
    world.ports.clear();
    (0..HONEST).for_each(|node| world.routers[node].close_all(CloseReason::Exited));
    world.quiet(true);
    (0..HONEST).for_each(|node| world.lose_liar(node));
    world.quiet(true);
    // Ports that were under way have arrived; their channels have ended, with the forger if not before.
    (0..HONEST).for_each(|node| world.routers[node].close_all(CloseReason::Exited));
    world.quiet(true);
    assert!(denied || world.remains() == NOTHING, "everybody has closed and something is left: {:?}", world.remains());
    // A ring of proxies that cannot reach each other stays, but not longer than its nodes.
    (0..HONEST).for_each(|a| (0..a).for_each(|b| world.sever(a, b)));
    world.quiet(false);
    (0..HONEST).for_each(|node| world.routers[node].close_all(CloseReason::Exited));
    world.quiet(false);
    assert_eq!(world.remains(), NOTHING, "all links are lost and something is left");
}
