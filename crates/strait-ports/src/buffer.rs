//! Room for a message's data that is written where its receiver reads it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::MAX_DATA;
use crate::body::Body;
use crate::link::memory::arena::Block;
use crate::port::{Port, PostErrorReason};

/// From this size on [`Port::alloc`] looks for room in memory that is shared with the receiver. What is smaller is copied faster than a block is handed over.
pub(crate) const ALLOC_FROM: usize = 16 * 1024;

/// From this size on [`Port::post`] copies a message's data into such memory, if there is some: the post is complete at once, and the link stays free for others.
pub(crate) const POST_FROM: usize = 64 * 1024;

/// Bytes that are to be posted: see [`Port::alloc`]. Writable until then.
///
/// Where the receiver is another process and there is room in memory that the two share, the buffer lies there, and its bytes are copied only once, by the receiver.
/// Fallback it is on the heap. Dropping it unposted gives its room back.
pub struct Buffer {
    storage: Storage,
}

enum Storage {
    Heap(Vec<u8>),
    Shared(Box<Block>),
}

impl Buffer {
    pub(crate) fn heap(bytes: Vec<u8>) -> Self {
        Self { storage: Storage::Heap(bytes) }
    }

    pub(crate) fn shared(block: Block) -> Self {
        Self { storage: Storage::Shared(Box::new(block)) }
    }

    /// Keeps the first `length` bytes; does nothing if there are no more than that.
    pub fn truncate(&mut self, length: usize) {
        match &mut self.storage {
            Storage::Heap(bytes) => bytes.truncate(length),
            Storage::Shared(block) => block.truncate(length),
        }
    }

    /// The bytes, copied if they are in shared memory.
    pub fn into_vec(self) -> Vec<u8> {
        Body::from(self).into_bytes()
    }
}

impl From<Buffer> for Body {
    fn from(buffer: Buffer) -> Self {
        match buffer.storage {
            Storage::Heap(bytes) => Self::Bytes(bytes),
            Storage::Shared(block) => Self::Own(block),
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.storage {
            Storage::Heap(bytes) => bytes,
            Storage::Shared(block) => block,
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.storage {
            Storage::Heap(bytes) => bytes,
            Storage::Shared(block) => block,
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = matches!(self.storage, Storage::Shared(_));
        f.debug_struct("Buffer").field("len", &self.len()).field("shared", &shared).finish()
    }
}

/// There is no buffer so large: a message carries [`MAX_DATA`] bytes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("buffer of {size} bytes is larger than {MAX_DATA}")]
pub struct AllocError {
    /// How many bytes were asked for.
    pub size: usize,
}

/// A post that did not happen. Nothing was consumed: the buffer is in here, and all ports.
#[derive(Debug, thiserror::Error)]
#[error("buffer not posted: {reason}")]
pub struct PostBufferError {
    /// What was to be posted.
    pub buffer: Buffer,
    /// What was to go with it.
    pub ports: Vec<Port>,
    /// Why it was not.
    #[source]
    pub reason: PostErrorReason,
}
