//! A message's data on its way through a node: bytes, or a block of an arena that holds them.

use std::fmt;

use crate::link::arena::Lent;
use crate::link::copy_bytes;
use crate::link::memory::arena::Block;
use crate::shared_buffer::SharedBuffer;

/// The data of one message. The router uses only its length.
pub(crate) enum Body {
    /// On the heap.
    Bytes(Vec<u8>),
    /// In one of this node's arenas, for the other end of one of its links.
    Own(Box<Block>),
    /// In one of a peer's arenas.
    Lent(Box<Lent>),
    /// Data of another variant, with shared buffers.
    With(Box<(Body, Vec<SharedBuffer>)>),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Own(block) => block.len(),
            Self::Lent(lent) => lent.len(),
            Self::With(both) => both.0.len() + both.1.iter().map(|buffer| buffer.len()).sum::<usize>(),
        }
    }

    /// Adds shared buffers.
    pub(crate) fn with(self, buffers: Vec<SharedBuffer>) -> Self {
        if buffers.is_empty() { self } else { Self::With(Box::new((self, buffers))) }
    }

    /// Separates the data from the shared buffers.
    pub(crate) fn split(self) -> (Self, Vec<SharedBuffer>) {
        match self {
            Self::With(both) => *both,
            body => (body, Vec::new()),
        }
    }

    /// The bytes, without shared buffers: copied unless they are on the heap. A large copy takes
    /// long, so it should not be made under a lock.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Own(block) => block.to_vec(),
            Self::Lent(lent) => lent.copy(),
            Self::With(both) => both.0.into_bytes(),
        }
    }

    /// Copies the bytes from `start` on. The caller ensures that there are enough.
    pub(crate) fn copy_part(&self, start: usize, into: &mut [u8]) {
        match self {
            Self::Bytes(bytes) => copy_bytes(&bytes[start..start + into.len()], into),
            Self::Own(block) => copy_bytes(&block[start..start + into.len()], into),
            Self::Lent(lent) => lent.copy_part(start, into),
            Self::With(both) => both.0.copy_part(start, into),
        }
    }

    /// Copies the bytes to a target of the same length.
    pub(crate) fn copy_into(&self, into: &mut [u8]) {
        match self {
            Self::Bytes(bytes) => copy_bytes(bytes, into),
            Self::Own(block) => copy_bytes(block, into),
            Self::Lent(lent) => lent.copy_into(into),
            Self::With(both) => both.0.copy_into(into),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Bytes(Vec::new())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl Clone for Body {
    /// A block has one holder, so its clone is on the heap.
    fn clone(&self) -> Self {
        Self::Bytes(match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Own(block) => block.to_vec(),
            Self::Lent(lent) => lent.copy(),
            Self::With(both) => return both.0.clone().with(both.1.clone()),
        })
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::With(one), Self::With(other)) => one == other,
            (Self::With(_), _) | (_, Self::With(_)) => false,
            _ => self.len() == other.len() && self.clone().into_bytes() == other.clone().into_bytes(),
        }
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Bytes(_) => "Bytes",
            Self::Own(_) => "Own",
            Self::Lent(_) => "Lent",
            Self::With(_) => "With",
        };
        f.debug_tuple(kind).field(&self.len()).finish()
    }
}

/// The router's tests read their messages, which are all on the heap.
#[cfg(test)]
impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Own(block) => block,
            Self::With(both) => &both.0,
            Self::Lent(_) => panic!("cannot be looked at"),
        }
    }
}

#[cfg(test)]
impl std::hash::Hash for Body {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}
