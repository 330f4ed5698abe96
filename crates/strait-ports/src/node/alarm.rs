//! How a waiting thread is woken, wherever it sleeps.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use rustix::event::{EventfdFlags, eventfd};

use crate::link;

/// Wakes one thread, which has it as its waker.
pub(super) struct Alarm {
    pub(super) word: AtomicU32,
    /// Readable when it has rung for a thread that sleeps on descriptors.
    pub(super) descriptor: OwnedFd,
}

/// Where the thread is about to sleep: what its word says meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bed {
    Word = 2,
    Descriptors = 3,
}

thread_local! {
    static ALARM: RefCell<Option<Arc<Alarm>>> = const { RefCell::new(None) };
}

impl Alarm {
    /// The thread does not sleep, and has not been rung for.
    const QUIET: u32 = 0;
    const RUNG: u32 = 1;

    /// One alarm a thread, made when it first waits. A ring left over from an earlier wait does no harm: the waiter looks, and waits again.
    pub(super) fn of_this_thread() -> io::Result<Arc<Self>> {
        ALARM.with_borrow_mut(|alarm| {
            if let Some(alarm) = alarm {
                return Ok(Arc::clone(alarm));
            }
            let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            let new = Arc::new(Self { word: AtomicU32::new(Self::QUIET), descriptor });
            Ok(Arc::clone(alarm.insert(new)))
        })
    }

    /// Before a look: what has rung so far is looked at now.
    pub(super) fn quiet(&self) {
        self.word.swap(Self::QUIET, Ordering::AcqRel);
    }

    pub(super) fn has_rung(&self) -> bool {
        self.word.load(Ordering::Acquire) == Self::RUNG
    }

    /// Sleeps by `sleep`, unless it has rung.
    pub(super) fn sleep<R>(&self, bed: Bed, sleep: impl FnOnce(&Self) -> R) -> Option<R> {
        self.word.compare_exchange(Self::QUIET, bed as u32, Ordering::AcqRel, Ordering::Acquire).ok()?;
        let slept = sleep(self);
        // If it has rung it stays so.
        let _ = self.word.compare_exchange(bed as u32, Self::QUIET, Ordering::AcqRel, Ordering::Acquire);
        Some(slept)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match self.word.swap(Self::RUNG, Ordering::AcqRel) {
            word if word == Bed::Word as u32 => link::wake(&self.word),
            word if word == Bed::Descriptors as u32 => {
                // Full means that it rings already.
                let _ = rustix::io::write(&self.descriptor, &1u64.to_ne_bytes());
            }
            _ => {}
        }
    }
}
