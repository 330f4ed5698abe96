//! Equality of worlds: two worlds are the same if they differ only in random names and keys.
//!
//! Names are numbered in the order in which a walk reaches them. The walk starts at the programs'
//! ports and at the frames on links, and follows neighbours. Of the names themselves only the order
//! within each chain is kept, because it decides which of two neighbours grants a lock; sides that
//! are not neighbours now may become neighbours later. `hops` is left out, because it matters only
//! after thousands of proxies.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use super::world::{Parcel, World, number};
use crate::name::{Addr, NodeName, SideName};
use crate::router::element::{Change, Element, Endpoint, Line, Side};
use crate::router::{Descriptor, ElementKey, Event};

/// A world's fingerprint.
pub(super) fn fingerprint(world: &World, known: &[(SideName, Addr)]) -> u64 {
    let mut walk = Walk {
        world,
        numbers: HashMap::new(),
        pending: Vec::new(),
        next: 0,
        seen: BTreeSet::new(),
        chains: Vec::new(),
        hasher: DefaultHasher::new(),
    };
    walk.world(known);
    walk.hasher.finish()
}

struct Walk<'a> {
    world: &'a World,
    numbers: HashMap<Addr, usize>,
    /// Names in the order of their numbers.
    pending: Vec<Addr>,
    next: usize,
    seen: BTreeSet<(usize, ElementKey)>,
    /// For each number, another name of the same chain, or itself.
    chains: Vec<usize>,
    hasher: DefaultHasher,
}

impl Walk<'_> {
    fn put(&mut self, value: impl Hash) {
        value.hash(&mut self.hasher);
    }

    fn name(&mut self, addr: Addr) {
        let fresh = self.numbers.len();
        let number = *self.numbers.entry(addr).or_insert(fresh);
        if number == fresh {
            self.pending.push(addr);
            self.chains.push(number);
        }
        self.put((super::world::number(addr.node), number));
    }

    fn chain(&self, mut number: usize) -> usize {
        while self.chains[number] != number {
            number = self.chains[number];
        }
        number
    }

    /// Notes that two names belong to one chain; the first already has a number.
    fn pair(&mut self, one: Addr, other: Addr) {
        self.name(other);
        let (one, other) = (self.chain(self.numbers[&one]), self.chain(self.numbers[&other]));
        self.chains[one.max(other)] = one.min(other);
    }

    fn orders(&mut self) {
        let mut names: Vec<_> = self.pending.iter().enumerate().map(|(number, addr)| (self.chain(number), addr.side, number)).collect();
        names.sort_unstable();
        names.into_iter().for_each(|(chain, _, number)| self.put((chain, number)));
    }

    fn world(&mut self, known: &[(SideName, Addr)]) {
        let world = self.world;
        for link in [&world.linked, &world.introduced] {
            self.put(link);
        }
        self.put((&world.books, world.crashes.min(2)));
        let mut handles: Vec<_> = world.handles.iter().collect();
        handles.sort_by_key(|h| h.end);
        for handle in handles {
            self.put((handle.end, handle.node));
            self.element(handle.node, handle.key);
        }
        for ((from, to), parcels) in world.queues.iter().filter(|(_, parcels)| !parcels.is_empty()) {
            self.put((from, to, parcels.len()));
            parcels.iter().for_each(|parcel| self.parcel(parcel, *from, *to));
        }
        for (from, to) in known {
            let own = world.forger.map(|forger| Addr { node: super::world::name(forger), side: *from });
            self.put(own.and_then(|own| self.numbers.get(&own).copied()));
            self.name(*to);
        }
        while self.next < self.pending.len() {
            let Addr { node, side } = self.pending[self.next];
            self.next += 1;
            let node = number(node);
            if let Some(place) = world.routers.get(node).and_then(|r| r.as_ref()?.side_table.get(&side)) {
                self.put((self.next, place.which));
                self.element(node, place.key);
            }
        }
        for (node, router) in world.routers.iter().enumerate() {
            let Some(router) = router else {
                self.put(false);
                continue;
            };
            for (awaited, sides) in sorted(router.awaited.iter().map(|(n, s)| (*n, s))) {
                self.put((number(awaited), sides.len()));
                sides.iter().for_each(|side| self.name(Addr { node: router.me, side: *side }));
            }
            let mut linked: Vec<_> = router.linked.iter().map(|n| number(*n)).collect();
            linked.sort_unstable();
            // Unreachable elements have no effect except their existence.
            let apart = router.elements.keys().filter(|key| !self.seen.contains(&(node, *key))).count();
            self.put((linked, apart));
        }
        self.orders();
    }

    fn parcel(&mut self, parcel: &Parcel, from: usize, to: usize) {
        self.put(std::mem::discriminant(parcel));
        match parcel {
            Parcel::Introduce(whom) | Parcel::LinkUp(whom) | Parcel::Unreachable(whom) => self.put(whom),
            Parcel::Lost => {}
            Parcel::Frame(frame) => {
                let (from, to) = (super::world::name(from), super::world::name(to));
                let (here, there) = (Addr { node: from, side: frame.from }, Addr { node: to, side: frame.to });
                self.name(here);
                self.pair(here, there);
                self.put(std::mem::discriminant(&frame.event));
                match &frame.event {
                    Event::Message { data, ports, .. } => {
                        self.put(data);
                        for Descriptor { side, neighbour, flow_state } in ports {
                            self.put(flow_state);
                            let carried = Addr { node: to, side: *side };
                            self.name(carried);
                            self.pair(carried, Addr { node: from, side: *neighbour });
                        }
                    }
                    Event::Close(reason) => self.put(reason),
                    Event::Consumed { batch, .. } => self.put(batch),
                    Event::CreditPolicy { policy, .. } => self.put(policy),
                    Event::Expect(next) | Event::Bypass(next) => self.pair(there, *next),
                    _ => {}
                }
            }
        }
    }

    fn element(&mut self, node: usize, key: ElementKey) {
        let Some(element) = self.world.routers[node].as_ref().and_then(|router| router.elements.get(key)) else { return self.put(0) };
        if !self.seen.insert((node, key)) {
            return self.put(1);
        }
        match element {
            Element::Endpoint(Endpoint { line, queue, flow, .. }) => {
                self.put((2, queue.len(), flow.pack()));
                for item in queue.iter() {
                    match item.clone().into_message() {
                        Ok((data, ports, _)) => self.message(node, &data, &ports),
                        Err(reason) => self.put(reason),
                    }
                }
                match line {
                    Line::Open(side) => self.side(node, side),
                    Line::Ended { reason, .. } => self.put(reason),
                }
            }
            Element::Proxy(proxy) => {
                self.put((3, std::mem::discriminant(&proxy.stage), proxy.stage == crate::router::element::Stage::Leaving { fenced: true }));
                proxy.sides.iter().for_each(|side| self.side(node, side));
                let [one, other] = proxy.sides.each_ref().map(|side| Addr { node: super::world::name(node), side: side.name });
                self.pair(one, other);
            }
        }
    }

    fn message(&mut self, node: usize, data: &[u8], ports: &[ElementKey]) {
        self.put((4, data, ports.len()));
        ports.iter().for_each(|port| self.element(node, *port));
    }

    fn side(&mut self, node: usize, side: &Side) {
        let here = Addr { node: super::world::name(node), side: side.name };
        self.name(here);
        self.pair(here, side.peer);
        self.put(std::mem::discriminant(&side.lock));
        let Some(change) = side.change.as_deref() else { return self.put(5) };
        self.put(std::mem::discriminant(change));
        match change {
            Change::Expecting { next, unlinked, held, lost } => {
                self.pair(here, *next);
                self.put((unlinked, lost));
                self.held(node, held);
            }
            Change::Preparing { next } => self.pair(here, *next),
            Change::Crossing { former, held, lost } => {
                self.pair(here, *former);
                self.put(lost);
                self.held(node, held);
            }
        }
    }

    fn held(&mut self, node: usize, held: &crate::router::limits::FencedEvents) {
        self.put(held.len());
        for event in held.iter() {
            self.put(std::mem::discriminant(event));
            match event {
                Event::Message { data, ports, .. } => self.message(node, data, ports),
                Event::Close(reason) => self.put(reason),
                Event::Consumed { batch, .. } => self.put(batch),
                Event::CreditPolicy { policy, .. } => self.put(policy),
                Event::Expect(next) | Event::Bypass(next) => self.name(*next),
                _ => {}
            }
        }
    }
}

fn sorted<T>(entries: impl Iterator<Item = (NodeName, T)>) -> Vec<(NodeName, T)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(node, _)| *node);
    entries
}
