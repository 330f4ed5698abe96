//! The link over a Unix `SOCK_SEQPACKET` socket.
//!
//! A frame that is longer than a packet is split; the first byte of a packet says whether the frame goes on. Descriptors ride on a frame's first packet.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketType, recvmsg, sendmsg, sockopt,
};

use super::queue::{Assembly, Queue};
use super::{Flushed, Incoming, Link, LinkError, MAX_DESCRIPTORS, MAX_PACKET};
use crate::wire::Encoded;

/// Flag of a packet that ends its frame.
const LAST: u8 = 0;
/// Flag of a packet whose frame goes on.
const MORE: u8 = 1;

/// See the module.
pub(crate) struct Socket {
    fd: OwnedFd,
    queue: Queue,
    /// The other end does not read any more; what it has sent may still be readable.
    deaf: bool,
    /// Bytes of the packets that have been taken.
    received: u64,
    assembly: Assembly,
}

impl Socket {
    /// A link over `fd`, which becomes nonblocking.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        if sockopt::socket_domain(&fd)? != AddressFamily::UNIX || sockopt::socket_type(&fd)? != SocketType::SEQPACKET {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link needs a Unix SOCK_SEQPACKET socket"));
        }
        fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
        Ok(Self { fd, queue: Queue::default(), deaf: false, received: 0, assembly: Assembly::default() })
    }

    /// A frame has gone without its descriptors, as there were too many under way.
    pub(crate) fn fell_back(&self) -> bool {
        self.queue.fell_back()
    }

    pub(super) fn deaf(&self) -> bool {
        self.deaf
    }

    pub(super) fn deafen(&mut self) {
        self.deaf = true;
        self.queue.clear();
    }

    /// Sends the next packet of the first frame; gives the number of the frame's bytes in it.
    fn send_next(&mut self) -> Result<Option<usize>, Errno> {
        let Some(next) = self.queue.first() else { return Ok(None) };
        let [data, tail] = next.piece(MAX_PACKET - 1);
        let sent = data.len() + tail.len();
        let flag = [if sent == next.left() { LAST } else { MORE }];
        send_packet(&self.fd, &[&flag, data, tail], &next.descriptors())?;
        Ok(Some(sent))
    }
}

impl Link for Socket {
    fn data_backlog(&self) -> usize {
        self.queue.data()
    }

    fn control_backlog(&self) -> usize {
        self.queue.control()
    }

    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>) {
        if !self.deaf {
            self.queue.push(frame, descriptors);
        }
    }

    fn flush(&mut self) -> Result<Flushed, LinkError> {
        loop {
            match self.send_next() {
                Ok(Some(sent)) => {
                    self.queue.descriptors_sent();
                    self.queue.sent(sent);
                }
                Ok(None) => return Ok(Flushed::All),
                Err(Errno::INTR) => {}
                Err(Errno::TOOMANYREFS) if self.queue.fall_back() => {}
                Err(error) if is_full(error) => return Ok(Flushed::Full),
                Err(error) if is_gone(error) => self.deafen(),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    #[cfg(test)]
    fn max_frame(&mut self) -> &mut usize {
        &mut self.assembly.max_frame
    }

    fn woken(&mut self) {}

    fn received(&self) -> u64 {
        self.received
    }

    fn arrived(&mut self) -> u64 {
        // The kernel counts whole packets here, not only the next one, for this type of socket.
        self.received + arrived(&self.fd)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<Incoming, LinkError> {
        let (length, descriptors) = match receive_packet(&self.fd, &mut buffer[..MAX_PACKET])? {
            Some((0, _)) => return Ok(Incoming::Ended),
            Some(packet) => packet,
            None => return Ok(Incoming::Nothing),
        };
        self.received += length as u64;
        let (flag, piece) = (buffer[0], &buffer[1..length]);
        let more = match flag {
            LAST => false,
            // A part that brings nothing could be repeated for ever.
            MORE if !piece.is_empty() => true,
            flag => return Err(LinkError::Flag(flag)),
        };
        self.assembly.add(more, piece.len(), piece.len(), descriptors, |bytes| bytes.extend_from_slice(piece))
    }
}

/// There is no room.
pub(super) fn is_full(error: Errno) -> bool {
    matches!(error, Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM)
}

/// Nobody reads at the other end any more.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Bytes in all packets that have come and have not been received.
pub(super) fn arrived(fd: impl AsFd) -> u64 {
    ioctl_fionread(fd).unwrap_or(0)
}

/// Sends one packet.
pub(super) fn send_packet(fd: impl AsFd, pieces: &[&[u8]; 3], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let pieces = pieces.map(IoSlice::new);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(fd, &pieces, &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}

/// The next packet's length and descriptors; `None` if nothing has come.
pub(super) fn receive_packet(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<(usize, Vec<OwnedFd>)>, LinkError> {
    let mut resets = 0;
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        match recvmsg(&fd, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags) {
            Ok(message) => {
                let mut descriptors = Vec::new();
                for control in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(rights) = control {
                        descriptors.extend(rights);
                    }
                }
                // Padding may make room for one more than was asked for.
                if message.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > MAX_DESCRIPTORS {
                    return Err(LinkError::DescriptorsLost);
                }
                if message.flags.contains(ReturnFlags::TRUNC) {
                    return Err(LinkError::PacketTooLarge);
                }
                return Ok(Some((message.bytes, descriptors)));
            }
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR) => {}
            // The other end closed without having read everything. That is told before what it had sent, and only once: read on.
            Err(Errno::CONNRESET) if resets < 8 => resets += 1,
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
}
