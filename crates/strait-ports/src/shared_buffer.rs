//! Immutable bytes that all receivers read in place.

use std::fmt;
use std::ops::Deref;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::link::memory::arena::Refusal;
use crate::link::memory::sealed::{LargePages, Sealed, Unsealed};

/// A smaller buffer is on the heap and copied when it is sent.
const SEALED_FROM: usize = 16 * 1024;

/// Immutable bytes. Cloning is cheap. All clones, and those that other processes receive, are the
/// same memory, as far as descriptors are available for it.
///
/// A message carries shared buffers in [`Message::buffers`](crate::Message). They are written once,
/// and every receiver reads them in place.
///
/// ```
/// use strait_ports::{Event, Message, Node, SharedBuffer};
/// let (a, b) = Node::broker()?.channel();
/// let image = SharedBuffer::build(100_000, |bytes| bytes.fill(7));
/// a.post(Message::with_buffers(b"image".to_vec(), vec![image.clone()]))?;
/// let Some(Event::Message(message)) = b.try_recv() else { panic!("posted") };
/// assert_eq!(message.buffers[0][..], image[..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SharedBuffer(Memory);

#[derive(Clone)]
enum Memory {
    Heap(Arc<[u8]>),
    Sealed(Arc<Sealed>),
}

impl SharedBuffer {
    /// A copy of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        if bytes.len() >= SEALED_FROM {
            if let Some(room) = LargePages::new(bytes.len()) {
                return Self::of(room.fill(|room| room.copy_from_slice(bytes)).seal());
            }
            if let Ok(unsealed) = Unsealed::new(bytes) {
                return Self::of(unsealed.seal());
            }
        }
        Self(Memory::Heap(bytes.into()))
    }

    /// Makes a buffer of `length` bytes that `fill` writes; they are zero before.
    ///
    /// From 1 MiB on, `fill` writes in place, in large pages if there are some. The buffer then
    /// takes up to 1 MiB more than its bytes, and making and receiving it costs less.
    pub fn build(length: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        if let Some(room) = LargePages::new(length) {
            return Self::of(room.fill(fill).seal());
        }
        let mut bytes = vec![0; length];
        fill(&mut bytes);
        match if length < SEALED_FROM { None } else { Unsealed::new(&bytes).ok() } {
            Some(unsealed) => Self::of(unsealed.seal()),
            None => Self(Memory::Heap(bytes.into())),
        }
    }

    fn of(sealed: Result<Sealed, Vec<u8>>) -> Self {
        Self(match sealed {
            Ok(sealed) => Memory::Sealed(Arc::new(sealed)),
            Err(bytes) => Memory::Heap(bytes.into()),
        })
    }

    /// Makes a buffer of a received `Shared` frame: with bytes, or with a descriptor. `keep`:
    /// whether the descriptor may be kept, to send the buffer on.
    pub(crate) fn received(length: u64, bytes: Vec<u8>, descriptor: Option<OwnedFd>, keep: bool) -> Result<Self, NotShared> {
        match descriptor {
            None if bytes.len() as u64 == length => Ok(Self(Memory::Heap(bytes.into()))),
            Some(descriptor) if bytes.is_empty() => {
                let length = usize::try_from(length).map_err(|_| NotShared)?;
                Sealed::of(descriptor, length, keep).map(|sealed| Self::of(Ok(sealed))).map_err(|why| {
                    if let Refusal::Unmappable(why) = why {
                        tracing::debug!("shared buffer not mapped: {why}");
                    }
                    NotShared
                })
            }
            _ => Err(NotShared),
        }
    }

    /// The number of bytes. Cheaper than the slice's length: the call does not map the buffer.
    pub fn len(&self) -> usize {
        match &self.0 {
            Memory::Heap(bytes) => bytes.len(),
            Memory::Sealed(sealed) => sealed.len(),
        }
    }

    /// Whether the buffer has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The descriptor by which another process can map the buffer, if one is kept.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            Memory::Heap(_) => None,
            Memory::Sealed(sealed) => sealed.descriptor(),
        }
    }
}

/// The received memory differs from the announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("shared buffer rejected: wrong size, missing seals, missing pages, or not mappable")]
pub(crate) struct NotShared;

impl Deref for SharedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Memory::Heap(bytes) => bytes,
            Memory::Sealed(sealed) => sealed,
        }
    }
}

impl AsRef<[u8]> for SharedBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for SharedBuffer {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for SharedBuffer {}

impl fmt::Debug for SharedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = matches!(self.0, Memory::Sealed(_));
        f.debug_struct("SharedBuffer").field("len", &self.len()).field("shared", &shared).finish()
    }
}
