//! A range of mapped memory that is unmapped with its last user.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

/// The size of a large page in bytes; large pages start at its multiples.
pub(super) const LARGE_PAGE: usize = 2 << 20;

/// Mapped memory of a file. Its user must ensure that the file cannot shrink.
pub(super) struct Mapping {
    base: NonNull<u8>,
    length: usize,
}

/// The address of the last mapping that started at a large page: most likely the next one fits
/// there. 0: none. The address is only a hint.
static VACANT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the mapping belongs to no thread; its users are responsible for the accesses to its
// bytes.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of `fd`, at least one, shared with all its other users.
    pub(super) fn new(fd: impl AsFd, length: usize, protection: ProtFlags, flags: MapFlags) -> io::Result<Self> {
        Self::near(0, fd, length, protection, flags)
    }

    /// As `new`, at `hint` if there is room.
    fn near(hint: usize, fd: impl AsFd, length: usize, protection: ProtFlags, flags: MapFlags) -> io::Result<Self> {
        // SAFETY: a new mapping replaces nothing: the kernel chooses the address, also with a hint.
        let base = unsafe { mmap(ptr::without_provenance_mut(hint), length, protection, MapFlags::SHARED | flags, fd, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at null"))?;
        Ok(Self { base, length })
    }

    /// As [`Mapping::new`], starting at a multiple of a large page, so that the file's large pages
    /// are mapped as such.
    pub(super) fn aligned(fd: impl AsFd, length: usize, protection: ProtFlags) -> io::Result<Self> {
        let hint = match VACANT.swap(0, Ordering::Relaxed) {
            0 => Self::vacancy(length)?,
            hint => hint,
        };
        let mapping = Self::near(hint, &fd, length, protection, MapFlags::empty())?;
        if mapping.is_aligned() {
            return Ok(mapping);
        }
        drop(mapping);
        // The address is in use. If another thread is faster again, the mapping is elsewhere: that
        // is slower, but correct.
        Self::near(Self::vacancy(length)?, fd, length, protection, MapFlags::empty())
    }

    /// An address for a large page with free space for `length` bytes. Another thread may take it
    /// first.
    fn vacancy(length: usize) -> io::Result<usize> {
        let room = length.checked_add(LARGE_PAGE).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new mapping without any access, at an address that the kernel chooses, replaces
        // nothing.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), room, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE) }?;
        // SAFETY: it was just made with this length, and no other code has its address.
        unsafe { munmap(start, room) }?;
        Ok(start.addr().next_multiple_of(LARGE_PAGE))
    }

    fn is_aligned(&self) -> bool {
        self.base.addr().get().is_multiple_of(LARGE_PAGE)
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The address at `offset`.
    pub(super) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.length, "outside the mapping");
        // SAFETY: within the mapping, or at its end.
        unsafe { self.base.add(offset) }
    }

    /// Keeps the mapping out of children made by `fork`, so that the memory has only one writer.
    pub(super) fn keep_from_children(&self) -> io::Result<()> {
        // SAFETY: the range is this mapping; nothing changes for this process.
        Ok(unsafe { madvise(self.base.as_ptr().cast::<c_void>(), self.length, Advice::LinuxDontFork) }?)
    }

    /// Requests the pages of a range for writing. If that fails, they are allocated at their first
    /// access.
    pub(super) fn populate(&self, offset: usize, length: usize) {
        assert!(offset.checked_add(length).is_some_and(|end| end <= self.length), "outside the mapping");
        // SAFETY: the range is in this mapping; its contents do not change.
        let _ = unsafe { madvise(self.at(offset).as_ptr().cast::<c_void>(), length, Advice::LinuxPopulateWrite) };
    }

    /// Gathers the first `length` bytes into large pages. In each of them some pages must be
    /// present; missing ones become zero.
    pub(super) fn collapse(&self, length: usize) -> io::Result<()> {
        assert!(length <= self.length, "outside the mapping");
        let start = self.base.as_ptr().cast::<c_void>();
        // The kernel first makes every processor with a private list of new pages move them to the
        // common list, and waits for that. This processor has such a list, because the file is new,
        // and other threads may run on it before it does so. This call makes it do so at once.
        // SAFETY: a page of this mapping. It belongs to a file, which keeps its contents.
        let _ = unsafe { madvise(start, 1, Advice::LinuxDontNeed) };
        // SAFETY: the range is in this mapping. The location of its bytes changes, their values do
        // not.
        match unsafe { libc::madvise(start, length, libc::MADV_COLLAPSE) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` or `aligned` with this length, and its users keep it alive.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast::<c_void>(), self.length) };
        if unmapped.is_ok() && self.is_aligned() {
            VACANT.store(self.base.addr().get(), Ordering::Relaxed);
        }
    }
}
