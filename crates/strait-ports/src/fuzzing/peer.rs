//! The raw end of a socket, as a hostile process has it.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// The most descriptors sent with one packet: more than a link takes.
pub(super) const MOST_DESCRIPTORS: usize = 7;

pub(super) fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None).expect("a socket pair")
}

/// A descriptor without a use.
pub(super) fn descriptor() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC).expect("an eventfd")
}

/// Sends a packet; false if there is no room for it, or no receiver.
pub(super) fn send(fd: impl AsFd, bytes: &[u8], descriptors: usize) -> bool {
    let useless = descriptor();
    let rights = [useless.as_fd(); MOST_DESCRIPTORS];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if descriptors > 0 {
        ancillary.push(SendAncillaryMessage::ScmRights(&rights[..descriptors]));
    }
    sendmsg(fd, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT).is_ok()
}

/// Receives a packet and discards it; false if there is none.
pub(super) fn swallow(fd: impl AsFd) -> bool {
    let mut bytes = [0; 256];
    let mut ancillary = RecvAncillaryBuffer::default();
    recvmsg(fd, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::DONTWAIT).is_ok_and(|message| message.bytes > 0)
}

pub(super) fn readable(fd: impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&now)).is_ok_and(|ready| ready > 0)
}
