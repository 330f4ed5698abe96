//! Sealed memory: no process can write it any more.

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

/// The most descriptors of sealed memory that this process keeps. A buffer without a kept
/// descriptor is sent on as bytes.
const MAX_KEPT: usize = 64;

/// The most mappings of sealed memory without kept descriptors. Further buffers are copied: a
/// process has a limited number of mappings (65,530 by default), and each takes at least one page.
const MAX_MAPPED: usize = 1024;

static KEPT: AtomicUsize = AtomicUsize::new(0);
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// If present memory cannot be read, the machine has lost it, whether it is mapped or not. No
/// program can continue then.
const READABLE: &str = "memory can be read";

/// Contents and size are fixed, and the seals cannot be removed.
fn seals() -> SealFlags {
    SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// A share of a limited number, returned on drop.
struct Counted(&'static AtomicUsize);

impl Counted {
    /// `None` if `most` shares are taken.
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

/// A kept descriptor, which counts for [`MAX_KEPT`].
struct Kept {
    fd: OwnedFd,
    _counted: Counted,
}

/// From half of its size on, a large page is worth its memory: making, mapping and unmapping it
/// costs a fraction of the same for small pages.
const LARGE_FROM: usize = LARGE_PAGE / 2;

/// After large pages could not be made, this many files are made without trying.
const PATIENCE: usize = 256;

/// The number of files that are still to make without trying.
static IMPATIENT: AtomicUsize = AtomicUsize::new(0);

/// The file's size for `length` bytes in large pages. A rest of less than half a large page stays
/// in small pages.
fn padded(length: usize) -> usize {
    if length % LARGE_PAGE < LARGE_FROM { length } else { length.next_multiple_of(LARGE_PAGE) }
}

fn new_file() -> io::Result<OwnedFd> {
    if KEPT.load(Ordering::Relaxed) >= MAX_KEPT {
        return Err(Errno::MFILE.into());
    }
    Ok(memfd_create("strait-shared", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
}

/// Memory in large pages that only this process can write; it becomes [`Sealed`].
pub(crate) struct LargePages {
    mapping: Mapping,
    unsealed: Unsealed,
}

impl LargePages {
    /// Makes `length` zero bytes, if that is worth large pages and the kernel has some. All pages
    /// are present, so reading them later cannot fail.
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

    /// By itself, shared memory uses large pages only if the machine is configured for them. But
    /// gathering a range into a large page on request works everywhere (since Linux 6.1), and a
    /// range with a single present small page becomes a new large page.
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

    /// Calls `fill` to write the memory in place.
    pub(crate) fn fill(self, fill: impl FnOnce(&mut [u8])) -> Unsealed {
        // SAFETY: a mapping of at least this length, of a file that no other process has. The
        // mapping is dropped before another process gets the file, so this is the only reference.
        // All bytes are initialised: those of a new file are zero.
        fill(unsafe { slice::from_raw_parts_mut(self.mapping.at(0).as_ptr(), self.unsealed.length) });
        self.unsealed
    }
}

/// A file of bytes that this process alone can still write.
pub(crate) struct Unsealed {
    fd: OwnedFd,
    length: usize,
    /// The file's size.
    size: usize,
}

impl Unsealed {
    /// Copies at least one byte into a new file, in small pages. The kernel writes them: mapping
    /// and unmapping small pages would cost several times more.
    pub(crate) fn new(bytes: &[u8]) -> io::Result<Self> {
        let fd = new_file()?;
        let mut written = 0;
        while written < bytes.len() {
            written += pwrite(&fd, &bytes[written..], written as u64)?;
        }
        Ok(Self { fd, length: bytes.len(), size: bytes.len() })
    }

    /// Seals the bytes, so that no process can write them. If sealing fails, returns them on the
    /// heap.
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

/// Bytes that no process can change.
pub(crate) struct Sealed {
    length: usize,
    /// The file's size.
    size: usize,
    /// Set at once if no descriptor is kept; otherwise at the first access. So a process that only
    /// sends the bytes on does not map them.
    contents: OnceLock<Contents>,
    descriptor: Option<Kept>,
}

/// The location of the bytes in this process.
enum Contents {
    /// Counted for [`MAX_MAPPED`], unless the descriptor is kept.
    Mapped { mapping: Mapping, _counted: Option<Counted> },
    /// A copy, because mapping failed or too many are mapped.
    Copied(Vec<u8>),
}

impl Contents {
    /// The contents of bytes whose descriptor is not kept.
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

    /// Uses memory that another process has sealed: `length` bytes, at least one, and all pages
    /// present. `keep`: whether the descriptor may be kept.
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

    /// The number of bytes; the call does not map them.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The descriptor for other processes, if it was kept.
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
            // SAFETY: the mapping has at least this length and lives as long as `self`. The seals,
            // which were checked, prevent every write by any process, and the file from shrinking.
            // No process had the file mapped for writing when it was sealed, because the kernel
            // would have refused the seal. All bytes are initialised: they are a file's.
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
            // Missing pages would be allocated by the reader.
            (8192, 4096, all, 8192),
            // Longer than its bytes, as a large page may be, but with pages missing.
            (LARGE_PAGE as u64, LARGE_FROM as u64, all, LARGE_FROM),
            (LARGE_PAGE as u64 + 4096, LARGE_PAGE as u64 + 4096, all, LARGE_FROM),
            (8192, 8192, all.difference(SealFlags::WRITE) | SealFlags::FUTURE_WRITE, 8192),
            (8192, 8192, all.difference(SealFlags::SHRINK), 8192),
            (8192, 8192, SealFlags::empty(), 8192),
        ] {
            assert!(Sealed::of(memory(length, there, seals), claimed, true).is_err());
        }
    }

    /// Both ends compute the same file size, and all of it is present, with large pages or without.
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
            // Some kernels have no large pages; the others use them from this size on.
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
        // Other tests of this process may have mappings too.
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
