//! The quota of a renderer process: how much it may have queued for the program.
//!
//! Each event that a process causes holds a [`QuotaGuard`] of the process's [`Quota`]. Dropping the
//! guard, when the program has handled the event, returns its share. Only the I/O thread takes
//! shares; any thread returns them.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::ContentsId;

/// The cost of an event besides its bytes.
pub(crate) const EVENT_COST: usize = 512;
/// While events of this weight are queued, main receives nothing more from the process: its
/// messages stay in the port.
pub(crate) const PAUSE_ABOVE: usize = 64 << 20;
/// While console lines of this weight are queued, further ones are dropped and counted.
pub(crate) const MAX_CONSOLE_QUEUED: usize = 16 << 20;
/// The limit of bytes in the port of a paused process, above which the process is ended. (Less in
/// tests.)
pub(crate) const MAX_BACKLOG_BYTES: usize = if cfg!(test) { 128 << 20 } else { 512 << 20 };
/// The limit of messages in that port: empty ones take memory too.
pub(crate) const MAX_BACKLOG_MESSAGES: usize = 1 << 20;

/// The queued events of one process.
pub(crate) struct Quota {
    queued: AtomicUsize,
    console: AtomicUsize,
    /// Main has paused the process, or has dropped a console line of it.
    awaited: AtomicBool,
    shrunk: Box<dyn Fn() + Send + Sync>,
    /// Dropped console lines, by page.
    dropped: Mutex<Vec<(ContentsId, u64)>>,
}

impl Quota {
    /// An unused quota. `shrunk` is called, on any thread, when there is room again after the quota
    /// was full.
    pub(crate) fn new(shrunk: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            queued: AtomicUsize::new(0),
            console: AtomicUsize::new(0),
            awaited: AtomicBool::new(false),
            shrunk: Box::new(shrunk),
            dropped: Mutex::default(),
        })
    }

    /// The share of an event with this many bytes.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> QuotaGuard {
        let weight = bytes.saturating_add(EVENT_COST);
        self.queued.fetch_add(weight, Ordering::SeqCst);
        QuotaGuard(Some(Reserved { quota: self.clone(), weight, console: false }))
    }

    /// The share of a console line of the page; if too many are queued, counts it as dropped.
    pub(crate) fn take_console(self: &Arc<Self>, contents: ContentsId, bytes: usize) -> Option<QuotaGuard> {
        if self.console.load(Ordering::SeqCst) >= MAX_CONSOLE_QUEUED {
            self.count_dropped(contents);
            self.awaited.store(true, Ordering::SeqCst);
            // The program may have handled the last line meanwhile.
            self.settle();
            return None;
        }
        let weight = bytes.saturating_add(EVENT_COST);
        self.queued.fetch_add(weight, Ordering::SeqCst);
        self.console.fetch_add(weight, Ordering::SeqCst);
        Some(QuotaGuard(Some(Reserved { quota: self.clone(), weight, console: true })))
    }

    /// Whether main must receive nothing more from the process for now. If so, `shrunk` will be
    /// called.
    pub(crate) fn is_full(&self) -> bool {
        if self.queued.load(Ordering::SeqCst) < PAUSE_ABOVE {
            return false;
        }
        self.awaited.store(true, Ordering::SeqCst);
        // Read again: a share returned before `awaited` was set has called nothing.
        self.queued.load(Ordering::SeqCst) >= PAUSE_ABOVE
    }

    /// The numbers of dropped console lines by page since the last call; nothing while console
    /// lines are above half of their limit.
    pub(crate) fn take_dropped(&self) -> Vec<(ContentsId, u64)> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        // Not before, so that a flood is reported as a few sums and not line by line.
        if dropped.is_empty() || !self.console_is_low() { Vec::new() } else { std::mem::take(&mut dropped) }
    }

    fn count_dropped(&self, contents: ContentsId) {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        match dropped.iter_mut().find(|(page, _)| *page == contents) {
            Some((_, count)) => *count += 1,
            None => dropped.push((contents, 1)),
        }
    }

    fn console_is_low(&self) -> bool {
        self.console.load(Ordering::SeqCst) <= MAX_CONSOLE_QUEUED / 2
    }

    /// Calls `shrunk` if that is due and there is room.
    fn settle(&self) {
        let room = self.queued.load(Ordering::SeqCst) <= PAUSE_ABOVE / 2 && self.console_is_low();
        if room && self.awaited.swap(false, Ordering::SeqCst) {
            (self.shrunk)();
        }
    }
}

/// An event's share of the quota of the renderer process that caused it. Main pauses a process
/// whose quota is used up until the program has handled some of its events. A program that keeps an
/// event for later must keep its guard with it.
///
/// The default is an empty share, for events that no renderer caused.
#[derive(Default)]
pub struct QuotaGuard(Option<Reserved>);

struct Reserved {
    quota: Arc<Quota>,
    weight: usize,
    console: bool,
}

impl QuotaGuard {
    /// The share in bytes; 0 if no renderer caused the event.
    pub(crate) fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |reserved| reserved.weight)
    }
}

impl Drop for QuotaGuard {
    fn drop(&mut self) {
        if let Some(Reserved { quota, weight, console }) = self.0.take() {
            quota.queued.fetch_sub(weight, Ordering::SeqCst);
            if console {
                quota.console.fetch_sub(weight, Ordering::SeqCst);
            }
            quota.settle();
        }
    }
}

impl fmt::Debug for QuotaGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("QuotaGuard").field(&self.weight()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota() -> (Arc<Quota>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = calls.clone();
        let shrunk = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        (Quota::new(shrunk), calls)
    }

    #[test]
    fn a_full_account_says_once_that_it_has_room_again() {
        let (quota, calls) = quota();
        let half = quota.take(PAUSE_ABOVE / 2);
        assert!(!quota.is_full());
        let more = [quota.take(PAUSE_ABOVE / 2), quota.take(1)];
        assert!(quota.is_full());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        drop(half);
        assert!(!quota.is_full());
        assert_eq!(calls.load(Ordering::SeqCst), 0, "more than half of it is still there");
        drop(more);
        assert_eq!((calls.load(Ordering::SeqCst), quota.queued.load(Ordering::SeqCst)), (1, 0));
        drop(quota.take(1));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "nobody waits");
    }

    #[test]
    fn console_lines_without_room_are_counted_by_page() {
        let (quota, calls) = quota();
        let line = |page| quota.take_console(ContentsId(page), 1 << 20);
        let kept: Vec<QuotaGuard> = std::iter::from_fn(|| line(1)).collect();
        assert!(kept.len() >= 15 && !quota.is_full(), "{}", kept.len());
        assert!(line(2).is_none() && line(1).is_none());
        assert!(quota.take_dropped().is_empty(), "no room to say so");
        drop(kept);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(quota.take_dropped(), [(ContentsId(1), 2), (ContentsId(2), 1)]);
        assert!(quota.take_dropped().is_empty() && line(1).is_some());
    }
}
