//! What waits for the program because of one renderer process, and where that ends.
//!
//! Every event that a process brings about carries a [`Charge`] against the process's [`Account`], and gives it back when it is let go
//! of: when the program has handled it, wherever it waited until then. Only the I/O thread charges; any thread gives back.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::ContentsId;

/// What an event costs besides the bytes in it.
pub(crate) const EVENT_COST: usize = 512;
/// While events of this weight wait for the program, nothing more is taken from the process: its messages stay in the port.
pub(crate) const PAUSE_ABOVE: usize = 64 << 20;
/// While console lines of this weight wait for the program, further ones are dropped and counted.
pub(crate) const MAX_CONSOLE_QUEUED: usize = 16 << 20;
/// More bytes than this in the port of a process from which nothing is taken, and the process is ended.
/// (Tests make do with less memory.)
pub(crate) const MAX_BACKLOG_BYTES: usize = if cfg!(test) { 128 << 20 } else { 512 << 20 };
/// More messages than this in that port, and the process is ended: empty ones take room too.
pub(crate) const MAX_BACKLOG_MESSAGES: usize = 1 << 20;

/// The events of one process that wait for the program.
pub(crate) struct Account {
    queued: AtomicUsize,
    console: AtomicUsize,
    /// Somebody waits for the account to shrink.
    awaited: AtomicBool,
    shrunk: Box<dyn Fn() + Send + Sync>,
    /// Console lines that found no room, by page.
    dropped: Mutex<Vec<(ContentsId, u64)>>,
}

impl Account {
    /// An empty one. `shrunk` is called, on any thread, when there is room again after somebody found none.
    pub(crate) fn new(shrunk: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            queued: AtomicUsize::new(0),
            console: AtomicUsize::new(0),
            awaited: AtomicBool::new(false),
            shrunk: Box::new(shrunk),
            dropped: Mutex::default(),
        })
    }

    /// Charges an event with this many bytes in it.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        let weight = bytes.saturating_add(EVENT_COST);
        self.queued.fetch_add(weight, Ordering::SeqCst);
        Charge(Some(Owed { account: self.clone(), weight, console: false }))
    }

    /// Charges a console line of the page, unless too many wait: then it is counted among the dropped ones.
    pub(crate) fn charge_console(self: &Arc<Self>, contents: ContentsId, bytes: usize) -> Option<Charge> {
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
        Some(Charge(Some(Owed { account: self.clone(), weight, console: true })))
    }

    /// Whether nothing is to be taken from the process for now. If so, `shrunk` will be called.
    pub(crate) fn is_full(&self) -> bool {
        if self.queued.load(Ordering::SeqCst) < PAUSE_ABOVE {
            return false;
        }
        self.awaited.store(true, Ordering::SeqCst);
        // Looked at again: what went before the mark was set has told nobody.
        self.queued.load(Ordering::SeqCst) >= PAUSE_ABOVE
    }

    /// How many console lines of which page were dropped since this was last asked; nothing while there is no room to say so.
    pub(crate) fn take_dropped(&self) -> Vec<(ContentsId, u64)> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        // Only when much has gone, so that a flood is summed up now and then and not line by line.
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

    /// Tells who waits, if there is room now.
    fn settle(&self) {
        let room = self.queued.load(Ordering::SeqCst) <= PAUSE_ABOVE / 2 && self.console_is_low();
        if room && self.awaited.swap(false, Ordering::SeqCst) {
            (self.shrunk)();
        }
    }
}

/// What an event weighs in the account of the renderer process that brought it about. A process of which too much waits is not listened to
/// until the program has handled some, so whoever keeps events for later keeps this with them, and lets go of it with them.
///
/// The default is nobody's: such events were not brought about by a renderer's message.
#[derive(Default)]
pub struct Charge(Option<Owed>);

struct Owed {
    account: Arc<Account>,
    weight: usize,
    console: bool,
}

impl Charge {
    /// Its weight in bytes; 0 if no renderer caused it.
    pub(crate) fn weight(&self) -> usize {
        self.0.as_ref().map_or(0, |owed| owed.weight)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(Owed { account, weight, console }) = self.0.take() {
            account.queued.fetch_sub(weight, Ordering::SeqCst);
            if console {
                account.console.fetch_sub(weight, Ordering::SeqCst);
            }
            account.settle();
        }
    }
}

impl fmt::Debug for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Charge").field(&self.weight()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> (Arc<Account>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = calls.clone();
        let shrunk = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        (Account::new(shrunk), calls)
    }

    #[test]
    fn a_full_account_says_once_that_it_has_room_again() {
        let (account, calls) = account();
        let half = account.charge(PAUSE_ABOVE / 2);
        assert!(!account.is_full());
        let more = [account.charge(PAUSE_ABOVE / 2), account.charge(1)];
        assert!(account.is_full());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        drop(half);
        assert!(!account.is_full());
        assert_eq!(calls.load(Ordering::SeqCst), 0, "more than half of it is still there");
        drop(more);
        assert_eq!((calls.load(Ordering::SeqCst), account.queued.load(Ordering::SeqCst)), (1, 0));
        drop(account.charge(1));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "nobody waits");
    }

    #[test]
    fn console_lines_without_room_are_counted_by_page() {
        let (account, calls) = account();
        let line = |page| account.charge_console(ContentsId(page), 1 << 20);
        let kept: Vec<Charge> = std::iter::from_fn(|| line(1)).collect();
        assert!(kept.len() >= 15 && !account.is_full(), "{}", kept.len());
        assert!(line(2).is_none() && line(1).is_none());
        assert!(account.take_dropped().is_empty(), "no room to say so");
        drop(kept);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(account.take_dropped(), [(ContentsId(1), 2), (ContentsId(2), 1)]);
        assert!(account.take_dropped().is_empty() && line(1).is_some());
    }
}
