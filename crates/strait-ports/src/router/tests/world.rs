//! A world of routers with links that deliver in order and otherwise whenever the schedule likes, and an oracle that knows what was promised.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, SideName};
use crate::router::element::{Element, Endpoint, Line};
use crate::router::{Action, ElementKey, Frame, Received, Router};

/// Names that look random and are the same in every run.
struct Scrambled(u64);

impl NameSource for Scrambled {
    fn next(&mut self) -> u128 {
        let mut word = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        u128::from(word()) << 64 | u128::from(word())
    }
}

/// What a link carries here.
#[derive(Debug)]
enum Parcel {
    Frame(Frame),
    /// To the broker: introduce me.
    Introduce(usize),
    /// From the broker: there is a link now.
    LinkUp(usize),
    /// From the broker: there will be none.
    Unreachable(usize),
    /// The link's end.
    Lost,
}

/// One of the two ends of a channel, wherever it is; its other end is `end ^ 1`.
pub(super) type End = usize;

/// A port in a program's hands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) node: usize,
    pub(super) key: ElementKey,
    pub(super) end: End,
}

/// What the oracle knows of an end.
#[derive(Default, Debug)]
struct Book {
    posted: u32,
    received: u32,
    /// The program closed it.
    closed: bool,
    /// Its close has come.
    told: Option<CloseReason>,
    /// It has changed hands since.
    moved_on: bool,
    /// Everything that was posted on the other end must come although its node has crashed.
    owed: bool,
}

/// Node 0 is the broker.
pub(super) struct World {
    pub(super) routers: Vec<Option<Router>>,
    queues: BTreeMap<(usize, usize), VecDeque<Parcel>>,
    /// `(a, b)`: a can speak to b.
    linked: BTreeSet<(usize, usize)>,
    introduced: BTreeSet<(usize, usize)>,
    /// Pairs that no broker brings together.
    apart: BTreeSet<(usize, usize)>,
    crashes: usize,
    books: Vec<Book>,
    /// The end at one node whose other end was at another from the start.
    roads: BTreeMap<(usize, usize), End>,
    pub(super) handles: Vec<Handle>,
}

fn name(node: usize) -> NodeName {
    NodeName(node as u128 + 1)
}

fn number(node: NodeName) -> usize {
    node.0 as usize - 1
}

impl World {
    /// Broker and members; `hub` is a member that is linked to all others from the start.
    pub(super) fn new(nodes: usize, seed: u64, apart: &[(usize, usize)], hub: Option<usize>) -> Self {
        let router = |i| Some(Router::new(name(i), Box::new(Scrambled(seed.wrapping_mul(31).wrapping_add((i as u64) << 40)))));
        let mut world = Self {
            routers: (0..nodes).map(router).collect(),
            queues: BTreeMap::new(),
            linked: BTreeSet::new(),
            introduced: BTreeSet::new(),
            apart: apart.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect(),
            crashes: 0,
            books: Vec::new(),
            roads: BTreeMap::new(),
            handles: Vec::new(),
        };
        for member in 1..nodes {
            world.road(0, member);
        }
        if let Some(hub) = hub.filter(|hub| (1..nodes).contains(hub)) {
            for member in (1..nodes).filter(|m| *m != hub) {
                world.introduced.extend([(hub, member), (member, hub)]);
                world.road(hub, member);
            }
        }
        world
    }

    fn road(&mut self, a: usize, b: usize) {
        self.linked.extend([(a, b), (b, a)]);
        self.router(a).link_up(name(b));
        self.router(b).link_up(name(a));
        let end = self.new_ends();
        let (at_a, at_b) = (SideName(end as u128), SideName(end as u128 + 1));
        let key = self.router(a).adopt(at_a, Addr { node: name(b), side: at_b });
        self.handles.push(Handle { node: a, key, end });
        let key = self.router(b).adopt(at_b, Addr { node: name(a), side: at_a });
        self.handles.push(Handle { node: b, key, end: end + 1 });
        self.roads.extend([((a, b), end), ((b, a), end + 1)]);
    }

    /// An end whose other end was at `to`, or at the broker, when the world began.
    pub(super) fn road_from(&self, from: usize, to: usize) -> Option<End> {
        self.roads.get(&(from, to)).or_else(|| self.roads.get(&(from, 0))).copied()
    }

    pub(super) fn is_road(&self, end: End) -> bool {
        end < self.roads.len()
    }

    /// The link between two living nodes breaks; what is under way still arrives.
    pub(super) fn sever(&mut self, a: usize, b: usize) {
        if a == b || !(self.linked.contains(&(a, b)) && self.linked.contains(&(b, a))) || a == 0 || b == 0 {
            return;
        }
        self.crashes += 1;
        self.apart.extend([(a, b), (b, a)]);
        for (from, to) in [(a, b), (b, a)] {
            let queue = self.queues.entry((from, to)).or_default();
            if !matches!(queue.back(), Some(Parcel::Lost)) {
                queue.push_back(Parcel::Lost);
            }
        }
    }

    fn new_ends(&mut self) -> End {
        self.books.extend([Book::default(), Book::default()]);
        self.books.len() - 2
    }

    pub(super) fn router(&mut self, node: usize) -> &mut Router {
        self.routers[node].as_mut().expect("only living nodes act")
    }

    pub(super) fn lives(&self, node: usize) -> bool {
        self.routers[node].is_some()
    }

    pub(super) fn nodes(&self) -> usize {
        self.routers.len()
    }

    pub(super) fn crashes(&self) -> usize {
        self.crashes
    }

    pub(super) fn channel(&mut self, node: usize) -> End {
        let (a, b) = self.router(node).channel();
        let end = self.new_ends();
        self.handles.extend([Handle { node, key: a, end }, Handle { node, key: b, end: end + 1 }]);
        end
    }

    fn index(&self, end: End) -> usize {
        self.handles.iter().position(|h| h.end == end).expect("the port is in somebody's hands")
    }

    pub(super) fn holds(&self, node: usize, end: End) -> bool {
        self.handles.iter().any(|h| h.end == end && h.node == node)
    }

    /// Posts on an end, with these ends as ports.
    pub(super) fn post(&mut self, end: End, ports: &[End]) {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        let book = &mut self.books[end];
        book.posted += 1;
        let mut data: Vec<u8> = [end as u32, book.posted].into_iter().flat_map(u32::to_le_bytes).collect();
        let mut keys = Vec::new();
        for port in ports {
            let handle = self.handles.remove(self.index(*port));
            assert_eq!(handle.node, node);
            self.books[*port].moved_on = true;
            keys.push(handle.key);
            data.extend((*port as u32).to_le_bytes());
        }
        self.router(node).post(key, data, keys);
        self.act(node);
    }

    /// As [`World::post`] with one port, which the oracle then no longer asks about: it cannot arrive.
    pub(super) fn post_cyclic(&mut self, end: End, port: End) {
        self.crashes += 1;
        self.post(end, &[port]);
    }

    pub(super) fn close(&mut self, end: End) {
        let Handle { node, key, .. } = self.handles.remove(self.index(end));
        self.books[end].closed = true;
        self.router(node).close(key, CloseReason::Closed);
        self.act(node);
    }

    /// Receives on an end; checks what comes against what was promised. False if nothing is there.
    pub(super) fn pop(&mut self, end: End) -> bool {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        let orderly = self.crashes == 0;
        let Some(received) = self.router(node).pop(key) else { return false };
        match received {
            Received::Message { data, ports } => {
                let words: Vec<u32> = data.chunks(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect();
                let book = &mut self.books[end];
                assert_eq!(book.told, None, "end {end}: a message after the close");
                book.received += 1;
                assert_eq!(words[0] as usize, end ^ 1, "end {end}: somebody else's message");
                assert_eq!(words[1], book.received, "end {end}: out of order, lost or twice");
                assert_eq!(words.len() - 2, ports.len(), "end {end}: ports lost");
                for (port, key) in words[2..].iter().zip(ports) {
                    self.handles.push(Handle { node, key, end: *port as usize });
                }
            }
            Received::Close(reason) => {
                let (posted, closed) = (self.books[end ^ 1].posted, self.books[end ^ 1].closed);
                let book = &mut self.books[end];
                // A port that is posted on after its close was received tells its new holder again.
                assert!(book.told.is_none() || book.told == Some(reason) && book.moved_on, "end {end}: two closes");
                book.told = Some(reason);
                book.moved_on = false;
                let expected = if closed { CloseReason::Closed } else { CloseReason::Dropped };
                assert!(reason == expected || (!orderly && reason == CloseReason::Crashed), "end {end}: {reason}, not {expected}");
                if orderly || book.owed {
                    assert_eq!(book.received, posted, "end {end}: closed before everything had come");
                }
            }
        }
        true
    }

    /// The node is gone; what it has sent stays on its way.
    pub(super) fn crash(&mut self, node: usize) {
        self.note_debts(node);
        self.crashes += 1;
        self.routers[node] = None;
        self.handles.retain(|h| h.node != node);
        for other in 0..self.nodes() {
            self.queues.remove(&(other, node));
            if other == 0 || node == 0 || self.introduced.contains(&(node, other)) {
                self.queues.entry((node, other)).or_default().push_back(Parcel::Lost);
            }
        }
    }

    /// A crash that is the only one loses nothing that was posted on a port whose channel led straight to another node.
    fn note_debts(&mut self, node: usize) {
        let only = self.crashes == 0;
        self.books.iter_mut().for_each(|book| book.owed = false);
        for Handle { key, end, .. } in self.handles.clone().into_iter().filter(|h| only && h.node == node) {
            let resting = |router: &Router, key| match router.elements.get(key) {
                Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. })) if side.change.is_none() => Some((side.name, side.peer)),
                _ => None,
            };
            let Some((ours, peer)) = self.routers[node].as_ref().and_then(|r| resting(r, key)) else { continue };
            let Some(router) = self.routers[number(peer.node)].as_ref().filter(|_| number(peer.node) != node) else { continue };
            let Some(place) = router.sides.get(&peer.side) else { continue };
            self.books[end ^ 1].owed = resting(router, place.key) == Some((peer.side, Addr { node: name(node), side: ours }));
        }
    }

    fn act(&mut self, node: usize) {
        for action in self.router(node).take_actions() {
            match action {
                Action::Ready(_) => {}
                Action::Send { node: to, frame } => self.put(node, number(to), Parcel::Frame(frame)),
                Action::Introduce(whom) if node == 0 || !self.linked.contains(&(node, 0)) => {
                    self.router(node).unreachable(whom);
                    self.act(node);
                }
                Action::Introduce(whom) => self.put(node, 0, Parcel::Introduce(number(whom))),
            }
        }
    }

    fn put(&mut self, from: usize, to: usize, parcel: Parcel) {
        assert_ne!(from, to);
        let over = |queue: &VecDeque<Parcel>| matches!(queue.back(), Some(Parcel::Lost));
        if self.lives(to) && !self.queues.get(&(from, to)).is_some_and(over) {
            self.queues.entry((from, to)).or_default().push_back(parcel);
        }
    }

    /// Links that have something for a node that can hear it.
    pub(super) fn deliverable(&self) -> Vec<(usize, usize)> {
        let ready = |(link, queue): (&(usize, usize), &VecDeque<Parcel>)| {
            let (from, to) = *link;
            (!queue.is_empty() && self.lives(to) && self.linked.contains(&(to, from))).then_some(*link)
        };
        self.queues.iter().filter_map(ready).collect()
    }

    pub(super) fn deliver(&mut self, (from, to): (usize, usize)) {
        let Some(parcel) = self.queues.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return };
        match parcel {
            Parcel::Frame(frame) => self.router(to).handle(name(from), frame).expect("honest nodes keep to the protocol"),
            Parcel::Introduce(whom) => return self.introduce(from, whom),
            Parcel::LinkUp(whom) => {
                self.linked.insert((to, whom));
                self.router(to).link_up(name(whom));
            }
            Parcel::Unreachable(whom) => self.router(to).unreachable(name(whom)),
            Parcel::Lost => {
                if !self.linked.remove(&(to, from)) {
                    return;
                }
                self.router(to).lose_node(name(from), CloseReason::Crashed);
                if from == 0 {
                    for whom in self.router(to).awaited_nodes() {
                        self.router(to).unreachable(whom);
                    }
                }
            }
        }
        self.act(to);
    }

    fn introduce(&mut self, from: usize, whom: usize) {
        let possible = self.linked.contains(&(0, whom)) && !self.introduced.contains(&(from, whom)) && !self.apart.contains(&(from, whom));
        if !possible {
            return self.put(0, from, Parcel::Unreachable(whom));
        }
        self.introduced.extend([(from, whom), (whom, from)]);
        self.put(0, from, Parcel::LinkUp(whom));
        self.put(0, whom, Parcel::LinkUp(from));
        for (one, other) in [(from, whom), (whom, from)] {
            if !self.lives(one) {
                self.queues.entry((one, other)).or_default().push_back(Parcel::Lost);
            }
        }
    }

    /// Delivers all that one link has.
    pub(super) fn deliver_all(&mut self, link: (usize, usize)) {
        while self.deliverable().contains(&link) {
            self.deliver(link);
        }
    }

    /// All that was posted towards this end must come, whatever crashes.
    pub(super) fn owe(&mut self, end: End) {
        self.books[end].owed = true;
    }

    /// A close has come to this end.
    pub(super) fn is_told(&self, end: End) -> bool {
        self.books[end].told.is_some()
    }

    /// Proxies in all nodes.
    pub(super) fn proxies(&self) -> usize {
        self.routers.iter().flatten().map(|router| router.counts().1).sum()
    }

    /// Delivers until nothing is under way. `choose` picks among so many links.
    pub(super) fn settle(&mut self, mut choose: impl FnMut(usize) -> usize) {
        for _ in 0..100_000 {
            let links = self.deliverable();
            if links.is_empty() {
                return;
            }
            self.deliver(links[choose(links.len())]);
        }
        panic!("the routers talk for ever");
    }

    /// Receives everything everywhere, also what this makes come.
    pub(super) fn receive_all(&mut self) {
        loop {
            self.settle(|_| 0);
            let ends: Vec<End> = self.handles.iter().map(|h| h.end).collect();
            if !ends.into_iter().fold(false, |any, end| {
                let mut some = false;
                while self.pop(end) {
                    some = true;
                }
                any || some
            }) {
                return;
            }
        }
    }

    /// What must hold when nothing is under way and everything has been received.
    pub(super) fn check_at_rest(&mut self) {
        let held: BTreeSet<End> = self.handles.iter().map(|h| h.end).collect();
        for end in &held {
            let (told, received) = (self.books[*end].told, self.books[*end].received);
            if held.contains(&(end ^ 1)) {
                assert_eq!(told.is_some(), self.books[end ^ 1].told.is_some(), "end {end}: closed on one side only");
                assert!(told.is_none() || self.crashes > 0, "end {end}: closed by nobody");
                if told.is_none() {
                    assert_eq!(received, self.books[end ^ 1].posted, "end {end}: something never came");
                }
            } else {
                assert!(told.is_some(), "end {end}: its other end is gone and nobody said so");
            }
        }
        if self.apart.is_empty() && self.lives(0) {
            for (node, router) in self.routers.iter().enumerate() {
                let proxies = router.as_ref().map_or(0, |r| r.counts().1);
                assert_eq!(proxies, 0, "node {node} still forwards");
            }
        }
    }

    /// Closes everything and looks for what is left.
    pub(super) fn check_empty(&mut self) {
        let ends: Vec<End> = self.handles.iter().map(|h| h.end).collect();
        ends.into_iter().for_each(|end| self.close(end));
        self.settle(|_| 0);
        for (node, router) in self.routers.iter().enumerate() {
            let Some(router) = router else { continue };
            assert_eq!(router.elements.len(), 0, "node {node} keeps elements");
            assert_eq!(router.proxies, 0, "node {node} miscounts its proxies");
            assert!(router.sides.is_empty(), "node {node} keeps sides");
            assert!(router.awaited.is_empty(), "node {node} waits for introductions");
            assert!(router.local.is_empty(), "node {node} keeps local events");
            assert_eq!(router.queued_bytes, 0, "node {node} miscounts bytes");
        }
    }

    /// Sets how many proxies a message may pass.
    pub(super) fn limit_hops(&mut self, hops: u16) {
        self.routers.iter_mut().flatten().for_each(|router| router.max_hops = hops);
    }
}
