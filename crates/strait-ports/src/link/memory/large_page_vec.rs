//! Vectors for bytes that are copied out of shared memory. Large ones use large pages.

use std::ffi::c_void;

use rustix::mm::{Advice, madvise};

use super::mapping::LARGE_PAGE;

/// From this size on the allocator maps new memory, for which large pages are requested.
const LARGE: usize = 4 << 20;

/// An empty vector with a capacity of `length` bytes.
pub(super) fn with_capacity(length: usize) -> Vec<u8> {
    let vector = Vec::<u8>::with_capacity(length);
    if length >= LARGE {
        let start = vector.as_ptr().addr().next_multiple_of(LARGE_PAGE);
        let end = (vector.as_ptr().addr() + length) & !(LARGE_PAGE - 1);
        if start < end {
            // SAFETY: whole pages of the vector's own memory. The advice does not change their
            // contents.
            let _ = unsafe { madvise(vector.as_ptr().with_addr(start).cast_mut().cast::<c_void>(), end - start, Advice::LinuxHugepage) };
        }
    }
    vector
}
