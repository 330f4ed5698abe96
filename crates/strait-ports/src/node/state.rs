//! What the lock of a node protects: the router, the links, and the callbacks to be called.

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

/// Who wants to know of arrivals at a port.
#[derive(Default)]
pub(crate) struct Watch {
    ready: Option<Arc<dyn Fn() + Send + Sync>>,
    /// The port is in a set.
    member: Option<Membership>,
    wakers: SmallVec<[Waker; 1]>,
}

/// A port's place in a set, which is told of arrivals by a list rather than by a call for each.
pub(crate) struct Membership {
    pub(crate) list: Arc<ReadyPorts>,
    pub(crate) id: PortId,
    /// It is in the list. Changed under the node's lock.
    pub(crate) listed: Arc<AtomicBool>,
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
    pub(super) wakers: SmallVec<[Waker; 1]>,
    /// Limits that were reached.
    pub(super) reached: Vec<LimitReached>,
    on_limit: Option<OnLimit>,
    /// Ports that have something, by the sets that they are in.
    listed: Vec<(Arc<ReadyPorts>, Vec<PortId>)>,
    /// What is to be told to whom watches.
    traced: Option<(Tracer, Vec<TracedEvent>)>,
    /// Only to be dropped: a callback may own ports.
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

/// What this node is to the others.
pub(super) enum Role {
    /// Introduces the others, over links of this kind; remembers whom to whom.
    Broker { introduced: HashMap<NodeName, HashSet<NodeName>>, links: LinkKind },
    /// Has this broker; `None` when it is gone.
    Member { broker: Option<NodeName> },
}

pub(crate) struct NodeState {
    pub(crate) router: Router,
    pub(super) role: Role,
    pub(super) epoll: Arc<OwnedFd>,
    pub(super) peers: Peers,
    /// Who waits for descriptors of others.
    pub(super) sources: Sources,
    /// Links that may have something to be heard, in the order of their turns. Their descriptors need not be readable.
    pub(super) unread: VecDeque<Slot>,
    /// Keeps `epoll` readable while there are such links and nobody is at work on them.
    pub(super) note: OwnedFd,
    pub(super) noted: bool,
    /// Links that have something new to send.
    pub(super) unflushed: Vec<Slot>,
    /// For which node an endpoint is our end of the bootstrap channel.
    pub(super) bootstraps: HashMap<ElementKey, NodeName>,
    pub(super) buffer: Box<[u8]>,
    /// How often the links have been polled.
    pub(super) polls: u32,
    /// Something was sent or received over a link since the last [`Node::busy_poll`](super::Node::busy_poll).
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
    /// Blocks of peers' arenas have been read that the peers have not been told of.
    pub(super) some_done: Arc<AtomicBool>,
    /// Shared buffers of all peers that wait for their messages.
    pub(super) gathered: usize,
    /// Ticks while there are arenas of ours.
    pub(super) arena_clock: Option<OwnedFd>,
    /// What else becomes of descriptors that are received.
    #[cfg(any(test, feature = "hostile"))]
    pub(super) hoard: Option<super::hostile::Hoard>,
    /// With it links can take in descriptors when the process has none left.
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
            return self.effects.let_go.push(Watch { ready: Some(ready), ..Watch::default() });
        }
        let former = self.watch(key).ready.replace(ready);
        self.effects.let_go.push(Watch { ready: former, ..Watch::default() });
    }

    /// The port is in a set from now on.
    pub(crate) fn enlist(&mut self, key: ElementKey, member: Membership) {
        if self.router.receivable(key) {
            self.effects.list(&member);
        }
        if !self.router.ended(key) {
            self.watch(key).member = Some(member);
        }
    }

    /// The port is in no set any more.
    pub(crate) fn delist(&mut self, key: ElementKey) {
        if let Some(watch) = self.watches.get_mut(&key) {
            watch.member = None;
        }
    }

    /// Posts plain bytes: straight into a link or to who takes them, if nothing is in the way.
    pub(crate) fn post_bytes(&mut self, key: ElementKey, mut data: Vec<u8>) {
        self.note_posted(key, data.len(), &[]);
        if !self.router.post_here(key, &mut data) && !self.write(key, &data) {
            self.router.post(key, data, Vec::new());
        }
    }

    pub(crate) fn post(&mut self, key: ElementKey, data: Body, ports: Vec<ElementKey>) {
        self.note_posted(key, data.len(), &ports);
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

    /// Does what the router wants done, and hands out what must be done without the lock.
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
            // What was dropped meanwhile may have been a block.
            self.release_blocks();
        }
    }

    /// Tells `tracer` from now on what happens to ports that come to be.
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
            // Who was woken comes back if it wants more.
            self.watches.remove(&key);
        } else if self.router.ended(key) {
            // Nothing more will arrive: what the callback owns (often its own port) is free.
            self.unwatch(key);
        }
    }
}
