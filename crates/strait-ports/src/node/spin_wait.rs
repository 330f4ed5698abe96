//! How a waiting thread drives the node meanwhile: it polls the links (spins), then parks on futex
//! words, then on descriptors.
//!
//! | step | woken by | cost of a wake-up | left when |
//! |---|---|---|---|
//! | spin | nothing: it polls | a fraction of a microsecond | [`SPIN_LIMIT`] has passed, or spinning was useless lately |
//! | park on words | one `futex` call of the peer | 20 to 30 us on a virtual machine | nothing came for [`MAX_PARK`] |
//! | park on descriptors | everything, the end of a link included | one `poll` and one read more | something came |
//!
//! On one processor spinning is useless: the peer cannot answer meanwhile.

use std::hint;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use smallvec::SmallVec;

use super::epoll_events::EpollEvents;
use super::links::IdlePolicy;
use super::parker::{ParkKind, Parker};
use super::state::NodeState;
use super::{Shared, poll_until};
use crate::link::{self, Half, MAX_WORDS};

/// How long a thread spins before it parks: about one round trip to a peer that is parked and must
/// be woken. With less, two peers that have parked would never spin again.
pub(super) const SPIN_LIMIT: Duration = Duration::from_micros(100);

/// The clock is read once for this many polls.
pub(super) const POLLS_PER_CLOCK_READ: u32 = 8;

/// `spin_loop` hints between two polls, so that the lock is free for other threads most of the time.
pub(super) const PAUSES_PER_POLL: u32 = 4;

/// After this many useless spins in a row, spinning is tried after 4, 8, 16, ... further waits.
const BACKOFF_AFTER: u32 = 4;

/// It is tried at least once in this many waits.
const MAX_BACKOFF: u32 = 1024;

/// How long a thread parks on words, where some events (the end of a link) do not wake it.
const MAX_PARK: Duration = Duration::from_millis(2);

/// One poll in this many looks at `epoll` too, for what shows only on descriptors.
const POLLS_PER_EPOLL: u32 = 64;

/// How long a thread routes before it checks whether its wait is over.
const SLICE: Duration = Duration::from_millis(10);

/// Whether spinning is worthwhile: the number of useless spins in a row.
#[derive(Default)]
pub(crate) struct AdaptiveSpin(AtomicU32);

impl AdaptiveSpin {
    pub(super) fn is_worthwhile(&self) -> bool {
        let failures = self.0.load(Ordering::Relaxed);
        failures < BACKOFF_AFTER || (failures < MAX_BACKOFF && failures.is_power_of_two()) || failures.is_multiple_of(MAX_BACKOFF)
    }

    pub(super) fn succeeded(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Drives `nodes` in this thread until `poll` is ready, or the deadline has passed (`None`).
pub(crate) fn drive_until<T>(
    nodes: &[&Arc<Shared>],
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> io::Result<Option<T>> {
    // Another thread may drive the nodes too and receive the awaited event: it wakes this one by the parker.
    let parker = Parker::of_this_thread()?;
    let waker = Waker::from(Arc::clone(&parker));
    let mut cx = Context::from_waker(&waker);
    loop {
        parker.reset();
        if let Poll::Ready(ready) = poll(&mut cx) {
            return Ok(Some(ready));
        }
        if is_past(deadline) {
            return Ok(None);
        }
        wait(nodes, deadline, &parker)?;
    }
}

/// Drives the nodes until the parker is notified or the deadline has passed.
fn wait(nodes: &[&Arc<Shared>], deadline: Option<Instant>, parker: &Parker) -> io::Result<()> {
    loop {
        if let [node] = nodes
            && node.spin(parker)
            && node.park_on_words(deadline, parker)?
        {
            if parker.is_notified() || is_past(deadline) {
                return Ok(());
            }
            continue;
        }
        park_on_descriptors(nodes, deadline, parker)?;
        if parker.is_notified() || is_past(deadline) {
            return Ok(());
        }
    }
}

fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

fn park_on_descriptors(nodes: &[&Arc<Shared>], deadline: Option<Instant>, parker: &Parker) -> io::Result<()> {
    nodes.iter().for_each(|node| node.act(NodeState::sleep_links));
    let descriptors = nodes.iter().map(|node| &*node.epoll).chain([&parker.descriptor]);
    let mut fds: SmallVec<[PollFd<'_>; 2]> = descriptors.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    if parker.park(ParkKind::Descriptors, |_| poll_until(&mut fds, deadline)).transpose()? != Some(true) {
        return Ok(());
    }
    if fds.last().is_some_and(|fd| !fd.revents().is_empty()) {
        // The count has no meaning; reading it resets the descriptor.
        let _ = rustix::io::read(&parker.descriptor, &mut [0; 8]);
    }
    for (node, _) in nodes.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()) {
        let ready = EpollEvents::now(&node.epoll)?;
        node.act(|state| state.route_and_keep(&ready));
    }
    Ok(())
}

impl Shared {
    /// Polls the links until the parker is notified, for [`SPIN_LIMIT`] at most. True: the thread may park on words, or spin again.
    fn spin(&self, parker: &Parker) -> bool {
        let mut outcome = if self.links.load(Ordering::Relaxed) == 0 { PollOutcome::NoLinks } else { PollOutcome::Idle };
        let until = self.wait_spin.is_worthwhile().then(|| Instant::now() + SPIN_LIMIT);
        for n in 0u32.. {
            if outcome != PollOutcome::NoLinks {
                // If another thread holds the lock, that thread routes.
                outcome = self.try_act(NodeState::poll_and_route).unwrap_or(outcome);
            }
            if outcome == PollOutcome::Unpollable {
                return false;
            }
            if parker.is_notified() {
                if n > 0 {
                    self.wait_spin.succeeded();
                }
                return true;
            }
            if until.is_none_or(|until| n % POLLS_PER_CLOCK_READ == POLLS_PER_CLOCK_READ - 1 && Instant::now() >= until) {
                break;
            }
            (0..PAUSES_PER_POLL).for_each(|_| hint::spin_loop());
        }
        self.wait_spin.failed();
        true
    }

    /// False: nothing came for as long as a thread may park on words.
    fn park_on_words(&self, deadline: Option<Instant>, parker: &Parker) -> io::Result<bool> {
        if parker.is_notified() {
            return Ok(true);
        }
        let Some(words) = self.act(NodeState::park) else { return Ok(true) };
        let limit = deadline.map_or(MAX_PARK, |deadline| deadline.saturating_duration_since(Instant::now()).min(MAX_PARK));
        parker.park(ParkKind::Word, |parker| link::sleep(&parker.word, ParkKind::Word as u32, &words, limit)).unwrap_or(Ok(true))
    }
}

/// What one poll of all links has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollOutcome {
    /// There are no links: only other threads can bring something, and they notify the parker.
    NoLinks,
    /// Some links are sockets, or there are too many: they must be waited for by `epoll`.
    Unpollable,
    /// All links are awake and have nothing.
    Idle,
    /// A ring or a descriptor has something.
    Active,
}

impl NodeState {
    /// Polls all links that can be polled, and routes what they have.
    fn poll_and_route(&mut self) -> PollOutcome {
        let (outcome, ready) = self.poll_links(MAX_WORDS);
        match outcome {
            PollOutcome::NoLinks | PollOutcome::Unpollable => return outcome,
            PollOutcome::Idle => {}
            PollOutcome::Active => self.route_and_keep(&ready),
        }
        self.leave_note();
        outcome
    }

    /// Polls each link, if there are no more than `most` and all are rings, and leaves them awake. Once in [`POLLS_PER_EPOLL`] calls it polls the node's descriptors as well.
    pub(super) fn poll_links(&mut self, most: usize) -> (PollOutcome, EpollEvents) {
        let count = self.peers.len();
        if count == 0 {
            return (PollOutcome::NoLinks, EpollEvents::default());
        }
        if count > most || self.peers.iter().any(|peer| peer.link.doorbell().is_none()) {
            return (PollOutcome::Unpollable, EpollEvents::default());
        }
        if self.unread.len() < self.peers.len() {
            for slot in self.peers.slots() {
                let Some(peer) = self.peers.at(slot) else { continue };
                if !peer.unread {
                    peer.link.stay_awake();
                    self.is_unread(slot);
                }
            }
        }
        self.polls = self.polls.wrapping_add(1);
        let ready = if self.polls.is_multiple_of(POLLS_PER_EPOLL) {
            EpollEvents::now(&self.epoll).unwrap_or_default()
        } else {
            EpollEvents::default()
        };
        let active = !ready.is_empty() || self.peers.iter().any(|peer| peer.link.has_input() || peer.waits);
        (if active { PollOutcome::Active } else { PollOutcome::Idle }, ready)
    }

    /// Routes, and leaves idle links awake: this thread polls them again soon. Another thread may poll the node's descriptor, which is readable meanwhile.
    fn route_and_keep(&mut self, ready: &EpollEvents) {
        self.turn(ready, Instant::now() + SLICE, IdlePolicy::StayAwake);
        self.leave_note();
    }

    /// Puts all links to sleep, after what they have has been routed.
    pub(super) fn sleep_links(&mut self) {
        let until = Instant::now() + SLICE;
        while !self.unread.is_empty() && self.turn(&EpollEvents::default(), until, IdlePolicy::Sleep) && Instant::now() < until {}
        self.leave_note();
    }

    /// Has all links signal futex words from now on; `None` if something must be routed first.
    fn park(&mut self) -> Option<SmallVec<[Half; MAX_WORDS]>> {
        let mut words = SmallVec::new();
        // A thread that parks on descriptors next puts all of these to sleep first, links included that were made since the last poll.
        self.peers.slots().for_each(|slot| self.is_unread(slot));
        self.leave_note();
        for slot in self.peers.slots() {
            let Some(peer) = self.peers.at(slot) else { continue };
            match peer.link.park() {
                Ok(Some(word)) => words.push(word),
                // A protocol error shows again when the link is read.
                Ok(None) | Err(_) => return None,
            }
            if peer.waits && !peer.wants_room {
                // The peer may have made room and signalled the doorbell before the word said that this thread parks.
                self.flush(slot);
            }
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::message::Event;
    use crate::node::Node;
    use crate::port::Port;

    /// After a thousand failures: twelve tries among the first 1,024 waits, then one in 1,024; one success resets that.
    #[test]
    fn useless_spins_become_rarer() {
        let spin = AdaptiveSpin::default();
        let tries = |waits: u32| {
            let tried = |_: &u32| {
                let worthwhile = spin.is_worthwhile();
                spin.failed();
                worthwhile
            };
            (0..waits).filter(tried).count()
        };
        assert_eq!(tries(BACKOFF_AFTER), BACKOFF_AFTER as usize);
        assert_eq!(tries(MAX_BACKOFF - BACKOFF_AFTER), 8);
        assert_eq!(tries(10 * MAX_BACKOFF), 10);
        spin.succeeded();
        assert_eq!(tries(BACKOFF_AFTER), BACKOFF_AFTER as usize);
    }

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
    }

    fn member(broker: &Node) -> (Port, Node, Port) {
        let (ours, theirs) = pair();
        let at_broker = broker.invite(ours).unwrap();
        let (node, at_member) = Node::join(theirs).unwrap();
        (at_broker, node, at_member)
    }

    /// Parking includes links that were made after the last poll: all are put to sleep afterwards.
    #[test]
    fn a_link_made_after_the_last_poll_is_not_left_parked() {
        let broker = Node::broker().unwrap();
        let first = member(&broker);
        assert!(broker.shared.act(NodeState::poll_and_route) == PollOutcome::Idle);
        let second = member(&broker);
        assert_eq!(broker.shared.act(|state| state.park().map(|words| words.len())), Some(2));
        broker.shared.act(NodeState::sleep_links);
        for (at_broker, _, at_member) in [&first, &second] {
            at_member.post(vec![1]).unwrap();
            let mut fds = [PollFd::new(&broker, PollFlags::IN)];
            assert!(poll_until(&mut fds, Some(Instant::now())).unwrap(), "the node is not readable");
            let deadline = Instant::now() + Duration::from_secs(60);
            while at_broker.queued().0 == 0 && Instant::now() < deadline {
                let _ = broker.dispatch(Duration::ZERO).unwrap();
            }
            assert!(matches!(at_broker.try_recv(), Some(Event::Message(_))));
        }
    }

    /// The node's descriptor is readable while a thread keeps the links awake; dispatching puts them to sleep.
    #[test]
    fn links_that_are_kept_awake_make_the_node_readable() {
        let broker = Node::broker().unwrap();
        let (at_broker, _node, at_member) = member(&broker);
        assert!(broker.shared.act(NodeState::poll_and_route) == PollOutcome::Idle);
        let readable = || poll_until(&mut [PollFd::new(&broker, PollFlags::IN)], Some(Instant::now())).unwrap();
        assert!(readable());
        while readable() {
            let _ = broker.dispatch(Duration::ZERO).unwrap();
        }
        at_member.post(vec![1]).unwrap();
        assert!(readable());
        let _ = broker.dispatch(Duration::from_millis(1)).unwrap();
        assert!(at_broker.try_recv().is_some());
    }
}
