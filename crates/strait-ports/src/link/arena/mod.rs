//! Arenas: shared memory for large payloads, one writer and one reader each.
//!
//! The sender of a link makes them, in a few sizes, at most one of each: a `memfd` that it maps for writing and then seals, so that the receiver can map it
//! for reading only. It takes blocks of it, fills them, and names them in its messages; the receiver copies a block out and
//! gives it back. Who is out of blocks sends bytes the ordinary way.
//!
//! [`space`] says which pages are whose, [`lender`] is the sender's side and [`borrower`] the receiver's. What has to do with addresses is in `link/memory`.

mod borrower;
mod lender;
mod space;

pub(crate) use borrower::{Borrower, Lent, Lie};
pub(crate) use lender::Lender;
pub(crate) use space::{NotOut, PAGE, Space};

const MIB: usize = 1 << 20;

/// The sizes of arenas. An arena's place in here is its name on its link.
pub(crate) const ARENA_SIZES: [usize; MAX_ARENAS] = [4 * MIB, 16 * MIB, 64 * MIB, 128 * MIB];

/// So many arenas a link has in each direction.
pub(crate) const MAX_ARENAS: usize = 4;

/// A block as it is named in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) arena: u8,
    /// Where it begins, in units of [`PAGE`].
    pub(crate) page: u32,
    /// Bytes in it.
    pub(crate) length: u64,
}
