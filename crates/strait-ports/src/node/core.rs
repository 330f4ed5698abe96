//! What is behind a node's lock: the router, the links, and who wants to be told.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::io::Errno;

use super::NodeStats;
use super::ready::Ready;
use super::rooms::Rooms;
use super::source::Sources;
use crate::link::{Flushed, Incoming, Link, LinkKind, MAX_PACKET, Received};
use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, SideName, SystemNames};
use crate::router::{Action, ElementKey, Event, Router};
use crate::wire::{self, Control, Packet};

/// What `epoll` calls the note.
pub(super) const NOTE: u64 = u64::MAX;

/// How many packets are taken from one link before the next link's turn.
const PACKETS_A_TURN: usize = 32;

/// How many bytes, and how many ports in messages, a round takes from all links together before what came of it is done. The packet that
/// reaches the limit is the round's last; it can bring [`MAX_PORTS`](crate::MAX_PORTS) at most.
pub(super) const BYTES_A_ROUND: u64 = 128 * 1024;
pub(super) const PORTS_A_ROUND: usize = 256;

/// A node that lets this many bytes of what are no messages pile up is cut off: they answer what it says itself, mostly, and it could make us
/// hoard without end.
const MAX_CONTROL_BACKLOG: usize = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// Who wants to know of arrivals at a port.
#[derive(Default)]
pub(crate) struct Watch {
    ready: Option<Arc<dyn Fn() + Send + Sync>>,
    wakers: Vec<Waker>,
}

impl Watch {
    /// Notes a waker; gives it back if it is there already, to be dropped without the lock.
    pub(crate) fn wake_by(&mut self, waker: Waker) -> Option<Waker> {
        if self.wakers.iter().any(|w| w.will_wake(&waker)) {
            return Some(waker);
        }
        self.wakers.push(waker);
        None
    }
}

/// What is to be done once the lock is released: foreign code, which may come back here.
#[derive(Default)]
pub(crate) struct Effects {
    calls: Vec<Arc<dyn Fn() + Send + Sync>>,
    wakers: Vec<Waker>,
    /// Only to be dropped: a callback may own ports.
    let_go: Vec<Watch>,
}

impl Effects {
    pub(crate) fn run(self) {
        self.wakers.into_iter().for_each(Waker::wake);
        self.calls.into_iter().for_each(|call| call());
        drop(self.let_go);
    }
}

/// A node that we have a link to.
pub(super) struct Peer {
    pub(super) link: Box<dyn Link>,
    /// What `epoll` calls the link.
    token: u64,
    /// Not everything could be sent.
    waits: bool,
    /// `epoll` tells when the socket has room.
    wants_room: bool,
    /// How its end is to be understood if it comes without a goodbye.
    pub(super) departure: Option<CloseReason>,
    /// The broker has said that the node has ended; this many received bytes later the link goes too.
    pub(super) mourned_at: Option<u64>,
}

/// What a round may still take.
struct Round {
    deadline: Instant,
    bytes: u64,
    ports: usize,
}

impl Round {
    fn spend(&mut self, cost: Cost) {
        self.bytes = self.bytes.saturating_sub(cost.bytes);
        self.ports = self.ports.saturating_sub(cost.ports);
    }

    fn is_over(&self) -> bool {
        self.bytes == 0 || self.ports == 0 || Instant::now() >= self.deadline
    }
}

/// What a packet brought.
struct Cost {
    bytes: u64,
    ports: usize,
}

/// What this node is to the others.
pub(super) enum Role {
    /// Introduces the others, over links of this kind; remembers whom to whom.
    Broker { introduced: HashMap<NodeName, HashSet<NodeName>>, links: LinkKind },
    /// Has this broker; `None` when it is gone.
    Member { broker: Option<NodeName> },
}

pub(crate) struct Core {
    pub(crate) router: Router,
    pub(super) role: Role,
    pub(super) epoll: Arc<OwnedFd>,
    pub(super) peers: HashMap<NodeName, Peer>,
    tokens: HashMap<u64, NodeName>,
    next_token: u64,
    /// Who waits for descriptors of others.
    pub(super) sources: Sources,
    /// The link that had the last turn.
    last_served: u64,
    /// Links that have more than they had a turn for. Their descriptors need not be readable.
    unread: BTreeSet<u64>,
    /// Keeps `epoll` readable while there are such links and nobody is at work on them.
    note: OwnedFd,
    noted: bool,
    /// Links that have something new to send.
    unflushed: Vec<NodeName>,
    /// For which node an endpoint is our end of the bootstrap channel.
    pub(super) bootstraps: HashMap<ElementKey, NodeName>,
    buffer: Box<[u8]>,
    watches: HashMap<ElementKey, Watch>,
    pub(crate) rooms: Rooms,
    effects: Effects,
}

impl Core {
    fn new(me: NodeName, names: SystemNames, role: Role) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let note = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &note, epoll::EventData::new_u64(NOTE), epoll::EventFlags::IN)?;
        Ok(Self {
            router: Router::new(me, Box::new(names)),
            role,
            epoll: Arc::new(epoll),
            peers: HashMap::new(),
            tokens: HashMap::new(),
            next_token: 0,
            sources: Sources::default(),
            last_served: 0,
            unread: BTreeSet::new(),
            note,
            noted: false,
            unflushed: Vec::new(),
            bootstraps: HashMap::new(),
            buffer: vec![0; MAX_PACKET].into_boxed_slice(),
            watches: HashMap::new(),
            rooms: Rooms::default(),
            effects: Effects::default(),
        })
    }

    pub(super) fn broker(links: LinkKind) -> io::Result<Self> {
        let mut names = SystemNames::new();
        let me = NodeName(names.next());
        Self::new(me, names, Role::Broker { introduced: HashMap::new(), links })
    }

    pub(super) fn member(me: NodeName, broker: NodeName) -> io::Result<Self> {
        Self::new(me, SystemNames::new(), Role::Member { broker: Some(broker) })
    }

    // Ports.

    pub(crate) fn watch(&mut self, key: ElementKey) -> &mut Watch {
        self.watches.entry(key).or_default()
    }

    fn unwatch(&mut self, key: ElementKey) {
        self.effects.let_go.extend(self.watches.remove(&key));
    }

    pub(crate) fn set_ready(&mut self, key: ElementKey, ready: Arc<dyn Fn() + Send + Sync>) {
        if self.router.receivable(key) {
            self.effects.calls.push(Arc::clone(&ready));
        }
        if self.router.ended(key) {
            // Nothing more will arrive: there is nothing to call it for later.
            self.unwatch(key);
            return self.effects.let_go.push(Watch { ready: Some(ready), wakers: Vec::new() });
        }
        let former = self.watch(key).ready.replace(ready);
        self.effects.let_go.push(Watch { ready: former, wakers: Vec::new() });
    }

    pub(crate) fn post(&mut self, key: ElementKey, data: Vec<u8>, ports: Vec<ElementKey>) {
        // Whoever watched a port watched it where it was.
        ports.iter().for_each(|port| self.unwatch(*port));
        self.router.post(key, data, ports);
    }

    pub(crate) fn close(&mut self, key: ElementKey, reason: CloseReason) {
        self.unwatch(key);
        self.bootstraps.remove(&key);
        self.router.close(key, reason);
    }

    /// Closes every port of this node; who waits for room learns of it.
    pub(super) fn close_all(&mut self, reason: CloseReason) {
        self.router.close_all(reason);
        self.effects.wakers.extend(self.rooms.take_all());
    }

    pub(super) fn stats(&self) -> NodeStats {
        let (ports, proxies) = self.router.counts();
        let backlog: usize = self.peers.values().map(|peer| peer.link.data_backlog()).sum();
        NodeStats { ports, proxies, links: self.peers.len(), queued_bytes: self.router.queued_bytes() + backlog }
    }

    // Links.

    /// What `epoll` is to call something.
    pub(super) fn fresh_token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token - 1
    }

    /// Makes a link to a node and tells the router.
    pub(super) fn connect(&mut self, node: NodeName, link: Box<dyn Link>) -> io::Result<()> {
        let token = self.fresh_token();
        epoll::add(&self.epoll, link.as_fd(), epoll::EventData::new_u64(token), epoll::EventFlags::IN)?;
        self.tokens.insert(token, node);
        self.peers.insert(node, Peer { link, token, waits: false, wants_room: false, departure: None, mourned_at: None });
        Ok(())
    }

    /// An endpoint whose neighbour's name both nodes know from the welcome.
    pub(super) fn bootstrap(&mut self, ours: SideName, node: NodeName, theirs: SideName) -> ElementKey {
        self.router.link_up(node);
        self.router.adopt(ours, Addr { node, side: theirs })
    }

    pub(super) fn say(&mut self, node: NodeName, packet: Packet, descriptors: Vec<OwnedFd>) {
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.link.push(wire::encode(packet), descriptors);
            if self.unflushed.last() != Some(&node) {
                self.unflushed.push(node);
            }
        }
    }

    /// The link to a node is gone or must go.
    pub(super) fn lose(&mut self, node: NodeName, reason: CloseReason) {
        let Some(peer) = self.peers.remove(&node) else { return };
        tracing::debug!(?node, %reason, "link lost");
        self.tokens.remove(&peer.token);
        self.unread.remove(&peer.token);
        // Somebody may hold a copy of the descriptor: closing ours would not be enough.
        let _ = epoll::delete(&self.epoll, peer.link.as_fd());
        drop(peer);
        self.router.lose_node(node, reason);
        self.bury(node, reason);
    }

    /// One round over the links that have something, until `deadline` at most (but one packet at least): true if there may be more.
    pub(super) fn turn(&mut self, ready: Ready, deadline: Instant) -> bool {
        let mut more = ready.full();
        let mut links: Vec<(u64, epoll::EventFlags)> = self.unread.iter().map(|token| (*token, epoll::EventFlags::empty())).collect();
        for (token, flags) in ready.events() {
            // At once, however long the links' turns are: they say it only once.
            self.sources.ready(token, &mut self.effects.wakers);
            match links.iter_mut().find(|(known, _)| *known == token) {
                Some((_, known)) => *known = flags,
                None if token != NOTE => links.push((token, flags)),
                None => {}
            }
        }
        // A round that was broken off is taken up where it was: a busy link does not keep the others from their turn.
        links.sort_unstable_by_key(|(token, _)| *token);
        let served = links.partition_point(|(token, _)| *token <= self.last_served);
        links.rotate_left(served);
        let mut round = Round { deadline, bytes: BYTES_A_ROUND, ports: PORTS_A_ROUND };
        for (done, (token, flags)) in links.into_iter().enumerate() {
            if done > 0 && round.is_over() {
                return true;
            }
            self.last_served = token;
            self.unread.remove(&token);
            let Some(node) = self.tokens.get(&token).copied() else { continue };
            if flags.contains(epoll::EventFlags::OUT) {
                self.flush(node);
            }
            if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
                && let Some(peer) = self.peers.get_mut(&node)
            {
                peer.link.woken();
            }
            if self.hear(node, &mut round) {
                self.unread.insert(token);
                more = true;
            }
            // What was heard may have been that there is room.
            if self.peers.get(&node).is_some_and(|peer| peer.waits && !peer.wants_room) {
                self.flush(node);
            }
        }
        more
    }

    /// Before the node is left alone: its descriptor is readable if there is something to do.
    pub(super) fn leave_note(&mut self) {
        let unread = !self.unread.is_empty();
        if unread == self.noted {
            return;
        }
        let done = if unread { rustix::io::write(&self.note, &1u64.to_ne_bytes()) } else { rustix::io::read(&self.note, &mut [0; 8]) };
        // Otherwise the next who comes here does it.
        if done.is_ok() || done == Err(Errno::AGAIN) {
            self.noted = unread;
        }
    }

    /// A link's turn in a round: true if it may have more.
    fn hear(&mut self, node: NodeName, round: &mut Round) -> bool {
        for _ in 0..PACKETS_A_TURN {
            let Some(cost) = self.hear_packet(node) else { return false };
            round.spend(cost);
            if round.is_over() {
                break;
            }
        }
        true
    }

    /// Takes a link's next packet; `None` if there is none. An end is dealt with here too.
    fn hear_packet(&mut self, node: NodeName) -> Option<Cost> {
        let peer = self.peers.get_mut(&node)?;
        let before = peer.link.received();
        let incoming = peer.link.receive(&mut self.buffer);
        let bytes = peer.link.received() - before;
        let heard = match incoming {
            Ok(Incoming::Frame(Received { bytes, descriptors })) => self.heard(node, bytes, descriptors),
            Ok(Incoming::Part) => Ok(0),
            Ok(Incoming::Nothing) => return None,
            Ok(Incoming::Ended) => {
                self.ended(node);
                return None;
            }
            Err(why) => Err(Offence::Link(why)),
        };
        match heard {
            Ok(ports) => {
                self.part_from_mourned(node);
                Some(Cost { bytes, ports })
            }
            Err(why) => {
                tracing::warn!(?node, "link cut: {why}");
                self.lose(node, CloseReason::Crashed);
                None
            }
        }
    }

    /// Lets go of a node that has ended, if everything it had sent by then has been heard.
    pub(super) fn part_from_mourned(&mut self, node: NodeName) {
        let Some(peer) = self.peers.get(&node) else { return };
        if peer.mourned_at.is_some_and(|end| peer.link.received() >= end) {
            let reason = peer.departure.unwrap_or(CloseReason::Crashed);
            self.lose(node, reason);
        }
    }

    fn ended(&mut self, node: NodeName) {
        // The broker may have said how this end is to be understood: before it, so what comes now need not be waited for.
        if let Role::Member { broker: Some(broker) } = self.role
            && broker != node
            && let Some(all) = self.peers.get_mut(&broker).map(|peer| peer.link.arrived())
        {
            while self.peers.get(&broker).is_some_and(|peer| peer.link.received() < all) && self.hear_packet(broker).is_some() {}
        }
        let Some(peer) = self.peers.get(&node) else { return };
        let reason = peer.departure.unwrap_or(CloseReason::Crashed);
        self.lose(node, reason);
    }

    /// Does what a frame says, and gives the number of ports in it.
    fn heard(&mut self, node: NodeName, bytes: Vec<u8>, descriptors: Vec<OwnedFd>) -> Result<usize, Offence> {
        match wire::decode(bytes)? {
            Packet::Event(_) if !descriptors.is_empty() => Err(Offence::Descriptors),
            Packet::Event(frame) => {
                let ports = if let Event::Message { ports, .. } = &frame.event { ports.len() } else { 0 };
                self.router.handle(node, frame)?;
                Ok(ports)
            }
            Packet::Control(control) if !control.descriptors().contains(&descriptors.len()) => Err(Offence::Descriptors),
            Packet::Control(control) => self.control(node, control, descriptors).map(|()| 0),
        }
    }

    /// Sends what a link has room for.
    pub(super) fn flush(&mut self, node: NodeName) {
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let flushed = match peer.link.flush() {
            Ok(flushed) => flushed,
            Err(why) => {
                tracing::warn!(?node, "link cut: {why}");
                return self.lose(node, CloseReason::Crashed);
            }
        };
        if peer.link.control_backlog() > MAX_CONTROL_BACKLOG {
            tracing::warn!(?node, "link cut: it does not read");
            return self.lose(node, CloseReason::Crashed);
        }
        peer.waits = flushed != Flushed::All;
        let wants_room = flushed == Flushed::Full;
        if wants_room != peer.wants_room {
            peer.wants_room = wants_room;
            let interest = if wants_room { epoll::EventFlags::IN | epoll::EventFlags::OUT } else { epoll::EventFlags::IN };
            if let Err(why) = epoll::modify(&self.epoll, peer.link.as_fd(), epoll::EventData::new_u64(peer.token), interest) {
                tracing::warn!(?node, "link cut: {why}");
                self.lose(node, CloseReason::Crashed);
            }
        }
    }

    /// Everything that was to be sent has been.
    pub(super) fn all_sent(&self) -> bool {
        self.peers.values().all(|peer| !peer.waits)
    }

    /// Does what the router wants done, and hands out what must be done without the lock.
    pub(super) fn settle(&mut self) -> Effects {
        loop {
            let actions = self.router.take_actions();
            if actions.is_empty() && self.unflushed.is_empty() {
                return std::mem::take(&mut self.effects);
            }
            for action in actions {
                match action {
                    Action::Ready(key) => self.announce(key),
                    Action::Room(key) => self.effects.wakers.extend(self.rooms.take(key)),
                    Action::Send { node, frame } => self.say(node, Packet::Event(frame), Vec::new()),
                    Action::Introduce(node) => self.seek_introduction(node),
                }
            }
            for node in std::mem::take(&mut self.unflushed) {
                self.flush(node);
            }
        }
    }

    fn announce(&mut self, key: ElementKey) {
        if !self.rooms.is_empty() && self.router.ended(key) {
            self.effects.wakers.extend(self.rooms.take(key));
        }
        let Some(watch) = self.watches.get_mut(&key) else { return };
        self.effects.wakers.append(&mut watch.wakers);
        if let Some(ready) = &watch.ready
            && !self.effects.calls.last().is_some_and(|last| Arc::ptr_eq(last, ready))
        {
            self.effects.calls.push(Arc::clone(ready));
        }
        if self.router.ended(key) {
            // Nothing more will arrive: what the callback owns (often its own port) is free.
            self.unwatch(key);
        }
    }
}

/// Why a peer's link is cut.
#[derive(Debug, thiserror::Error)]
pub(super) enum Offence {
    #[error(transparent)]
    Link(crate::link::LinkError),
    #[error(transparent)]
    Undecodable(#[from] wire::DecodeError),
    #[error(transparent)]
    Protocol(#[from] crate::router::Violation),
    #[error("a frame came with a wrong number of descriptors")]
    Descriptors,
    #[error("it is not for this node to say {0:?}")]
    NotEntitled(Control),
}
