//! A thread that waits for something drives the node meanwhile: it looks by itself for a moment, then sleeps on words of memory, then on descriptors.
//!
//! Each step is cheaper to leave than the next, and costs more to stay in. While the thread looks by itself nobody has to wake it, and a message takes a fraction of
//! a microsecond; it gives up after some microseconds, at once if that was in vain lately (on one processor the other side cannot answer meanwhile). Words are woken
//! by one system call, and slept on by one. But not everything that happens to a node touches a word (the end of a link does not), so after a moment without anything the
//! thread sleeps where it hears everything.

use std::hint;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use smallvec::SmallVec;

use super::alarm::{Alarm, Bed};
use super::core::Core;
use super::links::Vigil;
use super::ready::Ready;
use super::{Shared, poll_until};
use crate::link::{self, Half, MAX_WORDS};

/// How long a thread looks by itself before it sleeps. Waking a thread on another processor, which sleeps itself then, takes 20 to 30 microseconds on a virtual
/// machine: this is one round trip with somebody who sleeps and has to do something before it answers. With less, two who have fallen asleep would not come out of it again.
pub(super) const LOOK_FOR: Duration = Duration::from_micros(100);

/// The clock is looked at after so many looks.
pub(super) const LOOKS: u32 = 8;

/// Between two looks, so that the lock is free for others most of the time.
pub(super) const PAUSES: u32 = 4;

/// After so many waits in which looking was in vain it is tried only after twice as many, and so on, and at the latest after `RETRY` waits.
const VAIN: u32 = 4;
const RETRY: u32 = 1024;

/// How long a thread sleeps where it does not hear everything.
const PARKED: Duration = Duration::from_millis(2);

/// Every so many looks without a system call there is one, for what shows only on descriptors.
const LOOK_AROUND: u32 = 64;

/// How long a thread routes before it looks whether what it waits for is there.
const SLICE: Duration = Duration::from_millis(10);

/// Whether looking is worth it: waits in a row in which it was not.
#[derive(Default)]
pub(crate) struct Luck(AtomicU32);

impl Luck {
    pub(super) fn is_promising(&self) -> bool {
        let vain = self.0.load(Ordering::Relaxed);
        vain < VAIN || (vain < RETRY && vain.is_power_of_two()) || vain.is_multiple_of(RETRY)
    }

    pub(super) fn was_good(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn was_vain(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Drives `nodes` in this thread until `poll` is ready, or the deadline has passed (`None`).
pub(crate) fn drive_until<T>(
    nodes: &[&Arc<Shared>],
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> io::Result<Option<T>> {
    // Other threads may drive the nodes too and receive what we wait for: the nodes alone would not wake us.
    let alarm = Alarm::of_this_thread()?;
    let waker = Waker::from(Arc::clone(&alarm));
    let mut cx = Context::from_waker(&waker);
    loop {
        alarm.quiet();
        if let Poll::Ready(ready) = poll(&mut cx) {
            return Ok(Some(ready));
        }
        if is_past(deadline) {
            return Ok(None);
        }
        wait(nodes, deadline, &alarm)?;
    }
}

/// Drives the nodes until the alarm rings or the deadline has passed.
fn wait(nodes: &[&Arc<Shared>], deadline: Option<Instant>, alarm: &Alarm) -> io::Result<()> {
    loop {
        if let [node] = nodes
            && node.look_alone(alarm)
            && node.sleep_on_words(deadline, alarm)?
        {
            if alarm.has_rung() || is_past(deadline) {
                return Ok(());
            }
            continue;
        }
        sleep_on_descriptors(nodes, deadline, alarm)?;
        if alarm.has_rung() || is_past(deadline) {
            return Ok(());
        }
    }
}

fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

fn sleep_on_descriptors(nodes: &[&Arc<Shared>], deadline: Option<Instant>, alarm: &Alarm) -> io::Result<()> {
    nodes.iter().for_each(|node| node.act(Core::doze_all));
    let descriptors = nodes.iter().map(|node| &*node.epoll).chain([&alarm.descriptor]);
    let mut fds: SmallVec<[PollFd<'_>; 2]> = descriptors.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    if alarm.sleep(Bed::Descriptors, |_| poll_until(&mut fds, deadline)).transpose()? != Some(true) {
        return Ok(());
    }
    if fds.last().is_some_and(|fd| !fd.revents().is_empty()) {
        // Nothing to learn from the count, only that it must be taken.
        let _ = rustix::io::read(&alarm.descriptor, &mut [0; 8]);
    }
    for (node, _) in nodes.iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()) {
        let ready = Ready::now(&node.epoll)?;
        node.act(|core| core.route_and_keep(&ready));
    }
    Ok(())
}

impl Shared {
    /// Looks by itself for a moment, or until the alarm rings. True: the thread may now sleep on words, or look again.
    fn look_alone(&self, alarm: &Alarm) -> bool {
        let mut company = if self.links.load(Ordering::Relaxed) == 0 { Company::Nobody } else { Company::Rings };
        let until = self.luck.is_promising().then(|| Instant::now() + LOOK_FOR);
        for n in 0u32.. {
            if company == Company::Rings {
                company = self.try_act(Core::look_around).unwrap_or(company);
            }
            if company == Company::Sockets {
                return false;
            }
            if alarm.has_rung() {
                if n > 0 {
                    self.luck.was_good();
                }
                return true;
            }
            if until.is_none_or(|until| n % LOOKS == LOOKS - 1 && Instant::now() >= until) {
                break;
            }
            (0..PAUSES).for_each(|_| hint::spin_loop());
        }
        self.luck.was_vain();
        true
    }

    /// False: nothing has come for as long as it may sleep there.
    fn sleep_on_words(&self, deadline: Option<Instant>, alarm: &Alarm) -> io::Result<bool> {
        if alarm.has_rung() {
            return Ok(true);
        }
        let Some(words) = self.act(Core::park) else { return Ok(true) };
        let limit = deadline.map_or(PARKED, |deadline| deadline.saturating_duration_since(Instant::now()).min(PARKED));
        alarm.sleep(Bed::Word, |alarm| link::sleep(&alarm.word, Bed::Word as u32, &words, limit)).unwrap_or(Ok(true))
    }
}

/// With whom a node has links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    /// With nobody: only other threads can bring something, and they ring the alarm.
    Nobody,
    /// Over rings, which can be looked at.
    Rings,
    /// Over sockets too, or with too many.
    Sockets,
}

/// What a look has shown.
pub(super) enum Look {
    /// There are no links.
    Nobody,
    /// Some links cannot be looked at, or there are too many.
    Sockets,
    /// All links are awake, and none has anything.
    Quiet,
    /// There is something in a ring, or on a descriptor.
    Stirs,
}

impl Core {
    /// Hears what links say, if all of them are such as need not tell.
    fn look_around(&mut self) -> Company {
        let (look, ready) = self.look(MAX_WORDS);
        match look {
            Look::Nobody => return Company::Nobody,
            Look::Sockets => return Company::Sockets,
            Look::Quiet => {}
            Look::Stirs => self.route_and_keep(&ready),
        }
        self.leave_note();
        Company::Rings
    }

    /// Has all links stay awake, if there are no more than `most` and all are such as need not tell, and looks at each; now and
    /// then at the node's descriptors too.
    pub(super) fn look(&mut self, most: usize) -> (Look, Ready) {
        let count = self.peers.len();
        if count == 0 {
            return (Look::Nobody, Ready::default());
        }
        if count > most || self.peers.iter().any(|peer| peer.link.bell().is_none()) {
            return (Look::Sockets, Ready::default());
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
        self.looks = self.looks.wrapping_add(1);
        let ready = if self.looks.is_multiple_of(LOOK_AROUND) { Ready::now(&self.epoll).unwrap_or_default() } else { Ready::default() };
        let stirs = !ready.is_empty() || self.peers.iter().any(|peer| peer.link.stirs() || peer.waits);
        (if stirs { Look::Stirs } else { Look::Quiet }, ready)
    }

    /// Routes, and leaves links that have nothing more as they are: somebody looks at them again soon. Another thread may poll the node's descriptor, which is
    /// readable meanwhile.
    fn route_and_keep(&mut self, ready: &Ready) {
        self.turn(ready, Instant::now() + SLICE, Vigil::Keep);
        self.leave_note();
    }

    /// Links are asleep from now on, after what they have to say.
    pub(super) fn doze_all(&mut self) {
        let until = Instant::now() + SLICE;
        while !self.unread.is_empty() && self.turn(&Ready::default(), until, Vigil::Doze) && Instant::now() < until {}
        self.leave_note();
    }

    /// All links wake words from now on; `None` if there is something to do first.
    fn park(&mut self) -> Option<SmallVec<[Half; MAX_WORDS]>> {
        let mut words = SmallVec::new();
        // Whoever sleeps on descriptors next must have them doze first: those too that have come since the last look.
        self.peers.slots().for_each(|slot| self.is_unread(slot));
        self.leave_note();
        for slot in self.peers.slots() {
            let Some(peer) = self.peers.at(slot) else { continue };
            match peer.link.park() {
                Ok(Some(word)) => words.push(word),
                // An offence shows again when the link is heard.
                Ok(None) | Err(_) => return None,
            }
            if peer.waits && !peer.wants_room {
                // It may have got room, and the bell for that rung elsewhere, before the word said where we sleep.
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

    /// In vain a thousand times: tried fourteen times at first, then once in a thousand; one success, and it is worth it again.
    #[test]
    fn who_looks_in_vain_looks_ever_less() {
        let luck = Luck::default();
        let tries = |waits: u32| {
            let tried = |_: &u32| {
                let promising = luck.is_promising();
                luck.was_vain();
                promising
            };
            (0..waits).filter(tried).count()
        };
        assert_eq!(tries(VAIN), VAIN as usize);
        assert_eq!(tries(RETRY - VAIN), 8);
        assert_eq!(tries(10 * RETRY), 10);
        luck.was_good();
        assert_eq!(tries(VAIN), VAIN as usize);
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

    /// Who parks has all links doze afterwards, also one that came after the last look.
    #[test]
    fn a_link_that_came_after_the_last_look_is_not_left_parked() {
        let broker = Node::broker().unwrap();
        let first = member(&broker);
        assert!(broker.shared.act(Core::look_around) == Company::Rings);
        let second = member(&broker);
        assert_eq!(broker.shared.act(|core| core.park().map(|words| words.len())), Some(2));
        broker.shared.act(Core::doze_all);
        for (at_broker, _, at_member) in [&first, &second] {
            at_member.post(vec![1]).unwrap();
            let mut fds = [PollFd::new(&broker, PollFlags::IN)];
            assert!(poll_until(&mut fds, Some(Instant::now())).unwrap(), "nobody is told");
            let deadline = Instant::now() + Duration::from_secs(60);
            while at_broker.buffered().0 == 0 && Instant::now() < deadline {
                let _ = broker.dispatch(Duration::ZERO).unwrap();
            }
            assert!(matches!(at_broker.try_recv(), Some(Event::Message(_))));
        }
    }

    /// Whoever polls the node's descriptor while a thread keeps its links awake is told, and puts them to sleep.
    #[test]
    fn links_that_are_kept_awake_make_the_node_readable() {
        let broker = Node::broker().unwrap();
        let (at_broker, _node, at_member) = member(&broker);
        assert!(broker.shared.act(Core::look_around) == Company::Rings);
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
