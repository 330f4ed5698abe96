//! Writing to a descriptor with and without blocking.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, open},
    io::Errno,
    net::{SendFlags, send},
    stdio,
};

/// A descriptor, with the method to write to it without blocking.
pub(crate) enum Target {
    /// An open file description of this process, which is nonblocking.
    Own(OwnedFd),
    /// A socket: each write has the flag not to wait.
    Socket(OwnedFd),
    /// A file, which has no reader to wait for.
    File(OwnedFd),
    /// Any other kind: only the writing thread may write to it.
    Other(OwnedFd),
    /// There is no such descriptor.
    Nothing,
}

impl Target {
    /// Standard error, whose flags this process must not change.
    pub(crate) fn stderr() -> Self {
        let Ok(fd) = stdio::stderr().try_clone_to_owned() else { return Self::Nothing };
        match kind(&fd) {
            Some(FileType::Fifo | FileType::CharacterDevice) => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
                open("/proc/self/fd/2", flags, Mode::empty()).map_or(Self::Other(fd), Self::Own)
            }
            Some(FileType::Socket) => Self::Socket(fd),
            Some(FileType::RegularFile) => Self::File(fd),
            _ => Self::Other(fd),
        }
    }

    /// A file whose flags this process may change.
    pub(crate) fn of(fd: OwnedFd) -> Self {
        match kind(&fd) {
            Some(FileType::Fifo | FileType::CharacterDevice) => {
                let set = fcntl_getfl(&fd).and_then(|flags| fcntl_setfl(&fd, flags | OFlags::NONBLOCK));
                if set.is_ok() { Self::Own(fd) } else { Self::Other(fd) }
            }
            Some(FileType::RegularFile) => Self::File(fd),
            _ => Self::Other(fd),
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Own(fd) | Self::Socket(fd) | Self::File(fd) | Self::Other(fd) => Some(fd.as_fd()),
            Self::Nothing => None,
        }
    }

    /// Writes as many bytes as are accepted now.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            let rest = &bytes[written..];
            let wrote = match self {
                Self::Own(fd) | Self::File(fd) => rustix::io::write(fd, rest),
                Self::Socket(fd) => send(fd, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
                Self::Other(_) => return Ok(written),
                Self::Nothing => return Err(Errno::BADF.into()),
            };
            match wrote {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(written),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }

    /// Writes all bytes, and waits as long as that takes.
    pub(crate) fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(fd) = self.fd() else { return Err(Errno::BADF.into()) };
        while !bytes.is_empty() {
            let written = match self {
                // Another process may have set its flags.
                Self::Other(_) => match rustix::io::write(fd, bytes) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => count,
                    Err(Errno::INTR | Errno::AGAIN) => 0,
                    Err(error) => return Err(error.into()),
                },
                _ => self.try_write(bytes)?,
            };
            bytes = &bytes[written..];
            if !bytes.is_empty() {
                match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

fn kind(fd: &OwnedFd) -> Option<FileType> {
    fstat(fd).ok().map(|stat| FileType::from_raw_mode(stat.st_mode))
}
