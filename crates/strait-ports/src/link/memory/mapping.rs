//! A stretch of mapped memory that is given back when its last user is gone.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

/// Memory of a file, mapped. Who uses it sees to it that the file cannot shrink.
pub(super) struct Mapping {
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to no thread; what may be done with its bytes is its users' affair.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// The first `length` bytes of `fd`, at least one, shared with everybody who has them.
    pub(super) fn new(fd: impl AsFd, length: usize, protection: ProtFlags, flags: MapFlags) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let base = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED | flags, fd, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at null"))?;
        Ok(Self { base, length })
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
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and its users keep it alive.
        let _ = unsafe { munmap(self.base.as_ptr().cast::<c_void>(), self.length) };
    }
}
