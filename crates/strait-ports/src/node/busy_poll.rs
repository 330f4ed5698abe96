//! An event loop spins for a moment before it sleeps.
//!
//! Waking a thread on another processor takes longer than everything else that happens to a message.
//! After a message was sent, the answer often comes before the thread would sleep; after one was
//! received, another often follows.

use std::hint;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use super::links::IdlePolicy;
use super::spin_wait::{PAUSES_PER_POLL, POLLS_PER_CLOCK_READ, PollOutcome, SPIN_LIMIT};
use super::state::NodeState;
use super::{Node, Shared};

/// The most links with which spinning is worthwhile: each poll reads all of them.
const MAX_POLLED: usize = 32;

/// How long one poll routes.
const SLICE: Duration = Duration::from_micros(300);

impl Node {
    /// Polls for messages for a moment and routes them; for a loop that is about to sleep on the
    /// node's descriptor. True if callbacks or wakers were called in this thread, so that there may be
    /// work to do before the loop sleeps.
    ///
    /// It takes 100 microseconds at most. It returns at once if nothing was sent or received over a
    /// link since the last call, if polling was useless lately, or if there are more than 32 links.
    /// Meanwhile peers need not wake this process, and other threads that wait for the node's
    /// descriptor are not woken.
    pub fn busy_poll(&self) -> bool {
        self.shared.busy_poll()
    }
}

impl Shared {
    fn busy_poll(&self) -> bool {
        if !self.act(|state| mem::take(&mut state.talked)) {
            return false;
        }
        let notified = self.poll_spin.is_worthwhile() && self.spin_until(Instant::now() + SPIN_LIMIT);
        if notified {
            self.poll_spin.succeeded();
        } else {
            self.poll_spin.failed();
        }
        notified
    }

    fn spin_until(&self, until: Instant) -> bool {
        let mut notified = false;
        for n in 0u32.. {
            match self.poll_once() {
                (PollOutcome::Active, true) => return true,
                (PollOutcome::NoLinks | PollOutcome::Unpollable, _) => break,
                (_, notified_now) => notified = notified_now,
            }
            if notified {
                break;
            }
            if n % POLLS_PER_CLOCK_READ == POLLS_PER_CLOCK_READ - 1 {
                if Instant::now() >= until {
                    break;
                }
                // The scheduler may have put the peer on this processor, where it cannot run while this thread spins. (Measured: one answer in fifteen came
                // after the spin for that reason.)
                thread::yield_now();
            }
            (0..PAUSES_PER_POLL).for_each(|_| hint::spin_loop());
        }
        self.stop_polling() || notified
    }

    /// One poll, and whether it called a callback or a waker.
    fn poll_once(&self) -> (PollOutcome, bool) {
        // If another thread holds the lock, that thread routes and calls them.
        self.try_lock().map_or((PollOutcome::Idle, false), |state| Self::act_and_tell(state, NodeState::poll_once))
    }

    /// Puts the links to sleep. True if one had something at the last moment, and a callback or a waker was called.
    fn stop_polling(&self) -> bool {
        Self::act_and_tell(self.lock(), NodeState::sleep_links).1
    }
}

impl NodeState {
    /// Routes what has come, and puts the links to sleep if there was something.
    fn poll_once(&mut self) -> PollOutcome {
        let (outcome, ready) = self.poll_links(MAX_POLLED);
        if outcome == PollOutcome::Active {
            self.turn(&ready, Instant::now() + SLICE, IdlePolicy::Sleep);
            self.leave_note();
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::event::{PollFd, PollFlags};
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;
    use crate::message::Event;
    use crate::node::poll_until;
    use crate::port::Port;

    /// A broker and a member with the ends of a channel between them, after everything has come to rest.
    fn pair() -> (Node, Port, Node, Port) {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let broker = Node::broker().unwrap();
        let at_broker = broker.invite(ours).unwrap();
        let (member, at_member) = Node::join(theirs).unwrap();
        settle(&broker);
        settle(&member);
        (broker, at_broker, member, at_member)
    }

    fn is_readable(node: &Node) -> bool {
        poll_until(&mut [PollFd::new(node, PollFlags::IN)], Some(Instant::now())).unwrap()
    }

    fn settle(node: &Node) {
        while is_readable(node) {
            let _ = node.dispatch(Duration::from_millis(1)).unwrap();
        }
        node.shared.act(|state| state.talked = false);
    }

    #[test]
    fn a_message_is_found_and_reported_in_this_thread() {
        let (broker, at_broker, _member, at_member) = pair();
        let called = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&called);
        at_broker.on_ready(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        at_broker.post(vec![1]).unwrap();
        at_member.post(vec![2]).unwrap();
        assert!(broker.busy_poll());
        assert_eq!(called.load(Ordering::Relaxed), 1);
        assert!(matches!(at_broker.try_recv(), Some(Event::Message(message)) if message.data == [2]));
    }

    #[test]
    fn without_traffic_it_returns_at_once() {
        let (broker, at_broker, member, at_member) = pair();
        at_member.post(vec![1]).unwrap();
        assert!(!broker.busy_poll(), "nothing was sent: no spin");
        assert!(at_broker.try_recv().is_none());
        // The member has posted: it spins.
        let begin = Instant::now();
        assert!(!member.busy_poll());
        assert!(begin.elapsed() >= SPIN_LIMIT, "it span for {:?}", begin.elapsed());
        assert!(!member.busy_poll());
    }

    /// While a thread polls, no other thread is woken; after it has stopped, the node's descriptor is readable again.
    #[test]
    fn other_threads_are_woken_only_when_no_thread_polls() {
        let (broker, at_broker, _member, at_member) = pair();
        assert_eq!(broker.shared.poll_once(), (PollOutcome::Idle, false));
        at_member.post(vec![1]).unwrap();
        assert!(!is_readable(&broker), "the link is awake, and yet the node is readable");
        assert_eq!(broker.shared.act(NodeState::poll_once), PollOutcome::Active);
        assert!(at_broker.try_recv().is_some());
        for _ in 0..20 {
            // Useless, and more and more often without a spin.
            at_broker.post(vec![2]).unwrap();
            assert!(!broker.busy_poll());
            at_member.post(vec![3]).unwrap();
            assert!(is_readable(&broker), "the link sleeps, and the node is not readable");
            settle(&broker);
            assert!(at_broker.try_recv().is_some());
        }
    }

    /// A thread that stops polling sleeps next, unless something has come.
    #[test]
    fn a_message_at_the_last_moment_counts() {
        let (broker, at_broker, _member, at_member) = pair();
        at_broker.on_ready(|| {});
        assert_eq!(broker.shared.poll_once(), (PollOutcome::Idle, false));
        at_member.post(vec![1]).unwrap();
        assert!(broker.shared.stop_polling());
        assert!(at_broker.try_recv().is_some());
        assert!(!broker.shared.stop_polling());
    }
}
