//! Memory that two nodes share: a sealed `memfd` with two rings. This file and its folder contain
//! the crate's only `unsafe` code.
//!
//! ```text
//! 0      the first node's words (tail, head, awake, wanting), each on a line of its own
//! 2048   the second node's
//! 4096   the ring that the first node writes
//!        the ring that the second node writes
//! ```
#![allow(unsafe_code)]

pub(crate) mod arena;
mod copy;
mod inherit;
mod large_page_vec;
mod mapping;
pub(crate) mod sealed;

pub use copy::{copy_bytes, copy_shared_bytes};
pub(crate) use inherit::{Inherited, PassedOn, take as take_inherited};

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::ring::{HEADER, Memory, Word};

/// The size of a ring in bytes. Unused pages take no memory.
pub(super) const CAPACITY: usize = 256 * 1024;

/// Bytes before the rings.
const WORDS: usize = 4096;
/// Bytes for one ring's words.
const WORDS_OF_ONE: usize = WORDS / 2;
/// The distance of two words: two cache lines of 64 bytes, because processors fetch lines in pairs.
const LINE: usize = 128;
const LENGTH: usize = WORDS + 2 * CAPACITY;

/// The memory can neither shrink, which would crash a reader, nor grow. The seals cannot be
/// removed.
fn seals() -> SealFlags {
    SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// Makes the memory for one link.
pub(super) fn shared_memory() -> io::Result<OwnedFd> {
    let fd = memfd_create("strait-link", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&fd, LENGTH as u64)?;
    fcntl_add_seals(&fd, seals())?;
    Ok(fd)
}

/// The mapped memory of a link.
struct Map(NonNull<u8>);

// SAFETY: the mapping belongs to no thread. It is accessed only by atomic words and by copies
// through raw pointers.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length. All uses go through a `Half`, which keeps the
        // map alive.
        let _ = unsafe { munmap(self.0.as_ptr().cast::<c_void>(), LENGTH) };
    }
}

/// The memory of one of the two rings. A clone refers to the same memory.
#[derive(Clone)]
pub(crate) struct Half {
    map: Arc<Map>,
    second: bool,
}

/// Maps the memory: the first node's ring, and the second's. Memory of another size, or without the
/// seals, is refused.
pub(super) fn map(fd: impl AsFd) -> io::Result<[Half; 2]> {
    let fitting = fstat(&fd)?.st_size == LENGTH as i64 && fcntl_get_seals(&fd)?.contains(seals());
    if !fitting {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a link's memory"));
    }
    // SAFETY: a new mapping at an address that the kernel chooses replaces nothing. Its pages exist
    // as long as the mapping: the seals prevent the file from shrinking.
    let base = unsafe { mmap(ptr::null_mut(), LENGTH, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &fd, 0) }?;
    let base = NonNull::new(base.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at null"))?;
    let map = Arc::new(Map(base));
    Ok([Half { map: Arc::clone(&map), second: false }, Half { map, second: true }])
}

impl Half {
    fn word(&self, number: usize) -> &AtomicU32 {
        let offset = usize::from(self.second) * WORDS_OF_ONE + number * LINE;
        debug_assert!(offset + LINE <= WORDS);
        // SAFETY: within the mapping, which `self` keeps alive; aligned, because mappings start at
        // pages; used only as an atomic.
        unsafe { AtomicU32::from_ptr(self.map.0.as_ptr().add(offset).cast::<u32>()) }
    }

    /// The location of `length` bytes at `position`: an address, the number of bytes there, and the
    /// address of the rest, which is the ring's start.
    fn place(&self, position: u32, length: usize) -> (*mut u8, usize, *mut u8) {
        assert!(length <= CAPACITY, "longer than the ring");
        let offset = position as usize % CAPACITY;
        // SAFETY: both are within the mapping.
        let (base, start) = unsafe {
            let base = self.map.0.as_ptr().add(WORDS + usize::from(self.second) * CAPACITY);
            (base, base.add(offset))
        };
        (start, length.min(CAPACITY - offset), base)
    }
}

impl Memory for Half {
    type Word = AtomicU32;

    fn tail(&self) -> &AtomicU32 {
        self.word(0)
    }

    fn head(&self) -> &AtomicU32 {
        self.word(1)
    }

    fn awake(&self) -> &AtomicU32 {
        self.word(2)
    }

    fn wanting(&self) -> &AtomicU32 {
        self.word(3)
    }

    fn fence(&self) {
        fence(Ordering::SeqCst);
    }

    fn capacity(&self) -> u32 {
        CAPACITY as u32
    }

    fn put(&self, position: u32, bytes: &[u8]) {
        let (start, first, base) = self.place(position, bytes.len());
        // SAFETY: `place` returns addresses in the mapping with room for the two parts, and private
        // bytes do not overlap the mapping. No reference to these bytes exists; the other side may
        // read and write them meanwhile, from its own process.
        unsafe {
            copy::to_shared(bytes.as_ptr(), start, first);
            copy::to_shared(bytes.as_ptr().add(first), base, bytes.len() - first);
        }
    }

    fn get(&self, position: u32, length: usize, into: &mut Vec<u8>) {
        into.reserve(length);
        let (start, first, base) = self.place(position, length);
        // SAFETY: `place` returns addresses in the mapping with the two parts, and the vector has
        // room for them, which the copies fill. No reference to the ring's bytes exists; the other
        // side may write them meanwhile, from its own process. Every byte value is valid.
        unsafe {
            let to = into.as_mut_ptr().add(into.len());
            copy::from_shared(start, to, first);
            copy::from_shared(base, to.add(first), length - first);
            into.set_len(into.len() + length);
        }
    }

    fn header(&self, position: u32) -> [u8; HEADER] {
        let (start, ..) = self.place(position & !(HEADER as u32 - 1), HEADER);
        // SAFETY: 8 bytes at a multiple of 8 are in one piece in the mapping, and mappings start at
        // pages. The access is atomic: the other side may write the bytes meanwhile. They are read
        // once, so later checks use the same copy.
        unsafe { AtomicU64::from_ptr(start.cast::<u64>()) }.load(Ordering::Relaxed).to_ne_bytes()
    }
}

impl Word for AtomicU32 {
    fn load(&self, ordering: Ordering) -> u32 {
        self.load(ordering)
    }

    fn store(&self, value: u32, ordering: Ordering) {
        self.store(value, ordering);
    }

    fn swap(&self, value: u32, ordering: Ordering) -> u32 {
        self.swap(value, ordering)
    }
}
