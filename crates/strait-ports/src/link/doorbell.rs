//! The doorbell of a link over rings: a pipe, which gives a sleeping peer a descriptor to wait on.
//!
//! A doorbell is signalled by writing a byte. The reader waits *edge-triggered*: a byte that stays
//! unread wakes it only once, so it need not be read, which saves a system call for each message of a
//! dialogue. The bytes are drained now and then, long before the pipe is full.
//!
//! A pipe and not an eventfd: each process that shares an eventfd can fill its counter and make it
//! blocking for all, and so stop a thread that only signals. Here each side has an open file of its own.
//! The signalling side has the reading end open too (it opens the pipe for both), because writing to a
//! pipe without a reader ends a process that does not ignore `SIGPIPE`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

/// The number of signals after which the pipe is drained. A pipe holds at least a page of bytes.
const DRAIN_AFTER: usize = 1024;

/// The side that signals.
pub(super) struct Doorbell(OwnedFd);

/// The side that is signalled.
pub(super) struct DoorbellReader {
    fd: OwnedFd,
    /// Signals since the pipe was last drained.
    signals: usize,
}

/// The descriptors of a new doorbell: the signalling one, the reading one.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, _) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    // A page is enough, and what pipes hold is counted for each user.
    fcntl_setpipe_size(&reader, 4096)?;
    let writer = open(format!("/proc/self/fd/{}", reader.as_raw_fd()), OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    Ok((writer, reader))
}

fn pipe(fd: OwnedFd, access: OFlags) -> io::Result<OwnedFd> {
    let flags = fcntl_getfl(&fd)?;
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::Fifo || flags & OFlags::RWMODE != access {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the pipe of a doorbell: expected a pipe with the right access mode"));
    }
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
    Ok(fd)
}

impl Doorbell {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self(pipe(fd, OFlags::RDWR)?))
    }

    /// Wakes the process that waits on the reader.
    pub(super) fn signal(&self) -> io::Result<()> {
        loop {
            match rustix::io::write(&self.0, &[1]) {
                // Full: the reader is signalled already.
                Ok(_) | Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl DoorbellReader {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { fd: pipe(fd, OFlags::RDONLY)?, signals: 0 })
    }

    /// Counts a signal.
    pub(super) fn signalled(&mut self) {
        self.signals += 1;
        if self.signals >= DRAIN_AFTER {
            self.signals = 0;
            // Bytes that are left are drained another time.
            let _ = rustix::io::read(&self.fd, &mut [0; 4 * DRAIN_AFTER]);
        }
    }
}

impl AsFd for DoorbellReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
