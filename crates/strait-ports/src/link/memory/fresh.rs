//! Room on the heap for what is copied out of shared memory.

use std::ffi::c_void;

use rustix::mm::{Advice, madvise};

use super::mapping::LARGE_PAGE;

/// From this size on room is fresh from the kernel, and worth a word about how it is to come: in large pages.
const LARGE: usize = 4 << 20;

/// An empty vector with room for `length` bytes.
pub(super) fn room(length: usize) -> Vec<u8> {
    let vector = Vec::<u8>::with_capacity(length);
    if length >= LARGE {
        let start = vector.as_ptr().addr().next_multiple_of(LARGE_PAGE);
        let end = (vector.as_ptr().addr() + length) & !(LARGE_PAGE - 1);
        if start < end {
            // SAFETY: whole pages within the vector's room, which is ours. How pages are made does not change what is in them.
            let _ = unsafe { madvise(vector.as_ptr().with_addr(start).cast_mut().cast::<c_void>(), end - start, Advice::LinuxHugepage) };
        }
    }
    vector
}
