//! The descriptors that `epoll` has reported as ready.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

/// The most descriptors of one `epoll` call.
pub(super) const LINKS_A_TURN: usize = 32;

const NOTHING: epoll::Event = epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };

/// The events of one `epoll` call.
pub(super) struct EpollEvents {
    events: [epoll::Event; LINKS_A_TURN],
    count: usize,
}

impl Default for EpollEvents {
    /// No events.
    fn default() -> Self {
        Self { events: [NOTHING; LINKS_A_TURN], count: 0 }
    }
}

impl EpollEvents {
    /// The events that are ready now.
    pub(super) fn now(epoll: &OwnedFd) -> io::Result<Self> {
        Self::until(epoll, Some(Instant::now()))
    }

    /// Waits for events until the deadline (`None`: without limit).
    pub(super) fn until(epoll: &OwnedFd, deadline: Option<Instant>) -> io::Result<Self> {
        let mut ready = Self::default();
        loop {
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            let timeout = left.map(|l| Timespec { tv_sec: l.as_secs() as _, tv_nsec: l.subsec_nanos() as _ });
            match epoll::wait(epoll, &mut ready.events[..], timeout.as_ref()) {
                Ok(count) => ready.count = count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if ready.count > 0 || left.is_some_and(|l| l.is_zero()) {
                return Ok(ready);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether more events may be ready.
    pub(super) fn full(&self) -> bool {
        self.count == LINKS_A_TURN
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (u64, epoll::EventFlags)> {
        self.events[..self.count].iter().map(|event| (event.data.u64(), event.flags))
    }
}
