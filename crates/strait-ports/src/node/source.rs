//! Foreign descriptors in a node's `epoll`: the thread that drives the node wakes their waiters.

use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;

use rustix::event::epoll::{self, EventFlags};

use super::Node;
use super::peers::Token;
use super::state::NodeState;

/// The waiters for foreign descriptors, by the descriptor's number.
#[derive(Default)]
pub(super) struct Sources {
    waiting: HashMap<u32, Vec<Waker>>,
    next: u32,
}

impl Sources {
    /// Moves the waiters of a source to `wakers`. The source reports nothing more until
    /// `rearm_source`.
    pub(super) fn ready(&mut self, number: u32, wakers: &mut impl Extend<Waker>) {
        if let Some(waiting) = self.waiting.get_mut(&number) {
            wakers.extend(waiting.drain(..));
        }
    }
}

impl NodeState {
    fn watch_source(&mut self, descriptor: BorrowedFd<'_>) -> io::Result<u32> {
        // Numbers repeat after 2^32 sources: skip those in use.
        while self.sources.waiting.contains_key(&self.sources.next) {
            self.sources.next = self.sources.next.wrapping_add(1);
        }
        let number = self.sources.next;
        epoll::add(&self.epoll, descriptor, Token::Source(number).data(), EventFlags::ONESHOT)?;
        self.sources.waiting.insert(number, Vec::new());
        self.sources.next = number.wrapping_add(1);
        Ok(number)
    }

    /// Adds a waker and watches the descriptor once. Returns the waker if it is there already.
    fn rearm_source(&mut self, number: u32, descriptor: BorrowedFd<'_>, waker: Waker) -> io::Result<Option<Waker>> {
        let Some(waiting) = self.sources.waiting.get_mut(&number) else { return Ok(Some(waker)) };
        let known = waiting.iter().any(|known| known.will_wake(&waker));
        let spare = if known {
            Some(waker)
        } else {
            waiting.push(waker);
            None
        };
        epoll::modify(&self.epoll, descriptor, Token::Source(number).data(), EventFlags::IN | EventFlags::ONESHOT)?;
        Ok(spare)
    }

    fn unwatch_source(&mut self, number: u32, descriptor: BorrowedFd<'_>) -> Option<Vec<Waker>> {
        let _ = epoll::delete(&self.epoll, descriptor);
        self.sources.waiting.remove(&number)
    }
}

impl Node {
    /// Adds a descriptor to the node's `epoll`, for [`Node::rearm_source`].
    pub(crate) fn watch_source(&self, descriptor: BorrowedFd<'_>) -> io::Result<u32> {
        self.shared.act(|state| state.watch_source(descriptor))
    }

    /// Wakes `waker` once the descriptor is readable; at once if it already is.
    pub(crate) fn rearm_source(&self, number: u32, descriptor: BorrowedFd<'_>, waker: &Waker) -> io::Result<()> {
        // A waker is foreign code: it is copied and dropped without the lock.
        let waker = waker.clone();
        let _spare = self.shared.act(|state| state.rearm_source(number, descriptor, waker))?;
        Ok(())
    }

    pub(crate) fn unwatch_source(&self, number: u32, descriptor: BorrowedFd<'_>) {
        let _forgotten = self.shared.act(|state| state.unwatch_source(number, descriptor));
    }
}
