//! What the holder of a port takes without the node's lock.
//!
//! Receiving one message costs less than the lock and what goes with it. So whoever takes one from an endpoint's queue takes those behind it along, as far as they are
//! plain bytes and nobody wants to be told exactly what has been received. The router counts them as received when it is visited again, and can have the rest back at any
//! time ([`Inbox::give_back`]): when the port moves, or when somebody wants exact figures after all. The last message is never taken here, so the router hears of an inbox
//! that is empty.
//!
//! Locks: the node's, then the inbox's.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::element::{Element, Endpoint};
use super::queue::Item;
use super::{ElementKey, Received, Router};
use crate::flow::Amount;

/// An inbox takes a whole queue with so many messages at most...
const MOST: usize = 4096;

/// ... and so many bytes...
const MOST_BYTES: usize = 256 * 1024;

/// ... or so many messages of a longer one.
const SOME: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// Messages of plain bytes.
    plain: VecDeque<Item>,
    /// What the program has taken that the router does not know of.
    taken: Amount,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message's bytes, unless it is the last.
    pub(crate) fn take(&self) -> Option<Vec<u8>> {
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

    pub(super) fn is_empty(&self) -> bool {
        self.lock().plain.is_empty()
    }

    /// Everything that has not been taken, and what has.
    fn give_back(&self) -> (VecDeque<Item>, Amount) {
        let Contents { plain, taken } = &mut *self.lock();
        (mem::take(plain), mem::take(taken))
    }
}

impl Router {
    /// As [`Router::pop`], and puts what comes next into the inbox of the endpoint's port, if that may be.
    pub(crate) fn fetch(&mut self, key: ElementKey, inbox: &OnceLock<Arc<Inbox>>) -> Option<Received> {
        let received = self.pop(key)?;
        if let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key)
            && endpoint.queue.len() >= 2
            && !endpoint.flow.is_watched()
        {
            let inbox = inbox.get_or_init(Arc::default);
            endpoint.hand_over(inbox);
        }
        Some(received)
    }

    /// Has back what an endpoint's program has been given ahead of its asking.
    pub(super) fn recall(&mut self, key: ElementKey) {
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return };
        let Some(inbox) = &endpoint.inbox else { return };
        let (plain, taken) = inbox.give_back();
        endpoint.queue.put_back(plain);
        if taken.messages > 0 {
            self.received(key, taken);
        }
    }

    /// As [`Router::recall`]; the port's present holder gets nothing more in this way.
    pub(super) fn recall_for_good(&mut self, key: ElementKey) {
        self.recall(key);
        if let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) {
            endpoint.inbox = None;
        }
    }
}

impl Endpoint {
    /// Fills an inbox that is empty.
    fn hand_over(&mut self, inbox: &Arc<Inbox>) {
        let mut contents = inbox.lock();
        if self.queue.len() > MOST || self.bytes > MOST_BYTES || !self.queue.swap_plain(&mut contents.plain) {
            contents.plain.extend(self.queue.drain_plain().take(SOME));
        }
        drop(contents);
        if self.inbox.is_none() {
            self.inbox = Some(Arc::clone(inbox));
        }
    }

    /// There is something for the program to receive.
    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.inbox.as_ref().is_some_and(|inbox| !inbox.is_empty())
    }
}
