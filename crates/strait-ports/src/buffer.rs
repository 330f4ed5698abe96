//! Buffers for message data, written where the receiver reads them.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::MAX_DATA;
use crate::body::Body;
use crate::link::memory::arena::Block;
use crate::port::{Port, PostErrorReason};

/// From this size on, [`Port::alloc`] allocates in memory that is shared with the receiver. Copying
/// a smaller buffer is faster than handing a block over.
pub(crate) const ALLOC_FROM: usize = 16 * 1024;

/// From this size on, [`Port::post`] copies a message's data into shared memory, if there is a free
/// block. The post is then complete at once, and the link is free for other messages.
pub(crate) const POST_FROM: usize = 64 * 1024;

/// A buffer for bytes to post, from [`Port::alloc`]; writable until it is posted.
///
/// If the receiver is another process and the shared memory of both has room, the buffer is in that
/// memory. Its bytes are then copied once, by the receiver. Otherwise it is on the heap. Dropping
/// an unposted buffer frees its memory.
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

    /// Keeps the first `length` bytes; does nothing if the buffer is not longer.
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

/// The requested buffer is too large: a message carries [`MAX_DATA`] bytes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("buffer of {size} bytes is larger than {MAX_DATA}")]
pub struct AllocError {
    /// The requested size in bytes.
    pub size: usize,
}

/// A post that failed. Nothing was consumed: this error returns the buffer and all ports.
#[derive(Debug, thiserror::Error)]
#[error("buffer not posted: {reason}")]
pub struct PostBufferError {
    /// The buffer that was not posted.
    pub buffer: Buffer,
    /// The ports that were not posted.
    pub ports: Vec<Port>,
    /// The reason of the failure.
    #[source]
    pub reason: PostErrorReason,
}
