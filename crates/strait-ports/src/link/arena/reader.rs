//! The arenas that the peer has offered, and the blocks of them that are on loan to this node.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{ARENA_SIZES, MAX_ARENAS, PAGE, Reference};
use crate::link::memory::arena::{Refusal, View};

/// A violation of the protocol in the peer's frames about arenas: the link is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArenaViolation {
    #[error("unknown arena {0}: it was not offered, or was withdrawn")]
    Unknown(u8),
    #[error("arena {0} was offered twice")]
    Exists(u8),
    #[error("arena {0} rejected: wrong size or missing seals")]
    NoArena(u8),
    #[error("a block of {length} bytes at page {page} is outside its arena")]
    Outside { page: u32, length: u64 },
    #[error("the block at page {0} overlaps one that was not released")]
    Overlap(u32),
    #[error("arena {0} was withdrawn while blocks of it are on loan")]
    InUse(u8),
}

/// The arenas that this node reads.
pub(crate) struct ArenaReader {
    arenas: [Option<OfferedArena>; MAX_ARENAS],
    done: Arc<Done>,
}

struct OfferedArena {
    view: Arc<View>,
    /// The blocks on loan: the first page, and the page behind the last.
    blocks: BTreeMap<u32, u32>,
}

/// Blocks that were read or dropped, and are not yet reported as released.
struct Done {
    blocks: Mutex<Vec<(u8, u32)>>,
    /// Set after one has been added.
    some: Arc<AtomicBool>,
}

impl ArenaReader {
    /// `some_done` is set whenever there is something in [`ArenaReader::done`].
    pub(crate) fn new(some_done: Arc<AtomicBool>) -> Self {
        Self { arenas: Default::default(), done: Arc::new(Done { blocks: Mutex::default(), some: some_done }) }
    }

    /// Handles the peer's offer of an arena. True if it was mapped.
    pub(crate) fn offered(&mut self, arena: u8, descriptor: Option<OwnedFd>) -> Result<bool, ArenaViolation> {
        let slot = self.arenas.get_mut(usize::from(arena)).ok_or(ArenaViolation::Unknown(arena))?;
        if slot.is_some() {
            return Err(ArenaViolation::Exists(arena));
        }
        // The peer could not send the descriptor.
        let Some(descriptor) = descriptor else { return Ok(false) };
        match View::of(descriptor, ARENA_SIZES[usize::from(arena)]) {
            Ok(view) => {
                *slot = Some(OfferedArena { view: Arc::new(view), blocks: BTreeMap::new() });
                Ok(true)
            }
            Err(Refusal::NoArena) => Err(ArenaViolation::NoArena(arena)),
            Err(Refusal::Unmappable(why)) => {
                tracing::debug!("arena not mapped: {why}");
                Ok(false)
            }
        }
    }

    /// The block that a message names.
    pub(crate) fn borrow(&mut self, Reference { arena, page, length }: Reference) -> Result<Lent, ArenaViolation> {
        let OfferedArena { view, blocks } =
            self.arenas.get_mut(usize::from(arena)).and_then(Option::as_mut).ok_or(ArenaViolation::Unknown(arena))?;
        let outside = ArenaViolation::Outside { page, length };
        let size = ARENA_SIZES[usize::from(arena)] as u64;
        let start = u64::from(page) * PAGE as u64;
        if start.checked_add(length).is_none_or(|end| end > size) || start == size {
            return Err(outside);
        }
        let behind = page + (length.div_ceil(PAGE as u64)).max(1) as u32;
        if blocks.range(..behind).next_back().is_some_and(|(_, end)| *end > page) {
            return Err(ArenaViolation::Overlap(page));
        }
        blocks.insert(page, behind);
        Ok(Lent { view: Arc::clone(view), arena, page, length: length as usize, done: Arc::clone(&self.done) })
    }

    /// Takes the blocks that this node has finished with. The caller must send `Done` for them; the
    /// peer may then reuse them.
    pub(crate) fn done(&mut self) -> Vec<(u8, u32)> {
        let done = std::mem::take(&mut *self.done.blocks.lock().unwrap_or_else(PoisonError::into_inner));
        for (arena, page) in &done {
            if let Some(Some(borrowed)) = self.arenas.get_mut(usize::from(*arena)) {
                borrowed.blocks.remove(page);
            }
        }
        done
    }

    /// Handles the peer's withdrawal of an arena.
    pub(crate) fn withdrawn(&mut self, arena: u8) -> Result<(), ArenaViolation> {
        match self.arenas.get_mut(usize::from(arena)) {
            Some(slot @ Some(_)) if slot.as_ref().is_some_and(|borrowed| borrowed.blocks.is_empty()) => *slot = None,
            Some(Some(_)) => return Err(ArenaViolation::InUse(arena)),
            _ => return Err(ArenaViolation::Unknown(arena)),
        }
        Ok(())
    }
}

/// A block of a peer's arena. A hostile peer can write it at any time, so it can only be copied.
/// Dropping it releases it.
pub(crate) struct Lent {
    view: Arc<View>,
    arena: u8,
    page: u32,
    length: usize,
    done: Arc<Done>,
}

impl Lent {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn copy(&self) -> Vec<u8> {
        self.view.copy(self.page as usize * PAGE, self.length)
    }

    /// Copies it to a place of the same length.
    pub(crate) fn copy_into(&self, into: &mut [u8]) {
        assert_eq!(into.len(), self.length, "all of it and no more");
        self.view.copy_into(self.page as usize * PAGE, into);
    }

    /// Copies its bytes from `start` on.
    pub(crate) fn copy_part(&self, start: usize, into: &mut [u8]) {
        assert!(start.checked_add(into.len()).is_some_and(|end| end <= self.length), "no more than there is");
        self.view.copy_into(self.page as usize * PAGE + start, into);
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.done.blocks.lock().unwrap_or_else(PoisonError::into_inner).push((self.arena, self.page));
        self.done.some.store(true, Ordering::Release);
    }
}
