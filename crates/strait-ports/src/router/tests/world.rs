//! A world of routers with links that deliver in order and otherwise whenever the schedule likes, and an oracle that knows what was promised.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Mutant;
use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, SideName};
use crate::router::element::{Element, Endpoint, Line};
use crate::router::{Action, ElementKey, Frame, Received, Router};

/// In which order names come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// They look random and are the same in every run.
    Scrambled(u64),
    /// Each is greater than all before: with the next, the two orders in which neighbours' names can stand.
    Ascending,
    /// Each is less than all before.
    Descending,
}

/// The names of a world: one count for all its routers, so that a copy of the world goes on in the same way.
#[derive(Clone, Debug)]
struct Names {
    order: Order,
    given: Arc<AtomicU64>,
}

impl NameSource for Names {
    fn next(&mut self) -> u128 {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        match self.order {
            Order::Ascending => 1 << 64 | u128::from(number),
            Order::Descending => 1 << 64 | u128::from(u64::MAX - number),
            Order::Scrambled(seed) => {
                let word = |n: u64| {
                    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    z ^ (z >> 31)
                };
                let n = seed.wrapping_add(2 * number);
                u128::from(word(n)) << 64 | u128::from(word(n.wrapping_add(1)))
            }
        }
    }
}

/// What the engine promises; a broken promise is a failed assertion whose text begins with its name.
pub(super) mod promise {
    pub(in crate::router::tests) const ORDER: &str = "order and exactly-once";
    pub(in crate::router::tests) const ONE_CLOSE: &str = "close-once";
    pub(in crate::router::tests) const NO_GAP: &str = "no gap before a close";
    pub(in crate::router::tests) const TOLD: &str = "nothing lost, no close lost";
    pub(in crate::router::tests) const PROXIES_END: &str = "proxies end";
    pub(in crate::router::tests) const NO_LEAK: &str = "no leak";
    pub(in crate::router::tests) const NO_HARM: &str = "others come to no harm";
    pub(in crate::router::tests) const ALL: [&str; 7] = [ORDER, ONE_CLOSE, NO_GAP, TOLD, PROXIES_END, NO_LEAK, NO_HARM];
}
use promise::*;

/// What a link carries here.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
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
#[derive(Clone, Default, Debug, Hash)]
pub(super) struct Book {
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
    /// Nobody who died or lied had anything to do with this channel.
    pub(super) spared: bool,
    /// Somebody who lies had a say in this channel: nothing is promised to it.
    pub(super) tainted: bool,
}

/// Node 0 is the broker.
pub(super) struct World {
    names: Names,
    pub(super) routers: Vec<Option<Router>>,
    pub(super) queues: BTreeMap<(usize, usize), VecDeque<Parcel>>,
    /// `(a, b)`: a can speak to b.
    pub(super) linked: BTreeSet<(usize, usize)>,
    pub(super) introduced: BTreeSet<(usize, usize)>,
    /// Pairs that no broker brings together.
    apart: BTreeSet<(usize, usize)>,
    pub(super) crashes: usize,
    pub(super) books: Vec<Book>,
    /// The end at one node whose other end was at another from the start.
    roads: BTreeMap<(usize, usize), End>,
    pub(super) handles: Vec<Handle>,
    /// A member that may say what an honest one would not.
    pub(super) liar: Option<usize>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("handles", &self.handles).field("queues", &self.queues).finish_non_exhaustive()
    }
}

impl Clone for World {
    fn clone(&self) -> Self {
        let given = Arc::new(AtomicU64::new(self.names.given.load(Ordering::Relaxed)));
        let names = Names { order: self.names.order, given };
        let routers = self.routers.iter().map(|router| Some(replica(router.as_ref()?, &names))).collect();
        Self {
            names,
            routers,
            queues: self.queues.clone(),
            linked: self.linked.clone(),
            introduced: self.introduced.clone(),
            apart: self.apart.clone(),
            crashes: self.crashes,
            books: self.books.clone(),
            roads: self.roads.clone(),
            handles: self.handles.clone(),
            liar: self.liar,
        }
    }
}

fn replica(router: &Router, names: &Names) -> Router {
    Router {
        me: router.me,
        names: Box::new(names.clone()),
        elements: router.elements.clone(),
        sides: router.sides.clone(),
        linked: router.linked.clone(),
        awaited: router.awaited.clone(),
        local: router.local.clone(),
        actions: VecDeque::new(),
        proxies: router.proxies,
        queued_bytes: router.queued_bytes,
        max_hops: router.max_hops,
        mutant: router.mutant,
    }
}

pub(super) fn name(node: usize) -> NodeName {
    NodeName(node as u128 + 1)
}

pub(super) fn number(node: NodeName) -> usize {
    node.0 as usize - 1
}

impl World {
    /// Broker and members; `hub` is a member that is linked to all others from the start.
    pub(super) fn new(nodes: usize, seed: u64, apart: &[(usize, usize)], hub: Option<usize>) -> Self {
        Self::with_names(nodes, Order::Scrambled(seed.wrapping_mul(31)), apart, hub)
    }

    pub(super) fn with_names(nodes: usize, order: Order, apart: &[(usize, usize)], hub: Option<usize>) -> Self {
        let names = Names { order, given: Arc::default() };
        let router = |i| Some(Router::new(name(i), Box::new(names.clone())));
        let mut world = Self {
            names: names.clone(),
            routers: (0..nodes).map(router).collect(),
            queues: BTreeMap::new(),
            linked: BTreeSet::new(),
            introduced: BTreeSet::new(),
            apart: apart.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).collect(),
            crashes: 0,
            books: Vec::new(),
            roads: BTreeMap::new(),
            handles: Vec::new(),
            liar: None,
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

    /// An end whose other end was at `to` when the world began.
    pub(super) fn direct_road(&self, from: usize, to: usize) -> Option<End> {
        self.roads.get(&(from, to)).copied()
    }

    /// A name that was never given before.
    pub(super) fn fresh_name(&mut self) -> SideName {
        SideName(self.names.next())
    }

    /// How many ends there are of channels that nodes have from the start.
    pub(super) fn roads(&self) -> usize {
        self.roads.len()
    }

    /// Something waits at this end.
    pub(super) fn receivable(&self, end: End) -> bool {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        self.routers[node].as_ref().is_some_and(|router| router.receivable(key))
    }

    /// Makes every router faulty in the same way.
    pub(super) fn infect(&mut self, mutant: Option<Mutant>) {
        self.routers.iter_mut().flatten().for_each(|router| router.mutant = mutant);
    }

    pub(super) fn is_road(&self, end: End) -> bool {
        end < self.roads.len()
    }

    /// The link between two living nodes breaks; what is under way still arrives.
    pub(super) fn sever(&mut self, a: usize, b: usize) {
        if a == b || !(self.linked.contains(&(a, b)) && self.linked.contains(&(b, a))) || a == 0 || b == 0 {
            return;
        }
        self.books.iter_mut().filter(|book| book.spared).for_each(|book| (book.owed, book.spared) = (false, false));
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

    pub(super) fn index(&self, end: End) -> usize {
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
            // Where it goes, somebody may be dead, or lie.
            let tainted = self.books[end].tainted;
            for end in [*port, *port ^ 1] {
                let book = &mut self.books[end];
                book.owed &= !book.spared && self.liar.is_none();
                book.spared = false;
                book.tainted |= tainted;
            }
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
        self.act(node);
        if self.books[end].tainted || self.liar == Some(node) {
            self.take_unchecked(node, end, received);
            return true;
        }
        match received {
            Received::Message { data, ports } => {
                let words: Vec<u32> = data.chunks(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect();
                let book = &mut self.books[end];
                assert_eq!(book.told, None, "{ONE_CLOSE}: end {end}: a message after the close");
                book.received += 1;
                assert_eq!(words.first().map(|w| *w as usize), Some(end ^ 1), "{ORDER}: end {end}: somebody else's message");
                assert_eq!(words[1], book.received, "{ORDER}: end {end}: out of order, lost or twice");
                assert_eq!(words.len() - 2, ports.len(), "{ORDER}: end {end}: ports lost");
                for (port, key) in words[2..].iter().zip(ports) {
                    self.handles.push(Handle { node, key, end: *port as usize });
                }
            }
            Received::Close(reason) => {
                let (posted, closed) = (self.books[end ^ 1].posted, self.books[end ^ 1].closed);
                let book = &mut self.books[end];
                // A port that is posted on after its close was received tells its new holder again.
                assert!(book.told.is_none() || book.told == Some(reason) && book.moved_on, "{ONE_CLOSE}: end {end}: two closes");
                book.told = Some(reason);
                book.moved_on = false;
                let expected = if closed { CloseReason::Closed } else { CloseReason::Dropped };
                assert!(reason == expected || (!orderly && reason == CloseReason::Crashed), "{TOLD}: end {end}: {reason}, not {expected}");
                assert!(!book.spared || reason == expected, "{NO_HARM}: end {end}: {reason}, not {expected}");
                if orderly || book.owed {
                    assert_eq!(book.received, posted, "{NO_GAP}: end {end}: closed before everything had come");
                }
            }
        }
        true
    }

    /// What a liar gets, or sends: nothing is expected of it, and what came with it is let go of unless it can be told.
    fn take_unchecked(&mut self, node: usize, end: End, received: Received) {
        match received {
            Received::Message { data, ports } => {
                let words: Vec<usize> = data.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap()) as usize).collect();
                let book = &mut self.books[end];
                book.received += 1;
                assert_eq!(book.told, None, "{ONE_CLOSE}: end {end}: a message after the close");
                for (n, key) in ports.into_iter().enumerate() {
                    match words.get(2 + n) {
                        Some(port) => self.handles.push(Handle { node, key, end: *port }),
                        None => self.router(node).close(key, CloseReason::Dropped),
                    }
                }
                self.act(node);
            }
            Received::Close(reason) => {
                let book = &mut self.books[end];
                assert!(book.told.is_none() || book.moved_on, "{ONE_CLOSE}: end {end}: two closes");
                book.told = Some(reason);
                book.moved_on = false;
            }
        }
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
        self.books.iter_mut().for_each(|book| (book.owed, book.spared) = (false, false));
        // What the liar did is in the books already.
        if self.liar == Some(node) {
            self.spare_those_without(node);
        }
        for Handle { key, end, .. } in self.handles.clone().into_iter().filter(|h| only && h.node == node) {
            let resting = |router: &Router, key| match router.elements.get(key) {
                Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. })) if side.change.is_none() => Some((side.name, side.peer)),
                _ => None,
            };
            let Some((ours, peer)) = self.routers[node].as_ref().and_then(|r| resting(r, key)) else { continue };
            let Some(router) = self.routers[number(peer.node)].as_ref().filter(|_| number(peer.node) != node) else { continue };
            let Some(place) = router.sides.get(&peer.side) else { continue };
            self.books[end ^ 1].owed |= resting(router, place.key) == Some((peer.side, Addr { node: name(node), side: ours }));
        }
    }

    /// Channels whose chain does not lead over `node`, from one end in somebody's hands to the other: what was promised to them holds whatever
    /// becomes of the node.
    pub(super) fn spare_those_without(&mut self, node: usize) {
        for end in (0..self.books.len()).step_by(2) {
            if !self.books[end].tainted && self.leads_past(end, node) && self.leads_past(end ^ 1, node) {
                for end in [end, end ^ 1] {
                    (self.books[end].owed, self.books[end].spared) = (true, true);
                }
            }
        }
    }

    /// The chain can be walked from this end to the other, and nobody in it has heard anything of `node`.
    fn leads_past(&self, end: End, node: usize) -> bool {
        let find = |end| self.handles.iter().find(|h: &&Handle| h.end == end);
        let (Some(from), Some(to)) = (find(end), find(end ^ 1)) else { return false };
        let (mut at, mut key, mut which) = (from.node, from.key, 0);
        for _ in 0..100 {
            let Some(side) = self.routers[at].as_ref().and_then(|r| r.elements.get(key)).and_then(|e| e.side(which)) else { return false };
            if at == node || number(side.peer.node) == node || side.change.is_some() {
                return false;
            }
            let (name, peer) = (Addr { node: name(at), side: side.name }, side.peer);
            let Some(router) = &self.routers[number(peer.node)] else { return false };
            let Some(place) = router.sides.get(&peer.side) else { return false };
            let Some(element) = router.elements.get(place.key) else { return false };
            if element.side(place.which).is_none_or(|s| s.peer != name || s.change.is_some()) {
                return false;
            }
            (at, key, which) = (number(peer.node), place.key, 1 - place.which);
            if let Element::Endpoint(_) = element {
                return at == to.node && key == to.key;
            }
        }
        false
    }

    pub(super) fn act(&mut self, node: usize) {
        for action in self.router(node).take_actions() {
            match action {
                Action::Ready(_) | Action::Room(_) => {}
                Action::Send { node: to, frame } => self.put(node, number(to), Parcel::Frame(frame)),
                Action::Introduce(whom) if node == 0 || !self.linked.contains(&(node, 0)) => {
                    self.router(node).unreachable(whom);
                    self.act(node);
                }
                Action::Introduce(whom) => self.put(node, 0, Parcel::Introduce(number(whom))),
            }
        }
    }

    pub(super) fn put(&mut self, from: usize, to: usize, parcel: Parcel) {
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
            Parcel::Frame(frame) => {
                if let Err(why) = self.router(to).handle(name(from), frame) {
                    assert_eq!(self.liar, Some(from), "{NO_HARM}: an honest node loses its link: {why}");
                    self.act(to);
                    self.queues.remove(&(from, to));
                    self.put(to, from, Parcel::Lost);
                    return self.lost(from, to);
                }
            }
            Parcel::Introduce(whom) => return self.introduce(from, whom),
            Parcel::LinkUp(whom) => {
                self.linked.insert((to, whom));
                self.router(to).link_up(name(whom));
            }
            Parcel::Unreachable(whom) => self.router(to).unreachable(name(whom)),
            Parcel::Lost => return self.lost(from, to),
        }
        self.act(to);
    }

    /// The link to `from` is over, as `to` sees it.
    fn lost(&mut self, from: usize, to: usize) {
        if !self.linked.remove(&(to, from)) {
            return;
        }
        self.router(to).lose_node(name(from), CloseReason::Crashed);
        if from == 0 {
            for whom in self.router(to).awaited_nodes() {
                self.router(to).unreachable(whom);
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
        panic!("{PROXIES_END}: the routers talk for ever");
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
        for end in held.iter().filter(|end| !self.books[**end].tainted) {
            let (told, received) = (self.books[*end].told, self.books[*end].received);
            if held.contains(&(end ^ 1)) {
                assert_eq!(told.is_some(), self.books[end ^ 1].told.is_some(), "{TOLD}: end {end}: closed on one side only");
                assert!(told.is_none() || self.crashes > 0, "{TOLD}: end {end}: closed by nobody");
                if told.is_none() {
                    assert_eq!(received, self.books[end ^ 1].posted, "{TOLD}: end {end}: something never came");
                }
            } else {
                assert!(told.is_some(), "{TOLD}: end {end}: its other end is gone and nobody said so");
            }
        }
        if self.apart.is_empty() && self.lives(0) && self.liar.is_none() {
            for (node, router) in self.routers.iter().enumerate() {
                let proxies = router.as_ref().map_or(0, |r| r.counts().1);
                assert_eq!(proxies, 0, "{PROXIES_END}: node {node} still forwards");
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
            assert_eq!(router.elements.len(), 0, "{NO_LEAK}: node {node} keeps elements");
            assert_eq!(router.proxies, 0, "{NO_LEAK}: node {node} miscounts its proxies");
            assert!(router.sides.is_empty(), "{NO_LEAK}: node {node} keeps sides");
            assert!(router.awaited.is_empty(), "{NO_LEAK}: node {node} waits for introductions");
            assert!(router.local.is_empty(), "{NO_LEAK}: node {node} keeps local events");
            assert_eq!(router.queued_bytes, 0, "{NO_LEAK}: node {node} miscounts bytes");
        }
    }

    /// Sets how many proxies a message may pass.
    pub(super) fn limit_hops(&mut self, hops: u16) {
        self.routers.iter_mut().flatten().for_each(|router| router.max_hops = hops);
    }
}
