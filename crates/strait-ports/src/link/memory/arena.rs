//! Arenas as mapped memory: the maker writes blocks, the reader copies them out.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, OwnedFd};
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags};

use super::copy;
use super::large_page_vec;
use super::mapping::Mapping;
use crate::link::arena::{NotLoaned, PAGE, Space};

/// The size is fixed, no new writable mapping can be made, and the seals cannot be removed.
fn seals() -> SealFlags {
    SealFlags::FUTURE_WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// From this size on, a block's new pages are requested at once, which takes a third of the time.
const POPULATED_FROM: usize = 128 * 1024;

/// Memory that only this process writes.
pub(crate) struct Arena {
    mapping: Mapping,
    space: Mutex<Space>,
    /// Pages from this offset on are new: blocks are taken from the start.
    new_from: AtomicUsize,
}

impl Arena {
    /// Makes an arena, and the descriptor for its reader. `length` is a multiple of [`PAGE`].
    pub(crate) fn make(length: usize) -> io::Result<(Arc<Self>, OwnedFd)> {
        let fd = memfd_create("strait-arena", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, length as u64)?;
        let mapping = Mapping::new(&fd, length, ProtFlags::READ | ProtFlags::WRITE, MapFlags::empty())?;
        mapping.keep_from_children()?;
        fcntl_add_seals(&fd, seals())?;
        Ok((Arc::new(Self { mapping, space: Mutex::new(Space::new(length / PAGE)), new_from: AtomicUsize::new(0) }), fd))
    }

    fn space(&self) -> MutexGuard<'_, Space> {
        self.space.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of `length` bytes, if there is room.
    pub(crate) fn block(self: &Arc<Self>, length: usize) -> Option<Block> {
        let page = self.space().take(length)?;
        if length >= POPULATED_FROM {
            let start = page as usize * PAGE;
            let end = start + length.next_multiple_of(PAGE);
            let new = self.new_from.fetch_max(end, Ordering::Relaxed).max(start);
            if new < end {
                self.mapping.populate(new, end - new);
            }
        }
        Some(Block { arena: Arc::clone(self), page, length, lent: false })
    }

    /// Frees the block at this page, which the reader has released.
    pub(crate) fn released(&self, page: u32) -> Result<(), NotLoaned> {
        self.space().release_blocks(page)
    }

    /// The bytes of blocks on loan to the reader.
    pub(crate) fn lent(&self) -> usize {
        self.space().lent()
    }

    /// Whether no block is in use on either side.
    pub(crate) fn is_idle(&self) -> bool {
        self.space().is_idle()
    }
}

/// A part of an arena; only its holder accesses its bytes. Dropping it frees it.
pub(crate) struct Block {
    arena: Arc<Arena>,
    page: u32,
    length: usize,
    /// The block is on loan to the reader, and this handle is about to be dropped.
    lent: bool,
}

impl Block {
    pub(crate) fn is_of(&self, arena: &Arc<Arena>) -> bool {
        Arc::ptr_eq(&self.arena, arena)
    }

    /// Keeps the first `length` bytes. The block keeps its pages.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Loans the block to the arena's reader; returns its page and length. It is free again when
    /// the reader releases it.
    pub(crate) fn lend(mut self) -> (u32, usize) {
        self.arena.space().lend(self.page);
        self.lent = true;
        (self.page, self.length)
    }

    fn start(&self) -> *mut u8 {
        self.arena.mapping.at(self.page as usize * PAGE).as_ptr()
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `Space` gives these pages to one block at a time, and they belong to this block
        // until it is dropped or loaned. The mapping lives as long as `arena`, and no child process
        // has it. There is no other writer: the seals prevent every other process from writing, and
        // the file from shrinking. All bytes are initialised: those of a new file are zero.
        unsafe { slice::from_raw_parts(self.start(), self.length) }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed for as long as the slice lives. Ordinary writes
        // are sound although the reader can read the bytes: it is another process, it cannot write
        // them, and it receives their location only after the last write (by a release of the
        // ring's tail, or through the socket). A reader that reads earlier gets arbitrary bytes,
        // and changes nothing here.
        unsafe { slice::from_raw_parts_mut(self.start(), self.length) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if !self.lent {
            self.arena.space().free(self.page);
        }
    }
}

/// A peer's arena.
pub(crate) struct View {
    mapping: Mapping,
}

impl View {
    /// Maps an arena. Memory is refused if it has another size, could shrink, or could be written
    /// by processes other than its maker.
    pub(crate) fn of(fd: impl AsFd, length: usize) -> Result<Self, Refusal> {
        let fitting = fstat(&fd).is_ok_and(|stat| stat.st_size == length as i64) && fcntl_get_seals(&fd).is_ok_and(|s| s.contains(seals()));
        if !fitting {
            return Err(Refusal::NoArena);
        }
        Ok(Self { mapping: Mapping::new(fd, length, ProtFlags::READ, MapFlags::empty()).map_err(Refusal::Unmappable)? })
    }

    /// Copies a part of the arena; the part must be within it.
    pub(crate) fn copy(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut copy = large_page_vec::with_capacity(length);
        // SAFETY: the vector was just allocated with room for `length` bytes.
        unsafe {
            self.copy_to(offset, length, copy.as_mut_ptr());
            copy.set_len(length);
        }
        copy
    }

    /// As [`View::copy`], into existing memory.
    pub(crate) fn copy_into(&self, offset: usize, into: &mut [u8]) {
        // SAFETY: the slice has room for its length.
        unsafe { self.copy_to(offset, into.len(), into.as_mut_ptr()) }
    }

    /// # Safety
    /// There must be room for `length` bytes at `to`, and no other access to it.
    unsafe fn copy_to(&self, offset: usize, length: usize, to: *mut u8) {
        assert!(offset.checked_add(length).is_some_and(|end| end <= self.mapping.length()), "outside the arena");
        // SAFETY: `length` bytes are in the mapping. Its pages exist as long as it does, because
        // the file cannot shrink. The caller has room for the bytes. No reference to the arena's
        // bytes exists; the maker may write them meanwhile, from its own process. Every byte value
        // is valid.
        unsafe { copy::from_shared(self.mapping.at(offset).as_ptr(), to, length) }
    }
}

/// The reasons for which a descriptor is not used.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The memory differs from the announcement.
    NoArena,
    /// This process cannot map the memory.
    Unmappable(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 16 * PAGE;

    #[test]
    fn only_the_maker_writes() {
        let (arena, fd) = Arena::make(LENGTH).unwrap();
        let mut block = arena.block(100).unwrap();
        block.fill(7);
        // A process with the descriptor cannot map it for writing, write it, punch holes into it,
        // or change its size or its seals.
        assert!(Mapping::new(&fd, LENGTH, ProtFlags::READ | ProtFlags::WRITE, MapFlags::empty()).is_err());
        assert!(rustix::io::pwrite(&fd, &[1], 0).is_err());
        let punch = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        assert!(rustix::fs::fallocate(&fd, punch, 0, 4096).is_err());
        assert!(ftruncate(&fd, 0).is_err() && ftruncate(&fd, 2 * LENGTH as u64).is_err());
        assert!(fcntl_add_seals(&fd, SealFlags::WRITE).is_err());
        let view = View::of(&fd, LENGTH).unwrap();
        assert_eq!(view.copy(0, 100), [7; 100]);
        block.fill(8);
        let mut copy = [0; 101];
        view.copy_into(0, &mut copy);
        assert_eq!(copy[98..], [8, 8, 0]);
    }

    #[test]
    fn blocks_do_not_touch() {
        let (arena, fd) = Arena::make(LENGTH).unwrap();
        let mut blocks: Vec<_> = std::iter::from_fn(|| arena.block(PAGE + 1)).collect();
        assert_eq!(blocks.len(), 8);
        for (number, block) in blocks.iter_mut().enumerate() {
            block.fill(number as u8);
        }
        assert!(blocks.iter().enumerate().all(|(number, block)| block.iter().all(|b| *b == number as u8)));
        let (page, length) = blocks.swap_remove(3).lend();
        assert_eq!(View::of(&fd, LENGTH).unwrap().copy(page as usize * PAGE, length), [3; PAGE + 1]);
        assert_eq!((arena.lent(), arena.block(1).is_none()), (2 * PAGE, true));
        arena.released(page).unwrap();
        assert_eq!(arena.released(page), Err(NotLoaned));
        drop(blocks);
        assert!(arena.is_idle() && arena.block(LENGTH).is_some());
    }

    #[test]
    #[should_panic(expected = "outside")]
    fn a_view_ends_where_it_ends() {
        let (_, fd) = Arena::make(LENGTH).unwrap();
        let _ = View::of(&fd, LENGTH).unwrap().copy(LENGTH - 10, 11);
    }

    #[test]
    fn a_large_copy_is_whole() {
        let (arena, fd) = Arena::make(8 << 20).unwrap();
        let mut block = arena.block(8 << 20).unwrap();
        block.iter_mut().enumerate().for_each(|(i, b)| *b = (i / 4096) as u8);
        assert!(View::of(&fd, 8 << 20).unwrap().copy(0, 8 << 20) == block[..]);
    }
}
