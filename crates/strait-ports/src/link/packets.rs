//! The packets of a `SOCK_SEQPACKET` socket, one at a time.
//!
//! Packets that may carry descriptors are first peeked at. They are taken only when it is certain
//! that none of their descriptors are lost. So a process without room for them is notified in time
//! to make room (see [`super::reserve`]). All other packets are received without room for
//! descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg,
    sendmsg,
};

use super::reserve::{Access, Loan};
use super::{LinkError, MAX_DESCRIPTORS};

/// The descriptors of a packet.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) descriptors: Vec<OwnedFd>,
    pub(super) loan: Option<Loan>,
}

/// A received packet.
struct Packet {
    length: usize,
    descriptors: Vec<OwnedFd>,
    /// The packet has more descriptors than these.
    incomplete: bool,
}

/// Whether the error means that there is no room.
pub(super) fn is_full(error: Errno) -> bool {
    matches!(error, Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM)
}

/// Whether the error means that the peer does not read any more.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN)
}

/// The bytes in all packets that have arrived and were not received.
pub(super) fn arrived(fd: impl AsFd) -> u64 {
    ioctl_fionread(fd).unwrap_or(0)
}

/// Whether the peer has closed the socket: no further packet will arrive.
pub(super) fn is_ended(fd: impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [PollFd::new(&fd, PollFlags::RDHUP)];
    matches!(poll(&mut fds, Some(&now)), Ok(1..))
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

/// Receives the next packet, which carries no descriptors, and returns its length; `None` if no
/// packet has arrived.
pub(super) fn receive_packet(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<usize>, LinkError> {
    match receive(fd, buffer, RecvAncillaryBuffer::default(), RecvFlags::empty())? {
        Some(packet) if packet.incomplete => Err(LinkError::StrayDescriptors),
        packet => Ok(packet.map(|packet| packet.length)),
    }
}

/// Peeks at the next packet: its length, and whether it carries descriptors. `None` if no packet
/// has arrived.
pub(super) fn peek_packet(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<(usize, bool)>, LinkError> {
    let packet = receive(fd, buffer, RecvAncillaryBuffer::default(), RecvFlags::PEEK)?;
    Ok(packet.map(|packet| (packet.length, packet.incomplete)))
}

/// Receives the next packet, which may carry descriptors: its length, and these. `None` if no
/// packet has arrived.
pub(super) fn receive_carrier(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<(usize, Carried)>, LinkError> {
    let mut reserve = Access::get();
    let Some(mut packet) = look(&fd, buffer)? else { return Ok(None) };
    if packet.incomplete {
        if packet.descriptors.len() >= MAX_DESCRIPTORS {
            return Err(LinkError::DescriptorsLost);
        }
        drop(packet);
        if !reserve.give_up() {
            return Err(LinkError::DescriptorsLost);
        }
        packet = look(&fd, buffer)?.filter(|packet| !packet.incomplete).ok_or(LinkError::DescriptorsLost)?;
    }
    // Discards the packet with the kernel's own copies of the descriptors. It may be longer than
    // this buffer.
    match receive(&fd, &mut [0], RecvAncillaryBuffer::default(), RecvFlags::empty()) {
        Ok(_) | Err(LinkError::PacketTooLarge) => {}
        Err(why) => return Err(why),
    }
    Ok(Some((packet.length, Carried { descriptors: packet.descriptors, loan: reserve.settle() })))
}

/// Peeks at the next packet, with copies of its descriptors.
fn look(fd: impl AsFd, buffer: &mut [u8]) -> Result<Option<Packet>, LinkError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    receive(fd, buffer, RecvAncillaryBuffer::new(&mut space), RecvFlags::PEEK)
}

fn receive(fd: impl AsFd, buffer: &mut [u8], mut ancillary: RecvAncillaryBuffer<'_>, how: RecvFlags) -> Result<Option<Packet>, LinkError> {
    let mut resets = 0;
    loop {
        match recvmsg(&fd, &mut [IoSliceMut::new(buffer)], &mut ancillary, how | RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT) {
            Ok(message) => {
                let mut descriptors = Vec::new();
                for control in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(rights) = control {
                        descriptors.extend(rights);
                    }
                }
                // Padding may make room for one descriptor more than requested.
                let incomplete = message.flags.contains(ReturnFlags::CTRUNC) || descriptors.len() > MAX_DESCRIPTORS;
                if message.flags.contains(ReturnFlags::TRUNC) {
                    return Err(LinkError::PacketTooLarge);
                }
                return Ok(Some(Packet { length: message.bytes, descriptors, incomplete }));
            }
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR) => {}
            // The peer closed without having read everything. The kernel reports that once, before
            // the data that it had sent: receive again.
            Err(Errno::CONNRESET) if resets < 8 => resets += 1,
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
}
