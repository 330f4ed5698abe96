//! A host's loop looks by itself for a moment before it sleeps.
//!
//! Waking a thread on another processor takes longer than everything else that happens to a message. Who has just said something often has the answer before it would have fallen asleep; and who
//! has just been told something is often told more.

use std::hint;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use super::core::Core;
use super::links::Vigil;
use super::vigil::{LOOK_FOR, LOOKS, Look, PAUSES};
use super::{Node, Shared};

/// With how many links it is worth it: each is looked at, each time.
const MAX_POLLED: usize = 32;

/// How long a look routes.
const SLICE: Duration = Duration::from_micros(300);

impl Node {
    /// For a loop that is about to sleep on the node's descriptor: looks for messages by itself for a moment, and routes them. True if somebody was told of something (callbacks and
    /// wakers have been called in this thread), so that there may be work to do before the loop sleeps.
    ///
    /// It takes 100 microseconds at most, and no time at all if nothing was sent or received over a link since the last time, if looking was in vain lately, or if there are more than 32 links. While it
    /// looks, peers need not wake this process, and other threads that wait for the node's descriptor are not woken.
    pub fn busy_poll(&self) -> bool {
        self.shared.busy_poll()
    }
}

/// What a glance has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glance {
    /// Links are awake, and have nothing.
    Quiet,
    /// Something was routed, and the links doze.
    Routed,
    /// Looking makes no sense.
    Vain,
}

impl Shared {
    fn busy_poll(&self) -> bool {
        if !self.act(|core| mem::take(&mut core.talked)) {
            return false;
        }
        let told = self.poll_luck.is_promising() && self.glance_until(Instant::now() + LOOK_FOR);
        if told {
            self.poll_luck.was_good();
        } else {
            self.poll_luck.was_vain();
        }
        told
    }

    fn glance_until(&self, until: Instant) -> bool {
        let mut told = false;
        for n in 0u32.. {
            match self.glance() {
                (Glance::Routed, true) => return true,
                (Glance::Vain, _) => break,
                (_, told_now) => told = told_now,
            }
            if told {
                break;
            }
            if n % LOOKS == LOOKS - 1 {
                if Instant::now() >= until {
                    break;
                }
                // Whoever is to answer may have been put on this processor: looking would keep it from that, until the look is over and then some. (Measured: one answer
                // in fifteen was late by that.)
                thread::yield_now();
            }
            (0..PAUSES).for_each(|_| hint::spin_loop());
        }
        self.give_up() || told
    }

    /// One look, and whether somebody was told of something.
    fn glance(&self) -> (Glance, bool) {
        // Somebody else is at it: who is told of something is told there.
        self.try_lock().map_or((Glance::Quiet, false), |core| Self::act_and_tell(core, Core::glance))
    }

    /// From now on the links have to tell. True if one had something at the last moment, and somebody was told.
    fn give_up(&self) -> bool {
        Self::act_and_tell(self.lock(), Core::doze_all).1
    }
}

impl Core {
    /// Routes what has come, and has the links doze then.
    fn glance(&mut self) -> Glance {
        let (look, ready) = self.look(MAX_POLLED);
        match look {
            Look::Nobody | Look::Sockets => Glance::Vain,
            Look::Quiet => Glance::Quiet,
            Look::Stirs => {
                self.turn(&ready, Instant::now() + SLICE, Vigil::Doze);
                self.leave_note();
                Glance::Routed
            }
        }
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
        node.shared.act(|core| core.talked = false);
    }

    #[test]
    fn a_message_is_found_and_told_in_this_thread() {
        let (broker, at_broker, _member, at_member) = pair();
        let told = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&told);
        at_broker.on_ready(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        at_broker.post(vec![1]).unwrap();
        at_member.post(vec![2]).unwrap();
        assert!(broker.busy_poll());
        assert_eq!(told.load(Ordering::Relaxed), 1);
        assert!(matches!(at_broker.try_recv(), Some(Event::Message(message)) if message.data == [2]));
    }

    #[test]
    fn who_has_said_and_heard_nothing_does_not_look() {
        let (broker, at_broker, member, at_member) = pair();
        at_member.post(vec![1]).unwrap();
        assert!(!broker.busy_poll(), "nothing was said: no look");
        assert!(at_broker.try_recv().is_none());
        // What was posted has set the member going.
        let begin = Instant::now();
        assert!(!member.busy_poll());
        assert!(begin.elapsed() >= LOOK_FOR, "it looked for {:?}", begin.elapsed());
        assert!(!member.busy_poll());
    }

    /// While a thread looks nobody is woken; when it has given up, everybody is as before.
    #[test]
    fn others_are_woken_only_when_nobody_looks() {
        let (broker, at_broker, _member, at_member) = pair();
        assert_eq!(broker.shared.glance(), (Glance::Quiet, false));
        at_member.post(vec![1]).unwrap();
        assert!(!is_readable(&broker), "the link is awake, and yet it was told");
        assert_eq!(broker.shared.act(Core::glance), Glance::Routed);
        assert!(at_broker.try_recv().is_some());
        for _ in 0..20 {
            // In vain, more and more often without a look.
            at_broker.post(vec![2]).unwrap();
            assert!(!broker.busy_poll());
            at_member.post(vec![3]).unwrap();
            assert!(is_readable(&broker), "the link dozes, and was not told");
            settle(&broker);
            assert!(at_broker.try_recv().is_some());
        }
    }

    /// Whoever gives up goes to sleep next, unless there is something.
    #[test]
    fn what_comes_at_the_last_moment_counts() {
        let (broker, at_broker, _member, at_member) = pair();
        at_broker.on_ready(|| {});
        assert_eq!(broker.shared.glance(), (Glance::Quiet, false));
        at_member.post(vec![1]).unwrap();
        assert!(broker.shared.give_up());
        assert!(at_broker.try_recv().is_some());
        assert!(!broker.shared.give_up());
    }
}
