//! A link carries frames and descriptors between two nodes, in order.
//!
//! There is one kind so far: [`Socket`], a Unix `SOCK_SEQPACKET` pair. A frame that is longer than a packet is split; the first byte of a packet says
//! whether the frame goes on. Descriptors ride on a frame's first packet.

mod socket;
#[cfg(test)]
mod tests;

pub(crate) use socket::Socket;

use std::os::fd::OwnedFd;

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
}

/// Whether everything that was to be sent is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Yes.
    All,
    /// The socket is full.
    Full,
}
