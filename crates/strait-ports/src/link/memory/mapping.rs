//! A stretch of mapped memory that is given back when its last user is gone.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

/// Large pages have this size, and begin at multiples of it.
pub(super) const LARGE_PAGE: usize = 2 << 20;

/// Memory of a file, mapped. Who uses it sees to it that the file cannot shrink.
pub(super) struct Mapping {
    base: NonNull<u8>,
    length: usize,
}

/// Where a mapping was that began at a large page: most likely there is room for the next one of that kind. 0: nowhere. What it says is only tried.
static VACANT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the mapping belongs to no thread; what may be done with its bytes is its users' affair.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// The first `length` bytes of `fd`, at least one, shared with everybody who has them.
    pub(super) fn new(fd: impl AsFd, length: usize, protection: ProtFlags, flags: MapFlags) -> io::Result<Self> {
        Self::near(0, fd, length, protection, flags)
    }

    /// At `hint`, if there is room.
    fn near(hint: usize, fd: impl AsFd, length: usize, protection: ProtFlags, flags: MapFlags) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice, which a hint leaves to it, replaces nothing.
        let base = unsafe { mmap(ptr::without_provenance_mut(hint), length, protection, MapFlags::SHARED | flags, fd, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at null"))?;
        Ok(Self { base, length })
    }

    /// As [`Mapping::new`], beginning where a large page does: what the file has in large pages is mapped as such.
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
        // Somebody else is there. And if another is quicker again, it lies elsewhere: that is slower, and no harm.
        Self::near(Self::vacancy(length)?, fd, length, protection, MapFlags::empty())
    }

    /// Where a large page could begin, with room for so many bytes, as far as anybody can tell.
    fn vacancy(length: usize) -> io::Result<usize> {
        let room = length.checked_add(LARGE_PAGE).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new mapping that nobody can do anything with, at an address of the kernel's choice, replaces nothing.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), room, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE) }?;
        // SAFETY: it has been made just now, with this length, and nobody else knows it.
        unsafe { munmap(start, room) }?;
        Ok(start.addr().next_multiple_of(LARGE_PAGE))
    }

    fn is_aligned(&self) -> bool {
        self.base.addr().get().is_multiple_of(LARGE_PAGE)
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The address of a place in it.
    pub(super) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.length, "outside the mapping");
        // SAFETY: within the mapping, or just behind it.
        unsafe { self.base.add(offset) }
    }

    /// A child of this process that is made by `fork` does not have it: memory with one writer has no second one.
    pub(super) fn keep_from_children(&self) -> io::Result<()> {
        // SAFETY: the range is this mapping; nothing changes for this process.
        Ok(unsafe { madvise(self.base.as_ptr().cast::<c_void>(), self.length, Advice::LinuxDontFork) }?)
    }

    /// Has the kernel provide the pages of a part of it, to be written. If it does not, they come as they are touched.
    pub(super) fn populate(&self, offset: usize, length: usize) {
        assert!(offset.checked_add(length).is_some_and(|end| end <= self.length), "outside the mapping");
        // SAFETY: the range is in this mapping; what is in it stays as it is.
        let _ = unsafe { madvise(self.at(offset).as_ptr().cast::<c_void>(), length, Advice::LinuxPopulateWrite) };
    }

    /// Gathers the first `length` bytes, some of which must be there in each large page of them, into large pages. What is not there becomes zero.
    pub(super) fn collapse(&self, length: usize) -> io::Result<()> {
        assert!(length <= self.length, "outside the mapping");
        let start = self.base.as_ptr().cast::<c_void>();
        // The kernel first has every processor that has new pages in a list of its own put them into the common one, and waits until they have. If this one has, because the
        // file is new, others may run here before it comes to that. This makes it do so at once.
        // SAFETY: a page of this mapping; it is a file's, which keeps what is in it.
        let _ = unsafe { madvise(start, 1, Advice::LinuxDontNeed) };
        // SAFETY: the range is in this mapping. Where its bytes lie changes, what they are does not.
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
