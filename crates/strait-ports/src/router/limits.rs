//! Limits of the messages queued at one endpoint, and at all endpoints together for one peer. A
//! channel that exceeds one ends.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Deref;

use super::element::{Element, Endpoint, Line, LocalEvent, SideId};
use super::event::{Action, Event, QueueLimit};
use super::queue::{Item, Queue};
use super::{ElementKey, Router};
use crate::limits::{MESSAGE_COST, PORT_COST};
use crate::message::CloseReason;
use crate::name::{NodeName, RandomKeys};

/// The limits of a node's endpoints, by the costs of [`crate::Limits`].
#[derive(Debug)]
pub(super) struct QueueLimits {
    all: usize,
    /// Limits of single endpoints.
    own: HashMap<ElementKey, usize, RandomKeys>,
    /// The lowest limit of any endpoint: a smaller cost is within every limit.
    lowest: usize,
    /// The limit of messages from one peer, over all endpoints without their own limit.
    peer: usize,
    /// The cost that can be added before a peer can have reached its limit.
    allowance: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { all: usize::MAX, own: HashMap::default(), lowest: usize::MAX, peer: usize::MAX, allowance: usize::MAX }
    }
}

impl QueueLimits {
    /// Whether an endpoint with queued messages of this cost is above its limit.
    pub(super) fn exceeded(&self, key: ElementKey, cost: usize) -> bool {
        cost > self.lowest && cost > self.own.get(&key).copied().unwrap_or(self.all)
    }

    /// Whether no limit is set.
    fn are_off(&self) -> bool {
        self.lowest == usize::MAX && self.peer == usize::MAX
    }

    /// Counts a cost that is about to be added. True if a peer can have reached its limit.
    fn spend(&mut self, cost: usize) -> bool {
        self.allowance = self.allowance.saturating_sub(cost);
        self.allowance == 0 && self.peer != usize::MAX
    }

    /// Removes the limit of an endpoint that was closed or transferred.
    pub(super) fn forget(&mut self, key: ElementKey) {
        if !self.own.is_empty() && self.own.remove(&key).is_some() {
            self.find_lowest();
        }
    }

    fn find_lowest(&mut self) {
        self.lowest = self.own.values().copied().fold(self.all, usize::min);
    }
}

/// Events that are held for a fence, and their cost.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct FencedEvents {
    events: VecDeque<LocalEvent>,
    cost: usize,
}

impl FencedEvents {
    pub(super) fn push(&mut self, event: LocalEvent) {
        self.cost += cost_of(&event);
        self.events.push_back(event);
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }
}

fn cost_of(event: &LocalEvent) -> usize {
    let ports = if let Event::Message { ports, .. } = event { ports.len() } else { 0 };
    event.bytes() + MESSAGE_COST + ports * PORT_COST
}

impl Deref for FencedEvents {
    type Target = VecDeque<LocalEvent>;

    fn deref(&self) -> &VecDeque<LocalEvent> {
        &self.events
    }
}

impl IntoIterator for FencedEvents {
    type Item = LocalEvent;
    type IntoIter = std::collections::vec_deque::IntoIter<LocalEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl Endpoint {
    /// The cost of the queued messages.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.queue.len() * MESSAGE_COST + self.queue.ports() * PORT_COST
    }
}

impl Router {
    /// Sets the limit of endpoints without their own limit, and that of one peer.
    pub(crate) fn limit_queues(&mut self, port: usize, peer: usize) {
        self.limits.all = port;
        self.limits.find_lowest();
        self.limits.peer = peer;
        self.limits.allowance = 0;
    }

    /// Sets the limit of one endpoint.
    pub(crate) fn limit_queue(&mut self, key: ElementKey, cost: usize) {
        self.limits.own.insert(key, cost);
        self.limits.find_lowest();
    }

    /// Whether an event of this cost may be queued at an element. If not, its channel has ended.
    pub(super) fn has_room(&mut self, place: SideId, cost: usize) -> bool {
        if self.limits.are_off() {
            return true;
        }
        if self.limits.spend(cost) {
            self.end_overflowing_peers();
        }
        let waiting = match self.elements.get(place.key) {
            Some(Element::Endpoint(endpoint)) => match &endpoint.line {
                Line::Open(side) => endpoint.cost().max(side.held_cost()),
                // The peer has exceeded its limit.
                Line::Ended { .. } => return false,
            },
            Some(Element::Proxy(proxy)) => proxy.sides[usize::from(place.which)].held_cost(),
            None => return false,
        };
        if self.limits.exceeded(place.key, waiting) {
            self.overflow(place, QueueLimit::Port);
            return false;
        }
        true
    }

    /// Holds an event of a side's next neighbour until the fence.
    pub(super) fn hold(&mut self, place: SideId, event: LocalEvent) {
        if !self.has_room(place, cost_of(&event)) {
            return self.discard(event);
        }
        let side = self.elements.get_mut(place.key).and_then(|element| element.side_mut(place.which));
        let held = side.and_then(|side| side.held()).expect("who has a next neighbour holds what it says");
        self.queued_bytes += event.bytes();
        held.push(event);
    }

    /// The node that sends the messages of a side: the neighbour's node or, behind proxies of this
    /// node, the node that sends to the first of them. For an endpoint whose channel has ended, the
    /// node that sent its messages.
    pub(super) fn source(&self, place: SideId) -> NodeName {
        if let Some(Element::Endpoint(Endpoint { line: Line::Ended { source, .. }, .. })) = self.elements.get(place.key) {
            return *source;
        }
        let mut at = place;
        // A peer with false neighbours may have made a circle.
        for _ in 0..=self.max_hops {
            let Some(peer) = self.elements.get(at.key).and_then(|element| element.side(at.which)).map(|side| side.peer) else { break };
            if peer.node != self.me {
                return peer.node;
            }
            match self.side_table.get(&peer.side) {
                Some(SideId { key, which }) if matches!(self.elements.get(key), Some(Element::Proxy(_))) => {
                    at = SideId { key, which: 1 - which };
                }
                _ => break,
            }
        }
        self.me
    }

    /// Ends channels of each peer that exceeds its limit, the fullest first. This adds up all
    /// elements. It runs again after at least a sixteenth of the limit was added; a peer can exceed
    /// the limit by that much.
    fn end_overflowing_peers(&mut self) {
        let mut peers = BTreeMap::<NodeName, Vec<(usize, SideId)>>::new();
        for key in self.elements.keys() {
            for (source, cost, place) in self.waiting(key) {
                peers.entry(source).or_default().push((cost, place));
            }
        }
        let mut most = 0;
        for mut places in peers.into_values() {
            places.sort_unstable_by_key(|(cost, _)| Reverse(*cost));
            let mut sum: usize = places.iter().map(|(cost, _)| cost).sum();
            for (cost, place) in places {
                if sum <= self.limits.peer {
                    break;
                }
                sum -= cost;
                self.overflow(place, QueueLimit::Peer);
            }
            most = most.max(sum);
        }
        self.limits.allowance = (self.limits.peer - most.min(self.limits.peer)).max(self.limits.peer / 16).max(1);
    }

    /// The cost of the messages queued or held at an element, with the sending node and the side.
    /// Messages of this node itself are left out.
    fn waiting(&self, key: ElementKey) -> impl Iterator<Item = (NodeName, usize, SideId)> + use<> {
        let costs = match self.elements.get(key) {
            Some(Element::Endpoint(_)) if self.limits.own.contains_key(&key) => [0, 0],
            Some(Element::Endpoint(endpoint)) => match &endpoint.line {
                Line::Open(side) => [endpoint.cost() + side.held_cost(), 0],
                Line::Ended { .. } => [endpoint.cost(), 0],
            },
            Some(Element::Proxy(proxy)) => [proxy.sides[0].held_cost(), proxy.sides[1].held_cost()],
            None => [0, 0],
        };
        let places = [0, 1].map(|which| SideId { key, which });
        let found = [0, 1].map(|which| (costs[which] > 0).then(|| (self.source(places[which]), costs[which], places[which])));
        let me = self.me;
        found.into_iter().flatten().filter(move |(source, ..)| *source != me)
    }

    /// Ends the channel of an element that exceeds a limit. Its messages are dropped, which frees
    /// their memory.
    fn overflow(&mut self, place: SideId, limit: QueueLimit) {
        let (mut queue, mut bytes) = (Queue::default(), 0);
        if let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(place.key) {
            queue = std::mem::take(&mut endpoint.queue);
            if let Some(prefetch) = endpoint.prefetch.take() {
                prefetch.empty_into(&mut queue);
            }
            bytes = std::mem::take(&mut endpoint.bytes);
            if let Line::Ended { reason, .. } = &mut endpoint.line {
                // The close was in the queue. Its new reason shows that messages before it are
                // lost.
                *reason = CloseReason::Dropped;
                endpoint.queue.push_back(Item::Close(CloseReason::Dropped));
            }
        }
        self.queued_bytes -= bytes;
        let side = self.elements.get_mut(place.key).and_then(|element| element.side_mut(place.which));
        let held = side.and_then(|side| side.held()).map(std::mem::take).unwrap_or_default();
        let mut messages = queue.iter().filter(|item| item.is_message()).count();
        for event in held {
            messages += usize::from(matches!(event, Event::Message { .. }));
            bytes += event.bytes();
            self.queued_bytes -= event.bytes();
            self.discard(event);
        }
        self.actions.push_back(Action::Overflow { limit, key: place.key, messages, bytes });
        self.drop_queue(queue);
        self.cut(place, CloseReason::Dropped);
    }

    fn drop_queue(&mut self, queue: Queue) {
        for item in queue {
            item.into_ports().into_iter().for_each(|port| self.close_element(port, CloseReason::Dropped));
        }
    }
}
