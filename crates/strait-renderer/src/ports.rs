//! The ports of this process's documents, by handle.

mod outbox;

pub(crate) use outbox::{Way, with_rooms};

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use strait_inspect::Inspector;
use strait_ports::{Arrival, CloseReason, Port};
use strait_protocol::{DocumentId, ViewConfig, World};

use crate::document::Document;
use crate::untracked_ports::{Keeper, Keepers};

/// A port's number in this process: what the glue's stamps hold. 0 is none (and stands for the bootstrap port in the [`ReadyHandles`]).
pub(crate) type Handle = u32;

/// Ports that may have something to receive, in the order they said so.
///
/// The one thing here that other threads could touch: the engine may call back from anywhere.
#[derive(Default)]
pub(crate) struct ReadyHandles(Mutex<VecDeque<Handle>>);

impl ReadyHandles {
    pub(crate) fn push(&self, handle: Handle) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(handle);
    }

    pub(crate) fn pop(&self) -> Option<Handle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Where a port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    /// In a document.
    Document(DocumentId),
    /// Under way in a window message.
    Bundle,
    /// In a message that waits.
    Waiting(outbox::MessageId),
    /// Nowhere any more: it closes, for this reason, when nothing waits in it.
    Leaving(CloseReason),
}

/// A port of a document.
pub(crate) struct Entry {
    pub(crate) port: Port,
    location: Location,
    /// Which of the document's realms have a stamped object for it.
    holders: u8,
    /// The realm that started it, which gets its messages.
    pub(crate) started: Option<u32>,
    listed: Arc<AtomicBool>,
    /// What has been posted on it and waits.
    outbox: VecDeque<outbox::MessageId>,
}

fn bit(world: World) -> u8 {
    match world {
        World::Main => 1,
        World::Isolated => 2,
    }
}

impl Entry {
    /// The close, if nothing is queued before it.
    pub(crate) fn lone_close(&self) -> Option<Arrival> {
        if self.port.is_ended() && self.port.queued().0 == 0 { self.port.try_recv_unread() } else { None }
    }

    /// Does this world have an object for the port?
    pub(crate) fn is_held_by(&self, world: World) -> bool {
        self.holders & bit(world) != 0
    }
}

/// Ports on their way through `window.postMessage`.
struct Bundle {
    sender: DocumentId,
    /// The document it was sent to, if the agent knows the window.
    target: Option<DocumentId>,
    handles: Vec<Handle>,
    /// The document whose first realm has redeemed it; its second realm gets the same answer once.
    redeemed: Option<DocumentId>,
}

/// Every port that pages of this process hold.
///
/// > **Architecture Invariant:** a handle means something only together with the document it belongs to. Every operation names both, and a
/// > handle of another document is as good as none.
pub(crate) struct PortTable {
    entries: HashMap<Handle, Entry>,
    bundles: HashMap<String, Bundle>,
    keepers: Keepers,
    waiting: outbox::Waiting,
    next: Handle,
    ready: Arc<ReadyHandles>,
    inspector: Option<Arc<Inspector>>,
}

impl PortTable {
    pub(crate) fn new(ready: Arc<ReadyHandles>, inspector: Option<Arc<Inspector>>) -> Self {
        Self {
            entries: HashMap::new(),
            bundles: HashMap::new(),
            keepers: Keepers::default(),
            waiting: outbox::Waiting::default(),
            next: 1,
            ready,
            inspector,
        }
    }

    /// A pair of handles that follow each other, or none if the numbers have run out.
    fn reserve(&mut self, count: u32) -> Option<Handle> {
        let first = self.next;
        self.next = first.checked_add(count)?;
        Some(first)
    }

    /// Says where a document is, for whoever inspects ports.
    pub(crate) fn describe(&self, document: &Document, config: &ViewConfig) {
        if let (Some(inspector), Some(place)) = (&self.inspector, document.place(config)) {
            inspector.document(document.id, place);
        }
    }

    fn place(&mut self, handle: Handle, port: Port, document: DocumentId, world: World) {
        if let Some(inspector) = &self.inspector {
            inspector.put(port.number(), document);
        }
        let listed = Arc::new(AtomicBool::new(false));
        let (flag, ready) = (Arc::clone(&listed), Arc::clone(&self.ready));
        port.on_ready(move || {
            if !flag.swap(true, Ordering::AcqRel) {
                ready.push(handle);
            }
        });
        let entry =
            Entry { port, location: Location::Document(document), holders: bit(world), started: None, listed, outbox: VecDeque::new() };
        self.entries.insert(handle, entry);
    }

    /// Gives a document a port that arrived.
    pub(crate) fn add(&mut self, port: Port, document: DocumentId, world: World) -> Option<Handle> {
        let handle = self.reserve(1)?;
        self.place(handle, port, document, world);
        Some(handle)
    }

    /// Gives a document both ends of a new channel: the handle that is returned and the one after it.
    pub(crate) fn add_pair(&mut self, (first, second): (Port, Port), document: DocumentId, world: World) -> Option<Handle> {
        let handle = self.reserve(2)?;
        self.place(handle, first, document, world);
        self.place(handle + 1, second, document, world);
        Some(handle)
    }

    /// The entry, if the document owns it.
    pub(crate) fn get_mut(&mut self, handle: Handle, document: DocumentId) -> Option<&mut Entry> {
        self.entries.get_mut(&handle).filter(|entry| entry.location == Location::Document(document))
    }

    /// The entry and its document, for the pump. Clears the mark that keeps a port from being listed twice.
    pub(crate) fn unlist(&mut self, handle: Handle) -> Option<(&mut Entry, DocumentId)> {
        let entry = self.entries.get_mut(&handle)?;
        entry.listed.store(false, Ordering::Release);
        match entry.location {
            Location::Document(document) => Some((entry, document)),
            Location::Bundle | Location::Waiting(_) | Location::Leaving(_) => None,
        }
    }

    /// Lists the port again: there may be more to receive.
    pub(crate) fn relist(&mut self, handle: Handle) {
        if let Some(entry) = self.entries.get(&handle)
            && !entry.listed.swap(true, Ordering::AcqRel)
        {
            self.ready.push(handle);
        }
    }

    /// Every entry that ends does so here.
    fn remove(&mut self, handle: Handle) -> Option<Entry> {
        self.keepers.release(handle);
        self.entries.remove(&handle)
    }

    /// The realm keeps the twin of a port of its document, which is about to leave in a window message.
    /// `partner` is the handle of the twin, if that is a port of the document itself.
    pub(crate) fn keep_twin(&mut self, handle: Handle, document: DocumentId, realm: u32, partner: Handle) {
        if self.get_mut(handle, document).is_none() {
            return;
        }
        self.keepers.keep(handle, realm);
        if self.get_mut(partner, document).is_some() {
            self.keepers.pair(handle, partner);
        }
    }

    /// The port whose object is the twin of this one, which a window message has brought to the document.
    pub(crate) fn partner(&mut self, handle: Handle, document: DocumentId) -> Option<Handle> {
        self.get_mut(handle, document)?;
        self.keepers.partner(handle).filter(|partner| self.entries.contains_key(partner))
    }

    /// The realm keeps the twin of a port that any document has.
    pub(crate) fn keep_partner(&mut self, handle: Handle, realm: u32) {
        if self.entries.contains_key(&handle) {
            self.keepers.keep(handle, realm);
        }
    }

    pub(crate) fn keeper(&self, handle: Handle) -> Option<Keeper> {
        self.keepers.get(handle)
    }

    /// The keeper of the twin of a port that has left its document unseen.
    pub(crate) fn take_keeper(&mut self, handle: Handle, document: DocumentId) -> Option<Keeper> {
        self.get_mut(handle, document)?;
        self.keepers.take(handle)
    }

    /// A keeper whose port has gone.
    pub(crate) fn next_released_keeper(&mut self) -> Option<Keeper> {
        self.keepers.next_released()
    }

    pub(crate) fn has_released_keepers(&self) -> bool {
        self.keepers.has_released()
    }

    /// Takes a port out. What waits in it goes nowhere.
    pub(crate) fn take(&mut self, handle: Handle, document: DocumentId) -> Option<Port> {
        self.get_mut(handle, document)?;
        let entry = self.remove(handle)?;
        for id in entry.outbox {
            self.drop_waiting(id);
        }
        Some(entry.port)
    }

    /// Closes a port, once what waits in it has gone.
    pub(crate) fn close(&mut self, handle: Handle, document: DocumentId, reason: CloseReason) {
        if self.get_mut(handle, document).is_some() {
            self.let_go(handle, reason);
        }
    }

    /// The port under a new handle, as one of this realm's that was never started; what waits in it goes along.
    pub(crate) fn renew(&mut self, handle: Handle, from: DocumentId, to: DocumentId, world: World) -> Option<Handle> {
        self.get_mut(handle, from)?;
        let new = self.reserve(1)?;
        let Entry { port, outbox, .. } = self.remove(handle)?;
        self.rename_waiting(&outbox, new);
        self.place(new, port, to, world);
        if let Some(entry) = self.entries.get_mut(&new) {
            entry.outbox = outbox;
        }
        Some(new)
    }

    /// Moves ports to a world of the same document, all or none: new handles, for ports that were never started.
    pub(crate) fn move_all(&mut self, handles: &[Handle], document: DocumentId, world: World) -> Option<Vec<Handle>> {
        if !self.check(handles, 0, document) {
            return None;
        }
        let moved: Vec<Handle> = handles.iter().filter_map(|&handle| self.renew(handle, document, document, world)).collect();
        for &handle in &moved {
            self.relist(handle);
        }
        Some(moved)
    }

    /// Takes ports out, all or none: every handle must be the document's, distinct, and not `source`.
    pub(crate) fn take_all(&mut self, handles: &[Handle], source: Handle, document: DocumentId) -> Option<Vec<Port>> {
        self.check(handles, source, document).then(|| handles.iter().filter_map(|&handle| self.take(handle, document)).collect())
    }

    /// Undoes [`take_all`](Self::take_all).
    pub(crate) fn restore(&mut self, handles: &[Handle], ports: Vec<Port>, document: DocumentId, world: World) {
        for (&handle, port) in handles.iter().zip(ports) {
            self.place(handle, port, document, world);
            self.keepers.restore(handle);
        }
    }

    fn check(&mut self, handles: &[Handle], source: Handle, document: DocumentId) -> bool {
        let mut seen = HashSet::new();
        handles.iter().all(|&handle| handle != source && seen.insert(handle) && self.get_mut(handle, document).is_some())
    }

    /// A realm's object for the port has been collected; the port goes when no realm has one.
    pub(crate) fn release(&mut self, handle: Handle, document: DocumentId, world: World) {
        let Some(entry) = self.get_mut(handle, document) else { return };
        entry.holders &= !bit(world);
        if entry.holders == 0 {
            self.let_go(handle, CloseReason::Dropped);
        }
    }

    /// Puts the document's ports (0 stands for a port that is not ours) into a window message named by the random `nonce`.
    pub(crate) fn stage_transfer(&mut self, nonce: String, handles: Vec<Handle>, document: DocumentId, target: Option<DocumentId>) -> bool {
        let ours: Vec<Handle> = handles.iter().copied().filter(|&handle| handle != 0).collect();
        if !self.check(&ours, 0, document) {
            return false;
        }
        for handle in &ours {
            if let Some(entry) = self.entries.get_mut(handle) {
                entry.location = Location::Bundle;
            }
        }
        self.bundles.insert(nonce, Bundle { sender: document, target, handles, redeemed: None });
        true
    }

    /// The window message could not be sent: its ports are the sender's again.
    pub(crate) fn abort(&mut self, nonce: &str, document: DocumentId) {
        if self.bundles.get(nonce).is_none_or(|bundle| bundle.sender != document) {
            return;
        }
        let Some(bundle) = self.bundles.remove(nonce) else { return };
        for handle in bundle.handles {
            if let Some(entry) = self.entries.get_mut(&handle) {
                entry.location = Location::Document(document);
                self.relist(handle);
            }
        }
    }

    /// The window message has arrived: its ports are this document's. Each realm of it asks once, the page's own realm last.
    pub(crate) fn redeem_transfer(&mut self, nonce: &str, document: DocumentId, world: World) -> Vec<Handle> {
        let Some(bundle) = self.bundles.get_mut(nonce) else { return Vec::new() };
        if bundle.redeemed.is_some_and(|redeemed| redeemed != document) {
            return Vec::new();
        }
        let first = bundle.redeemed.is_none();
        bundle.redeemed = Some(document);
        let handles = bundle.handles.clone();
        if world == World::Main {
            self.bundles.remove(nonce);
        }
        for &handle in &handles {
            if let Some(entry) = self.entries.get_mut(&handle) {
                if first {
                    entry.location = Location::Document(document);
                    if let Some(inspector) = &self.inspector {
                        inspector.put(entry.port.number(), document);
                    }
                    entry.holders = 0;
                    entry.started = None;
                    entry.listed.store(true, Ordering::Release);
                    self.ready.push(handle);
                }
                entry.holders |= bit(world);
            }
        }
        handles
    }

    /// A document's ports become another's.
    pub(crate) fn move_document(&mut self, from: DocumentId, to: DocumentId) {
        for entry in self.entries.values_mut().filter(|entry| entry.location == Location::Document(from)) {
            entry.location = Location::Document(to);
            if let Some(inspector) = &self.inspector {
                inspector.put(entry.port.number(), to);
            }
        }
        for bundle in self.bundles.values_mut().filter(|bundle| bundle.sender == from) {
            bundle.sender = to;
        }
        for bundle in self.bundles.values_mut().filter(|bundle| bundle.target == Some(from)) {
            bundle.target = Some(to);
        }
        self.move_waiting(from, to);
    }

    /// Closes everything a document has, and what it sent that nobody has redeemed.
    pub(crate) fn close_document(&mut self, document: DocumentId) {
        self.stop_reading(document);
        let handles: Vec<Handle> =
            self.entries.iter().filter(|(_, entry)| entry.location == Location::Document(document)).map(|(&handle, _)| handle).collect();
        for handle in handles {
            self.let_go(handle, CloseReason::Unloaded);
        }
        self.drop_ipc(document);
        self.drop_bundles(|bundle| bundle.sender == document);
    }

    /// The document has gone and hears no message any more: the ports that were on their way to it close.
    pub(crate) fn close_on_the_way(&mut self, document: DocumentId) {
        self.drop_bundles(|bundle| bundle.target == Some(document));
    }

    fn drop_bundles(&mut self, matches: impl Fn(&Bundle) -> bool) {
        let nonces: Vec<String> = self.bundles.iter().filter(|(_, bundle)| matches(bundle)).map(|(nonce, _)| nonce.clone()).collect();
        for nonce in nonces {
            let bundle = self.bundles.remove(&nonce);
            for handle in bundle.into_iter().filter(|bundle| bundle.redeemed.is_none()).flat_map(|bundle| bundle.handles) {
                self.let_go(handle, CloseReason::Dropped);
            }
        }
    }
}
