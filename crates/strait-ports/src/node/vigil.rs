//! A thread that waits for something drives the node meanwhile: it looks by itself for a moment, then sleeps on words of memory, then on descriptors.
//!
//! Each step is cheaper to leave than the next, and costs more to stay in. While the thread looks by itself nobody has to wake it, and a message takes a fraction of a microsecond; it gives up after some microseconds,
//! at once if that was in vain lately (on one processor the other side cannot answer meanwhile). Words are woken by one system call, and slept on by one. But
//! not everything that happens to a node touches a word (the end of a link does not), so after a moment without anything the thread sleeps where it hears everything.

use std::cell::RefCell;
use std::hint;
use std::io;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::TryLockError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use smallvec::SmallVec;

use super::core::Core;
use super::links::Vigil;
use super::ready::Ready;
use super::{Shared, poll_until};
use crate::link::{self, Half, MAX_WORDS};
use crate::router::ElementKey;

/// How often a thread looks by itself before it sleeps: some ten microseconds.
const LOOKS: u32 = 60;

/// Between two looks, so that the lock is free for others most of the time.
const PAUSES: u32 = 4;

/// After so many waits in which looking was in vain it is tried only once in `RETRY` waits.
const VAIN: u32 = 4;
const RETRY: u32 = 64;

/// How long a thread sleeps where it does not hear everything.
const PARKED: Duration = Duration::from_millis(2);

/// Every so many looks without a system call there is one, for what shows only on descriptors.
const LOOK_AROUND: u32 = 64;

/// How long a driving thread routes before it looks whether what it waits for is there.
const SLICE: Duration = Duration::from_millis(10);

/// Whether looking is worth it: waits in a row in which it was not.
#[derive(Default)]
pub(crate) struct Luck(AtomicU32);

impl Luck {
    fn looks(&self) -> u32 {
        let vain = self.0.load(Ordering::Relaxed);
        if vain < VAIN || vain.is_multiple_of(RETRY) { LOOKS } else { 1 }
    }

    fn was_good(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn was_vain(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What one look has given.
enum Look<T> {
    Found(T),
    /// Not yet. The thread may look again without being told, or must not rely on that.
    NotYet {
        alone: bool,
    },
}

/// How a look has prepared for sleep.
enum Bed<T> {
    Found(T),
    /// Something has come: look again.
    Restless,
    Words(SmallVec<[Half; MAX_WORDS]>),
}

impl Core {
    /// Hears what links say that need not tell; true if all of them are such.
    fn look_around(&mut self) -> bool {
        if self.peers.len() > MAX_WORDS {
            return false;
        }
        if self.unread.len() < self.peers.len() {
            for slot in self.peers.slots() {
                let Some(peer) = self.peers.at(slot) else { continue };
                if !peer.unread {
                    if !peer.link.stay_awake() {
                        return false;
                    }
                    self.is_unread(slot);
                }
            }
        }
        self.looks = self.looks.wrapping_add(1);
        let ready = if self.looks.is_multiple_of(LOOK_AROUND) { Ready::now(&self.epoll).unwrap_or_default() } else { Ready::default() };
        if !ready.is_empty() || self.peers.iter().any(|peer| peer.link.stirs() || peer.waits) {
            self.turn(&ready, Instant::now() + SLICE, Vigil::Keep);
        }
        true
    }

    /// All links wake words from now on; `None` if there is something to do first.
    fn park(&mut self) -> Option<SmallVec<[Half; MAX_WORDS]>> {
        let mut words = SmallVec::new();
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

impl Shared {
    /// Drives the node in this thread until `look` finds something, which it is asked for under the lock, or the deadline (`None`: without limit) has passed. What arrives at `keys`
    /// while another thread drives the node is looked for too.
    pub(crate) fn drive<T>(
        &self,
        keys: &[ElementKey],
        deadline: Option<Instant>,
        mut look: impl FnMut(&mut Core) -> Option<T>,
    ) -> io::Result<Option<T>> {
        if let Some(found) = self.act(&mut look) {
            return Ok(Some(found));
        }
        let alarm = Alarm::of_this_thread()?;
        loop {
            match self.look_alone(&mut look) {
                Look::Found(found) => return Ok(Some(found)),
                Look::NotYet { alone: true } => match self.sleep_on_words(keys, deadline, &alarm, &mut look)? {
                    Slept::Found(found) => return Ok(Some(found)),
                    Slept::Woken if !is_past(deadline) => continue,
                    Slept::Woken | Slept::Long => {}
                },
                Look::NotYet { alone: false } => {}
            }
            if let Some(found) = self.sleep_on_descriptors(keys, deadline, &alarm, &mut look)? {
                return Ok(Some(found));
            }
            if is_past(deadline) {
                return Ok(None);
            }
        }
    }

    fn look_alone<T>(&self, look: &mut impl FnMut(&mut Core) -> Option<T>) -> Look<T> {
        let looks = self.luck.looks();
        for n in 0..looks {
            let looked = self.try_act(|core| {
                let alone = core.look_around();
                if n == 0 || !alone {
                    // Another thread may poll the node's descriptor, which is readable as long as links are kept awake.
                    core.leave_note();
                }
                look(core).map_or(Look::NotYet { alone }, Look::Found)
            });
            match looked {
                Some(Look::Found(found)) => {
                    if n > 0 {
                        self.luck.was_good();
                    }
                    return Look::Found(found);
                }
                Some(Look::NotYet { alone: false }) => return Look::NotYet { alone: false },
                Some(Look::NotYet { alone: true }) | None => (0..PAUSES).for_each(|_| hint::spin_loop()),
            }
        }
        self.luck.was_vain();
        Look::NotYet { alone: true }
    }

    fn sleep_on_words<T>(
        &self,
        keys: &[ElementKey],
        deadline: Option<Instant>,
        alarm: &Arc<Alarm>,
        look: &mut impl FnMut(&mut Core) -> Option<T>,
    ) -> io::Result<Slept<T>> {
        alarm.quiet();
        let bed = self.look_and_watch(keys, alarm, |core| match look(core) {
            Some(found) => Bed::Found(found),
            None => core.park().map_or(Bed::Restless, Bed::Words),
        });
        let words = match bed {
            Bed::Found(found) => return Ok(Slept::Found(found)),
            Bed::Restless => return Ok(Slept::Woken),
            Bed::Words(words) => words,
        };
        let limit = deadline.map_or(PARKED, |deadline| deadline.saturating_duration_since(Instant::now()).min(PARKED));
        if !alarm.expect(Alarm::ON_WORD) {
            return Ok(Slept::Woken);
        }
        let woken = link::sleep(&alarm.word, Alarm::ON_WORD, &words, limit)?;
        let rung = alarm.quiet();
        // Nothing came, or nothing can be slept on like this.
        Ok(if woken || rung { Slept::Woken } else { Slept::Long })
    }

    fn sleep_on_descriptors<T>(
        &self,
        keys: &[ElementKey],
        deadline: Option<Instant>,
        alarm: &Arc<Alarm>,
        look: &mut impl FnMut(&mut Core) -> Option<T>,
    ) -> io::Result<Option<T>> {
        alarm.quiet();
        let found = self.look_and_watch(keys, alarm, |core| {
            // Links doze again, after what they have to say.
            let until = Instant::now() + SLICE;
            while !core.unread.is_empty() && core.turn(&Ready::default(), until, Vigil::Doze) && Instant::now() < until {}
            core.leave_note();
            look(core)
        });
        if found.is_some() || !alarm.expect(Alarm::ON_DESCRIPTOR) {
            return Ok(found);
        }
        let mut fds = [PollFd::new(&*self.epoll, PollFlags::IN), PollFd::new(&alarm.bell, PollFlags::IN)];
        let ready = poll_until(&mut fds, deadline)?;
        let (routes, rung) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        alarm.quiet();
        if rung {
            // Nothing to learn from the count, only that it must be taken.
            let _ = rustix::io::read(&alarm.bell, &mut [0; 8]);
        }
        if ready && routes {
            let ready = Ready::now(&self.epoll)?;
            self.act(|core| {
                let until = Instant::now() + SLICE;
                core.turn(&ready, until, Vigil::Keep);
                core.leave_note();
            });
        }
        Ok(self.act(look))
    }

    /// Looks, and has this thread's alarm rung for what arrives later.
    fn look_and_watch<R>(&self, keys: &[ElementKey], alarm: &Arc<Alarm>, look: impl FnOnce(&mut Core) -> R) -> R {
        // A waker is foreign code too: copied and dropped without the lock.
        let wakers: SmallVec<[Waker; 1]> = keys.iter().map(|_| Waker::from(Arc::clone(alarm))).collect();
        let (result, _spare) = self.act(|core| {
            let spare: SmallVec<[Option<Waker>; 1]> = keys.iter().zip(wakers).map(|(key, waker)| core.watch(*key).wake_by(waker)).collect();
            (look(core), spare)
        });
        result
    }

    /// As [`Shared::act`], if nobody else is at it.
    fn try_act<R>(&self, what: impl FnOnce(&mut Core) -> R) -> Option<R> {
        let (result, effects) = {
            let mut core = match self.core.try_lock() {
                Ok(core) => core,
                Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
                Err(TryLockError::WouldBlock) => return None,
            };
            let result = what(&mut core);
            (result, core.settle())
        };
        if let Some(effects) = effects {
            effects.run();
        }
        Some(result)
    }
}

fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

enum Slept<T> {
    Found(T),
    Woken,
    /// Nothing has come for as long as it may sleep there.
    Long,
}

/// Wakes a thread, wherever it sleeps.
struct Alarm {
    word: AtomicU32,
    bell: rustix::fd::OwnedFd,
}

thread_local! {
    static ALARM: RefCell<Option<Arc<Alarm>>> = const { RefCell::new(None) };
}

impl Alarm {
    /// It does not sleep, and has not been rung for.
    const QUIET: u32 = 0;
    const RUNG: u32 = 1;
    const ON_WORD: u32 = 2;
    const ON_DESCRIPTOR: u32 = 3;

    /// One alarm a thread, made when it first waits. A ring left over from an earlier wait does no harm: the waiter looks, and waits again.
    fn of_this_thread() -> io::Result<Arc<Self>> {
        ALARM.with_borrow_mut(|alarm| {
            if let Some(alarm) = alarm {
                return Ok(Arc::clone(alarm));
            }
            let new =
                Arc::new(Self { word: AtomicU32::new(Self::QUIET), bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? });
            Ok(Arc::clone(alarm.insert(new)))
        })
    }

    /// Forgets that it was rung: before a look. True if it was.
    fn quiet(&self) -> bool {
        self.word.swap(Self::QUIET, Ordering::AcqRel) == Self::RUNG
    }

    /// Says where the thread is going to sleep; false if it has been rung for.
    fn expect(&self, place: u32) -> bool {
        self.word.compare_exchange(Self::QUIET, place, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        match self.word.swap(Self::RUNG, Ordering::AcqRel) {
            Self::ON_WORD => link::wake(&self.word),
            Self::ON_DESCRIPTOR => {
                // Full means that it rings already.
                let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
            }
            _ => {}
        }
    }
}
