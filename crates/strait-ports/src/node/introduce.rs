//! How nodes come to know each other: welcome, introductions, and the broker's news of who ends.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::links::Offence;
use super::state::{NodeState, Role};
use crate::link::{self, Link, LinkKind, RingParts, Socket};
use crate::message::CloseReason;
use crate::name::{NodeName, SideName};
use crate::router::ElementKey;
use crate::wire::{self, Control, Encoded, Fallback, Packet, VERSION};

impl NodeState {
    /// Broker: names the node at the other end of `socket` and welcomes it.
    pub(super) fn invite(&mut self, socket: OwnedFd) -> io::Result<ElementKey> {
        let Role::Broker { links, .. } = self.role else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "only the broker invites"));
        };
        let node = NodeName(self.router.fresh_name());
        let (yours, mine) = (SideName(self.router.fresh_name()), SideName(self.router.fresh_name()));
        let me = self.router.me();
        let mut socket = Socket::new(socket)?;
        let [ours, theirs] = ring_parts(links);
        let welcome = Control::Welcome { version: VERSION, you: node, broker: me, yours, mine };
        let welcome = Encoded { fallback: Fallback::Bare, ..wire::encode(Packet::Control(welcome)) };
        socket.push(welcome, theirs.into_iter().flat_map(RingParts::into_descriptors).collect());
        // At once: if the parts of the rings cannot go, neither of us has any.
        let _ = socket.flush();
        let ours = if socket.fell_back() { None } else { ours };
        self.connect(node, link::over(socket, ours, me < node)?)?;
        if let Some(slot) = self.peers.slot(node) {
            self.flush(slot);
        }
        let key = self.bootstrap(mine, node, yours);
        self.bootstraps.insert(key, node);
        Ok(key)
    }

    /// The router needs a link to this node.
    pub(super) fn seek_introduction(&mut self, node: NodeName) {
        match self.role {
            Role::Member { broker: Some(broker) } => self.say(broker, Packet::Control(Control::Introduce(node)), Vec::new()),
            // The broker has a link to everybody there is.
            Role::Broker { .. } | Role::Member { broker: None } => self.router.unreachable(node),
        }
    }

    /// A node has said something that is not about a channel.
    pub(super) fn control(&mut self, from: NodeName, control: Control, descriptors: Vec<OwnedFd>, loan: bool) -> Result<(), Offence> {
        let from_broker = matches!(self.role, Role::Member { broker: Some(broker) } if broker == from);
        let broker = matches!(self.role, Role::Broker { .. });
        match control {
            Control::Goodbye(reason) => self.lose(from, reason),
            Control::Introduce(node) if broker => self.introduce(from, node),
            Control::Introduction(node) if from_broker => self.meet(node, descriptors, loan),
            Control::Unreachable(node) if from_broker => self.router.unreachable(node),
            Control::Departing(node, reason) if from_broker => {
                if let Some(peer) = self.peers.get_mut(node) {
                    peer.departure = Some(reason);
                }
            }
            Control::PeerDied(node, reason) if from_broker => self.peer_died(node, reason),
            Control::Offer(arena) => self.offered(from, arena, descriptors)?,
            Control::Answer(arena, accepted) => self.answered(from, arena, accepted)?,
            Control::Done(arena, page) => self.released(from, arena, page)?,
            Control::Withdraw(arena) => self.withdrawn(from, arena)?,
            other => return Err(Offence::NotEntitled(other)),
        }
        Ok(())
    }

    /// Broker: makes two nodes known to each other, once. Nothing is remembered of a request that cannot be met.
    fn introduce(&mut self, from: NodeName, to: NodeName) {
        let Role::Broker { introduced, links } = &mut self.role else { return };
        let known = introduced.get(&from).is_some_and(|others| others.contains(&to));
        let pair = (from != to && !known && self.peers.contains(from) && self.peers.contains(to))
            .then(|| socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None));
        let (one, other) = match pair {
            Some(Ok(pair)) => pair,
            Some(Err(why)) => {
                tracing::warn!("no socket pair for an introduction: {why}");
                return self.say(from, Packet::Control(Control::Unreachable(to)), Vec::new());
            }
            None => return self.say(from, Packet::Control(Control::Unreachable(to)), Vec::new()),
        };
        introduced.entry(from).or_default().insert(to);
        introduced.entry(to).or_default().insert(from);
        let [parts, parts_of_other] = ring_parts(*links);
        for (node, whom, socket, parts) in [(from, to, one, parts), (to, from, other, parts_of_other)] {
            let descriptors = std::iter::once(socket).chain(parts.into_iter().flat_map(RingParts::into_descriptors)).collect();
            let introduction = wire::encode(Packet::Control(Control::Introduction(whom)));
            // Who cannot be sent them hears so. The other has a link that ends at once.
            let fallback = Fallback::Frame(Box::new(wire::encode(Packet::Control(Control::Unreachable(whom)))));
            if let Some(slot) = self.peers.slot(node) {
                self.say_frame(slot, Encoded { fallback, ..introduction }, descriptors);
            }
            if let Some(reason) = self.peers.get(whom).and_then(|peer| peer.departure) {
                self.say(node, Packet::Control(Control::Departing(whom, reason)), Vec::new());
            }
        }
    }

    /// Member: the broker has introduced a node. A link cannot be made of descriptors on loan; the node at the other end sees that it ends at once.
    fn meet(&mut self, node: NodeName, descriptors: Vec<OwnedFd>, loan: bool) {
        if node == self.router.me() || self.peers.contains(node) {
            return;
        }
        if loan {
            tracing::warn!(?node, "introduced in vain: no descriptors left");
            return self.router.unreachable(node);
        }
        let first = self.router.me() < node;
        let mut descriptors = descriptors.into_iter();
        let Some(socket) = descriptors.next() else { return };
        match Socket::new(socket)
            .and_then(|s| link::over(s, RingParts::from_descriptors(&mut descriptors), first))
            .and_then(|link| self.connect(node, link))
        {
            Ok(()) => self.router.link_up(node),
            Err(why) => {
                tracing::warn!(?node, "introduced in vain: {why}");
                self.router.unreachable(node);
            }
        }
    }

    /// Member: the broker says that a node has ended. Its own link may not show it, if a copy of its descriptor is still open somewhere.
    ///
    /// What it had sent is still heard, in the link's ordinary turns. What comes later was not sent by a node that has ended: an impostor
    /// could go on for ever.
    fn peer_died(&mut self, node: NodeName, reason: CloseReason) {
        self.router.unreachable(node);
        let Some(peer) = self.peers.get_mut(node) else { return };
        peer.departure.get_or_insert(reason);
        peer.reported_dead_at.get_or_insert(peer.link.arrived());
        self.drop_dead_peer(node);
    }

    /// After a node is lost: the broker tells those who knew it, and a member that has lost its broker waits for no introductions.
    pub(super) fn report_death(&mut self, node: NodeName, reason: CloseReason) {
        match &mut self.role {
            Role::Broker { introduced, .. } => {
                self.bootstraps.retain(|_, n| *n != node);
                let acquaintances = introduced.remove(&node).unwrap_or_default();
                for acquaintance in &acquaintances {
                    if let Some(others) = introduced.get_mut(acquaintance) {
                        others.remove(&node);
                    }
                }
                for acquaintance in acquaintances {
                    self.say(acquaintance, Packet::Control(Control::PeerDied(node, reason)), Vec::new());
                }
            }
            Role::Member { broker } if *broker == Some(node) => {
                *broker = None;
                for awaited in self.router.awaited_nodes() {
                    self.router.unreachable(awaited);
                }
            }
            Role::Member { .. } => {}
        }
    }

    /// Broker: how the coming end of a bootstrap channel's node is to be understood.
    pub(super) fn expect_departure(&mut self, bootstrap: ElementKey, reason: CloseReason) {
        let Some(node) = self.bootstraps.get(&bootstrap).copied() else { return };
        if let Some(peer) = self.peers.get_mut(node) {
            peer.departure = Some(reason);
        }
        let Role::Broker { introduced, .. } = &self.role else { return };
        let acquaintances: Vec<_> = introduced.get(&node).into_iter().flatten().copied().collect();
        for acquaintance in acquaintances {
            self.say(acquaintance, Packet::Control(Control::Departing(node, reason)), Vec::new());
        }
    }

    /// Says goodbye to everybody.
    pub(super) fn say_goodbye(&mut self, reason: CloseReason) {
        let everybody: Vec<_> = self.peers.iter().map(|peer| peer.name).collect();
        for node in everybody {
            self.say(node, Packet::Control(Control::Goodbye(reason)), Vec::new());
        }
    }

    /// Gives every link up.
    pub(super) fn hang_up(&mut self, reason: CloseReason) {
        let everybody: Vec<_> = self.peers.iter().map(|peer| peer.name).collect();
        for node in everybody {
            self.lose(node, reason);
        }
    }
}

/// The parts of rings, for both nodes or for neither: a link without them is a socket alone.
fn ring_parts(links: LinkKind) -> [Option<RingParts>; 2] {
    if links == LinkKind::Socket {
        return [None, None];
    }
    match RingParts::pair() {
        Ok(pair) => pair.map(Some),
        Err(why) => {
            tracing::warn!("no rings for a link: {why}");
            [None, None]
        }
    }
}

impl Drop for NodeState {
    /// The last handle is gone: an end in good order, as far as the links have room.
    fn drop(&mut self) {
        self.say_goodbye(CloseReason::Exited);
        for peer in self.peers.iter_mut() {
            let _ = peer.link.flush();
        }
    }
}
