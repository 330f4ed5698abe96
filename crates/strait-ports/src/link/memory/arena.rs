//! An arena's two faces: its maker writes blocks of it, its reader copies them out.

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

/// It keeps its size, nobody but who has it mapped already can write it, and that stays so.
fn seals() -> SealFlags {
    SealFlags::FUTURE_WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL
}

/// From this size on a block's new pages are all asked for at once, which takes a third of the time.
const POPULATED_FROM: usize = 128 * 1024;

/// Memory that this process alone writes.
pub(crate) struct Arena {
    mapping: Mapping,
    space: Mutex<Space>,
    /// Pages are new from here on: room is taken from the beginning.
    new_from: AtomicUsize,
}

impl Arena {
    /// An arena, and what its reader needs to see it. `length` is a multiple of [`PAGE`].
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

    /// The reader has done with the block at this page.
    pub(crate) fn released(&self, page: u32) -> Result<(), NotLoaned> {
        self.space().release_blocks(page)
    }

    /// Bytes of the blocks in the reader's hands.
    pub(crate) fn lent(&self) -> usize {
        self.space().lent()
    }

    /// No block is in use on either side.
    pub(crate) fn is_idle(&self) -> bool {
        self.space().is_idle()
    }
}

/// A part of an arena: its bytes are its holder's alone. Dropping it makes its room free.
pub(crate) struct Block {
    arena: Arc<Arena>,
    page: u32,
    length: usize,
    /// It is the reader's, and this is about to be dropped.
    lent: bool,
}

impl Block {
    pub(crate) fn is_of(&self, arena: &Arc<Arena>) -> bool {
        Arc::ptr_eq(&self.arena, arena)
    }

    /// Cuts off what is behind the first `length` bytes. They keep their room.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Hands the block over to the arena's reader: its page and its length. Its room is free when the reader gives it back.
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
        // SAFETY: `Space` gives these pages to one block at a time, and they are this block's until it is dropped or lent. The mapping lives as long as `arena`
        // does, and is in no child. Nobody else writes them: the seal keeps every other process from it, and the file from shrinking. All bytes
        // are initialised: a new file's are zero.
        unsafe { slice::from_raw_parts(self.start(), self.length) }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed for as long as the slice lives. Ordinary writes will do although the reader can see the bytes: it is another process,
        // it cannot write them, and it learns their place only after the last write (by a release of the ring's tail, or through the socket). A reader that looks
        // earlier sees what it sees, and changes nothing here.
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

/// An arena of somebody else's.
pub(crate) struct View {
    mapping: Mapping,
}

impl View {
    /// Memory of another size, or that could shrink or be written by others than its maker, is refused.
    pub(crate) fn of(fd: impl AsFd, length: usize) -> Result<Self, Refusal> {
        let fitting = fstat(&fd).is_ok_and(|stat| stat.st_size == length as i64) && fcntl_get_seals(&fd).is_ok_and(|s| s.contains(seals()));
        if !fitting {
            return Err(Refusal::NoArena);
        }
        Ok(Self { mapping: Mapping::new(fd, length, ProtFlags::READ, MapFlags::empty()).map_err(Refusal::Unmappable)? })
    }

    /// A copy of a part of it, which must lie in it.
    pub(crate) fn copy(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut copy = large_page_vec::with_capacity(length);
        // SAFETY: the room has been made just now.
        unsafe {
            self.copy_to(offset, length, copy.as_mut_ptr());
            copy.set_len(length);
        }
        copy
    }

    /// As [`View::copy`], to a place that is there already.
    pub(crate) fn copy_into(&self, offset: usize, into: &mut [u8]) {
        // SAFETY: the slice has room for its length.
        unsafe { self.copy_to(offset, into.len(), into.as_mut_ptr()) }
    }

    /// # Safety
    /// There is room for `length` bytes at `to`, and nobody else uses it.
    unsafe fn copy_to(&self, offset: usize, length: usize, to: *mut u8) {
        assert!(offset.checked_add(length).is_some_and(|end| end <= self.mapping.length()), "outside the arena");
        // SAFETY: so many bytes are in the mapping, whose pages exist as long as it does, as the file cannot shrink; the caller has room for them. There is no
        // reference to the arena's bytes; the maker may write them meanwhile, from its own process. Any byte value will do.
        unsafe { copy::from_shared(self.mapping.at(offset).as_ptr(), to, length) }
    }
}

/// Why a descriptor is not looked at.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not what was announced.
    NoArena,
    /// This process has no room for it.
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
        // Who has the descriptor cannot map it for writing, nor write it, nor punch holes into it, nor change its size or its seals.
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
