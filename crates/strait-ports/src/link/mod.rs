//! A link carries frames and descriptors between two nodes, in order.
//!
//! There are two kinds: [`Socket`], a Unix `SOCK_SEQPACKET` pair, and [`Rings`], two rings in memory that both nodes share, with such a pair beside them.
//! [`over`] picks: rings where the broker has given the parts for them, which it does unless it was made with [`LinkKind::Socket`] or cannot.

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

/// What the links of a broker's network are.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A socket alone.
    Socket,
    /// Rings in shared memory, where there is some: the default.
    Rings,
}

/// The way from one node to another.
pub(crate) trait Link: AsFd + Send {
    /// Puts a frame where the other end finds it, if that takes no system call, nothing waits to be sent before it and there is room for all of it. True if that is
    /// done; [`Link::flush`] makes it known.
    fn write(&mut self, _frame: [&[u8]; 2]) -> Result<bool, LinkError> {
        Ok(false)
    }

    /// Queues a frame, and descriptors that go with it ([`MAX_DESCRIPTORS`] at most, and the frame no longer than [`MAX_CARRIED`]); [`Link::flush`] sends it.
    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>);

    /// Sends as much as there is room for.
    ///
    /// That the other end is gone is no error here: what it sent before is still to be read, and the end comes after it.
    fn flush(&mut self) -> Result<Flushed, LinkError>;

    /// How the descriptor is to be watched.
    fn interest(&self) -> epoll::EventFlags {
        epoll::EventFlags::IN
    }

    /// The descriptor is readable. Before that is said a link may not look whether it is.
    fn woken(&mut self);

    /// A second descriptor to watch, edge-triggered: see [`Link::rung`].
    fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The second descriptor has become readable.
    fn rung(&mut self) {}

    /// Takes one piece of what has come. `buffer` has room for [`MAX_PACKET`] bytes and is only a place to work in.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<ReceiveOutcome, LinkError>;

    /// After [`ReceiveOutcome::Nothing`]: from now on a descriptor becomes readable when something comes. True if something has come after all.
    fn prepare_sleep(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    /// Until it sleeps, the link is polled: no descriptor becomes readable. False for links that need one.
    fn stay_awake(&mut self) -> bool {
        false
    }

    /// Whether something may have come; cheap, for links that stay awake.
    fn has_input(&self) -> bool {
        false
    }

    /// As [`Link::prepare_sleep`], but from now on the word is woken. `None` if something has come after all.
    fn park(&mut self) -> Result<Option<Half>, LinkError> {
        Ok(None)
    }

    /// Bytes that have been received so far, in pieces of any kind.
    fn received(&self) -> u64;

    /// What [`Link::received`] will be once everything is received that the other end had sent by now.
    fn arrived(&mut self) -> u64;

    /// Bytes of messages that wait for room.
    fn data_backlog(&self) -> usize;

    /// Bytes that wait for room and are no messages: what the engines say to each other.
    fn control_backlog(&self) -> usize;

    /// What waits for room behind the frame that is being sent, in the costs of [`crate::Limits`].
    fn waiting(&self) -> usize;

    /// The longest frame that is received.
    #[cfg(test)]
    fn max_frame(&mut self) -> &mut usize;
}

/// The link over `socket`, and over rings if there are parts for them. What has been pushed on the socket goes there, before anything else. Exactly one of
/// the two nodes is the `first`.
pub(crate) fn over(socket: Socket, parts: Option<RingParts>, first: bool) -> io::Result<Box<dyn Link>> {
    Ok(match parts {
        Some(parts) => Box::new(Rings::new(socket, parts, first)?),
        None => Box::new(socket),
    })
}

/// The largest packet, its flag byte included.
pub(crate) const MAX_PACKET: usize = 64 * 1024;

/// How many descriptors a packet may carry.
pub(crate) const MAX_DESCRIPTORS: usize = 4;

/// The longest frame that descriptors may go with. It is sent in one piece.
pub(crate) const MAX_CARRIED: usize = 1024;

/// A frame as the link has received it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Where the process had no room for the descriptors: they are to be closed before this is dropped, which is soon.
    pub(crate) loan: Option<Loan>,
}

/// What a try to receive gave.
#[derive(Debug)]
pub(crate) enum ReceiveOutcome {
    Frame(Received),
    /// A part of a frame: try again.
    Part,
    /// Nothing has come.
    Nothing,
    /// Nothing will come: the other end is closed and everything has been read.
    Ended,
}

/// Why a link is of no use any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the socket failed")]
    Io(#[from] std::io::Error),
    #[error("a packet is larger than packets are")]
    PacketTooLarge,
    #[error("more descriptors than packets carry, or some of them lost")]
    DescriptorsLost,
    #[error("descriptors came unannounced, or with a part of a frame")]
    StrayDescriptors,
    #[error("a packet's flag is {0}")]
    Flag(u8),
    #[error("a frame is longer than frames are")]
    FrameTooLong,
    #[error(transparent)]
    Ring(#[from] ring::Broken),
    #[error("a record announces descriptors that have not come")]
    DescriptorsMissing,
    #[error("a packet that brings no descriptors")]
    StrayPacket,
}

/// Whether everything that was to be sent is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Yes.
    All,
    /// There will be room when the socket is writable.
    Full,
    /// There will be room after the descriptor has become readable (and been read).
    Waits,
}
