//! Wakers of blocked senders, by port. Each waiter has a ticket, by which it is removed when it gives up.

use std::collections::{BTreeMap, HashMap};
use std::task::Waker;

use crate::router::ElementKey;

/// The wakers of all blocked senders.
#[derive(Default)]
pub(crate) struct SendWaiters {
    waiting: HashMap<ElementKey, BTreeMap<u64, Waker>>,
    /// The last ticket. A ticket is never reused, so a late removal cannot remove another waiter.
    next: u64,
}

impl SendWaiters {
    /// Adds a waker, or replaces the one of this ticket. Returns the ticket and the replaced waker.
    pub(crate) fn add(&mut self, key: ElementKey, ticket: Option<u64>, waker: Waker) -> (u64, Option<Waker>) {
        let ticket = ticket.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let former = self.waiting.entry(key).or_default().insert(ticket, waker);
        (ticket, former)
    }

    /// Adds a waker once, for callers that cannot keep a ticket. Returns the waker if it is there
    /// already.
    #[cfg(feature = "futures")]
    pub(crate) fn add_without_ticket(&mut self, key: ElementKey, waker: Waker) -> Option<Waker> {
        if self.waiting.get(&key).is_some_and(|waiting| waiting.values().any(|known| known.will_wake(&waker))) {
            return Some(waker);
        }
        self.add(key, None, waker);
        None
    }

    /// Removes a waiter.
    pub(crate) fn remove(&mut self, key: ElementKey, ticket: u64) -> Option<Waker> {
        let waiting = self.waiting.get_mut(&key)?;
        let waker = waiting.remove(&ticket);
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        waker
    }

    /// Whether no sender is blocked at any port.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the wakers of a port.
    pub(super) fn take(&mut self, key: ElementKey) -> impl Iterator<Item = Waker> + use<> {
        self.waiting.remove(&key).unwrap_or_default().into_values()
    }

    /// Takes all wakers.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values().flat_map(BTreeMap::into_values)
    }
}
