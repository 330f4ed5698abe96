//! The bypass: a proxy removes itself by locks on both edges, `Expect` to R, `Bypass` to L, and a
//! fence in each direction.

use super::limits::FencedEvents;

use super::element::{Change, Element, LocalEvent, Lock, Proxy, Side, SideId, Stage};
use super::event::{Action, Event};
use super::{ElementKey, MAX_AWAITED_NODES, Router};
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

impl Router {
    fn side(&mut self, place: SideId) -> Option<&mut Side> {
        self.elements.get_mut(place.key)?.side_mut(place.which)
    }

    fn proxy(&mut self, key: ElementKey) -> Option<&mut Proxy> {
        match self.elements.get_mut(key) {
            Some(Element::Proxy(proxy)) => Some(proxy),
            _ => None,
        }
    }

    /// Sends an event to the neighbour at `place`.
    fn answer(&mut self, place: SideId, event: LocalEvent) {
        if let Some(side) = self.side(place) {
            let (from, to) = (side.name, side.peer);
            self.send(from, to, event);
        }
    }

    /// The neighbour's event does not fit the state of its side: this channel ends, and nothing
    /// else.
    fn offence(&mut self, place: SideId) {
        self.cut(place, CloseReason::Crashed);
    }

    /// A neighbour of this element has changed, so a stuck proxy may try again. True if the element
    /// is a proxy that needs locks.
    pub(super) fn wake_proxy(&mut self, key: ElementKey) -> bool {
        let Some(proxy) = self.proxy(key) else { return false };
        if proxy.stage == Stage::Stuck {
            proxy.stage = Stage::Locking;
        }
        proxy.stage == Stage::Locking
    }

    /// A proxy requests the edges that it does not own.
    pub(super) fn seek(&mut self, key: ElementKey) {
        let me = self.me;
        let Some(proxy) = self.proxy(key) else { return };
        if proxy.stage != Stage::Locking {
            return;
        }
        if proxy.sides[0].peer == (Addr { node: me, side: proxy.sides[1].name }) {
            // The proxy is its own neighbour: a ring without ends, which only a false neighbour can
            // make.
            return self.offence(SideId { key, which: 0 });
        }
        let mut asks = Vec::new();
        for side in &mut proxy.sides {
            if side.at_rest() {
                side.lock = Lock::Asked;
                asks.push((side.name, side.peer));
            }
        }
        asks.into_iter().for_each(|(from, to)| self.send(from, to, Event::Lock));
    }

    pub(super) fn lock(&mut self, place: SideId) {
        let gives_way = !mutant!(self, BothAreGranted);
        let Some(side) = self.side(place) else { return };
        match side.lock {
            // Two proxies requested each other. The side with the smaller name grants; the other
            // one waits for that grant.
            Lock::Asked if side.name > side.peer.side && gives_way => {}
            Lock::Free | Lock::Asked => {
                side.lock = Lock::Theirs;
                self.answer(place, Event::Granted);
            }
            Lock::Mine | Lock::Theirs => self.offence(place),
        }
    }

    pub(super) fn granted(&mut self, place: SideId) {
        let Some(side) = self.side(place) else { return };
        if side.lock != Lock::Asked {
            return self.offence(place);
        }
        side.lock = Lock::Mine;
        let Some(proxy) = self.proxy(place.key) else { return };
        if proxy.stage == Stage::Locking && proxy.sides.iter().all(|s| s.lock == Lock::Mine) {
            proxy.stage = Stage::Asking;
            let next = proxy.sides[0].peer;
            self.answer(SideId { key: place.key, which: 1 }, Event::Expect(next));
        }
    }

    pub(super) fn unlock(&mut self, place: SideId) {
        let Some(side) = self.side(place) else { return };
        if side.lock != Lock::Theirs || matches!(side.change.as_deref(), Some(Change::Crossing { .. })) {
            return self.offence(place);
        }
        side.lock = Lock::Free;
        let (name, change) = (side.name, side.change.take());
        self.drop_change(name, change);
        self.seek(place.key);
    }

    /// Whether the edge at `place` may be replaced: the neighbour owns it, and no change has begun.
    fn may_change(&mut self, place: SideId, next: Addr) -> bool {
        let me = self.me;
        let other = self.proxy(place.key).map(|p| Addr { node: me, side: p.sides[usize::from(1 - place.which)].name });
        self.side(place).is_some_and(|s| s.lock == Lock::Theirs && s.change.is_none()) && other != Some(next)
    }

    pub(super) fn expect(&mut self, place: SideId, next: Addr) {
        if !self.may_change(place, next) {
            return self.offence(place);
        }
        let unlinked = !self.reaches(next.node);
        let Some(side) = self.side(place) else { return };
        side.change = Some(Box::new(Change::Expecting { next, unlinked, held: FencedEvents::default(), lost: None }));
        let name = side.name;
        if unlinked {
            self.await_link(next.node, name);
        } else {
            self.answer(place, Event::Expecting);
        }
    }

    pub(super) fn expecting(&mut self, place: SideId) {
        match self.proxy(place.key) {
            Some(proxy) if proxy.stage == Stage::Asking && place.which == 1 => {
                proxy.stage = Stage::Leaving { fenced: false };
                let next = proxy.sides[1].peer;
                self.answer(SideId { key: place.key, which: 0 }, Event::Bypass(next));
            }
            _ => self.offence(place),
        }
    }

    pub(super) fn cannot_reach(&mut self, place: SideId) {
        match self.proxy(place.key) {
            Some(proxy) if matches!((proxy.stage, place.which), (Stage::Asking, 1) | (Stage::Leaving { fenced: false }, 0)) => {
                proxy.stage = Stage::Stuck;
                proxy.sides.iter_mut().for_each(|side| side.lock = Lock::Free);
                self.answer(SideId { key: place.key, which: 0 }, Event::Unlock);
                self.answer(SideId { key: place.key, which: 1 }, Event::Unlock);
            }
            _ => self.offence(place),
        }
    }

    pub(super) fn bypass(&mut self, place: SideId, next: Addr) {
        if !self.may_change(place, next) {
            return self.offence(place);
        }
        if self.reaches(next.node) {
            return self.cross(place, next);
        }
        let Some(side) = self.side(place) else { return };
        side.change = Some(Box::new(Change::Preparing { next }));
        let name = side.name;
        self.await_link(next.node, name);
    }

    /// Sends the fence to the leaving proxy; from now on events go to the next neighbour.
    fn cross(&mut self, place: SideId, next: Addr) {
        self.answer(place, Event::Fence);
        let Some(side) = self.side(place) else { return };
        let former = std::mem::replace(&mut side.peer, next);
        side.change = Some(Box::new(Change::Crossing { former, held: FencedEvents::default(), lost: None }));
    }

    pub(super) fn fence(&mut self, place: SideId) {
        let Some(side) = self.side(place) else { return };
        match side.change.as_deref() {
            Some(Change::Expecting { next, unlinked: false, .. }) => {
                let next = *next;
                if !mutant!(self, FenceIsNotReturned) {
                    self.answer(place, Event::Fence);
                }
                self.open(place, next);
            }
            Some(Change::Crossing { .. }) => {
                let peer = side.peer;
                self.open(place, peer);
            }
            Some(_) => self.offence(place),
            None => self.fence_passes(place),
        }
    }

    /// The old path is empty: the new neighbour becomes the present one, and its held events are
    /// delivered.
    fn open(&mut self, place: SideId, peer: Addr) {
        let Some(side) = self.side(place) else { return };
        let (held, lost) = match side.change.take().map(|c| *c) {
            Some(Change::Expecting { held, lost, .. } | Change::Crossing { held, lost, .. }) => (held, lost),
            _ => return,
        };
        side.peer = peer;
        side.lock = Lock::Free;
        let name = side.name;
        for event in held {
            self.queued_bytes -= event.bytes();
            self.receive(peer, name, event);
        }
        // A held event may have ended this side, or replaced its element: find it again.
        let Some(place) = self.side_table.get(&name) else { return };
        match lost {
            Some(reason) if self.side(place).is_some_and(|s| s.peer == peer) => self.cut(place, reason),
            _ if self.wake_proxy(place.key) => self.seek(place.key),
            _ => {}
        }
    }

    /// A leaving proxy passes the fences on, L's first. After R's fence it is removed.
    fn fence_passes(&mut self, place: SideId) {
        match self.proxy(place.key).map(|p| (p.stage, place.which)) {
            Some((Stage::Leaving { fenced: false }, 0)) => {
                if let Some(proxy) = self.proxy(place.key) {
                    proxy.stage = Stage::Leaving { fenced: true };
                }
                self.answer(SideId { key: place.key, which: 1 }, Event::Fence);
            }
            Some((Stage::Leaving { fenced: true }, 1)) => {
                self.answer(SideId { key: place.key, which: 0 }, Event::Fence);
                self.vanish(place.key);
            }
            _ => self.offence(place),
        }
    }

    /// Removes a proxy that has finished. It sends nothing.
    pub(super) fn vanish(&mut self, key: ElementKey) {
        if self.proxy(key).is_none() {
            return;
        }
        if let Some(Element::Proxy(proxy)) = self.elements.remove(key) {
            self.proxies -= 1;
            if !mutant!(self, NamesAreKept) {
                proxy.sides.into_iter().for_each(|side| self.forget(side));
            }
        }
    }

    fn reaches(&self, node: NodeName) -> bool {
        node == self.me || self.linked.contains(&node)
    }

    /// Requests a link; the side continues in [`Router::link_up`] or [`Router::unreachable`].
    fn await_link(&mut self, node: NodeName, side: SideName) {
        let asked = self.awaited.contains_key(&node);
        if !asked && self.awaited.len() >= MAX_AWAITED_NODES {
            return self.give_up(side, node);
        }
        self.awaited.entry(node).or_default().insert(side);
        if !asked {
            self.actions.push_back(Action::Introduce(node));
        }
    }

    pub(super) fn stop_awaiting(&mut self, node: NodeName, side: SideName) {
        // The entry stays, even if empty, until the reply arrives: one request for each node is
        // pending at a time.
        if let Some(sides) = self.awaited.get_mut(&node) {
            sides.remove(&side);
        }
    }

    /// A link to `node` exists from now on.
    pub(crate) fn link_up(&mut self, node: NodeName) {
        self.linked.insert(node);
        for name in self.awaited.remove(&node).unwrap_or_default() {
            let Some(place) = self.side_table.get(&name) else { continue };
            let Some(side) = self.side(place) else { continue };
            match side.change.as_deref_mut() {
                Some(Change::Expecting { next, unlinked, .. }) if next.node == node && *unlinked => {
                    *unlinked = false;
                    self.answer(place, Event::Expecting);
                }
                Some(Change::Preparing { next }) if next.node == node => {
                    let next = *next;
                    self.cross(place, next);
                }
                _ => {}
            }
        }
        self.run();
    }

    /// There will be no link to `node`. Ignored if there is one.
    pub(crate) fn unreachable(&mut self, node: NodeName) {
        if self.linked.contains(&node) {
            return;
        }
        for name in self.awaited.remove(&node).unwrap_or_default() {
            self.give_up(name, node);
        }
        self.run();
    }

    /// The nodes of pending introductions.
    pub(crate) fn awaited_nodes(&self) -> Vec<NodeName> {
        self.awaited.keys().copied().collect()
    }

    fn give_up(&mut self, name: SideName, node: NodeName) {
        let Some(place) = self.side_table.get(&name) else { return };
        let Some(side) = self.side(place) else { return };
        let waits = match side.change.as_deref() {
            Some(Change::Expecting { next, unlinked, .. }) => *unlinked && next.node == node,
            Some(Change::Preparing { next }) => next.node == node,
            _ => false,
        };
        if waits {
            let change = side.change.take();
            self.drop_change(name, change);
            self.answer(place, Event::CannotReach);
        }
    }
}
