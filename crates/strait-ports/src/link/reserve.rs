//! Spare descriptors, closed to receive others when the process has none left.
//!
//! A descriptor that cannot be received is lost, and with it its link. So each process with a node
//! keeps as many descriptors in reserve as one packet may carry. They are closed while such a
//! packet is received. Mostly others have become free when the reserve is refilled. If not, the
//! received descriptors are on *loan*: they are used and closed at once, and must not be kept.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::MAX_DESCRIPTORS;

/// The process's reserve.
static SPARE: Mutex<SpareDescriptors> = Mutex::new(SpareDescriptors { descriptors: Vec::new(), users: 0 });

#[derive(Debug)]
struct SpareDescriptors {
    /// Copies of one descriptor, without any other use.
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

/// Keeps the process's reserve while it exists. The reserve is closed with the last of these.
#[derive(Debug)]
pub(crate) struct Reserve(());

impl Reserve {
    /// Fills the reserve. A thread with a [`Loan`] must not call it.
    ///
    /// # Errors
    /// When the process has fewer than [`MAX_DESCRIPTORS`] descriptors left.
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

/// Exclusive use of the reserve while descriptors are received. Two threads that receive at the
/// same time would otherwise use the same reserve.
pub(super) struct Access(MutexGuard<'static, SpareDescriptors>);

impl Access {
    /// Waits for other threads. A thread with a [`Loan`] must not call it.
    pub(super) fn get() -> Self {
        let mut spare = SpareDescriptors::get();
        if spare.users > 0 {
            // The last refill may have failed.
            let _ = spare.fill();
        }
        Self(spare)
    }

    /// Closes the reserve; false if it is empty.
    pub(super) fn give_up(&mut self) -> bool {
        !std::mem::take(&mut self.0.descriptors).is_empty()
    }

    /// Refills the reserve. If that fails, the received descriptors are on loan.
    pub(super) fn settle(mut self) -> Option<Loan> {
        let short = self.0.users > 0 && self.0.fill().is_err();
        if short { Some(Loan(self.0)) } else { None }
    }
}

/// Received descriptors take the place of the reserve. Dropping the loan refills the reserve as far
/// as possible; until then other threads wait.
#[derive(Debug)]
pub(crate) struct Loan(MutexGuard<'static, SpareDescriptors>);

impl Drop for Loan {
    fn drop(&mut self) {
        // If this fails, `Access::get` tries again.
        let _ = self.0.fill();
    }
}
