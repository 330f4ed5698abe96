//! Memory that nobody can write any more.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::io::{Errno, pread, pwrite};
use rustix::mm::{MapFlags, ProtFlags};

use super::arena::Refusal;
use super::mapping::{LARGE_PAGE, Mapping};

/// So many descriptors of sealed memory this process keeps. One that is not kept cannot be sent on: then the bytes are.
const MAX_KEPT: usize = 64;

/// The most mappings of sealed memory whose descriptors are not kept. Beyond that the bytes are copied: a process has a limited number of
/// mappings (65,530 by default), and each takes a page at least, however few bytes it holds.
const MAX_MAPPED: usize = 1024;

static KEPT: AtomicUsize = AtomicUsize::new(0);
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// What lies in memory and cannot be had is lost to every program, whether it is mapped or not: there is no going on without it.
const READABLE: &str = "memory can be read";

/// It stays as it is.
fn seals() -> SealFlags {
    SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// One of a limited number of things, counted there until it is dropped.
struct Counted(&'static AtomicUsize);

impl Counted {
    /// `None` if there are `most` already.
    fn new(count: &'static AtomicUsize, most: usize) -> Option<Self> {
        let room = |number| (number < most).then_some(number + 1);
        count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok().map(|_| Self(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A descriptor that counts among those that are kept.
struct Kept {
    fd: OwnedFd,
    _counted: Counted,
}

/// From half of it on, a large page is worth its memory: it is made, mapped and unmapped at a fraction of what so many small ones cost.
const LARGE_FROM: usize = LARGE_PAGE / 2;

/// After large pages could not be had, so many files are made without trying.
const PATIENCE: usize = 256;

/// How many files are still to be made without trying.
static IMPATIENT: AtomicUsize = AtomicUsize::new(0);

/// How long a file in large pages is whose first bytes are these. A rest that is no large page's half stays in small ones.
fn padded(length: usize) -> usize {
    if length % LARGE_PAGE < LARGE_FROM { length } else { length.next_multiple_of(LARGE_PAGE) }
}

fn new_file() -> io::Result<OwnedFd> {
    if KEPT.load(Ordering::Relaxed) >= MAX_KEPT {
        return Err(Errno::MFILE.into());
    }
    Ok(memfd_create("strait-shared", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

/// Memory in large pages that this process alone can write; it becomes [`Sealed`].
pub(crate) struct LargePages {
    mapping: Mapping,
    unsealed: Unsealed,
}

impl LargePages {
    /// `length` zero bytes, if that many are worth large pages and the kernel has some. All pages are present: reading them later cannot fail.
    pub(crate) fn new(length: usize) -> Option<Self> {
        let patient = || IMPATIENT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
        if length < LARGE_FROM || !patient() {
            return None;
        }
        match Self::make(length) {
            Ok(room) => Some(room),
            Err(why) => {
                tracing::debug!("no large pages: {why}");
                IMPATIENT.store(PATIENCE, Ordering::Relaxed);
                None
            }
        }
    }

    /// Shared memory has large pages of its own accord only where the machine is set up for it. But who asks for a stretch to be gathered into one gets it everywhere
    /// (since Linux 6.1), and what is gathered from a single small page is as good as new.
    fn make(length: usize) -> io::Result<Self> {
        let fd = new_file()?;
        let size = padded(length);
        let large = size - size % LARGE_PAGE;
        ftruncate(&fd, size as u64)?;
        if large < size {
            fallocate(&fd, FallocateFlags::empty(), large as u64, (size - large) as u64)?;
        }
        for start in (0..large).step_by(LARGE_PAGE) {
            pwrite(&fd, &[0], start as u64)?;
        }
        let mapping = Mapping::aligned(&fd, size, ProtFlags::READ | ProtFlags::WRITE)?;
        mapping.keep_from_children()?;
        mapping.collapse(large)?;
        Ok(Self { mapping, unsealed: Unsealed { fd, length, size } })
    }

    /// Lets `fill` write it, in place.
    pub(crate) fn fill(self, fill: impl FnOnce(&mut [u8])) -> Unsealed {
        // SAFETY: a mapping, at least so long, of a file that nobody else has, and that is dropped before anybody gets it: these are its only references. All bytes
        // are initialised: a new file's are zero.
        fill(unsafe { slice::from_raw_parts_mut(self.mapping.at(0).as_ptr(), self.unsealed.length) });
        self.unsealed
    }
}

/// A file of bytes that can be written still, by this process alone.
pub(crate) struct Unsealed {
    fd: OwnedFd,
    length: usize,
    /// The file's.
    size: usize,
}

impl Unsealed {
    /// A copy of these bytes, at least one. In small pages, which cost several times more to be mapped and unmapped than to be written by the kernel.
    pub(crate) fn new(bytes: &[u8]) -> io::Result<Self> {
        let fd = new_file()?;
        let mut written = 0;
        while written < bytes.len() {
            written += pwrite(&fd, &bytes[written..], written as u64)?;
        }
        Ok(Self { fd, length: bytes.len(), size: bytes.len() })
    }

    /// From now on nobody can write them. If that cannot be had, they are on the heap.
    pub(crate) fn seal(self) -> Result<Sealed, Vec<u8>> {
        match fcntl_add_seals(&self.fd, seals()) {
            Ok(()) => Ok(Sealed::new(self.fd, self.length, self.size, true).expect(READABLE)),
            Err(_) => Err(read(&self.fd, self.length).expect(READABLE)),
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
    length: usize,
    /// The file's.
    size: usize,
    /// Set from the beginning if there is no descriptor; otherwise when somebody first reads them. Who only sends them on never pays for it.
    contents: OnceLock<Contents>,
    descriptor: Option<Kept>,
}

/// Where they are in this process.
enum Contents {
    /// Counted unless the descriptor is.
    Mapped { mapping: Mapping, _counted: Option<Counted> },
    /// There was no room for them, or too many are mapped: a copy.
    Copied(Vec<u8>),
}

impl Contents {
    /// That of bytes whose descriptor is not kept.
    fn unkept(fd: &OwnedFd, length: usize, size: usize) -> io::Result<Self> {
        match Counted::new(&MAPPED, MAX_MAPPED) {
            Some(counted) => Self::of(fd, length, size, Some(counted)),
            None => read(fd, length).map(Self::Copied),
        }
    }

    fn of(fd: &OwnedFd, length: usize, size: usize, counted: Option<Counted>) -> io::Result<Self> {
        let mapping = if size >= LARGE_FROM {
            Mapping::aligned(fd, size, ProtFlags::READ)
        } else {
            Mapping::new(fd, size, ProtFlags::READ, MapFlags::empty())
        };
        mapping.map(|mapping| Self::Mapped { mapping, _counted: counted }).or_else(|_| read(fd, length).map(Self::Copied))
    }
}

impl Sealed {
    fn new(fd: OwnedFd, length: usize, size: usize, keep: bool) -> io::Result<Self> {
        match if keep { Counted::new(&KEPT, MAX_KEPT) } else { None } {
            Some(counted) => Ok(Self { length, size, contents: OnceLock::new(), descriptor: Some(Kept { fd, _counted: counted }) }),
            None => {
                let contents = OnceLock::from(Contents::unkept(&fd, length, size)?);
                Ok(Self { length, size, contents, descriptor: None })
            }
        }
    }

    /// What somebody has sealed: `length` bytes, at least one, all of them there. The descriptor is kept only if it may be.
    pub(crate) fn of(fd: OwnedFd, length: usize, keep: bool) -> Result<Self, Refusal> {
        let size = fstat(&fd).ok().and_then(|stat| {
            let size = usize::try_from(stat.st_size).ok()?;
            let there = stat.st_blocks.saturating_mul(512) >= stat.st_size;
            (there && (size == length || size == padded(length))).then_some(size)
        });
        let sealed = || fcntl_get_seals(&fd).is_ok_and(|s| s.contains(seals()));
        match size.filter(|size| *size > 0 && sealed()) {
            Some(size) => Self::new(fd, length, size, keep).map_err(Refusal::Unmappable),
            None => Err(Refusal::NoArena),
        }
    }

    /// How many bytes they are: asking does not map them.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// What others need to see it, if it has been kept.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor.as_ref().map(|kept| kept.fd.as_fd())
    }

    fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| {
            let Some(kept) = &self.descriptor else {
                unreachable!("sealed memory without a descriptor has its contents from the beginning")
            };
            Contents::of(&kept.fd, self.length, self.size, None).expect(READABLE)
        })
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.contents() {
            // SAFETY: the mapping is at least of this length and lives as long as `self`; the seals, which have been looked at, keep the file from being written, by
            // anybody in any way, and from shrinking; nobody had it mapped for writing when it was sealed, or the kernel had refused. All bytes are initialised:
            // they are a file's.
            Contents::Mapped { mapping, .. } => unsafe { slice::from_raw_parts(mapping.at(0).as_ptr(), self.length) },
            Contents::Copied(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_stays() {
        let mut bytes = vec![3; 10_000];
        bytes[..2].copy_from_slice(&[1, 2]);
        let sealed = Unsealed::new(&bytes).unwrap().seal().ok().unwrap();
        assert_eq!((sealed.len(), &sealed[..3]), (10_000, &[1, 2, 3][..]));
        let fd = sealed.descriptor().unwrap().try_clone_to_owned().unwrap();
        assert!(pwrite(&fd, &[9], 0).is_err() && rustix::fs::ftruncate(&fd, 0).is_err());
        assert!(Mapping::new(&fd, 10_000, ProtFlags::READ | ProtFlags::WRITE, MapFlags::empty()).is_err());
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert!(fallocate(&fd, punch, 0, 4096).is_err());
        let other = Sealed::of(fd, 10_000, true).ok().unwrap();
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
            // Longer than it should be, as a large page is, and not there.
            (LARGE_PAGE as u64, LARGE_FROM as u64, all, LARGE_FROM),
            (LARGE_PAGE as u64 + 4096, LARGE_PAGE as u64 + 4096, all, LARGE_FROM),
            (8192, 8192, all.difference(SealFlags::WRITE) | SealFlags::FUTURE_WRITE, 8192),
            (8192, 8192, all.difference(SealFlags::SHRINK), 8192),
            (8192, 8192, SealFlags::empty(), 8192),
        ] {
            assert!(Sealed::of(memory(length, there, seals), claimed, true).is_err());
        }
    }

    /// The rule for what a file's length may be is the same at both ends; large pages or not, all of it is there.
    #[test]
    fn large_ones_are_whole() {
        const MIB: usize = 1 << 20;
        for (length, size) in [
            (MIB - 1, MIB - 1),
            (MIB, 2 * MIB),
            (2 * MIB, 2 * MIB),
            (2 * MIB + 1, 2 * MIB + 1),
            (3 * MIB - 1, 3 * MIB - 1),
            (3 * MIB, 4 * MIB),
            (5 * MIB + 7, 6 * MIB),
        ] {
            assert_eq!(padded(length), size);
            let bytes: Vec<u8> = (0..length).map(|i| (i / 251 + i) as u8).collect();
            let small = Unsealed::new(&bytes).unwrap();
            let large = LargePages::new(length).map(|room| {
                room.fill(|room| {
                    assert!(room.len() == length && room.iter().all(|byte| *byte == 0));
                    room.copy_from_slice(&bytes);
                })
            });
            // Not every kernel has large pages to give; those that have give them from there on.
            assert!(large.is_none() || length >= LARGE_FROM);
            for unsealed in [Some(small), large].into_iter().flatten() {
                let sealed = unsealed.seal().ok().unwrap();
                let fd = sealed.descriptor().unwrap().try_clone_to_owned().unwrap();
                let other = Sealed::of(fd.try_clone().unwrap(), length, length % 2 == 0).ok().unwrap();
                assert!(sealed[..] == bytes[..] && other[..] == bytes[..], "{length}");
                assert!(Sealed::of(fd, size + 1, true).is_err());
            }
        }
    }

    #[test]
    fn mappings_are_bounded() {
        let bytes = vec![5; 5000];
        let fd = || Unsealed::new(&bytes).unwrap().seal().ok().unwrap().descriptor().unwrap().try_clone_to_owned().unwrap();
        let all: Vec<Sealed> = (0..MAX_MAPPED + 10).map(|_| Sealed::of(fd(), bytes.len(), false).ok().unwrap()).collect();
        let mapped = all.iter().filter(|sealed| matches!(sealed.contents(), Contents::Mapped { .. })).count();
        // Other tests of this process may have some.
        assert!(mapped <= MAX_MAPPED && MAPPED.load(Ordering::Relaxed) >= mapped, "{mapped}");
        assert!(all.iter().all(|sealed| sealed[..] == bytes[..]));
        drop(all);
        assert!(MAPPED.load(Ordering::Relaxed) <= MAX_MAPPED - mapped);
    }

    #[test]
    fn who_gets_no_large_pages_does_not_ask_for_a_while() {
        IMPATIENT.store(PATIENCE, Ordering::Relaxed);
        assert!(LargePages::new(LARGE_FROM).is_none());
        assert!(IMPATIENT.swap(0, Ordering::Relaxed) < PATIENCE);
    }
}
