//! The state that a node's lock protects: the router, the links, and the callbacks to call.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use rustix::event::{EventfdFlags, epoll, eventfd};
use smallvec::SmallVec;

use super::NodeStats;
use super::peers::{Peers, Slot, Token};
use super::send_waiters::SendWaiters;
use super::source::Sources;
use crate::body::Body;
use crate::limits::{LimitReached, Limits, OnLimit};
use crate::link::{LinkKind, MAX_PACKET, Reserve};
use crate::message::CloseReason;
use crate::name::{NameSource, NodeName, RandomKeys, SystemNames};
use crate::port::{PortId, ReadyPorts};
use crate::router::{Action, ElementKey, QueueLimit, Router};
use crate::trace::{TracedEvent, Tracer};

/// The receivers of notifications about a port.
#[derive(Default)]
pub(crate) struct Watch {
    ready: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Set if the port is in a [`PortSet`](crate::PortSet).
    member: Option<Membership>,
    wakers: SmallVec<[Waker; 1]>,
}

/// A port's membership in a set. Arrivals are added to the set's list instead of calling a callback
/// for each.
pub(crate) struct Membership {
    pub(crate) list: Arc<ReadyPorts>,
    pub(crate) id: PortId,
    /// Whether the port is in the list. Changed under the node's lock.
    pub(crate) listed: Arc<AtomicBool>,
}

impl Watch {
    /// Adds a waker. Returns it if it is there already, to be dropped without the lock.
    pub(crate) fn wake_by(&mut self, waker: Waker) -> Option<Waker> {
        if self.wakers.iter().any(|w| w.will_wake(&waker)) {
            return Some(waker);
        }
        self.wakers.push(waker);
        None
    }
}

/// Calls to make after the lock is released: foreign code, which may use the node.
#[derive(Default)]
pub(crate) struct Effects {
    calls: Vec<Arc<dyn Fn() + Send + Sync>>,
    pub(super) wakers: SmallVec<[Waker; 1]>,
    /// The limits that were reached.
    pub(super) reached: Vec<LimitReached>,
    on_limit: Option<OnLimit>,
    /// Ports with new events, by set.
    listed: Vec<(Arc<ReadyPorts>, Vec<PortId>)>,
    /// Events for the tracer.
    traced: Option<(Tracer, Vec<TracedEvent>)>,
    /// Dropped without the lock: a callback may own ports.
    let_go: Vec<Watch>,
}

impl Effects {
    fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.reached.is_empty()
            && self.wakers.is_empty()
            && self.listed.is_empty()
            && self.let_go.is_empty()
            && self.traced.is_none()
    }

    fn list(&mut self, member: &Membership) {
        if member.listed.swap(true, Ordering::AcqRel) {
            return;
        }
        match self.listed.iter_mut().find(|(list, _)| Arc::ptr_eq(list, &member.list)) {
            Some((_, ids)) => ids.push(member.id),
            None => self.listed.push((Arc::clone(&member.list), vec![member.id])),
        }
    }

    pub(crate) fn run(self) {
        if let Some((tracer, events)) = self.traced {
            tracer(&events);
        }
        if let Some(on_limit) = self.on_limit {
            on_limit(&self.reached);
        }
        self.wakers.into_iter().for_each(Waker::wake);
        self.listed.into_iter().for_each(|(list, ids)| list.extend(ids));
        self.calls.into_iter().for_each(|call| call());
        drop(self.let_go);
    }
}

/// The node's role in its network.
pub(super) enum Role {
    /// The broker: it introduces members to each other, over links of this kind, and stores the
    /// introduced pairs.
    Broker { introduced: HashMap<NodeName, HashSet<NodeName>>, links: LinkKind },
    /// A member; `None` after its broker is gone.
    Member { broker: Option<NodeName> },
}

pub(crate) struct NodeState {
    pub(crate) router: Router,
    pub(super) role: Role,
    pub(super) epoll: Arc<OwnedFd>,
    pub(super) peers: Peers,
    /// Waiters for foreign descriptors.
    pub(super) sources: Sources,
    /// Links that may have unread frames, in round-robin order. Their descriptors need not be
    /// readable.
    pub(super) unread: VecDeque<Slot>,
    /// The eventfd that keeps `epoll` readable while `unread` is not empty and no thread works on
    /// it.
    pub(super) note: OwnedFd,
    pub(super) noted: bool,
    /// Links with frames that were pushed and not flushed.
    pub(super) unflushed: Vec<Slot>,
    /// The broker's ends of bootstrap channels, and the nodes at their other ends.
    pub(super) bootstraps: HashMap<ElementKey, NodeName>,
    pub(super) buffer: Box<[u8]>,
    /// The number of polls of all links.
    pub(super) polls: u32,
    /// A frame was sent or received since the last [`Node::busy_poll`](super::Node::busy_poll).
    pub(super) talked: bool,
    watches: HashMap<ElementKey, Watch, RandomKeys>,
    pub(crate) send_waiters: SendWaiters,
    tracer: Option<Tracer>,
    /// See [`crate::Limits::link_backlog`].
    pub(super) link_limit: usize,
    on_limit: Option<OnLimit>,
    pub(super) overflowed_links: usize,
    overflowed_ports: usize,
    pub(super) effects: Effects,
    /// Blocks of peers' arenas have been read or dropped, and `Done` has not been sent for them.
    pub(super) some_done: Arc<AtomicBool>,
    /// The number of received shared buffers whose messages have not arrived yet, over all peers.
    pub(super) gathered: usize,
    /// The timer of [`NodeState::retire_arenas`]; it exists while this node has arenas.
    pub(super) arena_clock: Option<OwnedFd>,
    /// A test's further use of received descriptors.
    #[cfg(any(test, feature = "hostile"))]
    pub(super) hoard: Option<super::hostile::Hoard>,
    /// Lets links receive descriptors when the process has none left.
    _reserve: Reserve,
}

impl NodeState {
    fn new(me: NodeName, names: SystemNames, role: Role) -> io::Result<Self> {
        let _reserve = Reserve::hold()?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let note = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &note, Token::Note.data(), epoll::EventFlags::IN)?;
        Ok(Self {
            router: Router::new(me, Box::new(names)),
            role,
            epoll: Arc::new(epoll),
            peers: Peers::default(),
            sources: Sources::default(),
            unread: VecDeque::new(),
            note,
            noted: false,
            unflushed: Vec::new(),
            bootstraps: HashMap::new(),
            buffer: vec![0; MAX_PACKET].into_boxed_slice(),
            polls: 0,
            talked: false,
            watches: HashMap::default(),
            send_waiters: SendWaiters::default(),
            tracer: None,
            link_limit: usize::MAX,
            on_limit: None,
            overflowed_links: 0,
            overflowed_ports: 0,
            effects: Effects::default(),
            some_done: Arc::default(),
            arena_clock: None,
            gathered: 0,
            #[cfg(any(test, feature = "hostile"))]
            hoard: None,
            _reserve,
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
            // No further event will arrive, so the callback is not kept.
            self.unwatch(key);
            return self.effects.let_go.push(Watch { ready: Some(ready), ..Watch::default() });
        }
        let former = self.watch(key).ready.replace(ready);
        self.effects.let_go.push(Watch { ready: former, ..Watch::default() });
    }

    /// Adds the port to a set.
    pub(crate) fn enlist(&mut self, key: ElementKey, member: Membership) {
        if self.router.receivable(key) {
            self.effects.list(&member);
        }
        if !self.router.ended(key) {
            self.watch(key).member = Some(member);
        }
    }

    /// Removes the port from its set.
    pub(crate) fn delist(&mut self, key: ElementKey) {
        if let Some(watch) = self.watches.get_mut(&key) {
            watch.member = None;
        }
    }

    /// Posts plain bytes. Uses the fast paths, into a queue of this node or into a link, if no
    /// other event has to go first.
    pub(crate) fn post_bytes(&mut self, key: ElementKey, mut data: Vec<u8>) {
        self.note_posted(key, data.len(), &[]);
        if !self.router.post_here(key, &mut data) && !self.write(key, &data) {
            self.router.post(key, data, Vec::new());
        }
    }

    pub(crate) fn post(&mut self, key: ElementKey, data: Body, ports: Vec<ElementKey>) {
        self.note_posted(key, data.len(), &ports);
        // The watchers of a port do not move with it.
        ports.iter().for_each(|port| self.unwatch(*port));
        self.router.post(key, data, ports);
    }

    pub(crate) fn close(&mut self, key: ElementKey, reason: CloseReason) {
        self.unwatch(key);
        self.bootstraps.remove(&key);
        self.router.close(key, reason);
    }

    /// Closes every port of this node, and wakes blocked senders.
    pub(super) fn close_all(&mut self, reason: CloseReason) {
        self.router.close_all(reason);
        self.effects.wakers.extend(self.send_waiters.take_all());
    }

    pub(super) fn stats(&mut self) -> NodeStats {
        let lent_bytes = self.lent_bytes();
        let (ports, proxies) = self.router.counts();
        let backlog: usize = self.peers.iter().map(|peer| peer.link.data_backlog()).sum();
        let (overflowed_ports, overflowed_links) = (self.overflowed_ports, self.overflowed_links);
        let queued_bytes = self.router.queued_bytes() + backlog;
        NodeStats { ports, proxies, links: self.peers.len(), queued_bytes, lent_bytes, overflowed_ports, overflowed_links }
    }

    pub(super) fn set_limits(&mut self, limits: Limits, on_limit: OnLimit) {
        self.router.limit_queues(limits.port_queue.unwrap_or(usize::MAX), limits.peer_queues.unwrap_or(usize::MAX));
        self.link_limit = limits.link_backlog.unwrap_or(usize::MAX);
        self.on_limit = Some(on_limit);
    }

    /// Executes the router's actions, and returns the calls to make without the lock.
    pub(super) fn settle(&mut self) -> Option<Effects> {
        self.release_blocks();
        if self.router.is_settled() && self.unflushed.is_empty() {
            return self.take_effects();
        }
        loop {
            while let Some(action) = self.router.next_action() {
                match action {
                    Action::Ready(key) => self.announce(key),
                    Action::CreditAvailable(key) => self.effects.wakers.extend(self.send_waiters.take(key)),
                    Action::Send { node, frame } => {
                        let packet = self.packet(node, frame);
                        self.say(node, packet, Vec::new());
                    }
                    Action::Introduce(node) => self.seek_introduction(node),
                    Action::Overflow { limit, key, messages, bytes } => {
                        let port = key.to_bits();
                        tracing::warn!(?limit, port, messages, bytes, "channel ended: too much waits to be received");
                        self.overflowed_ports += 1;
                        self.effects.reached.push(match limit {
                            QueueLimit::Port => LimitReached::Port { port, messages, bytes },
                            QueueLimit::Peer => LimitReached::Peer { port, messages, bytes },
                        });
                    }
                }
            }
            if self.unflushed.is_empty() {
                return self.take_effects();
            }
            self.flush_all();
            // An event that was dropped meanwhile may have held a block.
            self.release_blocks();
        }
    }

    /// Reports the events of new ports to `tracer`.
    pub(super) fn trace(&mut self, tracer: Tracer) {
        self.router.trace.get_or_insert_default();
        self.tracer = Some(tracer);
    }

    fn note_posted(&mut self, key: ElementKey, bytes: usize, ports: &[ElementKey]) {
        if let Some(trace) = &mut self.router.trace {
            trace.posted(key, bytes, ports);
        }
    }

    fn take_effects(&mut self) -> Option<Effects> {
        if let (Some(trace), Some(tracer)) = (&mut self.router.trace, &self.tracer) {
            let events = trace.take();
            self.effects.traced = (!events.is_empty()).then(|| (Arc::clone(tracer), events));
        }
        if !self.effects.reached.is_empty() {
            self.effects.on_limit.clone_from(&self.on_limit);
        }
        (!self.effects.is_empty()).then(|| std::mem::take(&mut self.effects))
    }

    fn announce(&mut self, key: ElementKey) {
        if !self.send_waiters.is_empty() && self.router.ended(key) {
            self.effects.wakers.extend(self.send_waiters.take(key));
        }
        let Some(watch) = self.watches.get_mut(&key) else { return };
        self.effects.wakers.append(&mut watch.wakers);
        if let Some(ready) = &watch.ready
            && !self.effects.calls.last().is_some_and(|last| Arc::ptr_eq(last, ready))
        {
            self.effects.calls.push(Arc::clone(ready));
        }
        if let Some(member) = &watch.member {
            self.effects.list(member);
        }
        if watch.ready.is_none() && watch.member.is_none() {
            // A woken waiter registers again if it needs more.
            self.watches.remove(&key);
        } else if self.router.ended(key) {
            // No further event will arrive. Dropping the callback frees its captures, often its own
            // port.
            self.unwatch(key);
        }
    }
}
