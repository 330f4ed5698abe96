//! The links' turns: received frames are handled, pushed frames are sent.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::epoll;
use rustix::io::Errno;

use super::epoll_events::EpollEvents;
use super::peers::{Slot, Token};
use super::state::{NodeState, Role};
use crate::MAX_BUFFERS;
use crate::limits::LimitReached;
use crate::link::arena::{ArenaReader, ArenaViolation, NotLoaned};
use crate::link::{Flushed, Link, ReceiveOutcome, Received};
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};
use crate::router::{ElementKey, Event, Frame};
use crate::shared_buffer::NotShared;
use crate::wire::{self, Control, Encoded, Packet};

/// The most packets that are taken from one link before the next link's turn.
const PACKETS_A_TURN: usize = 128;

/// The bytes, and the ports in messages, that a round takes from all links together before the
/// results are processed. The packet that reaches a limit is the round's last; it can carry
/// [`MAX_PORTS`](crate::MAX_PORTS) at most.
pub(super) const BYTES_A_ROUND: u64 = 128 * 1024;
pub(super) const PORTS_A_ROUND: usize = 256;

/// A link is cut if this many bytes of frames without messages are unsent. These frames are mostly
/// replies to the peer's own frames, so a peer that does not read could fill this node's memory
/// with them.
const MAX_CONTROL_BACKLOG: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// The handling of links that have no frames to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdlePolicy {
    /// They sleep: their doorbells become readable when frames arrive.
    Sleep,
    /// They stay awake: a thread polls them again soon. The node's descriptor is readable meanwhile.
    StayAwake,
}

/// The budget of a round.
struct Round {
    deadline: Instant,
    bytes: u64,
    ports: usize,
    /// The cost that may be spent before the clock is read again. Reading it costs as much as a
    /// small message.
    unlooked: u64,
}

impl Round {
    /// The cost between two readings of the clock: bytes, of which a packet counts for `PACKET` at
    /// least and a port for `PORT`.
    const LOOK_EVERY: u64 = 4096;
    const PACKET: u64 = 256;
    const PORT: u64 = 512;

    fn new(deadline: Instant) -> Self {
        Self { deadline, bytes: BYTES_A_ROUND, ports: PORTS_A_ROUND, unlooked: 0 }
    }

    fn spend(&mut self, cost: Cost) {
        self.bytes = self.bytes.saturating_sub(cost.bytes);
        self.ports = self.ports.saturating_sub(cost.ports);
        self.unlooked = self.unlooked.saturating_sub(cost.bytes.max(Self::PACKET) + cost.ports as u64 * Self::PORT);
    }

    fn is_over(&mut self) -> bool {
        if self.bytes == 0 || self.ports == 0 {
            return true;
        }
        if self.unlooked == 0 {
            self.unlooked = Self::LOOK_EVERY;
            return Instant::now() >= self.deadline;
        }
        false
    }
}

/// The contents of a packet.
struct Cost {
    bytes: u64,
    ports: usize,
}

/// The result of a link's turn.
enum Turn {
    /// The link may have more frames.
    More,
    /// The link has no frames, and is still awake: it must be polled.
    Empty,
    /// The link has no frames, and its descriptors show new ones. Or it is gone.
    Over,
}

impl NodeState {
    /// Adds a link to a node.
    pub(super) fn connect(&mut self, node: NodeName, link: Box<dyn Link>) -> io::Result<()> {
        self.peers.add(&self.epoll, node, link, ArenaReader::new(Arc::clone(&self.some_done)))
    }

    /// Makes an endpoint with the names of the welcome, which both nodes have.
    pub(super) fn bootstrap(&mut self, ours: SideName, node: NodeName, theirs: SideName) -> ElementKey {
        self.router.link_up(node);
        self.router.adopt(ours, Addr { node, side: theirs })
    }

    pub(super) fn say(&mut self, node: NodeName, packet: Packet, descriptors: Vec<OwnedFd>) {
        let Some(slot) = self.peers.slot(node) else { return };
        self.say_frame(slot, wire::encode(packet), descriptors);
    }

    pub(super) fn say_frame(&mut self, slot: Slot, frame: Encoded, descriptors: Vec<OwnedFd>) {
        let Some(peer) = self.peers.at(slot) else { return };
        peer.over_limit |= peer.link.waiting() > self.link_limit;
        peer.link.push(frame, descriptors);
        if !std::mem::replace(&mut peer.unflushed, true) {
            self.unflushed.push(slot);
        }
    }

    /// Writes a message without ports into the link of its target, if that is possible at once: the
    /// fast path of [`NodeState::post`]. It overtakes no earlier frame, because a thread that
    /// releases the lock leaves no action undone.
    pub(super) fn write(&mut self, key: ElementKey, data: &[u8]) -> bool {
        let Some((from, to, flow)) = self.router.way(key) else { return false };
        let Some(slot) = self.peers.slot(to.node) else { return false };
        let Some(peer) = self.peers.at(slot) else { return false };
        match peer.link.write([data, &wire::message_tail(from, to.side)]) {
            Ok(true) if std::mem::replace(&mut peer.unflushed, true) => {}
            Ok(true) => self.unflushed.push(slot),
            Ok(false) => return false,
            // The error occurs again when the frame is pushed.
            Err(_) => return false,
        }
        flow.post(data.len());
        true
    }

    /// Removes a node whose link is gone or must be cut.
    pub(super) fn lose(&mut self, node: NodeName, reason: CloseReason) {
        let Some(slot) = self.peers.slot(node) else { return };
        let Some(peer) = self.peers.remove(&self.epoll, node) else { return };
        tracing::debug!(?node, %reason, "link lost");
        self.unread.retain(|unread| *unread != slot);
        self.unflushed.retain(|unflushed| *unflushed != slot);
        self.gathered -= peer.gathered.len();
        drop(peer);
        self.router.lose_node(node, reason);
        self.report_death(node, reason);
    }

    /// Puts the links whose descriptors are ready into the queue of unread links.
    fn note_ready(&mut self, ready: &EpollEvents) {
        for (token, flags) in ready.events() {
            let slot = match Token::of(token) {
                Token::Note => continue,
                Token::Clock => {
                    self.retire_arenas();
                    continue;
                }
                Token::Source(number) => {
                    // At once, however long the links' turns are: a one-shot descriptor is reported
                    // only once.
                    self.sources.ready(number, &mut self.effects.wakers);
                    continue;
                }
                Token::Doorbell(slot) => {
                    let Some(peer) = self.peers.at(slot) else { continue };
                    peer.link.rung();
                    slot
                }
                Token::Socket(slot) => {
                    if flags.contains(epoll::EventFlags::OUT) {
                        self.flush(slot);
                    }
                    let Some(peer) = self.peers.at(slot) else { continue };
                    if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
                        peer.link.woken();
                    }
                    slot
                }
            };
            self.is_unread(slot);
        }
    }

    /// Puts the link into the queue of unread links.
    pub(super) fn is_unread(&mut self, slot: Slot) {
        if let Some(peer) = self.peers.at(slot)
            && !std::mem::replace(&mut peer.unread, true)
        {
            self.unread.push_back(slot);
        }
    }

    /// One round over the unread links, until `deadline` at most, but with one packet at least.
    /// True if there may be more.
    pub(super) fn turn(&mut self, ready: &EpollEvents, deadline: Instant, idle: IdlePolicy) -> bool {
        self.note_ready(ready);
        let mut more = ready.full();
        let mut round = Round::new(deadline);
        // An interrupted round continues where it ended, so a busy link does not delay the others.
        for done in 0..self.unread.len() {
            if done > 0 && round.is_over() {
                return true;
            }
            let Some(slot) = self.unread.pop_front() else { break };
            let Some(peer) = self.peers.at(slot) else { continue };
            peer.unread = false;
            match self.hear(slot, &mut round, idle) {
                Turn::More => {
                    more = true;
                    self.is_unread(slot);
                }
                Turn::Empty => self.is_unread(slot),
                Turn::Over => {}
            }
            // The peer may have reported new room in its ring.
            if self.peers.at(slot).is_some_and(|peer| peer.waits && !peer.wants_room) {
                self.flush(slot);
            }
        }
        more
    }

    /// Called before a thread leaves the node: the node's descriptor becomes readable if links are
    /// unread.
    pub(super) fn leave_note(&mut self) {
        let unread = !self.unread.is_empty();
        if unread == self.noted {
            return;
        }
        let done = if unread { rustix::io::write(&self.note, &1u64.to_ne_bytes()) } else { rustix::io::read(&self.note, &mut [0; 8]) };
        // After another error the next call tries again.
        if done.is_ok() || done == Err(Errno::AGAIN) {
            self.noted = unread;
        }
    }

    /// One turn of a link.
    fn hear(&mut self, slot: Slot, round: &mut Round, idle: IdlePolicy) -> Turn {
        for _ in 0..PACKETS_A_TURN {
            let Some(cost) = self.hear_packet(slot) else {
                let Some(peer) = self.peers.at(slot) else { return Turn::Over };
                if idle == IdlePolicy::StayAwake && peer.link.stay_awake() {
                    return Turn::Empty;
                }
                match peer.link.prepare_sleep() {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(why) => self.cut(slot, &Offence::Link(why)),
                }
                return Turn::Over;
            };
            round.spend(cost);
            if round.is_over() {
                break;
            }
        }
        Turn::More
    }

    /// Handles a link's received frames without changing whether it sleeps. Other pollers of the
    /// link are notified as before.
    pub(super) fn listen(&mut self, slot: Slot) {
        for _ in 0..PACKETS_A_TURN {
            if self.hear_packet(slot).is_none() {
                break;
            }
        }
    }

    fn cut(&mut self, slot: Slot, why: &Offence) {
        let Some(node) = self.peers.at(slot).map(|peer| peer.name) else { return };
        tracing::warn!(?node, "link cut: {why}");
        self.lose(node, CloseReason::Crashed);
    }

    /// Cuts a link whose unsent messages exceed the limit.
    fn overflow(&mut self, slot: Slot, bytes: usize) {
        let Some(node) = self.peers.at(slot).map(|peer| peer.name) else { return };
        let bootstrap = self.bootstraps.iter().find(|(_, bootstrapped)| **bootstrapped == node).map(|(key, _)| key.to_bits());
        self.overflowed_links += 1;
        self.effects.reached.push(LimitReached::Link { bootstrap, bytes });
        self.cut(slot, &Offence::Backlog(bytes));
    }

    /// Takes a link's next packet; `None` if there is none. Also handles the link's end.
    fn hear_packet(&mut self, slot: Slot) -> Option<Cost> {
        let peer = self.peers.at(slot)?;
        let node = peer.name;
        let before = peer.link.received();
        let incoming = peer.link.receive(&mut self.buffer);
        let length = peer.link.received() - before;
        let reported_dead = peer.reported_dead_at.is_some();
        let heard = match incoming {
            Ok(ReceiveOutcome::Frame(Received { bytes, descriptors, loan })) => {
                #[cfg(any(test, feature = "hostile"))]
                let Some(descriptors) = self.hoarded(descriptors) else { return Some(Cost { bytes: length, ports: 0 }) };
                let heard = self.heard(node, bytes, descriptors, loan.is_some());
                // The descriptors are closed by now.
                drop(loan);
                heard
            }
            Ok(ReceiveOutcome::Part) => Ok(0),
            Ok(ReceiveOutcome::Nothing) => return None,
            Ok(ReceiveOutcome::Ended) => {
                self.ended(node);
                return None;
            }
            Err(why) => Err(Offence::Link(why)),
        };
        match heard {
            Ok(ports) => {
                if reported_dead {
                    self.drop_dead_peer(node);
                }
                self.talked = true;
                Some(Cost { bytes: length, ports })
            }
            Err(why) => {
                self.cut(slot, &why);
                None
            }
        }
    }

    /// Removes a node that was reported dead, once everything that it had sent by then has been
    /// received.
    pub(super) fn drop_dead_peer(&mut self, node: NodeName) {
        let Some(peer) = self.peers.get(node) else { return };
        if peer.reported_dead_at.is_some_and(|end| peer.link.received() >= end) {
            let reason = peer.departure.unwrap_or(CloseReason::Crashed);
            self.lose(node, reason);
        }
    }

    fn ended(&mut self, node: NodeName) {
        // The broker may have sent the close reason before this end. So only the frames that it has
        // sent by now need to be read.
        if let Role::Member { broker: Some(broker) } = self.role
            && broker != node
            && let Some(slot) = self.peers.slot(broker)
            && let Some(all) = self.peers.at(slot).map(|peer| peer.link.arrived())
        {
            while self.peers.get(broker).is_some_and(|peer| peer.link.received() < all) && self.hear_packet(slot).is_some() {}
        }
        let Some(peer) = self.peers.get(node) else { return };
        let reason = peer.departure.unwrap_or(CloseReason::Crashed);
        self.lose(node, reason);
    }

    /// Handles a frame, and returns the number of ports in it. Descriptors on loan must not be
    /// kept.
    fn heard(&mut self, node: NodeName, mut bytes: Vec<u8>, descriptors: Vec<OwnedFd>, loan: bool) -> Result<usize, Offence> {
        if descriptors.is_empty()
            && self.gathered == 0
            && let Some((from, to, hops)) = wire::plain_message(&bytes)
            && let Some(key) = self.router.taker(Addr { node, side: from }, to)
        {
            bytes.truncate(bytes.len() - wire::MESSAGE_TAIL);
            self.router.queue(key, bytes.into(), Vec::new(), hops);
            return Ok(0);
        }
        match wire::decode(bytes)? {
            Packet::Event(_) | Packet::Lent(..) if !descriptors.is_empty() => Err(Offence::Descriptors),
            Packet::Lent(Frame { from, to, event: Event::Message { ports, hops, .. } }, block) => {
                let (data, count) = (self.borrow(node, block)?.with(self.gathered(node)), ports.len());
                self.router.handle(node, Frame { from, to, event: Event::Message { data, ports, hops } })?;
                Ok(count)
            }
            Packet::Shared(length, bytes) => self.shared(node, length, bytes, descriptors, loan).map(|()| 0),
            Packet::Event(mut frame) | Packet::Lent(mut frame, _) => {
                if let Event::Message { data, .. } = &mut frame.event {
                    self.gather(node, data);
                }
                let ports = if let Event::Message { ports, .. } = &frame.event { ports.len() } else { 0 };
                self.router.handle(node, frame)?;
                Ok(ports)
            }
            Packet::Control(control) if !control.takes_descriptors(descriptors.len()) => Err(Offence::Descriptors),
            Packet::Control(control) => self.control(node, control, descriptors, loan).map(|()| 0),
        }
    }

    /// Sends as many frames as the link has room for.
    pub(super) fn flush(&mut self, slot: Slot) {
        self.talked = true;
        let Some(peer) = self.peers.at(slot) else { return };
        let flushed = match peer.link.flush() {
            Ok(flushed) => flushed,
            Err(why) => return self.cut(slot, &Offence::Link(why)),
        };
        peer.waits = flushed != Flushed::All;
        if peer.waits && peer.link.control_backlog() > MAX_CONTROL_BACKLOG {
            return self.cut(slot, &Offence::DoesNotRead);
        }
        let waiting = peer.link.waiting();
        // Unless the peer has read meanwhile.
        if std::mem::take(&mut peer.over_limit) && waiting > self.link_limit {
            return self.overflow(slot, waiting);
        }
        let wants_room = flushed == Flushed::Full;
        let interest = peer.link.interest();
        // An edge-triggered event could be missed, so it is requested again each time that there is
        // no room.
        if wants_room != peer.wants_room || (wants_room && interest.contains(epoll::EventFlags::ET)) {
            peer.wants_room = wants_room;
            let interest = if wants_room { interest | epoll::EventFlags::OUT } else { interest };
            if let Err(why) = epoll::modify(&self.epoll, peer.link.as_fd(), Token::Socket(slot).data(), interest) {
                self.cut(slot, &Offence::Link(io::Error::from(why).into()));
            }
        }
    }

    /// Sends all frames that were pushed since the last flush.
    pub(super) fn flush_all(&mut self) {
        while let Some(slot) = self.unflushed.pop() {
            if let Some(peer) = self.peers.at(slot) {
                peer.unflushed = false;
                self.flush(slot);
            }
        }
    }

    /// Whether all frames have been sent.
    pub(super) fn all_sent(&self) -> bool {
        self.peers.iter().all(|peer| !peer.waits)
    }
}

/// The reasons for which a peer's link is cut.
#[derive(Debug, thiserror::Error)]
pub(super) enum Offence {
    #[error(transparent)]
    Link(crate::link::LinkError),
    #[error(transparent)]
    Undecodable(#[from] wire::DecodeError),
    #[error(transparent)]
    Protocol(#[from] crate::router::Violation),
    #[error(transparent)]
    Borrowed(#[from] ArenaViolation),
    #[error(transparent)]
    Lent(#[from] NotLoaned),
    #[error(transparent)]
    Shared(#[from] NotShared),
    #[error("message with more than {MAX_BUFFERS} shared buffers")]
    TooManyShared,
    #[error("frame with a number of descriptors that its kind does not permit")]
    Descriptors,
    #[error("the peer does not read: more than {MAX_CONTROL_BACKLOG} bytes of control frames are unsent")]
    DoesNotRead,
    #[error("the peer does not read: unsent messages cost {0} bytes, more than `Limits::link_backlog`")]
    Backlog(usize),
    #[error("control message {0:?} is not permitted from this peer")]
    NotEntitled(Control),
}
