//! A compromised process's use of its links, for tests of the other end: it sends frames of any
//! kind at any time, with or without descriptors, shuts a link down in one direction, and keeps
//! received descriptors.
//!
//! The module exists only with the feature `hostile`, which is off in released programs.

use std::os::fd::OwnedFd;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::write;
use rustix::net::{Shutdown, shutdown};

use super::state::NodeState;
use crate::link::arena::Reference;
use crate::name::{Addr, NodeName};
use crate::router::{Consumed, Descriptor, Event, Frame};
use crate::wire::{self, Control, Encoded, Packet};
use crate::{CloseReason, Port};

/// A frame, ready to send, with the name of its kind.
pub type NamedFrame = (&'static str, Vec<u8>);

/// A frame of every kind that nodes exchange. The events name `port`'s own edge, so that the other
/// end accepts them as its neighbour's; the control messages name this node.
///
/// Empty if the other end of `port` is in this process or gone.
pub fn frames(port: &Port) -> Vec<NamedFrame> {
    port.shared().act(|state| {
        let key = port.element();
        let (Some(from), Some(to), Some(_)) = (state.router.name_of(key), state.router.peer_of(key), state.router.remote_neighbour(key))
        else {
            return Vec::new();
        };
        let me = state.router.me();
        let next = Addr { node: me, side: from };
        let port = Descriptor { side: from, neighbour: to.side, flow_state: Default::default() };
        let lent = Reference { arena: 0, page: 0, length: 4096 };
        let message = |ports| Event::Message { data: vec![b'x'; 32].into(), ports, hops: 0 };
        let bare = Event::Message { data: Vec::new().into(), ports: Vec::new(), hops: 0 };
        let event = |event| Packet::Event(Frame { from, to: to.side, event });
        let welcome = Control::Welcome { version: wire::VERSION, you: to.node, broker: me, yours: to.side, mine: from };
        let packets = [
            ("message", event(message(vec![port]))),
            ("lent message", Packet::Lent(Frame { from, to: to.side, event: bare }, lent)),
            ("shared buffer", Packet::Shared(32, vec![b'x'; 32])),
            ("close", event(Event::Close(CloseReason::Exited))),
            ("lock", event(Event::Lock)),
            ("granted", event(Event::Granted)),
            ("unlock", event(Event::Unlock)),
            ("expect", event(Event::Expect(next))),
            ("expecting", event(Event::Expecting)),
            ("cannot reach", event(Event::CannotReach)),
            ("bypass", event(Event::Bypass(next))),
            ("fence", event(Event::Fence)),
            ("consumed", event(Event::Consumed { batch: Consumed { messages: u32::MAX, bytes: u32::MAX }, hops: 0 })),
            ("batch size", event(Event::CreditPolicy { policy: None, hops: 0 })),
            ("welcome", Packet::Control(welcome)),
            ("introduce", Packet::Control(Control::Introduce(me))),
            ("introduction", Packet::Control(Control::Introduction(me))),
            ("unreachable", Packet::Control(Control::Unreachable(me))),
            ("departing", Packet::Control(Control::Departing(to.node, CloseReason::Exited))),
            ("peer died", Packet::Control(Control::PeerDied(to.node, CloseReason::Exited))),
            ("goodbye", Packet::Control(Control::Goodbye(CloseReason::Exited))),
            ("arena offer", Packet::Control(Control::Offer(0))),
            ("arena answer", Packet::Control(Control::Answer(0, true))),
            ("arena release", Packet::Control(Control::Done(0, 7))),
            ("arena withdrawal", Packet::Control(Control::Withdraw(0))),
        ];
        packets.into_iter().map(|(kind, packet)| (kind, bytes(wire::encode(packet)))).collect()
    })
}

/// Sends these bytes as a frame over the link of `port`'s other end, with this many meaningless
/// descriptors (at most 4). False if there is no such link, or no descriptor is left.
pub fn send(port: &Port, frame: Vec<u8>, descriptors: usize) -> bool {
    let useless: Result<Vec<_>, _> =
        (0..descriptors.min(crate::link::MAX_DESCRIPTORS)).map(|_| eventfd(0, EventfdFlags::CLOEXEC)).collect();
    let Ok(useless) = useless else { return false };
    let frame = Encoded { data: frame, message: true, ..Encoded::default() };
    with_peer(port, |state, node| state.peers.slot(node).map(|slot| state.say_frame(slot, frame, useless))).is_some()
}

/// Sends a shared buffer of this size over the link of `port`'s other end, in sealed memory that
/// this process does not count. It belongs to the next message. False if there is no such link, or
/// no memory is left.
pub fn send_sealed(port: &Port, length: usize) -> bool {
    let sealed = || {
        let file = memfd_create("hostile", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        write(&file, &vec![b'x'; length])?;
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        rustix::io::Result::Ok(file)
    };
    let Ok(file) = sealed() else { return false };
    let frame = wire::encode(Packet::Shared(length as u64, Vec::new()));
    with_peer(port, |state, node| state.peers.slot(node).map(|slot| state.say_frame(slot, frame, vec![file]))).is_some()
}

/// A node's further use of received descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hoard {
    /// It keeps copies of them without end.
    Copies,
    /// It keeps them without end, and ignores the frames that carried them.
    Frames,
}

/// Sets the use of received descriptors for the node of `port`.
pub fn hoard(port: &Port, hoard: Hoard) {
    port.shared().act(|state| state.hoard = Some(hoard));
}

impl NodeState {
    /// Applies `hoard` to received descriptors; `None` if their frame must be ignored.
    pub(super) fn hoarded(&self, descriptors: Vec<OwnedFd>) -> Option<Vec<OwnedFd>> {
        match self.hoard {
            Some(Hoard::Copies) => {
                let copies = descriptors.iter().filter_map(|descriptor| descriptor.try_clone().ok());
                copies.for_each(std::mem::forget);
                Some(descriptors)
            }
            Some(Hoard::Frames) if !descriptors.is_empty() => {
                descriptors.into_iter().for_each(std::mem::forget);
                None
            }
            _ => Some(descriptors),
        }
    }
}

/// Shuts the link of `port`'s other end down for sending; this end goes on receiving. False if there
/// is no such link.
pub fn half_close(port: &Port) -> bool {
    with_peer(port, |state, node| state.peers.get(node).map(|peer| shutdown(&peer.link, Shutdown::Write))).is_some_and(|done| done.is_ok())
}

/// Calls `what` with the node at the other end of `port`.
fn with_peer<R>(port: &Port, what: impl FnOnce(&mut NodeState, NodeName) -> Option<R>) -> Option<R> {
    port.shared().act(|state| {
        let node = state.router.remote_neighbour(port.element())?;
        what(state, node)
    })
}

/// Whether the other ends of both ports are reached over the same link.
pub fn share_link(one: &Port, other: &Port) -> bool {
    let [one, other] = [one, other].map(|port| with_peer(port, |_, node| Some(node)));
    one.is_some() && one == other
}

fn bytes(frame: Encoded) -> Vec<u8> {
    [&frame.data[..], &frame.tail].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::Node;

    #[test]
    fn there_is_a_frame_of_every_kind() {
        let is_known = |kind: &u8| !matches!(wire::decode([&[0; 200][..], &[*kind]].concat()), Err(wire::DecodeError::Kind(_)));
        let known: BTreeSet<u8> = (0..=u8::MAX).filter(is_known).collect();
        let broker = Node::broker().unwrap();
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let port = broker.invite(ours).unwrap();
        let _member = Node::join(theirs).unwrap();
        let frames = frames(&port);
        let kinds: BTreeSet<u8> = frames.iter().filter_map(|(_, frame)| frame.last().copied()).collect();
        assert_eq!(kinds, known);
        for (kind, frame) in frames {
            assert!(wire::decode(frame).is_ok(), "{kind} can be decoded");
        }
    }
}
