//! What may wait at an endpoint: a channel with more than that ends.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;

use super::element::{Element, Endpoint, LocalEvent, Place};
use super::event::{Action, Event};
use super::queue::Queue;
use super::{ElementKey, Router};
use crate::limits::{MESSAGE_COST, PORT_COST};
use crate::message::CloseReason;
use crate::name::RandomKeys;

/// The limits of a node's endpoints, in the costs of [`crate::Limits`].
#[derive(Debug)]
pub(super) struct QueueLimits {
    all: usize,
    /// Of endpoints with a limit of their own.
    own: HashMap<ElementKey, usize, RandomKeys>,
    /// The lowest of these: what costs less is within every limit.
    lowest: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { all: usize::MAX, own: HashMap::default(), lowest: usize::MAX }
    }
}

impl QueueLimits {
    /// Whether an endpoint where this much waits takes nothing more.
    pub(super) fn exceeded(&self, key: ElementKey, cost: usize) -> bool {
        cost > self.lowest && cost > self.own.get(&key).copied().unwrap_or(self.all)
    }

    /// The endpoint is gone, or elsewhere.
    pub(super) fn forget(&mut self, key: ElementKey) {
        if !self.own.is_empty() && self.own.remove(&key).is_some() {
            self.find_lowest();
        }
    }

    fn find_lowest(&mut self) {
        self.lowest = self.own.values().copied().fold(self.all, usize::min);
    }
}

/// Events that wait for a fence, and their cost.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Held {
    events: VecDeque<LocalEvent>,
    cost: usize,
}

impl Held {
    pub(super) fn push(&mut self, event: LocalEvent) {
        let ports = if let Event::Message { ports, .. } = &event { ports.len() } else { 0 };
        self.cost += event.bytes() + MESSAGE_COST + ports * PORT_COST;
        self.events.push_back(event);
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }
}

impl Deref for Held {
    type Target = VecDeque<LocalEvent>;

    fn deref(&self) -> &VecDeque<LocalEvent> {
        &self.events
    }
}

impl IntoIterator for Held {
    type Item = LocalEvent;
    type IntoIter = std::collections::vec_deque::IntoIter<LocalEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl Endpoint {
    /// What waits here to be received.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.queue.len() * MESSAGE_COST + self.queue.ports() * PORT_COST
    }
}

impl Router {
    /// What may wait at endpoints without a limit of their own.
    pub(crate) fn limit_queues(&mut self, cost: usize) {
        self.limits.all = cost;
        self.limits.find_lowest();
    }

    /// What may wait at this one.
    pub(crate) fn limit_queue(&mut self, key: ElementKey, cost: usize) {
        self.limits.own.insert(key, cost);
        self.limits.find_lowest();
    }

    /// Ends the channel of an endpoint where too much waits. What waits is dropped, which frees its memory.
    pub(super) fn overflow(&mut self, key: ElementKey) {
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return };
        let mut queue = std::mem::take(&mut endpoint.queue);
        if let Some(inbox) = endpoint.inbox.take() {
            inbox.empty_into(&mut queue);
        }
        let bytes = std::mem::take(&mut endpoint.bytes);
        self.queued_bytes -= bytes;
        self.actions.push_back(Action::Overflow { key, messages: queue.len(), bytes });
        self.drop_queue(queue);
        self.cut(Place { key, which: 0 }, CloseReason::Dropped);
    }

    fn drop_queue(&mut self, queue: Queue) {
        for item in queue {
            item.into_ports().into_iter().for_each(|port| self.close_element(port, CloseReason::Dropped));
        }
    }
}
