//! Descriptors of others in a node's `epoll`: whoever drives the node wakes those who wait for them.

use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;

use rustix::event::epoll::{self, EventData, EventFlags};

use super::Node;
use super::core::Core;

/// Who waits for which descriptor, by what `epoll` calls it.
#[derive(Default)]
pub(super) struct Sources(HashMap<u64, Vec<Waker>>);

impl Sources {
    /// Moves those to be woken to `wakers`, if this is the token of a source. It is silent from now on, until somebody waits again.
    pub(super) fn ready(&mut self, token: u64, wakers: &mut Vec<Waker>) {
        if let Some(waiting) = self.0.get_mut(&token) {
            wakers.append(waiting);
        }
    }
}

impl Core {
    fn watch_source(&mut self, descriptor: BorrowedFd<'_>) -> io::Result<u64> {
        let token = self.fresh_token();
        epoll::add(&self.epoll, descriptor, EventData::new_u64(token), EventFlags::ONESHOT)?;
        self.sources.0.insert(token, Vec::new());
        Ok(token)
    }

    /// Gives the waker back if it is there already.
    fn rearm_source(&mut self, token: u64, descriptor: BorrowedFd<'_>, waker: Waker) -> io::Result<Option<Waker>> {
        let Some(waiting) = self.sources.0.get_mut(&token) else { return Ok(Some(waker)) };
        let known = waiting.iter().any(|known| known.will_wake(&waker));
        let spare = if known {
            Some(waker)
        } else {
            waiting.push(waker);
            None
        };
        epoll::modify(&self.epoll, descriptor, EventData::new_u64(token), EventFlags::IN | EventFlags::ONESHOT)?;
        Ok(spare)
    }

    fn unwatch_source(&mut self, token: u64, descriptor: BorrowedFd<'_>) -> Option<Vec<Waker>> {
        let _ = epoll::delete(&self.epoll, descriptor);
        self.sources.0.remove(&token)
    }
}

impl Node {
    /// Has the node look after a descriptor, for [`Node::rearm_source`].
    pub(crate) fn watch_source(&self, descriptor: BorrowedFd<'_>) -> io::Result<u64> {
        self.shared.act(|core| core.watch_source(descriptor))
    }

    /// Wakes `waker` once the descriptor is readable: at once if it is so now.
    pub(crate) fn rearm_source(&self, token: u64, descriptor: BorrowedFd<'_>, waker: &Waker) -> io::Result<()> {
        // A waker is foreign code: it is copied and dropped without the lock.
        let waker = waker.clone();
        let _spare = self.shared.act(|core| core.rearm_source(token, descriptor, waker))?;
        Ok(())
    }

    pub(crate) fn unwatch_source(&self, token: u64, descriptor: BorrowedFd<'_>) {
        let _forgotten = self.shared.act(|core| core.unwatch_source(token, descriptor));
    }
}
