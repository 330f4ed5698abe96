//! A page that two processes share: the bench's only `unsafe`.

use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap};

use crate::Outcome;

/// What lies in the page. Any bits are valid in it, and all of it is atomic.
#[repr(C)]
pub(crate) struct Words {
    /// Whose turn it is.
    pub(crate) turn: AtomicU32,
    pub(crate) payload: [AtomicU64; 4],
}

/// A new page, as a descriptor.
pub(crate) fn create() -> Outcome<OwnedFd> {
    let memory = memfd_create("strait-bench", MemfdFlags::CLOEXEC)?;
    ftruncate(&memory, size_of::<Words>() as u64)?;
    Ok(memory)
}

/// The page, for as long as the process lives: a few of them are made in all.
pub(crate) fn map(memory: &OwnedFd) -> Outcome<&'static Words> {
    // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
    let page = unsafe { mmap(std::ptr::null_mut(), size_of::<Words>(), ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, memory, 0)? };
    let page = NonNull::new(page.cast::<Words>()).ok_or("mapped at nothing")?;
    // SAFETY: the mapping is page-aligned, as long as `Words`, never unmapped, and all its fields are atomics, which others may write meanwhile.
    Ok(unsafe { page.as_ref() })
}
