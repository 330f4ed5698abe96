//! Waiting for many ports at once: [`PortSet`] and [`select`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::{Port, RecvError};
use crate::host::{AcceptError, Credentials, Incoming};
use crate::message::Event;
use crate::name::RandomKeys;
use crate::node::{Membership, Shared, drive_until};

/// The most guests that are accepted before the set's members have their turn.
const GUESTS_A_TURN: usize = 32;

/// Waits until one of a few ports has an event, and drives their nodes meanwhile, at most for
/// `timeout` (`None`: without limit).
///
/// Returns the port's index in the list and the event. Ended ports are skipped. If several ports
/// have events, they take turns. Each call polls every port: use [`PortSet`] for more than a few
/// ports, or for repeated calls.
///
/// ```
/// use strait_ports::{Event, Node, select};
/// let node = Node::broker()?;
/// let (orders, to_us) = node.channel();
/// let (_stop, stopped) = node.channel();
/// orders.post(b"one".to_vec())?;
/// let (index, event) = select(&[&stopped, &to_us], None)?;
/// assert_eq!(index, 1);
/// assert!(matches!(event, Event::Message(m) if m.data == b"one"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Port::recv_blocking`]; [`RecvError::Ended`] when all ports have ended, or the list is
/// empty.
pub fn select(ports: &[&Port], timeout: Option<Duration>) -> Result<(usize, Event), RecvError> {
    /// The index at which the last call began.
    static START: AtomicUsize = AtomicUsize::new(0);
    let deadline = timeout.map(|timeout| Instant::now() + timeout);
    let mut nodes: Vec<&Arc<Shared>> = Vec::new();
    for port in ports {
        if !nodes.iter().any(|node| Arc::ptr_eq(node, &port.shared)) {
            nodes.push(&port.shared);
        }
    }
    let start = START.fetch_add(1, Ordering::Relaxed);
    let selected = drive_until(&nodes, deadline, |cx| {
        let mut open = false;
        for place in 0..ports.len() {
            let index = start.wrapping_add(place) % ports.len();
            match ports[index].poll_recv(cx.waker()) {
                Poll::Ready(Some(event)) => return Poll::Ready(Some((index, event))),
                Poll::Ready(None) => {}
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(None) }
    })?;
    selected.ok_or(RecvError::TimedOut)?.ok_or(RecvError::Ended)
}

/// A port in a [`PortSet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortId(u64);

/// A set of ports that are awaited together. The cost of an event does not depend on the number of
/// ports.
///
/// Ports take turns, so a flooded port does not delay the others. A port is in the set until it is
/// removed or its close has been returned. The set can add the guests of an endpoint itself
/// ([`PortSet::admit`]). With the feature `futures` it is also a `Stream`.
///
/// ```
/// use strait_ports::{Event, Node, PortSet};
/// let node = Node::broker()?;
/// let mut set = PortSet::new();
/// let far: Vec<_> = (0..3u8)
///     .map(|_| {
///         let (near, far) = node.channel();
///         set.insert(near);
///         far
///     })
///     .collect();
/// far[1].post(b"hello".to_vec())?;
/// let Some((id, Event::Message(message))) = set.recv_blocking(None)? else { panic!("posted") };
/// set.get(id).expect("it is open").post(message)?; // the port that the message came from
/// drop(far);
/// // Three closes arrive; then the set is empty.
/// while let Some((_, event)) = set.recv_blocking(None)? {
///     assert!(matches!(event, Event::Close(_)));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct PortSet {
    members: HashMap<PortId, Member, RandomKeys>,
    next: u64,
    list: Arc<ReadyPorts>,
    /// Listed ports that wait for their turn.
    turns: VecDeque<PortId>,
    /// Ports that have had their turn and have more events.
    again: VecDeque<PortId>,
    /// The endpoints whose guests join the set.
    doors: BTreeMap<PortId, Door>,
    /// The nodes of members and doors, with the number of both for each node.
    nodes: Vec<(Arc<Shared>, usize)>,
}

struct Member {
    port: Port,
    /// Whether the port is in the list.
    listed: Arc<AtomicBool>,
    guest: Option<Credentials>,
}

struct Door {
    incoming: Incoming,
    bell: Arc<Bell>,
}

/// Adds a door to the list when its endpoint is readable.
struct Bell {
    id: PortId,
    list: Arc<ReadyPorts>,
    listed: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.list.add(self.id, &self.listed);
    }
}

/// Members with events, in the order of their arrival.
#[derive(Default)]
pub(crate) struct ReadyPorts(Mutex<ReadyQueue>);

#[derive(Default)]
struct ReadyQueue {
    ids: VecDeque<PortId>,
    waiting: Option<Waker>,
}

impl ReadyPorts {
    fn with<R>(&self, what: impl FnOnce(&mut ReadyQueue) -> R) -> R {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds ports with events. They are not in the list yet.
    pub(crate) fn extend(&self, ids: Vec<PortId>) {
        let waiting = self.with(|ready| {
            ready.ids.extend(ids);
            ready.waiting.take()
        });
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    fn add(&self, id: PortId, listed: &AtomicBool) {
        if !listed.swap(true, Ordering::AcqRel) {
            self.extend(vec![id]);
        }
    }
}

impl PortSet {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a port. A port whose close has already been received is dropped at once.
    pub fn insert(&mut self, port: Port) -> PortId {
        self.add(port, None)
    }

    /// Adds the guests of an endpoint to the set as they connect. Each guest's port has its own id,
    /// and [`PortSet::guest`] returns the guest's credentials.
    ///
    /// From then on waiting does not end because the set is empty. A guest that cannot be accepted
    /// for lack of descriptors is refused.
    pub fn admit(&mut self, incoming: Incoming) {
        let id = self.fresh_id();
        self.drives(incoming.shared());
        let bell = Arc::new(Bell { id, list: Arc::clone(&self.list), listed: AtomicBool::new(false) });
        // Guests may have connected already.
        Arc::clone(&bell).wake();
        self.doors.insert(id, Door { incoming, bell });
    }

    /// The credentials of the process at the other end of a port, if [`PortSet::admit`] has added
    /// it.
    pub fn guest(&self, id: PortId) -> Option<&Credentials> {
        self.members.get(&id)?.guest.as_ref()
    }

    fn fresh_id(&mut self) -> PortId {
        self.next += 1;
        PortId(self.next)
    }

    fn drives(&mut self, node: &Arc<Shared>) {
        match self.nodes.iter_mut().find(|(known, _)| Arc::ptr_eq(known, node)) {
            Some((_, members)) => *members += 1,
            None => self.nodes.push((Arc::clone(node), 1)),
        }
    }

    fn add(&mut self, port: Port, guest: Option<Credentials>) -> PortId {
        let id = self.fresh_id();
        if port.is_exhausted() {
            return id;
        }
        self.drives(&port.shared);
        let listed = Arc::new(AtomicBool::new(false));
        let membership = Membership { list: Arc::clone(&self.list), id, listed: Arc::clone(&listed) };
        port.shared.act(|state| state.enlist(port.key(), membership));
        self.members.insert(id, Member { port, listed, guest });
        id
    }

    /// Removes a port; its queued messages stay in it.
    pub fn remove(&mut self, id: PortId) -> Option<Port> {
        let Member { port, .. } = self.members.remove(&id)?;
        port.shared.act(|state| state.delist(port.key()));
        if let Some(place) = self.nodes.iter().position(|(node, _)| Arc::ptr_eq(node, &port.shared)) {
            self.nodes[place].1 -= 1;
            if self.nodes[place].1 == 0 {
                self.nodes.swap_remove(place);
            }
        }
        Some(port)
    }

    /// Returns a port of the set, to post on it.
    pub fn get(&self, id: PortId) -> Option<&Port> {
        self.members.get(&id).map(|member| &member.port)
    }

    /// All ports, in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (PortId, &Port)> {
        let mut ports: Vec<_> = self.members.iter().map(|(id, member)| (*id, &member.port)).collect();
        ports.sort_unstable_by_key(|(id, _)| *id);
        ports.into_iter()
    }

    /// The number of ports.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether the set has no ports.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the next event of any port, if one has arrived. A port whose close is returned is
    /// removed.
    pub fn try_recv(&mut self) -> Option<(PortId, Event)> {
        let mut visits = 0;
        loop {
            if self.turns.is_empty() {
                mem::swap(&mut self.again, &mut self.turns);
                self.list.with(|ready| self.turns.append(&mut ready.ids));
            }
            let id = self.turns.pop_front()?;
            let Some(Member { port, listed, .. }) = self.members.get(&id) else {
                // A door, or the id of a removed port.
                if self.doors.contains_key(&id) {
                    if visits == self.doors.len() {
                        // Every door that was listed at the start has been served. Stop here, so
                        // that a stream of guests does not keep the caller.
                        self.list.with(|ready| ready.ids.push_back(id));
                        return None;
                    }
                    visits += 1;
                    self.let_in(id);
                }
                continue;
            };
            // A message that arrives after the queue was empty lists the port again.
            let (event, more) = port.take(|| listed.store(false, Ordering::Release));
            if more {
                self.again.push_back(id);
            }
            match event {
                // Another thread has taken the event.
                None => {}
                Some(event) => {
                    if matches!(event, Event::Close(_)) {
                        drop(self.remove(id));
                    }
                    return Some((id, event));
                }
            }
        }
    }

    /// Accepts waiting guests, up to [`GUESTS_A_TURN`].
    fn let_in(&mut self, id: PortId) {
        let Some(Door { bell, .. }) = self.doors.get(&id) else { return };
        let bell = Arc::clone(bell);
        // Cleared before the endpoint is polled: a guest that connects from now on lists the door
        // again.
        bell.listed.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&bell));
        for _ in 0..GUESTS_A_TURN {
            let Some(door) = self.doors.get_mut(&id) else { return };
            match door.incoming.poll_recv(&mut Context::from_waker(&waker)) {
                Poll::Ready(Ok(guest)) => _ = self.add(guest.port, Some(guest.credentials)),
                Poll::Ready(Err(AcceptError::Guest(error))) => {
                    tracing::warn!(path = %door.incoming.path().display(), "a guest was turned away: {error}")
                }
                // The next try would fail at once too.
                Poll::Ready(Err(error)) => {
                    tracing::error!(path = %door.incoming.path().display(), "no guests any more: {error}");
                    return;
                }
                Poll::Pending => return,
            }
        }
        bell.wake();
    }

    /// Waits for the next event of any port; `None` if the set has no ports.
    ///
    /// Dropping the future loses nothing. A thread must drive the node meanwhile.
    pub fn recv(&mut self) -> impl Future<Output = Option<(PortId, Event)>> + '_ {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Waits for the next event of any port and drives their nodes meanwhile, at most for `timeout`
    /// (`None`: without limit). `None` if the set has no ports.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`] or [`RecvError::Io`].
    pub fn recv_blocking(&mut self, timeout: Option<Duration>) -> Result<Option<(PortId, Event)>, RecvError> {
        if let Some(event) = self.try_recv() {
            return Ok(Some(event));
        }
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let nodes: SmallVec<[Arc<Shared>; 2]> = self.nodes.iter().map(|(node, _)| Arc::clone(node)).collect();
        let nodes: SmallVec<[&Arc<Shared>; 2]> = nodes.iter().collect();
        drive_until(&nodes, deadline, |cx| self.poll_recv(cx))?.ok_or(RecvError::TimedOut)
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<(PortId, Event)>> {
        if let Some(event) = self.try_recv() {
            return Poll::Ready(Some(event));
        }
        if self.members.is_empty() && self.doors.is_empty() {
            return Poll::Ready(None);
        }
        // A waker is foreign code: it is copied and dropped without the lock.
        let waker = cx.waker().clone();
        let (busy, _former) = self.list.with(|ready| (!ready.ids.is_empty(), ready.waiting.replace(waker)));
        let busy = busy || !self.turns.is_empty() || !self.again.is_empty();
        if busy {
            // A port was listed just now. Other tasks have their turn first, those that drive the
            // node included.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl fmt::Debug for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortSet").field("ports", &self.members.len()).finish_non_exhaustive()
    }
}
