//! The node: a process's router and links, and the functions that drive them.

mod busy_poll;
mod drive;
mod epoll_events;
#[cfg(any(test, feature = "hostile"))]
pub mod hostile;
mod introduce;
mod large;
mod links;
mod parker;
mod peers;
mod send_waiters;
mod source;
mod spin_wait;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hint;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::body::Body;
use crate::limits::{LimitReached, Limits};
use crate::link::{self, Link, LinkError, LinkKind, MAX_PACKET, ReceiveOutcome, Reserve, RingParts, Socket};
use crate::message::CloseReason;
use crate::port::Port;
use crate::shared_buffer::SharedBuffer;
use crate::trace::TracedEvent;
use crate::wire::{self, Control, Packet, VERSION};
use drive::Drivers;
use epoll_events::EpollEvents;
use links::IdlePolicy;
use spin_wait::AdaptiveSpin;
pub(crate) use spin_wait::drive_until;
pub(crate) use state::Membership;
use state::NodeState;

/// How long [`Node::join`] waits for the broker's welcome.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);

/// A thread tries the lock this many times before it sleeps.
const LOCK_TRIES: usize = 100;

/// How long [`Node::leave`] waits for slow peers.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// A process's participation in the network of ports: its channels and its links to other nodes.
/// Cheap to clone; all clones are one node.
///
/// ```
/// use std::thread;
/// use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
/// use strait_ports::{Event, Message, Node};
///
/// let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
/// // Usually another process.
/// let child = thread::spawn(move || {
///     let (node, parent) = Node::join(theirs).unwrap();
///     parent.post(Message::new(b"hi".to_vec())).unwrap();
///     node.leave(strait_ports::CloseReason::Exited);
/// });
/// let broker = Node::broker()?;
/// let port = broker.invite(ours)?;
/// assert!(matches!(port.recv_blocking(None)?, Event::Message(m) if m.data == b"hi"));
/// assert!(matches!(port.recv_blocking(None)?, Event::Close(reason) if reason.as_str() == "exited"));
/// # child.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Node {
    shared: Arc<Shared>,
}

/// Whether [`Node::dispatch`] has left received frames for the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// All received frames were routed.
    Idle,
    /// The time ran out; the descriptor stays readable.
    More,
}

/// The contents of a node at the moment of the call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeStats {
    /// Ports, those inside unreceived messages included.
    pub ports: usize,
    /// Former hosts of ports: they still forward messages.
    pub proxies: usize,
    /// Nodes to which this one has a link.
    pub links: usize,
    /// Payload bytes that are queued for a port, held for a fence, or waiting for room in a link.
    pub queued_bytes: usize,
    /// Bytes of large messages in memory that is shared with their receivers, not yet read there.
    pub lent_bytes: usize,
    /// Channels that ended so far because they exceeded [`Limits::port_queue`] or
    /// [`Limits::peer_queues`].
    pub overflowed_ports: usize,
    /// Links that ended so far because they exceeded [`Limits::link_backlog`].
    pub overflowed_links: usize,
}

/// The reasons for which a node cannot join.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The socket's system calls failed.
    #[error("cannot join over the socket: a system call failed")]
    Io(#[from] io::Error),
    /// The broker closed the socket before it sent a welcome.
    #[error("the broker closed the socket without a welcome")]
    Closed,
    /// No welcome arrived in time.
    #[error("no welcome from the broker within {0:?}")]
    TimedOut(Duration),
    /// The first frame is not a welcome of this protocol version.
    #[error("expected `Welcome` of protocol version {VERSION} as the broker's first frame: connect to a Strait broker of the same version")]
    NoWelcome,
}

/// The part of a node that its handles and its ports share.
pub(crate) struct Shared {
    pub(crate) epoll: Arc<OwnedFd>,
    state: Mutex<NodeState>,
    wait_spin: AdaptiveSpin,
    /// The same for [`Node::busy_poll`].
    poll_spin: AdaptiveSpin,
    /// The number of links.
    links: Arc<AtomicU32>,
    drivers: Drivers,
}

impl Shared {
    /// Calls `what` with the locked state. Then it calls, without the lock, the resulting callbacks
    /// and wakers.
    pub(crate) fn act<R>(&self, what: impl FnOnce(&mut NodeState) -> R) -> R {
        Self::act_on(self.lock(), what)
    }

    fn lock(&self) -> MutexGuard<'_, NodeState> {
        // Threads that exchange messages contend for this lock for about 0.1 µs. Sleeping and being
        // woken would take fifty times as long.
        for _ in 0..LOCK_TRIES {
            if let Some(state) = self.try_lock() {
                return state;
            }
            hint::spin_loop();
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Shared::act`], if the lock is free.
    pub(crate) fn try_act<R>(&self, what: impl FnOnce(&mut NodeState) -> R) -> Option<R> {
        self.try_lock().map(|state| Self::act_on(state, what))
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, NodeState>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn act_on<R>(state: MutexGuard<'_, NodeState>, what: impl FnOnce(&mut NodeState) -> R) -> R {
        Self::act_and_tell(state, what).0
    }

    /// Also returns whether a callback or waker was called.
    fn act_and_tell<R>(mut state: MutexGuard<'_, NodeState>, what: impl FnOnce(&mut NodeState) -> R) -> (R, bool) {
        let result = what(&mut state);
        let effects = state.settle();
        drop(state);
        let any = effects.is_some();
        if let Some(effects) = effects {
            effects.run();
        }
        (result, any)
    }

    /// Returns a received message's bytes. Bytes in shared memory are copied, without the lock, and
    /// their block is released.
    pub(crate) fn take_out(&self, body: Body) -> (Vec<u8>, Vec<SharedBuffer>) {
        let (body, buffers) = body.split();
        let bytes = match body {
            Body::Bytes(bytes) => bytes,
            body => {
                let bytes = body.into_bytes();
                self.act(|_| ());
                bytes
            }
        };
        (bytes, buffers)
    }
}

impl Node {
    pub(crate) fn of(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn with(state: NodeState) -> Self {
        let (epoll, links) = (Arc::clone(&state.epoll), state.peers.count());
        let (wait_spin, poll_spin) = (AdaptiveSpin::default(), AdaptiveSpin::default());
        Self { shared: Arc::new(Shared { epoll, state: Mutex::new(state), wait_spin, poll_spin, links, drivers: Drivers::default() }) }
    }

    /// A node that invites others and introduces them to each other.
    ///
    /// # Errors
    /// When the process has fewer than six descriptors left. The node takes two; four are kept in
    /// reserve, to receive descriptors when the process has none left.
    pub fn broker() -> io::Result<Self> {
        Self::broker_with(LinkKind::Rings)
    }

    /// As [`Node::broker`], with the kind of all links in its network, for tests and benches.
    ///
    /// # Errors
    /// As [`Node::broker`].
    #[doc(hidden)]
    pub fn broker_with(links: LinkKind) -> io::Result<Self> {
        Ok(Self::with(NodeState::broker(links)?))
    }

    /// Joins over `socket` (`SOCK_SEQPACKET`), whose other end the broker has passed to
    /// [`Node::invite`]. Waits for the broker's welcome, ten seconds at most.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub fn join(socket: OwnedFd) -> Result<(Self, Port), JoinError> {
        let mut socket = Socket::new(socket)?;
        let _reserve = Reserve::hold()?;
        let deadline = Instant::now() + WELCOME_TIMEOUT;
        let mut buffer = vec![0; MAX_PACKET];
        let frame = loop {
            match socket.receive(&mut buffer) {
                Ok(ReceiveOutcome::Frame(frame)) => break frame,
                Ok(ReceiveOutcome::Ended) => return Err(JoinError::Closed),
                // A welcome is short.
                Ok(ReceiveOutcome::Part) => return Err(JoinError::NoWelcome),
                Ok(ReceiveOutcome::Nothing) => {}
                Err(LinkError::Io(error)) => return Err(error.into()),
                Err(_) => return Err(JoinError::NoWelcome),
            }
            if !poll_until(&mut [PollFd::new(&socket, PollFlags::IN)], Some(deadline))? {
                return Err(JoinError::TimedOut(WELCOME_TIMEOUT));
            }
        };
        if frame.loan.is_some() {
            return Err(io::Error::from(Errno::MFILE).into());
        }
        match wire::decode(frame.bytes) {
            Ok(Packet::Control(welcome)) if !welcome.takes_descriptors(frame.descriptors.len()) => Err(JoinError::NoWelcome),
            Ok(Packet::Control(Control::Welcome { version: VERSION, you, broker, yours, mine })) => {
                let mut state = NodeState::member(you, broker)?;
                state
                    .connect(broker, link::over(socket, RingParts::from_descriptors(&mut frame.descriptors.into_iter()), you < broker)?)?;
                let key = state.bootstrap(yours, broker, mine);
                let node = Self::with(state);
                let port = node.port(key);
                Ok((node, port))
            }
            _ => Err(JoinError::NoWelcome),
        }
    }

    /// Admits the process at the other end of `socket`. The returned port is this end of the
    /// bootstrap channel.
    ///
    /// # Errors
    /// When `socket` is not a `SOCK_SEQPACKET` socket, or this node is not the broker.
    pub fn invite(&self, socket: OwnedFd) -> io::Result<Port> {
        let key = self.shared.act(|state| state.invite(socket))?;
        Ok(self.port(key))
    }

    /// Sets the close reason for the case that the node at the other end of `bootstrap` ends
    /// without a `Goodbye`. The broker sends it to that node's peers.
    pub fn expect_departure(&self, bootstrap: &Port, reason: CloseReason) {
        if Arc::ptr_eq(bootstrap.shared(), &self.shared) {
            self.shared.act(|state| state.expect_departure(bootstrap.element(), reason));
        }
    }

    /// Creates a channel inside this node. It makes no system call and takes no descriptor.
    pub fn channel(&self) -> (Port, Port) {
        let (a, b) = self.shared.act(|state| state.router.channel());
        (self.port(a), self.port(b))
    }

    fn port(&self, key: crate::router::ElementKey) -> Port {
        Port::new(Arc::clone(&self.shared), key)
    }

    /// Calls `tracer` with every event of this node's ports, except ports that exist already (such
    /// as the bootstrap port of a member). Replaces an earlier tracer. It is called without locks,
    /// in the thread that caused the events; [`TracedEvent::at`] orders the events of several
    /// threads.
    ///
    /// For debugging: receiving is slower while ports are traced.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use strait_ports::{Node, PortEvent};
    ///
    /// let node = Node::broker()?;
    /// let (tell, told) = mpsc::channel();
    /// node.trace(move |events| events.iter().for_each(|event| tell.send(event.clone()).unwrap()));
    /// let (here, there) = node.channel();
    /// here.post(b"hello")?;
    /// drop(there);
    /// let events: Vec<_> = told.try_iter().map(|traced| traced.event).collect();
    /// assert!(matches!(events[2], PortEvent::Posted { bytes: 5, .. }));
    /// assert!(matches!(&events[3], PortEvent::Closed { reason, here: true } if reason.as_str() == "dropped"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trace(&self, tracer: impl Fn(&[TracedEvent]) + Send + Sync + 'static) {
        self.shared.act(|state| state.trace(Arc::new(tracer)));
    }

    /// Limits the data that this node keeps for programs and peers that do not read. `reached` is
    /// called without locks, in the thread that found a limit reached, before the resulting closes
    /// are delivered. Limits that were reached at the same time are reported in one call.
    pub fn set_limits(&self, limits: Limits, reached: impl Fn(&[LimitReached]) + Send + Sync + 'static) {
        self.shared.act(|state| state.set_limits(limits, Arc::new(reached)));
    }

    /// Returns the node's present contents.
    pub fn stats(&self) -> NodeStats {
        self.shared.act(|state| state.stats())
    }

    /// Routes received frames for about `budget`. Calls ports' `on_ready` and wakers in this thread.
    ///
    /// The clock is read once for every 4,096 bytes of received frames (a frame counts 256 at least,
    /// a port 512), and the effects of a few hundred ports or kilobytes are handled before more is
    /// received: a peer exceeds the budget by one message at most, which can carry
    /// [`MAX_PORTS`](crate::MAX_PORTS). At least one frame is received. (When a direct link to another
    /// member ends, the frames that the broker has sent by then are received at once, beyond the budget
    /// if there are more: one socket's buffer.)
    ///
    /// # Errors
    /// When `epoll` fails.
    pub fn dispatch(&self, budget: Duration) -> io::Result<Progress> {
        self.route(EpollEvents::now(&self.shared.epoll)?, Instant::now() + budget)
    }

    /// Routes frames from ready links until the deadline, frames that arrive meanwhile included.
    fn route(&self, mut ready: EpollEvents, deadline: Instant) -> io::Result<Progress> {
        loop {
            let (more, enough) = self.shared.act(|state| {
                let more = state.turn(&ready, deadline, IdlePolicy::Sleep);
                let enough = !more || Instant::now() >= deadline;
                if enough {
                    state.leave_note();
                }
                (more, enough)
            });
            if enough {
                return Ok(if more { Progress::More } else { Progress::Idle });
            }
            ready = EpollEvents::now(&self.shared.epoll)?;
        }
    }

    /// Waits until there are frames to route (at most `timeout`; `None`: without limit) and routes
    /// them.
    ///
    /// # Errors
    /// When `epoll` fails.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<Progress> {
        let ready = EpollEvents::until(&self.shared.epoll, timeout.map(|t| Instant::now() + t))?;
        if ready.is_empty() { Ok(Progress::Idle) } else { self.route(ready, Instant::now() + Duration::from_millis(10)) }
    }

    /// Ends this node in order: closes its ports with `reason`, routes until it has no proxy left
    /// and all frames are sent, and then sends `Goodbye` on every link. It waits for slow peers,
    /// one second at most.
    ///
    /// Channels inside this node keep working afterwards; all others have ended.
    pub fn leave(&self, reason: CloseReason) {
        let deadline = Instant::now() + LEAVE_TIMEOUT;
        self.shared.act(|state| state.close_all(reason));
        self.drive_until(deadline, |state| state.router.counts().1 == 0 && state.all_sent());
        self.shared.act(|state| state.say_goodbye(reason));
        self.drive_until(deadline, NodeState::all_sent);
        self.shared.act(|state| state.hang_up(reason));
        self.shared.drivers.dismiss();
    }

    fn drive_until(&self, deadline: Instant, done: impl Fn(&NodeState) -> bool) {
        while !self.shared.act(|state| done(state)) && Instant::now() < deadline {
            // Another thread may drive the node too and take the awaited event: check again every 5
            // ms.
            let slice = deadline.min(Instant::now() + Duration::from_millis(5));
            match poll_until(&mut [PollFd::new(&*self.shared.epoll, PollFlags::IN)], Some(slice)) {
                Ok(true) if self.dispatch(Duration::from_millis(5)).is_err() => return,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

impl AsRef<Node> for Node {
    fn as_ref(&self) -> &Node {
        self
    }
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.epoll.as_fd()
    }
}

/// For event loops that need the descriptor's number.
impl AsRawFd for Node {
    fn as_raw_fd(&self) -> RawFd {
        self.shared.epoll.as_raw_fd()
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

/// Polls until a descriptor is ready (true) or the deadline has passed (false).
pub(crate) fn poll_until(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let timeout = left.map(|l| Timespec { tv_sec: l.as_secs() as _, tv_nsec: l.subsec_nanos() as _ });
        match poll(fds, timeout.as_ref()) {
            Ok(0) if left.is_none_or(|l| !l.is_zero()) => {}
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
