//! Arenas: shared memory for large payloads, one writer and one reader each.
//!
//! The sending side of a link makes them, in a few sizes, at most one of each: a `memfd` that it maps for
//! writing and then seals, so that the receiver can map it for reading only. The sender takes a block,
//! fills it, and names it in a message: the block is on loan. The receiver copies the block out and
//! releases it. Without a free block, bytes go through the ring or the socket.
//!
//! [`space`] is the table of pages, [`writer`] the sending side, [`reader`] the receiving side. The code
//! that handles addresses is in `link/memory`.

mod reader;
mod space;
mod writer;

pub(crate) use reader::{ArenaReader, ArenaViolation, Lent};
pub(crate) use space::{NotLoaned, PAGE, Space};
pub(crate) use writer::ArenaWriter;

const MIB: usize = 1 << 20;

/// The sizes of arenas, in bytes. The index in this list names an arena on its link.
pub(crate) const ARENA_SIZES: [usize; MAX_ARENAS] = [4 * MIB, 16 * MIB, 64 * MIB, 128 * MIB];

/// The most arenas of a link in each direction.
pub(crate) const MAX_ARENAS: usize = 4;

/// A block as a message names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) arena: u8,
    /// Its first page, in units of [`PAGE`].
    pub(crate) page: u32,
    /// Its length in bytes.
    pub(crate) length: u64,
}
