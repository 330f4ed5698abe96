//! Descriptors that the process keeps so that it can receive others when it has no more.
//!
//! What cannot be taken in when it is received is lost, and with it its link. So each process with a node in it has as many descriptors in reserve as one packet may
//! bring: they are given up for as long as it takes to receive that packet. Mostly others have become free by the time they are wanted back. If not, what has been received is on
//! *loan*: it is looked at and closed again, and nothing of it may be kept.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::MAX_DESCRIPTORS;

/// The process's one.
static HELD: Mutex<Held> = Mutex::new(Held { descriptors: Vec::new(), users: 0 });

/// It is not full, and somebody uses it.
static SHORT: AtomicBool = AtomicBool::new(false);

#[derive(Debug)]
struct Held {
    /// All the same, and of no use but to be closed.
    descriptors: Vec<OwnedFd>,
    users: usize,
}

impl Held {
    fn get() -> MutexGuard<'static, Self> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.descriptors.len() < MAX_DESCRIPTORS {
            let more = match self.descriptors.first() {
                Some(descriptor) => descriptor.try_clone(),
                None => eventfd(0, EventfdFlags::CLOEXEC).map_err(io::Error::from),
            };
            SHORT.store(more.is_err(), Ordering::Relaxed);
            self.descriptors.push(more?);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.descriptors.clear();
    }
}

/// Who has one of these can rely on the reserve. It is given up with the last of them.
#[derive(Debug)]
pub(crate) struct Reserve(());

impl Reserve {
    /// The reserve, full. Must not be called by who has a [`Loan`].
    ///
    /// # Errors
    /// When the process has not so many descriptors left.
    pub(crate) fn hold() -> io::Result<Self> {
        let mut held = Held::get();
        let filled = held.fill();
        if let Err(why) = filled {
            if held.users == 0 {
                held.clear();
                SHORT.store(false, Ordering::Relaxed);
            }
            return Err(io::Error::new(why.kind(), format!("no descriptors for a reserve of {MAX_DESCRIPTORS}: {why}")));
        }
        held.users += 1;
        Ok(Self(()))
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        let mut held = Held::get();
        held.users -= 1;
        if held.users == 0 {
            held.clear();
            SHORT.store(false, Ordering::Relaxed);
        }
    }
}

/// The reserve has been given up. It is taken back when this is dropped, as far as descriptors are free then; until that other threads wait for it.
#[derive(Debug)]
pub(crate) struct Loan(MutexGuard<'static, Held>);

impl Loan {
    /// Gives the reserve up; `None` if there is none.
    pub(super) fn take() -> Option<Self> {
        let mut held = Held::get();
        if held.users == 0 {
            return None;
        }
        held.clear();
        Some(Self(held))
    }

    /// Takes the reserve back now, if that can be: then what has been received may be kept.
    pub(super) fn settle(mut self) -> Option<Self> {
        self.0.fill().is_err().then_some(self)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // If it cannot be, it is tried again before it is needed again.
        let _ = self.0.fill();
    }
}

/// Fills the reserve up, if it is short and descriptors have become free.
pub(super) fn mend() {
    if SHORT.load(Ordering::Relaxed) {
        let mut held = Held::get();
        if held.users > 0 {
            let _ = held.fill();
        }
    }
}
