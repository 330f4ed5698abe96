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

/// A port's number in this process, which the glue's stamps hold. 0 stands for no port, and in
/// [`ReadyHandles`] for the bootstrap port.
pub(crate) type Handle = u32;

/// Ports that may have something to receive, in the order of their reports.
///
/// This list has a lock because the engine's callbacks may come from any thread.
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

/// The place of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    /// A document.
    Document(DocumentId),
    /// A window message that is under way.
    Bundle,
    /// A message that waits.
    Waiting(outbox::MessageId),
    /// None: the port closes for this reason, once no message waits in it.
    Leaving(CloseReason),
}

/// A port of a document.
pub(crate) struct Entry {
    pub(crate) port: Port,
    location: Location,
    /// The worlds of the document whose realms have a stamped object for the port.
    holders: u8,
    /// The realm that started the port and gets its messages.
    pub(crate) started: Option<u32>,
    listed: Arc<AtomicBool>,
    /// Messages that were posted on the port and wait.
    outbox: VecDeque<outbox::MessageId>,
}

fn bit(world: World) -> u8 {
    match world {
        World::Main => 1,
        World::Isolated => 2,
    }
}

impl Entry {
    /// The close event, if no message precedes it.
    pub(crate) fn lone_close(&self) -> Option<Arrival> {
        if self.port.is_ended() && self.port.queued().0 == 0 { self.port.try_recv_unread() } else { None }
    }

    /// Whether this world has an object for the port.
    pub(crate) fn is_held_by(&self, world: World) -> bool {
        self.holders & bit(world) != 0
    }
}

/// Ports under way in one window message.
struct Bundle {
    sender: DocumentId,
    /// The document to which the message was sent, if the agent has a document with that window.
    target: Option<DocumentId>,
    handles: Vec<Handle>,
    /// The document whose first realm has redeemed the nonce. Its second realm gets the same answer
    /// once.
    redeemed: Option<DocumentId>,
}

/// The ports of all pages of this process.
///
/// > **Architecture Invariant:** a handle is valid only together with the document that owns it.
/// > Every operation names both, and the handle of another document's port has no effect.
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

    /// Reserves `count` consecutive handles and returns the first; none if the numbers have run
    /// out.
    fn reserve(&mut self, count: u32) -> Option<Handle> {
        let first = self.next;
        self.next = first.checked_add(count)?;
        Some(first)
    }

    /// Reports the document's location to the inspector of ports.
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

    /// Adds an arrived port to a document.
    pub(crate) fn add(&mut self, port: Port, document: DocumentId, world: World) -> Option<Handle> {
        let handle = self.reserve(1)?;
        self.place(handle, port, document, world);
        Some(handle)
    }

    /// Adds both ends of a new channel to a document: the second handle is the one after the
    /// returned handle.
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

    /// The entry and its document, for the pump. Clears the mark that prevents listing the port
    /// twice.
    pub(crate) fn unlist(&mut self, handle: Handle) -> Option<(&mut Entry, DocumentId)> {
        let entry = self.entries.get_mut(&handle)?;
        entry.listed.store(false, Ordering::Release);
        match entry.location {
            Location::Document(document) => Some((entry, document)),
            Location::Bundle | Location::Waiting(_) | Location::Leaving(_) => None,
        }
    }

    /// Lists the port again, because it may have more to receive.
    pub(crate) fn relist(&mut self, handle: Handle) {
        if let Some(entry) = self.entries.get(&handle)
            && !entry.listed.swap(true, Ordering::AcqRel)
        {
            self.ready.push(handle);
        }
    }

    /// Removes an entry; every removal goes through this function.
    fn remove(&mut self, handle: Handle) -> Option<Entry> {
        self.keepers.release(handle);
        self.entries.remove(&handle)
    }

    /// Records that the realm keeps the twin of a port of its document, which will leave in a
    /// window message. `partner` is the twin's handle, if the twin is a port of the document too.
    pub(crate) fn keep_twin(&mut self, handle: Handle, document: DocumentId, realm: u32, partner: Handle) {
        if self.get_mut(handle, document).is_none() {
            return;
        }
        self.keepers.keep(handle, realm);
        if self.get_mut(partner, document).is_some() {
            self.keepers.pair(handle, partner);
        }
    }

    /// The port whose twin is this port, which a window message has brought to the document.
    pub(crate) fn partner(&mut self, handle: Handle, document: DocumentId) -> Option<Handle> {
        self.get_mut(handle, document)?;
        self.keepers.partner(handle).filter(|partner| self.entries.contains_key(partner))
    }

    /// Records that the realm keeps the twin of a port of any document.
    pub(crate) fn keep_partner(&mut self, handle: Handle, realm: u32) {
        if self.entries.contains_key(&handle) {
            self.keepers.keep(handle, realm);
        }
    }

    pub(crate) fn keeper(&self, handle: Handle) -> Option<Keeper> {
        self.keepers.get(handle)
    }

    /// Takes the keeper of a port that has left its document untracked.
    pub(crate) fn take_keeper(&mut self, handle: Handle, document: DocumentId) -> Option<Keeper> {
        self.get_mut(handle, document)?;
        self.keepers.take(handle)
    }

    /// A keeper whose port is gone.
    pub(crate) fn next_released_keeper(&mut self) -> Option<Keeper> {
        self.keepers.next_released()
    }

    pub(crate) fn has_released_keepers(&self) -> bool {
        self.keepers.has_released()
    }

    /// Takes a port out and drops the messages that wait in it.
    pub(crate) fn take(&mut self, handle: Handle, document: DocumentId) -> Option<Port> {
        self.get_mut(handle, document)?;
        let entry = self.remove(handle)?;
        for id in entry.outbox {
            self.drop_waiting(id);
        }
        Some(entry.port)
    }

    /// Closes a port, once the messages that wait in it are sent.
    pub(crate) fn close(&mut self, handle: Handle, document: DocumentId, reason: CloseReason) {
        if self.get_mut(handle, document).is_some() {
            self.let_go(handle, reason);
        }
    }

    /// Moves a port to a new handle of this document and world, as one that was never started. Its
    /// waiting messages go with it.
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

    /// Moves ports to a world of the same document, all or none. They get new handles, as ports
    /// that were never started.
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

    /// Takes ports out, all or none: every handle must be the document's, distinct, and not
    /// `source`.
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

    /// A realm's object for the port was collected. The port closes when no realm has one.
    pub(crate) fn release(&mut self, handle: Handle, document: DocumentId, world: World) {
        let Some(entry) = self.get_mut(handle, document) else { return };
        entry.holders &= !bit(world);
        if entry.holders == 0 {
            self.let_go(handle, CloseReason::Dropped);
        }
    }

    /// Stages the document's ports (0 stands for a native port) for a window message with the
    /// random `nonce`.
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

    /// Returns the ports of a window message that could not be sent to its sender.
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

    /// Gives the document the ports of a window message that has arrived. Each realm of the
    /// document calls this once, the main realm last.
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

    /// Moves all ports of a document to another one.
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

    /// Closes all ports of a document, and those in its window messages that no document has
    /// redeemed.
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

    /// Closes the ports that were under way to a document that receives no more messages.
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
