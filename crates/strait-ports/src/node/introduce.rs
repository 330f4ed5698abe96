//! Connecting nodes: welcome, introductions, and the broker's `PeerDied`.

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
    /// Broker: names the node at the other end of `socket` and sends it a welcome.
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
        // Flushed at once: if the ring parts cannot be sent, neither node uses rings.
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

    /// The router needs a link to this node: requests an introduction.
    pub(super) fn seek_introduction(&mut self, node: NodeName) {
        match self.role {
            Role::Member { broker: Some(broker) } => self.say(broker, Packet::Control(Control::Introduce(node)), Vec::new()),
            // The broker has links to all live nodes.
            Role::Broker { .. } | Role::Member { broker: None } => self.router.unreachable(node),
        }
    }

    /// Handles a control message.
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

    /// Broker: introduces two nodes to each other, once. A request that fails leaves no state.
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
            // A node to which the descriptors cannot be sent receives `Unreachable`. The other node
            // has a link that ends at once.
            let fallback = Fallback::Frame(Box::new(wire::encode(Packet::Control(Control::Unreachable(whom)))));
            if let Some(slot) = self.peers.slot(node) {
                self.say_frame(slot, Encoded { fallback, ..introduction }, descriptors);
            }
            if let Some(reason) = self.peers.get(whom).and_then(|peer| peer.departure) {
                self.say(node, Packet::Control(Control::Departing(whom, reason)), Vec::new());
            }
        }
    }

    /// Member: handles the broker's introduction. A link cannot use descriptors on loan; the other
    /// node then detects the end of the link at once.
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

    /// Member: handles the broker's report that a node has ended. The node's own link may not show
    /// it if a copy of its descriptor is still open.
    ///
    /// Everything that it had sent by then is still received, in the link's ordinary turns. Later
    /// data is not: it does not come from the ended node, and another process with the descriptor
    /// could send without end.
    fn peer_died(&mut self, node: NodeName, reason: CloseReason) {
        self.router.unreachable(node);
        let Some(peer) = self.peers.get_mut(node) else { return };
        peer.departure.get_or_insert(reason);
        peer.reported_dead_at.get_or_insert(peer.link.arrived());
        self.drop_dead_peer(node);
    }

    /// Handles a lost node. The broker notifies the nodes that it had introduced to it. A member
    /// that has lost its broker has no more pending introductions.
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

    /// Broker: sets the close reason for the coming end of a bootstrap channel's node.
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

    /// Sends `Goodbye` on all links.
    pub(super) fn say_goodbye(&mut self, reason: CloseReason) {
        let everybody: Vec<_> = self.peers.iter().map(|peer| peer.name).collect();
        for node in everybody {
            self.say(node, Packet::Control(Control::Goodbye(reason)), Vec::new());
        }
    }

    /// Removes all links.
    pub(super) fn hang_up(&mut self, reason: CloseReason) {
        let everybody: Vec<_> = self.peers.iter().map(|peer| peer.name).collect();
        for node in everybody {
            self.lose(node, reason);
        }
    }
}

/// The ring parts for both nodes, or for neither: without them a link is a socket alone.
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
    /// The last handle was dropped: the node ends in order, as far as the links have room.
    fn drop(&mut self) {
        self.say_goodbye(CloseReason::Exited);
        for peer in self.peers.iter_mut() {
            let _ = peer.link.flush();
        }
    }
}
