//! A link carries frames and descriptors between two nodes, in order.
//!
//! There are two kinds: [`Socket`], a Unix `SOCK_SEQPACKET` pair, and [`Rings`], two rings in
//! shared memory with such a pair beside them. [`over`] makes rings if the broker has sent the
//! parts for them. The broker does so unless it was made with [`LinkKind::Socket`] or cannot make
//! them.

pub(crate) mod arena;
mod doorbell;
#[cfg(test)]
mod hostile;
pub(crate) mod memory;
mod packets;
mod park;
mod queue;
mod reserve;
mod ring;
#[cfg(all(test, loom))]
mod ring_model;
mod rings;
mod socket;
#[cfg(test)]
mod tests;

pub(crate) use memory::{Half, Inherited, PassedOn, take_inherited};
pub use memory::{copy_bytes, copy_shared_bytes};
pub(crate) use park::{MAX_WORDS, sleep, wake};
pub(crate) use reserve::{Loan, Reserve};
pub(crate) use rings::{RING_PARTS, RingParts, Rings};
pub(crate) use socket::Socket;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll;

use crate::wire::Encoded;

/// The kind of all links in a broker's network.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A socket alone.
    Socket,
    /// Rings in shared memory, where possible: the default.
    Rings,
}

/// A connection to another node.
pub(crate) trait Link: AsFd + Send {
    /// Writes a frame where the peer reads it, if that needs no system call, no frame waits before
    /// it, and it fits as a whole. True if it was written; [`Link::flush`] then wakes the peer.
    fn write(&mut self, _frame: [&[u8]; 2]) -> Result<bool, LinkError> {
        Ok(false)
    }

    /// Queues a frame with its descriptors; [`Link::flush`] sends it. A frame with descriptors
    /// ([`MAX_DESCRIPTORS`] at most) is no longer than [`MAX_CARRIED`].
    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>);

    /// Sends as much as there is room for.
    ///
    /// The peer's end is not an error here: frames that it sent before are still unread, and the
    /// end is reported after them.
    fn flush(&mut self) -> Result<Flushed, LinkError>;

    /// The events for which `epoll` watches the descriptor.
    fn interest(&self) -> epoll::EventFlags {
        epoll::EventFlags::IN
    }

    /// The descriptor is readable. Without this call a link need not check its descriptor.
    fn woken(&mut self);

    /// A second descriptor, watched edge-triggered: see [`Link::rung`].
    fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The second descriptor has become readable.
    fn rung(&mut self) {}

    /// Takes one piece of received data. `buffer` has [`MAX_PACKET`] bytes and is scratch space.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<ReceiveOutcome, LinkError>;

    /// After [`ReceiveOutcome::Nothing`]: from now on a descriptor becomes readable when data
    /// arrives. True if data has arrived already.
    fn prepare_sleep(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    /// Until the link sleeps again it is polled, and no descriptor becomes readable. False for
    /// links that cannot be polled.
    fn stay_awake(&mut self) -> bool {
        false
    }

    /// Whether data may have arrived. Cheap; for links that stay awake.
    fn has_input(&self) -> bool {
        false
    }

    /// As [`Link::prepare_sleep`], but from now on the futex word is woken. `None` if data has
    /// arrived already.
    fn park(&mut self) -> Result<Option<Half>, LinkError> {
        Ok(None)
    }

    /// The number of bytes that have been received, of all kinds.
    fn received(&self) -> u64;

    /// The value that [`Link::received`] reaches when everything is received that the peer has sent
    /// by now.
    fn arrived(&mut self) -> u64;

    /// The unsent bytes of messages.
    fn data_backlog(&self) -> usize;

    /// The unsent bytes of frames without messages.
    fn control_backlog(&self) -> usize;

    /// The cost of unsent frames except the one being sent, as in [`crate::Limits`].
    fn waiting(&self) -> usize;

    /// The longest frame that is accepted.
    #[cfg(test)]
    fn max_frame(&mut self) -> &mut usize;
}

/// The link over `socket`, and over rings if there are parts for them. Frames that were pushed to
/// the socket go there, before all others. `first` is true in exactly one of the two nodes.
pub(crate) fn over(socket: Socket, parts: Option<RingParts>, first: bool) -> io::Result<Box<dyn Link>> {
    Ok(match parts {
        Some(parts) => Box::new(Rings::new(socket, parts, first)?),
        None => Box::new(socket),
    })
}

/// The largest packet in bytes, its flag included.
pub(crate) const MAX_PACKET: usize = 64 * 1024;

/// The most descriptors of a packet.
pub(crate) const MAX_DESCRIPTORS: usize = 4;

/// The longest frame in bytes that may carry descriptors. It is sent in one piece.
pub(crate) const MAX_CARRIED: usize = 1024;

/// A received frame.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Set if the process had no room for the descriptors. They must be closed before the loan is
    /// dropped, which must be soon.
    pub(crate) loan: Option<Loan>,
}

/// The result of an attempt to receive.
#[derive(Debug)]
pub(crate) enum ReceiveOutcome {
    Frame(Received),
    /// A part of a frame: receive again.
    Part,
    /// No data has arrived.
    Nothing,
    /// The peer has closed the link, and everything has been read.
    Ended,
}

/// The reasons for which a link must be cut.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the link's socket failed")]
    Io(#[from] std::io::Error),
    #[error("packet larger than the link permits")]
    PacketTooLarge,
    #[error("descriptors lost: more than {MAX_DESCRIPTORS} in one packet, or no free descriptors in this process (raise RLIMIT_NOFILE)")]
    DescriptorsLost,
    #[error("unexpected descriptors: not announced, or with a part of a frame")]
    StrayDescriptors,
    #[error("invalid packet flag {0}")]
    Flag(u8),
    #[error("frame longer than the largest message with all its ports")]
    FrameTooLong,
    #[error(transparent)]
    Ring(#[from] ring::Broken),
    #[error("a record announces descriptors that have not arrived")]
    DescriptorsMissing,
    #[error("unexpected packet on the socket of a ring link: it carries no descriptors")]
    StrayPacket,
}

/// Whether all frames were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// All were sent.
    All,
    /// Frames are unsent; the socket becomes writable when there is room.
    Full,
    /// Frames are unsent; the link's descriptor becomes readable when there is room.
    Waits,
}
