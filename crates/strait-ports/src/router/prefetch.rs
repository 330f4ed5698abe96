//! Messages that a port's holder takes without the node's lock.
//!
//! Taking the lock costs more than receiving one message. So `recv` moves the messages behind the
//! first one out of the endpoint's queue as well, if they are plain bytes and the sender does not need
//! exact reports. The router counts them as received at its next visit. It can take the others back
//! ([`Router::recall`]): when the port moves, or when the sender needs exact reports after all. The
//! last message is never taken here, so that the router is called when the prefetch runs empty.
//!
//! Lock order: the node's, then the prefetch's.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::element::{Element, Endpoint};
use super::queue::{Item, Queue};
use super::{ElementKey, Received, Router};
use crate::flow::Amount;

/// The most messages of a queue that is prefetched as a whole.
const MOST: usize = 4096;

/// The most bytes of a queue that is prefetched as a whole.
const MOST_BYTES: usize = 256 * 1024;

/// The number of messages that are prefetched from a longer queue.
const SOME: usize = 32;

/// The capacity that an empty prefetch keeps, in messages.
const KEPT: usize = 256;

/// The prefetched messages of one port. The module describes their use.
#[derive(Debug, Default)]
pub(crate) struct Prefetch {
    /// Set while the prefetch has messages that the router has not taken back.
    filled: AtomicBool,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    /// Messages of plain bytes.
    plain: VecDeque<Item>,
    /// Taken by the program and not yet counted by the router.
    taken: Amount,
}

impl Prefetch {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message's bytes, unless it is the last.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        // A thread that reads an old value calls the router.
        if !self.filled.load(Ordering::Relaxed) {
            return None;
        }
        let mut contents = self.lock();
        if contents.plain.len() < 2 {
            return None;
        }
        let item = contents.plain.pop_front()?;
        contents.taken.messages += 1;
        contents.taken.bytes += item.bytes();
        drop(contents);
        if let Item::Plain { data, .. } = item { Some(data.into_vec()) } else { None }
    }

    /// Takes plain messages from a queue into an empty prefetch; true if there are some.
    fn fill(&self, queue: &mut Queue, bytes: usize) -> bool {
        let mut contents = self.lock();
        if queue.len() > MOST || bytes > MOST_BYTES || !queue.swap_plain(&mut contents.plain) {
            contents.plain.extend(queue.drain_plain().take(SOME));
        }
        let filled = !contents.plain.is_empty();
        self.filled.store(filled, Ordering::Relaxed);
        filled
    }

    /// Returns the remaining messages to the queue; the result is the amount that the program has
    /// taken.
    pub(super) fn empty_into(&self, queue: &mut Queue) -> Amount {
        let mut contents = self.lock();
        self.filled.store(false, Ordering::Relaxed);
        queue.put_back(&mut contents.plain);
        contents.plain.shrink_to(KEPT);
        mem::take(&mut contents.taken)
    }
}

impl Router {
    /// As [`Router::pop`]. Then prefetches the messages behind it, if tracing is off and the other
    /// end has set no policy.
    pub(crate) fn fetch(&mut self, key: ElementKey, prefetch: &OnceLock<Arc<Prefetch>>) -> Option<Received> {
        let received = self.pop(key)?;
        if self.trace.is_some() {
            // The tracer receives an event for each message.
            return Some(received);
        }
        if let Some(Element::Endpoint(Endpoint { queue, bytes, flow, prefetch: handed_over, .. })) = self.elements.get_mut(key)
            && queue.len() >= 2
            && !flow.has_policy()
        {
            let prefetch = prefetch.get_or_init(Arc::default);
            if prefetch.fill(queue, *bytes) {
                *handed_over = Some(Arc::clone(prefetch));
            }
        }
        Some(received)
    }

    /// Returns prefetched messages to the endpoint's queue, and counts the taken ones as received.
    pub(super) fn recall(&mut self, key: ElementKey) {
        let Some(Element::Endpoint(Endpoint { queue, prefetch, .. })) = self.elements.get_mut(key) else { return };
        let Some(prefetch) = prefetch.take() else { return };
        let taken = prefetch.empty_into(queue);
        if taken.messages > 0 {
            self.received(key, taken);
        }
    }
}

impl Endpoint {
    /// Whether the program can receive an event. A full prefetch has at least one message until the
    /// router empties it.
    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.prefetch.is_some()
    }
}
