//! The bell of a link over rings: a pipe, so that a sleeper has a descriptor to watch.
//!
//! A bell is rung by a byte, and watched *edge-triggered*: a byte that lies there unread wakes nobody a second time, so a sleeper need not read it, which saves a system call for each
//! message of a conversation. Now and then the bytes are swept out, long before the pipe is full.
//!
//! A pipe and not an eventfd: whoever shares an eventfd can fill its counter and make it blocking for everybody, and so hold up a thread that only wants to ring. Here each side has an open file
//! of its own. And the side that rings holds the reading end too (it opens the pipe for both), because writing to a pipe without a reader is deadly in a process that does not ignore `SIGPIPE`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

/// So many bells may be heard before they are swept out. A pipe holds at least a page of them.
const SWEEP: usize = 1024;

/// The side that rings.
pub(super) struct Bell(OwnedFd);

/// The side that hears.
pub(super) struct Ear {
    fd: OwnedFd,
    /// How often it has heard something since it was swept out.
    heard: usize,
}

/// The two sides of a new bell: what rings, what hears.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ear, _) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    // A page is enough, and what pipes hold is counted for each user.
    fcntl_setpipe_size(&ear, 4096)?;
    let bell = open(format!("/proc/self/fd/{}", ear.as_raw_fd()), OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    Ok((bell, ear))
}

fn pipe(fd: OwnedFd, access: OFlags) -> io::Result<OwnedFd> {
    let flags = fcntl_getfl(&fd)?;
    if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::Fifo || flags & OFlags::RWMODE != access {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a link's bell"));
    }
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
    Ok(fd)
}

impl Bell {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self(pipe(fd, OFlags::RDWR)?))
    }

    /// Wakes who watches the ear.
    pub(super) fn ring(&self) -> io::Result<()> {
        loop {
            match rustix::io::write(&self.0, &[1]) {
                // Full of bells that nobody sweeps out: so be it.
                Ok(_) | Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Ear {
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { fd: pipe(fd, OFlags::RDONLY)?, heard: 0 })
    }

    /// The bell has rung.
    pub(super) fn heard(&mut self) {
        self.heard += 1;
        if self.heard >= SWEEP {
            self.heard = 0;
            // What is left is swept out another time.
            let _ = rustix::io::read(&self.fd, &mut [0; 4 * SWEEP]);
        }
    }
}

impl AsFd for Ear {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
