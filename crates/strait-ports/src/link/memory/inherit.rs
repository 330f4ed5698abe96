//! Descriptors that stay open through `exec`: passed to a child's program, and taken from the
//! parent.
//!
//! They are in this folder because the compiler cannot check the soundness of either call.
//! `host/spawn.rs` describes their use.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// The number in place of a descriptor.
const NONE: RawFd = -1;

/// A descriptor that the command's next program inherits, as long as this value exists.
pub(crate) struct PassedOn {
    descriptor: OwnedFd,
    number: Arc<AtomicI32>,
}

impl PassedOn {
    /// The child finds `descriptor` under its present number. In this process it stays
    /// close-on-exec, so that processes that other threads start do not inherit it.
    pub(crate) fn by(command: &mut Command, descriptor: OwnedFd) -> Self {
        let number = Arc::new(AtomicI32::new(descriptor.as_raw_fd()));
        let in_child = Arc::clone(&number);
        let keep_open = move || match in_child.load(Ordering::Relaxed) {
            // The command is run again, without a port.
            NONE => Ok(()),
            number => {
                // SAFETY: `PassedOn` keeps the descriptor open until it takes the number back, and
                // this runs in a copy of that process. If it were closed (by an earlier hook of the
                // command), the call would fail, and the spawn with it.
                let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
                Ok(fcntl_setfd(descriptor, FdFlags::empty())?)
            }
        };
        // SAFETY: between fork and exec this loads an atomic and makes one system call. It takes no
        // lock, allocates nothing, and uses nothing that another thread could have left in an
        // inconsistent state.
        unsafe { command.pre_exec(keep_open) };
        Self { descriptor, number }
    }

    pub(crate) fn number(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl Drop for PassedOn {
    fn drop(&mut self) {
        // The command keeps its hook, which now does nothing.
        self.number.store(NONE, Ordering::Relaxed);
    }
}

/// The state of a number that a parent has passed to its child.
#[derive(Debug)]
pub(crate) enum Inherited {
    /// A descriptor that stayed open through `exec`.
    Descriptor(OwnedFd),
    /// No descriptor is open there.
    Closed,
    /// This program has opened it: it is close-on-exec, which inherited descriptors never are.
    Own,
}

/// Takes an inherited descriptor if `fits` accepts it, and sets it to close-on-exec. `None`: it
/// does not fit, and is unchanged.
///
/// The caller must take each number at most once.
pub(crate) fn take(number: RawFd, fits: impl FnOnce(BorrowedFd<'_>) -> bool) -> io::Result<Option<Inherited>> {
    // SAFETY: the number is not -1 (the caller checks that, and `checked` asserts it). It is
    // borrowed for calls that only query, and that fail if no descriptor is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(checked(number)) };
    match fcntl_getfd(borrowed) {
        Err(rustix::io::Errno::BADF) => return Ok(Some(Inherited::Closed)),
        Err(error) => return Err(error.into()),
        // The standard library, and crates in general, open descriptors with this flag.
        Ok(flags) if flags.contains(FdFlags::CLOEXEC) => return Ok(Some(Inherited::Own)),
        Ok(_) => {}
    }
    if !fits(borrowed) {
        return Ok(None);
    }
    fcntl_setfd(borrowed, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, and was not close-on-exec until the line above. So it has been open since
    // before this program began, and no value of this program owns it. The parent passed it for
    // this process. The caller takes it once.
    Ok(Some(Inherited::Descriptor(unsafe { OwnedFd::from_raw_fd(number) })))
}

fn checked(number: RawFd) -> RawFd {
    assert!(number > 2, "the standard streams have owners");
    number
}
