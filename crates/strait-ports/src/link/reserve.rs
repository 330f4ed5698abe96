//! Descriptors that the process keeps so that it can receive others when it has no more.
//!
//! What cannot be taken in when it is received is lost, and with it its link. So each process with a node in it has as many descriptors in reserve as one packet may
//! bring: they are given up for as long as it takes to receive that packet. Mostly others have become free by the time they are wanted back. If not, what has been received is on
//! *loan*: it is looked at and closed again, and nothing of it may be kept.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::MAX_DESCRIPTORS;

/// The process's one.
static SPARE: Mutex<SpareDescriptors> = Mutex::new(SpareDescriptors { descriptors: Vec::new(), users: 0 });

#[derive(Debug)]
struct SpareDescriptors {
    /// All the same, and of no use but to be closed.
    descriptors: Vec<OwnedFd>,
    users: usize,
}

impl SpareDescriptors {
    fn get() -> MutexGuard<'static, Self> {
        SPARE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.descriptors.len() < MAX_DESCRIPTORS {
            let more = match self.descriptors.first() {
                Some(descriptor) => descriptor.try_clone()?,
                None => eventfd(0, EventfdFlags::CLOEXEC)?,
            };
            self.descriptors.push(more);
        }
        Ok(())
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
        let mut spare = SpareDescriptors::get();
        let filled = spare.fill();
        if let Err(why) = filled {
            if spare.users == 0 {
                spare.descriptors.clear();
            }
            return Err(io::Error::new(why.kind(), format!("no descriptors for a reserve of {MAX_DESCRIPTORS}: {why}")));
        }
        spare.users += 1;
        Ok(Self(()))
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        let mut spare = SpareDescriptors::get();
        spare.users -= 1;
        if spare.users == 0 {
            spare.descriptors.clear();
        }
    }
}

/// Whoever receives descriptors has this meanwhile: two threads that are at it at the same time would take the reserve away from each other.
pub(super) struct Access(MutexGuard<'static, SpareDescriptors>);

impl Access {
    /// Waits for other threads. Must not be called by who has a [`Loan`].
    pub(super) fn get() -> Self {
        let mut spare = SpareDescriptors::get();
        if spare.users > 0 {
            // It may have been short since it was last given up.
            let _ = spare.fill();
        }
        Self(spare)
    }

    /// Gives the reserve up; false if there is none.
    pub(super) fn give_up(&mut self) -> bool {
        !std::mem::take(&mut self.0.descriptors).is_empty()
    }

    /// Takes the reserve back. If that cannot be, what has been received is on loan.
    pub(super) fn settle(mut self) -> Option<Loan> {
        let short = self.0.users > 0 && self.0.fill().is_err();
        if short { Some(Loan(self.0)) } else { None }
    }
}

/// Descriptors have come in place of the reserve. It is taken back when this is dropped, as far as descriptors are free then; until that other threads wait.
#[derive(Debug)]
pub(crate) struct Loan(MutexGuard<'static, SpareDescriptors>);

impl Drop for Loan {
    fn drop(&mut self) {
        // If it cannot be, it is tried again before it is needed again.
        let _ = self.0.fill();
    }
}
