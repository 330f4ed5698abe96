//! Parking without descriptors: on words of memory, the thread's own and those of its links.

use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Wait, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, Timespec, clock_gettime};
use smallvec::SmallVec;

use super::Half;
use super::ring::{Memory, PARKED};

/// The most links on whose words a thread parks.
pub(crate) const MAX_WORDS: usize = 8;

/// Wakes the thread that is parked on its own word.
pub(crate) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, futex::Flags::PRIVATE, 1);
}

/// Parks while `word` has this `value`. True: a peer, another thread or a signal has ended it.
/// False: `limit` has passed, or the kernel cannot do this (before 5.16).
///
/// A peer can only wake the thread, or leave it parked until the limit.
pub(crate) fn sleep(word: &AtomicU32, value: u32, links: &[Half], limit: Duration) -> io::Result<bool> {
    let now = clock_gettime(ClockId::Monotonic);
    let nanoseconds = now.tv_nsec + i64::from(limit.subsec_nanos());
    let seconds = now.tv_sec + limit.as_secs() as i64 + nanoseconds / 1_000_000_000;
    let until = Timespec { tv_sec: seconds, tv_nsec: nanoseconds % 1_000_000_000 };
    let mut waits: SmallVec<[Wait; MAX_WORDS + 1]> = SmallVec::new();
    let mut add = |word: &AtomicU32, value: u32, flags: WaitFlags| {
        let mut wait = Wait::new();
        wait.val = value.into();
        wait.uaddr = WaitPtr::new(word.as_ptr().cast());
        wait.flags = WaitFlags::SIZE_U32 | flags;
        waits.push(wait);
    };
    add(word, value, WaitFlags::PRIVATE);
    links.iter().for_each(|half| add(half.awake(), PARKED, WaitFlags::empty()));
    match futex::waitv(&waits, WaitvFlags::empty(), Some(&until), ClockId::Monotonic) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(true),
        Err(Errno::TIMEDOUT | Errno::NOSYS | Errno::PERM) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
