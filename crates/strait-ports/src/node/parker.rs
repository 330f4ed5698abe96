//! Wakes a waiting thread, on whichever primitive it is parked.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use rustix::event::{EventfdFlags, eventfd};

use crate::link;

/// The waker of one thread.
pub(super) struct Parker {
    pub(super) word: AtomicU32,
    /// Readable after a notification, if the thread parks on descriptors.
    pub(super) descriptor: OwnedFd,
}

/// On what the thread is parked: the value of its word meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParkKind {
    Word = 2,
    Descriptors = 3,
}

thread_local! {
    static PARKER: RefCell<Option<Arc<Parker>>> = const { RefCell::new(None) };
}

impl Parker {
    /// The thread is not parked, and was not notified.
    const IDLE: u32 = 0;
    const NOTIFIED: u32 = 1;

    /// The thread's parker, made when it first waits. A notification left over from an earlier wait costs one poll.
    pub(super) fn of_this_thread() -> io::Result<Arc<Self>> {
        PARKER.with_borrow_mut(|parker| {
            if let Some(parker) = parker {
                return Ok(Arc::clone(parker));
            }
            let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            let new = Arc::new(Self { word: AtomicU32::new(Self::IDLE), descriptor });
            Ok(Arc::clone(parker.insert(new)))
        })
    }

    /// Forgets notifications: the caller polls for their reasons next.
    pub(super) fn reset(&self) {
        self.word.swap(Self::IDLE, Ordering::AcqRel);
    }

    pub(super) fn is_notified(&self) -> bool {
        self.word.load(Ordering::Acquire) == Self::NOTIFIED
    }

    /// Parks by calling `sleep`, unless it was notified.
    pub(super) fn park<R>(&self, kind: ParkKind, sleep: impl FnOnce(&Self) -> R) -> Option<R> {
        self.word.compare_exchange(Self::IDLE, kind as u32, Ordering::AcqRel, Ordering::Acquire).ok()?;
        let slept = sleep(self);
        // A notification stays.
        let _ = self.word.compare_exchange(kind as u32, Self::IDLE, Ordering::AcqRel, Ordering::Acquire);
        Some(slept)
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.word.swap(Self::NOTIFIED, Ordering::AcqRel) {
            word if word == ParkKind::Word as u32 => link::wake(&self.word),
            word if word == ParkKind::Descriptors as u32 => {
                // Full: it is readable already.
                let _ = rustix::io::write(&self.descriptor, &1u64.to_ne_bytes());
            }
            _ => {}
        }
    }
}
