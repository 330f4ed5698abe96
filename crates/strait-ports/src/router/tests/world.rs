//! A world of routers. Its links deliver in order, at times that the schedule picks, and can break.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Mutant;
use super::oracle::promise::{NO_HARM, PROXIES_END};
use super::oracle::{Book, End, Handle};
use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, SideName};
use crate::router::{Action, Frame, Router};

/// The order of random names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// They look random and are the same in every run.
    Scrambled(u64),
    /// Each is greater than all before. With `Descending`, these are the two possible orders of
    /// neighbours' names.
    Ascending,
    /// Each is less than all before.
    Descending,
}

/// The names of a world: one counter for all its routers, so that a copy of the world continues in
/// the same way.
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

/// An item on a link of this world.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Frame(Frame),
    /// To the broker: a request for an introduction.
    Introduce(usize),
    /// From the broker: there is a link now.
    LinkUp(usize),
    /// From the broker: there will be no link.
    Unreachable(usize),
    /// The link's end.
    Lost,
}

/// The world; node 0 is the broker.
pub(super) struct World {
    names: Names,
    pub(super) routers: Vec<Option<Router>>,
    pub(super) queues: BTreeMap<(usize, usize), VecDeque<Parcel>>,
    /// `(a, b)`: a can send to b.
    pub(super) linked: BTreeSet<(usize, usize)>,
    pub(super) introduced: BTreeSet<(usize, usize)>,
    /// Pairs that the broker does not introduce.
    pub(super) apart: BTreeSet<(usize, usize)>,
    pub(super) crashes: usize,
    pub(super) books: Vec<Book>,
    /// The end at one node whose other end was at another from the start.
    roads: BTreeMap<(usize, usize), End>,
    pub(super) handles: Vec<Handle>,
    /// A member that may forge events.
    pub(super) forger: Option<usize>,
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
            forger: self.forger,
        }
    }
}

fn replica(router: &Router, names: &Names) -> Router {
    Router {
        me: router.me,
        names: Box::new(names.clone()),
        elements: router.elements.clone(),
        side_table: router.side_table.clone(),
        linked: router.linked.clone(),
        awaited: router.awaited.clone(),
        local: router.local.clone(),
        actions: VecDeque::new(),
        proxies: router.proxies,
        queued_bytes: router.queued_bytes,
        max_hops: router.max_hops,
        limits: Default::default(),
        trace: None,
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
    /// A broker and members; `hub` is a member that is linked to all others from the start.
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
            forger: None,
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

    /// A new name.
    pub(super) fn fresh_name(&mut self) -> SideName {
        SideName(self.names.next())
    }

    /// The number of ends of the channels that nodes have from the start.
    pub(super) fn roads(&self) -> usize {
        self.roads.len()
    }

    /// Makes every router faulty in the same way.
    pub(super) fn infect(&mut self, mutant: Option<Mutant>) {
        self.routers.iter_mut().flatten().for_each(|router| router.mutant = mutant);
    }

    /// The link between two live nodes breaks; events in transit still arrive.
    pub(super) fn sever(&mut self, a: usize, b: usize) {
        if a == b || !(self.linked.contains(&(a, b)) && self.linked.contains(&(b, a))) || a == 0 || b == 0 {
            return;
        }
        self.books.iter_mut().for_each(|book| book.owed = false);
        self.crashes += 1;
        self.apart.extend([(a, b), (b, a)]);
        for (from, to) in [(a, b), (b, a)] {
            let queue = self.queues.entry((from, to)).or_default();
            if !matches!(queue.back(), Some(Parcel::Lost)) {
                queue.push_back(Parcel::Lost);
            }
        }
        self.note_spared(None);
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

    /// The node is gone; events that it has sent stay in transit.
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
        self.note_spared(None);
    }

    pub(super) fn act(&mut self, node: usize) {
        for action in self.router(node).take_actions() {
            match action {
                Action::Ready(_) | Action::CreditAvailable(_) | Action::Overflow { .. } => {}
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

    /// The links with items for a live node.
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
                    assert_eq!(self.forger, Some(from), "{NO_HARM}: an honest node loses its link: {why}");
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

    /// Node `to` detects the end of the link to `from`.
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

    /// Delivers all items of one link.
    pub(super) fn deliver_all(&mut self, link: (usize, usize)) {
        while self.deliverable().contains(&link) {
            self.deliver(link);
        }
    }

    /// The number of proxies in all nodes.
    pub(super) fn proxies(&self) -> usize {
        self.routers.iter().flatten().map(|router| router.counts().1).sum()
    }

    /// Delivers until no item is in transit. `choose` picks among this number of links.
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

    /// Sets the number of proxies that a message may pass.
    pub(super) fn limit_hops(&mut self, hops: u16) {
        self.routers.iter_mut().flatten().for_each(|router| router.max_hops = hops);
    }
}
