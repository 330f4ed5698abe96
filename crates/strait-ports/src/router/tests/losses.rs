//! What is still promised when something has broken, died or lied: everything, to channels that had nothing to do with it.
//!
//! Who had to do with it is seen in the chains as they are at that moment. A channel whose chain is *whole*, from one end in a program's hands to the other
//! over nodes and links that live, has lost nothing so far, whatever came before; what it has on its way is on those links, in order. So each loss is
//! judged by itself, and not by what was said of the channel after an earlier one. What this cannot say:
//! - where a port goes later. One that is sent somewhere after a loss may get to a node that is dead, or over a link that is broken and not known to be:
//!   it is promised nothing any more, until it is whole again at the next loss.
//! - what a bypass does with a link that has broken, before its nodes know. A chain that does not use the link, but has both its nodes, may be led over it
//!   in that very moment: it counts as harmed.

use std::collections::{BTreeSet, VecDeque};

use super::oracle::{Book, End, Handle};
use super::world::{Parcel, World, name, number};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};
use crate::router::element::{Element, Endpoint, Line};
use crate::router::{ElementKey, Event, Router};

impl Book {
    /// Its port, or its other end's, is sent somewhere after so many losses.
    pub(super) fn moves_after(&mut self, losses: usize) {
        // Where it goes, somebody may be dead, or forge events.
        self.spared &= losses == 0;
        // What a single dead node has sent directly to this one is behind it; what it leads to now may break with the next loss.
        self.owed &= losses <= 1;
    }
}

/// The neighbour of an endpoint whose neighbour stays: names of its own side and of the neighbour.
fn resting(router: &Router, key: ElementKey) -> Option<(SideName, Addr)> {
    match router.elements.get(key) {
        Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. })) if side.change.is_none() => Some((side.name, side.peer)),
        _ => None,
    }
}

impl World {
    /// The node is about to die. What was posted there on a port whose channel leads straight to another node is with the link, and comes.
    pub(super) fn note_debts(&mut self, node: usize) {
        self.books.iter_mut().for_each(|book| book.owed = false);
        if self.forger == Some(node) {
            return;
        }
        for Handle { key, end, .. } in self.handles.clone().into_iter().filter(|h| h.node == node) {
            let Some((ours, peer)) = self.routers[node].as_ref().and_then(|r| resting(r, key)) else { continue };
            let over = matches!(self.queues.get(&(node, number(peer.node))).and_then(VecDeque::back), Some(Parcel::Lost));
            let Some(router) = self.routers[number(peer.node)].as_ref().filter(|_| number(peer.node) != node && !over) else { continue };
            let Some(place) = router.side_table.get(&peer.side) else { continue };
            self.books[end ^ 1].owed = resting(router, place.key) == Some((peer.side, Addr { node: name(node), side: ours }));
        }
    }

    /// Something has just been lost, or `forger` says the first wrong word: notes who has nothing to do with it.
    pub(super) fn note_spared(&mut self, forger: Option<usize>) {
        for end in 0..self.books.len() {
            self.books[end].spared =
                !self.books[end].tainted && self.is_whole(end, forger) && (self.is_closed(end ^ 1) || self.is_whole(end ^ 1, forger));
        }
    }

    /// The chain can be walked from this end to the other, over links that live and past this node, and no link between any of its nodes is about to be
    /// found broken. If the other end has been closed: as far as where its close is on its way.
    fn is_whole(&self, end: End, without: Option<usize>) -> bool {
        let Some(nodes) = self.chain(end) else { return false };
        let over = |a: usize, b: usize| matches!(self.queues.get(&(a, b)).and_then(VecDeque::back), Some(Parcel::Lost));
        !nodes.iter().any(|a| without == Some(*a) || nodes.iter().any(|b| over(*a, *b)))
    }

    /// The nodes that the channel leads over from this end to the other, if it does.
    fn chain(&self, end: End) -> Option<BTreeSet<usize>> {
        let find = |end| self.handles.iter().find(|h: &&Handle| h.end == end);
        let from = find(end)?;
        let (mut at, mut key, mut which) = (from.node, from.key, 0);
        let mut nodes = BTreeSet::new();
        for _ in 0..100 {
            let side = self.routers[at].as_ref()?.elements.get(key)?.side(which)?;
            let (here, peer, next) = (Addr { node: name(at), side: side.name }, side.peer, number(side.peer.node));
            nodes.extend([at, next]);
            let linked = at == next || self.linked.contains(&(at, next)) && self.linked.contains(&(next, at));
            let router = self.routers[next].as_ref().filter(|_| linked && side.change.is_none())?;
            let Some(place) = router.side_table.get(&peer.side) else {
                return (self.is_closed(end ^ 1) && self.ends_in_order(peer, here)).then_some(nodes);
            };
            let element = router.elements.get(place.key)?;
            element.side(place.which).filter(|s| (s.name, s.peer) == (peer.side, here) && s.change.is_none())?;
            (at, key, which) = (next, place.key, 1 - place.which);
            if let Element::Endpoint(_) = element {
                return find(end ^ 1).filter(|to| (at, key) == (to.node, to.key)).map(|_| nodes);
            }
        }
        None
    }

    /// A close that does not come from a loss is on its way between these two sides.
    fn ends_in_order(&self, from: Addr, to: Addr) -> bool {
        let close = |parcel: &Parcel| {
            matches!(parcel, Parcel::Frame(frame) if (frame.from, frame.to) == (from.side, to.side)
                && matches!(frame.event, Event::Close(reason) if reason != CloseReason::Crashed))
        };
        self.queues.get(&(number(from.node), number(to.node))).is_some_and(|queue| queue.iter().any(close))
    }
}
