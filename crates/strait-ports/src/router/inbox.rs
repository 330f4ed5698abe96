//! What the holder of a port takes without the node's lock.
//!
//! Receiving one message costs less than the lock and what goes with it. So whoever takes one from an endpoint's queue takes those behind it along, as far as they are
//! plain bytes and nobody wants to be told exactly what has been received. The router counts them as received when it is visited again, and can have the rest back at any
//! time ([`Router::recall`]): when the port moves, or when somebody wants exact figures after all. The last message is never taken here, so the router hears of an inbox
//! that is empty.
//!
//! Locks: the node's, then the inbox's.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::element::{Element, Endpoint};
use super::queue::{Item, Queue};
use super::{ElementKey, Received, Router};
use crate::flow::Amount;

/// An inbox takes a whole queue with so many messages at most...
const MOST: usize = 4096;

/// ... and so many bytes...
const MOST_BYTES: usize = 256 * 1024;

/// ... or so many messages of a longer one.
const SOME: usize = 32;

/// Room for so many messages is kept when there are none.
const KEPT: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// It has been filled, and not been emptied by the router since.
    filled: AtomicBool,
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    /// Messages of plain bytes.
    plain: VecDeque<Item>,
    /// What the program has taken that the router does not know of.
    taken: Amount,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message's bytes, unless it is the last.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
        // Who sees this late asks the router.
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

    /// Takes plain messages from a queue into an empty inbox; true if there are some.
    fn fill(&self, queue: &mut Queue, bytes: usize) -> bool {
        let mut contents = self.lock();
        if queue.len() > MOST || bytes > MOST_BYTES || !queue.swap_plain(&mut contents.plain) {
            contents.plain.extend(queue.drain_plain().take(SOME));
        }
        let filled = !contents.plain.is_empty();
        self.filled.store(filled, Ordering::Relaxed);
        filled
    }

    /// Gives back what has not been taken, and says what has.
    pub(super) fn empty_into(&self, queue: &mut Queue) -> Amount {
        let mut contents = self.lock();
        self.filled.store(false, Ordering::Relaxed);
        queue.put_back(&mut contents.plain);
        contents.plain.shrink_to(KEPT);
        mem::take(&mut contents.taken)
    }
}

impl Router {
    /// As [`Router::pop`], and puts what comes next into the inbox of the endpoint's port, if that may be.
    pub(crate) fn fetch(&mut self, key: ElementKey, inbox: &OnceLock<Arc<Inbox>>) -> Option<Received> {
        let received = self.pop(key)?;
        if self.trace.is_some() {
            // It is to be told of each.
            return Some(received);
        }
        if let Some(Element::Endpoint(Endpoint { queue, bytes, flow, inbox: handed_over, .. })) = self.elements.get_mut(key)
            && queue.len() >= 2
            && !flow.is_watched()
        {
            let inbox = inbox.get_or_init(Arc::default);
            if inbox.fill(queue, *bytes) {
                *handed_over = Some(Arc::clone(inbox));
            }
        }
        Some(received)
    }

    /// Has back what an endpoint's program has been given ahead of its asking.
    pub(super) fn recall(&mut self, key: ElementKey) {
        let Some(Element::Endpoint(Endpoint { queue, inbox, .. })) = self.elements.get_mut(key) else { return };
        let Some(inbox) = inbox.take() else { return };
        let taken = inbox.empty_into(queue);
        if taken.messages > 0 {
            self.received(key, taken);
        }
    }
}

impl Endpoint {
    /// There is something for the program to receive. (A full inbox has one message at least, until the router empties it.)
    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.inbox.is_some()
    }
}
