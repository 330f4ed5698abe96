//! Memory that nobody can write any more.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create};
use rustix::io::{Errno, pread, pwrite};
use rustix::mm::{MapFlags, ProtFlags};

use super::arena::Refusal;
use super::mapping::Mapping;

/// So many descriptors of sealed memory this process keeps. One that is not kept cannot be sent on: then the bytes are.
const MAX_KEPT: usize = 64;

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// It stays as it is.
fn seals() -> SealFlags {
    SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// A descriptor that counts among those that are kept.
struct Kept(OwnedFd);

impl Kept {
    fn new(fd: OwnedFd) -> Option<Self> {
        let room = |kept| (kept < MAX_KEPT).then_some(kept + 1);
        KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok().then(|| Self(fd))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A file of bytes that can be written still, by this process alone.
pub(crate) struct Unsealed {
    fd: OwnedFd,
    length: usize,
}

impl Unsealed {
    /// `length` bytes, at least one, all zero. The room for them is taken now: who reads them later cannot fail.
    pub(crate) fn new(length: usize) -> io::Result<Self> {
        if KEPT.load(Ordering::Relaxed) >= MAX_KEPT {
            return Err(Errno::MFILE.into());
        }
        let fd = memfd_create("strait-shared", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        fallocate(&fd, FallocateFlags::empty(), 0, length as u64)?;
        Ok(Self { fd, length })
    }

    /// Lets `fill` write them, in place.
    pub(crate) fn fill(&self, fill: impl FnOnce(&mut [u8])) -> Result<(), io::Error> {
        let mapping = Mapping::new(&self.fd, self.length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::POPULATE)?;
        mapping.keep_from_children()?;
        // SAFETY: a mapping of a file that nobody else has, and that is dropped before anybody gets it: these are its only references. All bytes are initialised.
        fill(unsafe { slice::from_raw_parts_mut(mapping.at(0).as_ptr(), self.length) });
        Ok(())
    }

    /// Writes them.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            written += pwrite(&self.fd, &bytes[written..], written as u64)?;
        }
        Ok(())
    }

    /// From now on nobody can write them.
    pub(crate) fn seal(self) -> Result<Sealed, Vec<u8>> {
        let sealed = fcntl_add_seals(&self.fd, seals()).map_err(io::Error::from).and_then(|()| Sealed::map(&self.fd, self.length));
        match sealed {
            Ok(mapping) => Ok(Sealed { mapping, descriptor: Kept::new(self.fd) }),
            // They are written, at least.
            Err(_) => Err(read(&self.fd, self.length).unwrap_or_default()),
        }
    }
}

fn read(fd: &OwnedFd, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        match pread(fd, &mut bytes[done..], done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => done += more,
        }
    }
    Ok(bytes)
}

/// Bytes that stay as they are, for everybody.
pub(crate) struct Sealed {
    mapping: Mapping,
    descriptor: Option<Kept>,
}

impl Sealed {
    fn map(fd: impl AsFd, length: usize) -> io::Result<Mapping> {
        Mapping::new(fd, length, ProtFlags::READ, MapFlags::POPULATE)
    }

    /// What somebody has sealed: `length` bytes, at least one, all of them there. If there is no room for them here, a copy. The
    /// descriptor is kept only if it may be.
    pub(crate) fn of(fd: OwnedFd, length: usize, keep: bool) -> Result<Result<Self, Vec<u8>>, Refusal> {
        let there = |stat: rustix::fs::Stat| stat.st_size == length as i64 && stat.st_blocks.saturating_mul(512) >= length as i64;
        let fitting = length > 0 && fstat(&fd).is_ok_and(there) && fcntl_get_seals(&fd).is_ok_and(|s| s.contains(seals()));
        if !fitting {
            return Err(Refusal::NoArena);
        }
        match Self::map(&fd, length) {
            Ok(mapping) => Ok(Ok(Self { mapping, descriptor: if keep { Kept::new(fd) } else { None } })),
            Err(_) => read(&fd, length).map(Err).map_err(Refusal::Unmappable),
        }
    }

    /// What others need to see it, if it has been kept.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor.as_ref().map(|kept| kept.0.as_fd())
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is of this length and lives as long as `self`; the seals, which have been looked at, keep the file from being written, by anybody in any
        // way, and from shrinking; nobody had it mapped for writing when it was sealed, or the kernel had refused. All bytes are initialised: they are a file's.
        unsafe { slice::from_raw_parts(self.mapping.at(0).as_ptr(), self.mapping.length()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_stays() {
        let unsealed = Unsealed::new(10_000).unwrap();
        unsealed.fill(|bytes| bytes.fill(3)).unwrap();
        unsealed.write(&[1, 2]).unwrap();
        let sealed = unsealed.seal().ok().unwrap();
        assert_eq!((sealed.len(), &sealed[..3]), (10_000, &[1, 2, 3][..]));
        let fd = sealed.descriptor().unwrap().try_clone_to_owned().unwrap();
        assert!(pwrite(&fd, &[9], 0).is_err() && rustix::fs::ftruncate(&fd, 0).is_err());
        assert!(Mapping::new(&fd, 10_000, ProtFlags::READ | ProtFlags::WRITE, MapFlags::empty()).is_err());
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert!(fallocate(&fd, punch, 0, 4096).is_err());
        let other = Sealed::of(fd, 10_000, true).unwrap().ok().unwrap();
        drop(sealed);
        assert_eq!(other[9_999], 3);
    }

    #[test]
    fn what_could_change_is_not_looked_at() {
        let memory = |length: u64, there: u64, seals: SealFlags| {
            let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
            rustix::fs::ftruncate(&fd, length).unwrap();
            fallocate(&fd, FallocateFlags::empty(), 0, there).unwrap();
            fcntl_add_seals(&fd, seals).unwrap();
            fd
        };
        let all = seals();
        assert!(Sealed::of(memory(8192, 8192, all), 8192, true).is_ok());
        for (length, there, seals, claimed) in [
            (8192, 8192, all, 8191),
            (8192, 8192, all, 8193),
            (8192, 8192, all, 0),
            // Memory that is not there yet would be made by who reads it.
            (8192, 4096, all, 8192),
            (8192, 8192, all.difference(SealFlags::WRITE) | SealFlags::FUTURE_WRITE, 8192),
            (8192, 8192, all.difference(SealFlags::SHRINK), 8192),
            (8192, 8192, SealFlags::empty(), 8192),
        ] {
            assert!(Sealed::of(memory(length, there, seals), claimed, true).is_err());
        }
    }
}
