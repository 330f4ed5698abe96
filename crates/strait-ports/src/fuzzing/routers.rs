//! Routers that exchange events, programs with arbitrary operations, and a forger that is linked to
//! all.

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

/// The most deliveries until no event is in transit. A message that follows its port passes up to
/// [`MAX_HOPS`](crate::router::MAX_HOPS) proxies, and few inputs cause more than one such message.
const MOST_DELIVERIES: usize = 2_000_000;

/// The most ports and messages: beyond this the programs post no more, because it would cause no
/// new behaviour.
const MOST_PORTS: usize = 200;

/// Names by a counter, for all routers.
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
    /// Items in transit, by sender and receiver.
    links: Vec<Vec<VecDeque<Parcel>>>,
    /// `(a, b)`: items that a sends arrive at b.
    linked: BTreeSet<(usize, usize)>,
    /// Pairs that have had a link.
    met: BTreeSet<(usize, usize)>,
    /// Pending requests for an introduction: the node, and the requested name.
    asked: VecDeque<(usize, NodeName)>,
    /// The programs' ports.
    ports: Vec<(usize, ElementKey)>,
    /// The names that the forger has received.
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

    /// Executes the routers' actions.
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

    /// The broker's reply to a request.
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
                // Only the forger violates the protocol in a way that costs the link.
                self.routers[to].handle(name(from), frame).expect("honest nodes keep to the protocol");
            }
            Some(Parcel::Lost) => self.routers[to].lose_node(name(from), CloseReason::Crashed),
            None => return,
        }
        self.settle();
    }

    /// The link between two honest nodes breaks; items in transit arrive.
    fn sever(&mut self, a: usize, b: usize) {
        if self.linked.remove(&(a, b)) && self.linked.remove(&(b, a)) {
            self.links[a][b].push_back(Parcel::Lost);
            self.links[b][a].push_back(Parcel::Lost);
        }
    }

    /// A node loses its link to the forger.
    fn lose_liar(&mut self, node: usize) {
        if self.linked.remove(&(FORGER, node)) {
            self.linked.remove(&(node, FORGER));
            self.routers[node].lose_node(name(FORGER), CloseReason::Crashed);
            self.settle();
        }
    }

    /// The forger sends a frame.
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

    /// Delivers and introduces until nothing is in transit.
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

    /// The properties that hold at any time.
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

/// Programs create, post, receive and close. Links deliver in order, at arbitrary times, and break.
/// The forger sends any frame that can be decoded. At the end all programs close their ports and
/// the forger is gone: then no router may have anything left.
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
    // Ports that were in transit have arrived; their channels have ended, with the forger at the
    // latest.
    (0..HONEST).for_each(|node| world.routers[node].close_all(CloseReason::Exited));
    world.quiet(true);
    assert!(denied || world.remains() == NOTHING, "everybody has closed and something is left: {:?}", world.remains());
    // A ring of proxies that cannot reach each other stays as long as its nodes.
    (0..HONEST).for_each(|a| (0..a).for_each(|b| world.sever(a, b)));
    world.quiet(false);
    (0..HONEST).for_each(|node| world.routers[node].close_all(CloseReason::Exited));
    world.quiet(false);
    assert_eq!(world.remains(), NOTHING, "all links are lost and something is left");
}
