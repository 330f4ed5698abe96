//! Who waits for room at which port: every waiter with a ticket, so that one that gives up leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::task::Waker;

use crate::router::ElementKey;

/// See the module.
#[derive(Default)]
pub(crate) struct Rooms {
    waiting: HashMap<ElementKey, BTreeMap<u64, Waker>>,
    /// No ticket is given twice: one who gives up late takes nobody else's place away.
    next: u64,
}

impl Rooms {
    /// Waits, in the place that the ticket stands for if there is one. Gives the ticket, and the waker that was there.
    pub(crate) fn wait(&mut self, key: ElementKey, ticket: Option<u64>, waker: Waker) -> (u64, Option<Waker>) {
        let ticket = ticket.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let former = self.waiting.entry(key).or_default().insert(ticket, waker);
        (ticket, former)
    }

    /// Waits until there is room, once for each waker: for those who cannot keep a ticket. Gives the waker back if it is there already.
    #[cfg(feature = "futures")]
    pub(crate) fn wait_without_ticket(&mut self, key: ElementKey, waker: Waker) -> Option<Waker> {
        if self.waiting.get(&key).is_some_and(|waiting| waiting.values().any(|known| known.will_wake(&waker))) {
            return Some(waker);
        }
        self.wait(key, None, waker);
        None
    }

    /// Gives up waiting.
    pub(crate) fn leave(&mut self, key: ElementKey, ticket: u64) -> Option<Waker> {
        let waiting = self.waiting.get_mut(&key)?;
        let waker = waiting.remove(&ticket);
        if waiting.is_empty() {
            self.waiting.remove(&key);
        }
        waker
    }

    /// Nobody waits anywhere.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes all who wait at a port.
    pub(super) fn take(&mut self, key: ElementKey) -> impl Iterator<Item = Waker> + use<> {
        self.waiting.remove(&key).unwrap_or_default().into_values()
    }

    /// Takes all who wait.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values().flat_map(BTreeMap::into_values)
    }
}
