//! The guarantees after a loss, a crash or a forged event: channels that were not affected lose
//! nothing.
//!
//! Whether a channel is affected follows from its chain at that moment. A chain is *whole* if it
//! leads from one end, held by a program, to the other, over live nodes and links. A channel with a
//! whole chain has lost nothing so far, whatever happened before. Its events in transit are on
//! those links, in order. So each loss is judged by itself, independently of the judgement after an
//! earlier one. Two things are not covered:
//! - the later path of a port. A port that moves after a loss may reach a dead node, or use a
//!   broken link before its nodes are notified. It has no guarantee until its chain is whole at the
//!   next loss.
//! - a bypass over a link that has broken before its nodes are notified. A chain that does not use
//!   the link, but has both its nodes, may be moved to it at that moment: it counts as affected.

use std::collections::{BTreeSet, VecDeque};

use super::oracle::{Book, End, Handle};
use super::world::{Parcel, World, name, number};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};
use crate::router::element::{Element, Endpoint, Line};
use crate::router::{ElementKey, Event, Router};

impl Book {
    /// The port, or its other end's, moves after this number of losses.
    pub(super) fn moves_after(&mut self, losses: usize) {
        // The target node may be dead, or forge events.
        self.spared &= losses == 0;
        // Events that a single dead node has sent directly to this one have arrived; later links
        // may break with the next loss.
        self.owed &= losses <= 1;
    }
}

/// The names of an endpoint's side and of its neighbour, if the neighbour stays.
fn resting(router: &Router, key: ElementKey) -> Option<(SideName, Addr)> {
    match router.elements.get(key) {
        Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. })) if side.change.is_none() => Some((side.name, side.peer)),
        _ => None,
    }
}

impl World {
    /// The node is about to crash. Messages that it posted on a port whose channel leads directly
    /// to another node are on the link, and will arrive.
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

    /// A loss has just happened, or `forger` has sent its first forged event: notes the channels
    /// that are not affected.
    pub(super) fn note_spared(&mut self, forger: Option<usize>) {
        for end in 0..self.books.len() {
            self.books[end].spared =
                !self.books[end].tainted && self.is_whole(end, forger) && (self.is_closed(end ^ 1) || self.is_whole(end ^ 1, forger));
        }
    }

    /// Whether the chain leads from this end to the other over live links and past this node,
    /// without a link between any of its nodes that is about to be found broken. If the other end
    /// was closed, the chain counts up to its close in transit.
    fn is_whole(&self, end: End, without: Option<usize>) -> bool {
        let Some(nodes) = self.chain(end) else { return false };
        let over = |a: usize, b: usize| matches!(self.queues.get(&(a, b)).and_then(VecDeque::back), Some(Parcel::Lost));
        !nodes.iter().any(|a| without == Some(*a) || nodes.iter().any(|b| over(*a, *b)))
    }

    /// The nodes of the channel from this end to the other, if its chain is complete.
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

    /// Whether a close that no loss has caused is in transit between these two sides.
    fn ends_in_order(&self, from: Addr, to: Addr) -> bool {
        let close = |parcel: &Parcel| {
            matches!(parcel, Parcel::Frame(frame) if (frame.from, frame.to) == (from.side, to.side)
                && matches!(frame.event, Event::Close(reason) if reason != CloseReason::Crashed))
        };
        self.queues.get(&(number(from.node), number(to.node))).is_some_and(|queue| queue.iter().any(close))
    }
}
