//! The link over a Unix `SOCK_SEQPACKET` socket.
//!
//! A frame that is longer than a packet is split; the first byte of a packet shows whether the
//! frame continues. A frame with descriptors is one packet, and a packet before it announces it,
//! because receiving descriptors takes more care and time than most packets need. If the
//! descriptors cannot be sent after all, the announced packet has none.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::packets::{Carried, arrived, is_full, is_gone, receive_carrier, receive_packet, send_packet};
use super::queue::{Assembly, Queue};
use super::{Flushed, Link, LinkError, MAX_PACKET, ReceiveOutcome};
use crate::wire::Encoded;

/// Flag of a packet that ends its frame.
const LAST: u8 = 0;
/// Flag of a packet whose frame continues.
const MORE: u8 = 1;
/// The only byte of a packet that announces descriptors in the next one. (2 is another kind of
/// packet, see [`super::Rings`].)
const ANNOUNCEMENT: u8 = 3;

/// A link that is a socket alone.
pub(crate) struct Socket {
    fd: OwnedFd,
    queue: Queue,
    /// The next packet was announced: to the peer, and by the peer.
    has_announced: bool,
    announced: bool,
    /// The peer does not read any more; data that it has sent may still be unread.
    deaf: bool,
    /// The bytes of all received packets.
    received: u64,
    assembly: Assembly,
}

impl Socket {
    /// Makes a link over `fd`, and sets `fd` to non-blocking.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        if sockopt::socket_domain(&fd)? != AddressFamily::UNIX || sockopt::socket_type(&fd)? != SocketType::SEQPACKET {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link needs a Unix SOCK_SEQPACKET socket"));
        }
        fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
        Ok(Self {
            fd,
            queue: Queue::default(),
            has_announced: false,
            announced: false,
            deaf: false,
            received: 0,
            assembly: Assembly::default(),
        })
    }

    /// Whether a frame was sent without its descriptors, because too many were in flight.
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

    /// Sends the next packet of the first frame; returns the number of the frame's bytes in it.
    fn send_next(&mut self) -> Result<Option<usize>, Errno> {
        let Some(next) = self.queue.first() else { return Ok(None) };
        let descriptors = next.descriptors();
        if !descriptors.is_empty() && !self.has_announced {
            send_packet(&self.fd, &[&[ANNOUNCEMENT], &[], &[]], &[])?;
            self.has_announced = true;
        }
        let [data, tail] = next.piece(MAX_PACKET - 1);
        let sent = data.len() + tail.len();
        let flag = [if sent == next.left() { LAST } else { MORE }];
        send_packet(&self.fd, &[&flag, data, tail], &descriptors)?;
        self.has_announced = false;
        Ok(Some(sent))
    }

    /// The next packet's length and descriptors; `None` if no packet has arrived.
    fn receive_any(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, Carried)>, LinkError> {
        let packet = if self.announced {
            receive_carrier(&self.fd, buffer)?
        } else {
            receive_packet(&self.fd, buffer)?.map(|length| (length, Carried::default()))
        };
        if let Some((length, _)) = packet {
            self.announced = false;
            self.received += length as u64;
        }
        Ok(packet)
    }
}

impl Link for Socket {
    fn data_backlog(&self) -> usize {
        self.queue.data()
    }

    fn waiting(&self) -> usize {
        self.queue.waiting()
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
        // For this type of socket the kernel counts all waiting packets, not only the next one.
        self.received + arrived(&self.fd)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<ReceiveOutcome, LinkError> {
        let buffer = &mut buffer[..MAX_PACKET];
        let was_announced = self.announced;
        let mut packet = self.receive_any(buffer)?;
        if !was_announced && matches!(packet, Some((1, _))) && buffer[0] == ANNOUNCEMENT {
            if self.assembly.has_part() {
                return Err(LinkError::StrayDescriptors);
            }
            self.announced = true;
            packet = self.receive_any(buffer)?;
        }
        let (length, carried) = match packet {
            Some((0, _)) => return Ok(ReceiveOutcome::Ended),
            Some(packet) => packet,
            None => return Ok(ReceiveOutcome::Nothing),
        };
        let (flag, piece) = (buffer[0], &buffer[1..length]);
        let more = match flag {
            LAST => false,
            // An empty part could be repeated without end.
            MORE if !piece.is_empty() => true,
            flag => return Err(LinkError::Flag(flag)),
        };
        self.assembly.add(more, piece.len(), piece.len(), carried, |bytes| bytes.extend_from_slice(piece))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
