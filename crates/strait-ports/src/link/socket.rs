//! The link over a Unix `SOCK_SEQPACKET` socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketType, recvmsg, sendmsg, sockopt,
};

use super::{Flushed, Incoming, LinkError, MAX_DESCRIPTORS, MAX_PACKET, Received};
use crate::wire::{Encoded, MAX_FRAME};

/// Flag of a packet that ends its frame.
const LAST: u8 = 0;
/// Flag of a packet whose frame goes on.
const MORE: u8 = 1;

/// A frame on its way out.
struct Outgoing {
    frame: Encoded,
    descriptor: Option<OwnedFd>,
    /// Bytes that have been sent.
    sent: usize,
}

impl Outgoing {
    fn len(&self) -> usize {
        self.frame.data.len() + self.frame.tail.len()
    }
}

/// See [`super`].
pub(crate) struct Socket {
    fd: OwnedFd,
    outgoing: VecDeque<Outgoing>,
    /// Bytes in `outgoing`: the messages' data, and all of what are not messages.
    data_backlog: usize,
    control_backlog: usize,
    /// The other end does not read any more; what it has sent may still be readable.
    deaf: bool,
    /// Bytes of the packets that have been taken.
    received: u64,
    /// The frame that is being received.
    partial: Option<Received>,
    pub(super) max_frame: usize,
}

impl Socket {
    /// A link over `fd`, which becomes nonblocking.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        if sockopt::socket_domain(&fd)? != AddressFamily::UNIX || sockopt::socket_type(&fd)? != SocketType::SEQPACKET {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link needs a Unix SOCK_SEQPACKET socket"));
        }
        fcntl_setfl(&fd, fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
        let outgoing = VecDeque::new();
        Ok(Self { fd, outgoing, data_backlog: 0, control_backlog: 0, deaf: false, received: 0, partial: None, max_frame: MAX_FRAME })
    }

    /// Bytes of messages that wait for room.
    pub(crate) fn data_backlog(&self) -> usize {
        self.data_backlog
    }

    /// Bytes that wait for room and are no messages: what the engines say to each other.
    pub(crate) fn control_backlog(&self) -> usize {
        self.control_backlog
    }

    /// Bytes that have been received so far, in packets of any kind.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// What [`Socket::received`] will be once everything is received that has come by now.
    pub(crate) fn arrived(&self) -> u64 {
        // The kernel counts whole packets here, not only the next one, for this type of socket.
        self.received + ioctl_fionread(&self.fd).unwrap_or(0)
    }

    /// Queues a frame; [`Socket::flush`] sends it.
    pub(crate) fn push(&mut self, frame: Encoded, descriptor: Option<OwnedFd>) {
        if self.deaf {
            return;
        }
        self.data_backlog += frame.data.len();
        self.control_backlog += control_bytes(&frame);
        self.outgoing.push_back(Outgoing { frame, descriptor, sent: 0 });
    }

    /// Sends as much as there is room for.
    ///
    /// That the other end is gone is no error here: what it sent before is still to be read, and the end comes after it.
    pub(crate) fn flush(&mut self) -> io::Result<Flushed> {
        while let Some(next) = self.outgoing.front_mut() {
            match send_packet(&self.fd, next) {
                Ok(sent) => {
                    next.sent += sent;
                    next.descriptor = None;
                    if next.sent == next.len() {
                        self.data_backlog -= next.frame.data.len();
                        self.control_backlog -= control_bytes(&next.frame);
                        self.outgoing.pop_front();
                    }
                }
                Err(Errno::INTR) => {}
                // Too many descriptors under way passes as soon as somebody receives some.
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS) => return Ok(Flushed::Full),
                Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => {
                    self.deaf = true;
                    self.outgoing.clear();
                    (self.data_backlog, self.control_backlog) = (0, 0);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Flushed::All)
    }

    /// Takes one packet. `buffer` has room for [`MAX_PACKET`] bytes and is only a place to work in.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Result<Incoming, LinkError> {
        let (length, descriptors) = match receive_packet(&self.fd, &mut buffer[..MAX_PACKET])? {
            Some((0, _)) => return Ok(Incoming::Ended),
            Some(packet) => packet,
            None => return Ok(Incoming::Nothing),
        };
        self.received += length as u64;
        let (flag, piece) = (buffer[0], &buffer[1..length]);
        // Room is made for what has come, never for what is announced.
        let mut frame = match self.partial.take() {
            None => Received { bytes: piece.to_vec(), descriptors },
            Some(_) if !descriptors.is_empty() => return Err(LinkError::StrayDescriptors),
            Some(mut frame) => {
                if frame.bytes.len() + piece.len() > self.max_frame {
                    return Err(LinkError::FrameTooLong);
                }
                frame.bytes.extend_from_slice(piece);
                frame
            }
        };
        match flag {
            LAST => {
                // A frame of many packets has grown by doubling.
                frame.bytes.shrink_to_fit();
                Ok(Incoming::Frame(frame))
            }
            // A part that brings nothing could be repeated for ever.
            MORE if !piece.is_empty() => {
                self.partial = Some(frame);
                Ok(Incoming::Part)
            }
            flag => Err(LinkError::Flag(flag)),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn control_bytes(frame: &Encoded) -> usize {
    if frame.message { 0 } else { frame.tail.len() }
}

/// Sends the next packet of a frame and gives the number of the frame's bytes in it.
fn send_packet(fd: &OwnedFd, frame: &Outgoing) -> Result<usize, Errno> {
    let (data, tail) = (&frame.frame.data, &frame.frame.tail);
    let end = frame.len().min(frame.sent + MAX_PACKET - 1);
    let part = |bytes: &'_ Vec<u8>, offset: usize| {
        let at = |position: usize| position.saturating_sub(offset).min(bytes.len());
        (at(frame.sent), at(end))
    };
    let ((data_from, data_to), (tail_from, tail_to)) = (part(data, 0), part(tail, data.len()));
    let flag = [if end == frame.len() { LAST } else { MORE }];
    let pieces = [IoSlice::new(&flag), IoSlice::new(&data[data_from..data_to]), IoSlice::new(&tail[tail_from..tail_to])];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = frame.descriptor.iter().map(AsFd::as_fd).collect();
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    sendmsg(fd, &pieces, &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(end - frame.sent)
}

/// The next packet's length and descriptors; `None` if nothing has come.
fn receive_packet(fd: &OwnedFd, buffer: &mut [u8]) -> Result<Option<(usize, Vec<OwnedFd>)>, LinkError> {
    let mut resets = 0;
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        match recvmsg(fd, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags) {
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
