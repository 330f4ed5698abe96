//! The programs of a [`World`], their guarantees, and the checks of these.

use std::collections::BTreeSet;

use self::promise::*;
use super::world::World;
use crate::message::CloseReason;
use crate::router::{ElementKey, Received};

/// The engine's guarantees. A violation is a failed assertion whose text starts with the
/// guarantee's name.
pub(super) mod promise {
    pub(in crate::router::tests) const ORDER: &str = "order and exactly-once";
    pub(in crate::router::tests) const ONE_CLOSE: &str = "close-once";
    pub(in crate::router::tests) const NO_GAP: &str = "no gap before a close";
    pub(in crate::router::tests) const TOLD: &str = "nothing lost, no close lost";
    pub(in crate::router::tests) const PROXIES_END: &str = "proxies end";
    pub(in crate::router::tests) const NO_LEAK: &str = "no leak";
    pub(in crate::router::tests) const NO_HARM: &str = "others come to no harm";
    pub(in crate::router::tests) const AMOUNTS: &str = "amounts are true";
    pub(in crate::router::tests) const ALL: [&str; 8] = [ORDER, ONE_CLOSE, NO_GAP, TOLD, PROXIES_END, NO_LEAK, NO_HARM, AMOUNTS];
}

/// One of the two ends of a channel, wherever it is; its other end is `end ^ 1`.
pub(super) type End = usize;

/// A port that a program holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle {
    pub(super) node: usize,
    pub(super) key: ElementKey,
    pub(super) end: End,
}

/// The oracle's record of an end.
#[derive(Clone, Default, Debug, Hash)]
pub(super) struct Book {
    posted: u32,
    received: u32,
    /// The program closed it.
    closed: bool,
    /// Its close was received.
    told: Option<CloseReason>,
    /// It has moved to another holder since.
    moved_on: bool,
    /// All messages that were posted on the other end must arrive although its node has crashed.
    pub(super) owed: bool,
    /// No loss, crash or forged event so far has affected this channel: all guarantees apply.
    pub(super) spared: bool,
    /// A forger has sent events to this channel: no guarantee applies.
    pub(super) tainted: bool,
}

impl World {
    /// Whether an event is queued at this end.
    pub(super) fn receivable(&self, end: End) -> bool {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        self.routers[node].as_ref().is_some_and(|router| router.receivable(key))
    }

    pub(super) fn channel(&mut self, node: usize) -> End {
        let (a, b) = self.router(node).channel();
        let end = self.new_ends();
        self.handles.extend([Handle { node, key: a, end }, Handle { node, key: b, end: end + 1 }]);
        end
    }

    pub(super) fn index(&self, end: End) -> usize {
        self.handles.iter().position(|h| h.end == end).expect("the port is in somebody's hands")
    }

    pub(super) fn holds(&self, node: usize, end: End) -> bool {
        self.handles.iter().any(|h| h.end == end && h.node == node)
    }

    /// Posts on an end, with these ends as ports.
    pub(super) fn post(&mut self, end: End, ports: &[End]) {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        let book = &mut self.books[end];
        book.posted += 1;
        let mut data: Vec<u8> = [end as u32, book.posted].into_iter().flat_map(u32::to_le_bytes).collect();
        let mut keys = Vec::new();
        for port in ports {
            let handle = self.handles.remove(self.index(*port));
            assert_eq!(handle.node, node);
            self.books[*port].moved_on = true;
            let (harmed, tainted) = (self.crashes, self.books[end].tainted);
            for end in [*port, *port ^ 1] {
                let book = &mut self.books[end];
                book.moves_after(harmed);
                book.tainted |= tainted;
            }
            keys.push(handle.key);
            data.extend((*port as u32).to_le_bytes());
        }
        self.router(node).post(key, data, keys);
        self.act(node);
    }

    /// As [`World::post`] with one port that cannot arrive; the oracle stops checking it.
    pub(super) fn post_cyclic(&mut self, end: End, port: End) {
        self.crashes += 1;
        self.post(end, &[port]);
    }

    pub(super) fn close(&mut self, end: End) {
        let Handle { node, key, .. } = self.handles.remove(self.index(end));
        self.books[end].closed = true;
        self.router(node).close(key, CloseReason::Closed);
        self.act(node);
    }

    /// Receives on an end, and checks the event against the guarantees. False if there is none.
    pub(super) fn pop(&mut self, end: End) -> bool {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        let orderly = self.crashes == 0;
        let Some(received) = self.router(node).pop(key) else { return false };
        self.act(node);
        if self.books[end].tainted || self.forger == Some(node) {
            self.take_unchecked(node, end, received);
            return true;
        }
        match received {
            Received::Message { data, ports } => {
                let words: Vec<u32> = data.chunks(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect();
                let book = &mut self.books[end];
                assert_eq!(book.told, None, "{ONE_CLOSE}: end {end}: a message after the close");
                book.received += 1;
                assert_eq!(words.first().map(|w| *w as usize), Some(end ^ 1), "{ORDER}: end {end}: somebody else's message");
                assert_eq!(words[1], book.received, "{ORDER}: end {end}: out of order, lost or twice");
                assert_eq!(words.len() - 2, ports.len(), "{ORDER}: end {end}: ports lost");
                for (port, key) in words[2..].iter().zip(ports) {
                    self.handles.push(Handle { node, key, end: *port as usize });
                }
            }
            Received::Close(reason) => {
                let (posted, closed) = (self.books[end ^ 1].posted, self.books[end ^ 1].closed);
                let book = &mut self.books[end];
                // A port that is posted after its close was received reports the close to its new
                // holder. The node with the reason may have crashed meanwhile.
                let fits = book.told == Some(reason) || !orderly && reason == CloseReason::Crashed;
                assert!(book.told.is_none() || fits && book.moved_on, "{ONE_CLOSE}: end {end}: two closes");
                book.told = Some(reason);
                book.moved_on = false;
                let expected = if closed { CloseReason::Closed } else { CloseReason::Dropped };
                assert!(reason == expected || (!orderly && reason == CloseReason::Crashed), "{TOLD}: end {end}: {reason}, not {expected}");
                assert!(!book.spared || reason == expected, "{NO_HARM}: end {end}: {reason}, not {expected}");
                if orderly || book.owed || book.spared {
                    assert_eq!(book.received, posted, "{NO_GAP}: end {end}: closed before everything had come");
                }
            }
        }
        true
    }

    /// The forger's events are not checked. Ports in them are dropped unless the oracle can
    /// identify them.
    fn take_unchecked(&mut self, node: usize, end: End, received: Received) {
        match received {
            Received::Message { data, ports } => {
                let words: Vec<usize> = data.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap()) as usize).collect();
                let book = &mut self.books[end];
                book.received += 1;
                assert_eq!(book.told, None, "{ONE_CLOSE}: end {end}: a message after the close");
                for (n, key) in ports.into_iter().enumerate() {
                    match words.get(2 + n) {
                        Some(port) => self.handles.push(Handle { node, key, end: *port }),
                        None => self.router(node).close(key, CloseReason::Dropped),
                    }
                }
                self.act(node);
            }
            Received::Close(reason) => {
                let book = &mut self.books[end];
                assert!(book.told.is_none() || book.moved_on, "{ONE_CLOSE}: end {end}: two closes");
                book.told = Some(reason);
                book.moved_on = false;
            }
        }
    }

    /// All messages that were posted towards this end must arrive, whatever crashes.
    pub(super) fn owe(&mut self, end: End) {
        self.books[end].owed = true;
    }

    /// The program has closed this end.
    pub(super) fn is_closed(&self, end: End) -> bool {
        self.books[end].closed
    }

    /// Whether a close has arrived at this end.
    pub(super) fn is_told(&self, end: End) -> bool {
        self.books[end].told.is_some()
    }

    /// Receives all events of all ends, those that arrive as a result included.
    pub(super) fn receive_all(&mut self) {
        loop {
            self.settle(|_| 0);
            let ends: Vec<End> = self.handles.iter().map(|h| h.end).collect();
            if !ends.into_iter().fold(false, |any, end| {
                let mut some = false;
                while self.pop(end) {
                    some = true;
                }
                any || some
            }) {
                return;
            }
        }
    }

    /// The guarantees when no event is in transit and all events have been received.
    pub(super) fn check_at_rest(&mut self) {
        let held: BTreeSet<End> = self.handles.iter().map(|h| h.end).collect();
        for end in held.iter().filter(|end| !self.books[**end].tainted) {
            let (told, received) = (self.books[*end].told, self.books[*end].received);
            if held.contains(&(end ^ 1)) {
                assert_eq!(told.is_some(), self.books[end ^ 1].told.is_some(), "{TOLD}: end {end}: closed on one side only");
                let spared = self.crashes == 0 || self.books[*end].spared;
                assert!(told.is_none() || !spared, "{TOLD}: end {end}: closed by nobody");
                if told.is_none() {
                    assert_eq!(received, self.books[end ^ 1].posted, "{TOLD}: end {end}: something never came");
                }
            } else {
                assert!(told.is_some(), "{TOLD}: end {end}: its other end is gone and nobody said so");
            }
        }
        if self.apart.is_empty() && self.lives(0) && self.forger.is_none() {
            for (node, router) in self.routers.iter().enumerate() {
                let proxies = router.as_ref().map_or(0, |r| r.counts().1);
                assert_eq!(proxies, 0, "{PROXIES_END}: node {node} still forwards");
            }
        }
    }

    /// Closes all ports, and searches for remains.
    pub(super) fn check_empty(&mut self) {
        let ends: Vec<End> = self.handles.iter().map(|h| h.end).collect();
        ends.into_iter().for_each(|end| self.close(end));
        self.settle(|_| 0);
        for (node, router) in self.routers.iter().enumerate() {
            let Some(router) = router else { continue };
            assert_eq!(router.elements.len(), 0, "{NO_LEAK}: node {node} keeps elements");
            assert_eq!(router.proxies, 0, "{NO_LEAK}: node {node} miscounts its proxies");
            assert!(router.side_table.is_empty(), "{NO_LEAK}: node {node} keeps sides");
            assert!(router.awaited.is_empty(), "{NO_LEAK}: node {node} waits for introductions");
            assert!(router.local.is_empty(), "{NO_LEAK}: node {node} keeps local events");
            assert_eq!(router.queued_bytes, 0, "{NO_LEAK}: node {node} miscounts bytes");
        }
    }

    pub(super) fn new_ends(&mut self) -> End {
        self.books.extend([Book::default(), Book::default()]);
        self.books.len() - 2
    }

    pub(super) fn is_road(&self, end: End) -> bool {
        end < self.roads()
    }
}
