//! Descriptors that live through `exec`: into a child's program, and out of the parent's hands.
//!
//! Here because both directions are calls whose soundness the compiler cannot see; what they are for is told in `host/spawn.rs`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// No descriptor.
const NONE: RawFd = -1;

/// A descriptor that the next program of a command gets, for as long as this lives.
pub(crate) struct PassedOn {
    descriptor: OwnedFd,
    number: Arc<AtomicI32>,
}

impl PassedOn {
    /// The child finds `descriptor` under its present number. In this process it stays close-on-exec: what other threads start meanwhile does not get it.
    pub(crate) fn by(command: &mut Command, descriptor: OwnedFd) -> Self {
        let number = Arc::new(AtomicI32::new(descriptor.as_raw_fd()));
        let in_child = Arc::clone(&number);
        let keep_open = move || match in_child.load(Ordering::Relaxed) {
            // The command is run again, for itself.
            NONE => Ok(()),
            number => {
                // SAFETY: `PassedOn` keeps the descriptor open until it takes the number back, and this runs in a copy of that process. Were it
                // closed (by an earlier hook of the command's), the call would fail, and with it the spawn.
                let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
                Ok(fcntl_setfd(descriptor, FdFlags::empty())?)
            }
        };
        // SAFETY: between fork and exec this loads an atomic and makes one system call: no lock, no allocation, nothing that another thread could have left half done.
        unsafe { command.pre_exec(keep_open) };
        Self { descriptor, number }
    }

    pub(crate) fn number(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl Drop for PassedOn {
    fn drop(&mut self) {
        // The command keeps its hook.
        self.number.store(NONE, Ordering::Relaxed);
    }
}

/// What a number that a parent left for its child is.
#[derive(Debug)]
pub(crate) enum Inherited {
    /// A descriptor that came through `exec`.
    Descriptor(OwnedFd),
    /// Nothing is open there.
    Closed,
    /// This program opened it itself: it is close-on-exec, which nothing inherited is.
    Own,
}

/// Takes an inherited descriptor out, if `fits`. From then on it is close-on-exec. `None`: it does not fit, and stays as it is.
///
/// Each number must be taken once at most: the caller sees to that.
pub(crate) fn take(number: RawFd, fits: impl FnOnce(BorrowedFd<'_>) -> bool) -> io::Result<Option<Inherited>> {
    // SAFETY: the number is not -1 (a caller's check, asserted below). It is borrowed for calls that only ask, and that fail where nothing is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(checked(number)) };
    match fcntl_getfd(borrowed) {
        Err(rustix::io::Errno::BADF) => return Ok(Some(Inherited::Closed)),
        Err(error) => return Err(error.into()),
        // The standard library and every crate that is worth its name open descriptors so.
        Ok(flags) if flags.contains(FdFlags::CLOEXEC) => return Ok(Some(Inherited::Own)),
        Ok(_) => {}
    }
    if !fits(borrowed) {
        return Ok(None);
    }
    fcntl_setfd(borrowed, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, and not close-on-exec until the line above: it has been open since before this program began, so no value of this program owns it, and
    // the parent's word is that it is there for us. The caller takes it once.
    Ok(Some(Inherited::Descriptor(unsafe { OwnedFd::from_raw_fd(number) })))
}

fn checked(number: RawFd) -> RawFd {
    assert!(number > 2, "the standard streams have owners");
    number
}
