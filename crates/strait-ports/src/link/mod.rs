//! A link carries frames and descriptors between two nodes, in order.
//!
//! There are two kinds: [`Socket`], a Unix `SOCK_SEQPACKET` pair, and [`Rings`], two rings in memory that both nodes share, with such a pair beside them.
//! [`over`] picks: rings where the broker has given memory for them, which it does if it was made with [`LinkKind::Rings`].

#[cfg(test)]
mod hostile;
mod memory;
mod queue;
mod ring;
#[cfg(all(test, loom))]
mod ring_model;
mod rings;
mod socket;
#[cfg(test)]
mod tests;

pub(crate) use memory::{Inherited, PassedOn, shared_memory, take_inherited};
pub(crate) use rings::Rings;
pub(crate) use socket::Socket;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::wire::Encoded;

/// What the links of a broker's network are.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A socket: the default.
    Socket,
    /// Rings in shared memory, where there is some: the next step of the engine, once it has seen long use.
    Rings,
}

/// The way from one node to another.
pub(crate) trait Link: AsFd + Send {
    /// Queues a frame, and descriptors that go with it; [`Link::flush`] sends it.
    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>);

    /// Sends as much as there is room for.
    ///
    /// That the other end is gone is no error here: what it sent before is still to be read, and the end comes after it.
    fn flush(&mut self) -> Result<Flushed, LinkError>;

    /// The descriptor is readable. Before that is said a link may not look whether it is.
    fn woken(&mut self);

    /// Takes one piece of what has come. `buffer` has room for [`MAX_PACKET`] bytes and is only a place to work in.
    ///
    /// Only after [`Incoming::Nothing`] the descriptor becomes readable when more comes.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<Incoming, LinkError>;

    /// Bytes that have been received so far, in pieces of any kind.
    fn received(&self) -> u64;

    /// What [`Link::received`] will be once everything is received that the other end had sent by now.
    fn arrived(&mut self) -> u64;

    /// Bytes of messages that wait for room.
    fn data_backlog(&self) -> usize;

    /// Bytes that wait for room and are no messages: what the engines say to each other.
    fn control_backlog(&self) -> usize;

    /// The longest frame that is received.
    #[cfg(test)]
    fn max_frame(&mut self) -> &mut usize;
}

/// The link over `socket`, and over `memory` if there is some. What has been pushed on the socket goes there, before anything else. Exactly one of
/// the two nodes is the `first`.
pub(crate) fn over(socket: Socket, memory: Option<OwnedFd>, first: bool) -> io::Result<Box<dyn Link>> {
    Ok(match memory {
        Some(memory) => Box::new(Rings::new(socket, &memory, first)?),
        None => Box::new(socket),
    })
}

/// The largest packet, its flag byte included.
pub(crate) const MAX_PACKET: usize = 64 * 1024;

/// How many descriptors a packet may carry.
pub(crate) const MAX_DESCRIPTORS: usize = 4;

/// A frame as the link has received it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// What a try to receive gave.
#[derive(Debug)]
pub(crate) enum Incoming {
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
    #[error("descriptors came in the middle of a frame")]
    StrayDescriptors,
    #[error("a packet's flag is {0}")]
    Flag(u8),
    #[error("a frame is longer than frames are")]
    FrameTooLong,
    #[error(transparent)]
    Ring(#[from] ring::Broken),
    #[error("a record announces descriptors that have not come")]
    DescriptorsMissing,
    #[error("a packet that is neither a bell nor descriptors")]
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
