//! The arenas that this node has made for its peer.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::{ARENA_SIZES, MAX_ARENAS, NotLoaned, Reference};
use crate::link::memory::arena::{Arena, Block};

/// A new arena has room for this many blocks of the requested size, if an arena size is large
/// enough.
const BLOCKS: usize = 4;

/// The state of an arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Offered, and not answered yet.
    Offered,
    /// Accepted: the peer has mapped it.
    Ready,
}

struct Slot {
    arena: Arc<Arena>,
    stage: Stage,
    /// Blocks have been taken since the last check for idle arenas.
    used: bool,
    /// A sender has waited for the answer.
    awaited: bool,
}

/// The arenas that this node writes.
#[derive(Default)]
pub(crate) struct ArenaWriter {
    slots: [Option<Slot>; MAX_ARENAS],
    /// The smallest size that could not be made; larger ones are not tried.
    limit: Option<usize>,
}

impl ArenaWriter {
    /// A block of `length` bytes, if there is room.
    pub(crate) fn block(&mut self, length: usize) -> Option<Block> {
        let mut ready = self.slots.iter_mut().flatten().filter(|slot| slot.stage == Stage::Ready);
        ready.find_map(|slot| {
            let block = slot.arena.block(length)?;
            slot.used = true;
            Some(block)
        })
    }

    /// Makes an arena with room for `length` bytes, if there is none yet, after `block` has found
    /// no room. The caller must offer it to the peer.
    pub(crate) fn enlarge(&mut self, length: usize) -> Option<(u8, OwnedFd)> {
        let generous = ARENA_SIZES.iter().position(|size| *size / BLOCKS >= length);
        let wanted = generous.or_else(|| ARENA_SIZES.iter().rposition(|size| *size >= length))?;
        if self.slots[wanted..].iter().any(Option::is_some) || self.limit.is_some_and(|limit| wanted >= limit) {
            return None;
        }
        match Arena::make(ARENA_SIZES[wanted]) {
            Ok((arena, fd)) => {
                self.slots[wanted] = Some(Slot { arena, stage: Stage::Offered, used: true, awaited: false });
                Some((wanted as u8, fd))
            }
            Err(why) => {
                tracing::debug!("no arena: {why}");
                self.limit = Some(wanted);
                None
            }
        }
    }

    /// True if an arena with room for `length` bytes is on offer and no sender has waited for the
    /// answer yet; the caller then waits. So a peer that does not answer delays only one message.
    pub(crate) fn await_answer(&mut self, length: usize) -> bool {
        let mut offered = self.slots.iter_mut().zip(ARENA_SIZES).filter(|(_, size)| *size >= length).filter_map(|(slot, _)| slot.as_mut());
        offered.find(|slot| slot.stage == Stage::Offered).is_some_and(|slot| !std::mem::replace(&mut slot.awaited, true))
    }

    /// Handles the peer's answer to an offer. An error for an arena that is not on offer.
    pub(crate) fn answered(&mut self, arena: u8, accepted: bool) -> Result<(), NotLoaned> {
        let index = usize::from(arena);
        let slot = self.slots.get_mut(index).filter(|slot| slot.as_ref().is_some_and(|s| s.stage == Stage::Offered)).ok_or(NotLoaned)?;
        match slot {
            Some(slot) if accepted => slot.stage = Stage::Ready,
            _ => {
                *slot = None;
                self.limit = Some(self.limit.map_or(index, |limit| limit.min(index)));
            }
        }
        Ok(())
    }

    /// Loans a block of one of these arenas to the peer; returns any other block.
    pub(crate) fn lend(&self, block: Block) -> Result<Reference, Block> {
        let arena = self.slots.iter().position(|slot| slot.as_ref().is_some_and(|slot| block.is_of(&slot.arena)));
        let Some(arena) = arena else { return Err(block) };
        let (page, length) = block.lend();
        Ok(Reference { arena: arena as u8, page, length: length as u64 })
    }

    /// The bytes of blocks that are on loan to the peer.
    pub(crate) fn lent(&self) -> usize {
        self.slots.iter().flatten().map(|slot| slot.arena.lent()).sum()
    }

    /// Drops the arenas that were unused since the last call. The caller must send `Withdraw` for
    /// them.
    pub(crate) fn retire(&mut self) -> Vec<u8> {
        let mut retired = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(Slot { arena, stage, used, .. }) = slot else { continue };
            if !std::mem::take(used) && *stage == Stage::Ready && arena.is_idle() {
                *slot = None;
                retired.push(index as u8);
            }
        }
        retired
    }

    pub(crate) fn has_arenas(&self) -> bool {
        self.slots.iter().any(Option::is_some)
    }

    /// Frees a block that the peer has released.
    pub(crate) fn released(&self, arena: u8, page: u32) -> Result<(), NotLoaned> {
        self.slots.get(usize::from(arena)).and_then(Option::as_ref).ok_or(NotLoaned)?.arena.released(page)
    }
}
