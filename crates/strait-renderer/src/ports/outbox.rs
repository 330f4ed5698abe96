//! What has been posted and cannot go yet: a message whose Blobs are still being read, everything posted behind it on the same port, and messages
//! with such a port inside.
//!
//! A port in a message that waits keeps its entry, out of every document's reach ([`Location::Waiting`]). A port that is closed while something waits in it
//! stays until that has gone ([`Location::Leaving`]). Nothing here can wait for itself: a port that lies in a message can be posted on by nobody.

use std::collections::{HashMap, VecDeque};

use strait_ports::{CloseReason, MAX_DATA, Message, Port};
use strait_protocol::{DocumentId, IpcKind};

use super::{Handle, Location, PortTable};

/// A waiting message's number; 0 is none.
pub(crate) type MessageId = u32;

/// Where a message is to go.
pub(crate) enum Way {
    /// Out of this port.
    Port(Handle),
    /// To main.
    Ipc { document: DocumentId, kind: IpcKind, channel: String },
}

/// A message that waits.
struct WaitingMessage {
    way: Way,
    data: Vec<u8>,
    handles: Vec<Handle>,
    /// The document that is still putting bytes in.
    reader: Option<DocumentId>,
}

/// An IPC message whose turn has come.
pub(crate) struct DueIpc {
    pub(crate) document: DocumentId,
    pub(crate) kind: IpcKind,
    pub(crate) channel: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) ports: Vec<Port>,
}

/// Everything that waits; the order is in the ports' entries, and here for IPC.
#[derive(Default)]
pub(super) struct Waiting {
    messages: HashMap<MessageId, WaitingMessage>,
    last: MessageId,
    ipc: HashMap<DocumentId, VecDeque<MessageId>>,
    due: VecDeque<DueIpc>,
}

/// The message `written` with room for what is to be put in: pairs of a place and a length, in the order of places. Lengths are made even, as
/// the format has it. `None` if they don't fit it, or make it longer than a message may be.
pub(crate) fn with_rooms(written: &[u8], rooms: &[u32]) -> Option<Vec<u8>> {
    let (pairs, _) = rooms.as_chunks::<2>();
    let padded = |size: u32| size as usize + (size % 2) as usize;
    let total = pairs.iter().try_fold(written.len(), |total, [_, size]| total.checked_add(padded(*size)))?;
    if total > MAX_DATA {
        return None;
    }
    let mut data = vec![0; total];
    let (mut from, mut to) = (0, 0);
    for [place, size] in pairs {
        let part = written.get(from..*place as usize)?;
        data[to..to + part.len()].copy_from_slice(part);
        from += part.len();
        to += part.len() + padded(*size);
    }
    data[to..].copy_from_slice(&written[from..]);
    Some(data)
}

impl PortTable {
    /// Must a message on this port, or for main, wait for another?
    pub(crate) fn must_wait(&self, way: &Way, handles: &[Handle]) -> bool {
        if self.waiting.messages.is_empty() {
            return false;
        }
        let behind = match way {
            Way::Port(handle) => self.has_waiting(*handle),
            Way::Ipc { document, .. } => self.waiting.ipc.contains_key(document),
        };
        behind || handles.iter().any(|&handle| self.has_waiting(handle))
    }

    fn has_waiting(&self, handle: Handle) -> bool {
        self.entries.get(&handle).is_some_and(|entry| !entry.outbox.is_empty())
    }

    /// Keeps a message until its turn comes: at once if nothing is in its way and nobody `reads` what is to be put into it. `None` if a port in it is not
    /// the document's, and then nothing has been taken. A message on a port that has gone goes nowhere, and its ports with it.
    pub(crate) fn hold(&mut self, way: Way, data: Vec<u8>, handles: Vec<Handle>, document: DocumentId, reads: bool) -> Option<MessageId> {
        let source = if let Way::Port(handle) = way { handle } else { 0 };
        if !self.check(&handles, source, document) {
            return None;
        }
        let id = self.waiting.next_id();
        for handle in &handles {
            if let Some(entry) = self.entries.get_mut(handle) {
                entry.location = Location::Waiting(id);
            }
        }
        let queue = match &way {
            Way::Port(handle) => self.get_mut(*handle, document).map(|entry| &mut entry.outbox),
            Way::Ipc { document, .. } => Some(self.waiting.ipc.entry(*document).or_default()),
        };
        let Some(queue) = queue else {
            self.let_go_all(handles);
            return Some(0);
        };
        queue.push_back(id);
        self.waiting.messages.insert(id, WaitingMessage { way, data, handles, reader: reads.then_some(document) });
        self.flush_from(id);
        Some(id)
    }

    /// Puts bytes into a message that waits for them; false if it does not, or they don't fit.
    pub(crate) fn fill(
        &mut self,
        id: MessageId,
        document: DocumentId,
        start: usize,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> bool {
        let Some(held) = self.waiting.messages.get_mut(&id).filter(|held| held.reader == Some(document)) else { return false };
        start.checked_add(length).and_then(|end| held.data.get_mut(start..end)).is_some_and(fill)
    }

    /// The message has all of its bytes, or (`whole` is false) will never have them: then its receiver gets one that cannot be read, in its place.
    pub(crate) fn filled(&mut self, id: MessageId, document: DocumentId, whole: bool) {
        let Some(held) = self.waiting.messages.get_mut(&id).filter(|held| held.reader == Some(document)) else { return };
        held.reader = None;
        if !whole {
            held.data = Vec::new();
        }
        self.flush_from(id);
    }

    /// An IPC message that is to be sent now.
    pub(crate) fn next_due(&mut self) -> Option<DueIpc> {
        self.waiting.due.pop_front()
    }

    /// The document brings no more bytes: what waits for it goes without.
    pub(super) fn stop_reading(&mut self, document: DocumentId) {
        let mut waiting: Vec<_> =
            self.waiting.messages.iter().filter(|(_, held)| held.reader == Some(document)).map(|(&id, _)| id).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.filled(id, document, false);
        }
    }

    /// What the document had for main and could not send any more.
    pub(super) fn drop_ipc(&mut self, document: DocumentId) {
        for id in self.waiting.ipc.remove(&document).into_iter().flatten() {
            self.drop_waiting(id);
        }
    }

    /// What waits of one document becomes another's.
    pub(super) fn move_waiting(&mut self, from: DocumentId, to: DocumentId) {
        for held in self.waiting.messages.values_mut() {
            if held.reader == Some(from) {
                held.reader = Some(to);
            }
            if let Way::Ipc { document, .. } = &mut held.way
                && *document == from
            {
                *document = to;
            }
        }
        if let Some(queue) = self.waiting.ipc.remove(&from) {
            self.waiting.ipc.insert(to, queue);
        }
    }

    /// The messages that wait in a port now wait in it under another handle.
    pub(super) fn rename_waiting(&mut self, outbox: &VecDeque<MessageId>, handle: Handle) {
        for id in outbox {
            if let Some(held) = self.waiting.messages.get_mut(id) {
                held.way = Way::Port(handle);
            }
        }
    }

    /// Lets go of a port for this reason, once nothing waits in it.
    pub(super) fn let_go(&mut self, handle: Handle, reason: CloseReason) {
        let Some(entry) = self.entries.get_mut(&handle) else { return };
        entry.location = Location::Leaving(reason);
        self.flush(handle);
    }

    fn let_go_all(&mut self, handles: Vec<Handle>) {
        for handle in handles {
            self.let_go(handle, CloseReason::Dropped);
        }
    }

    /// Nobody can get the message any more.
    pub(super) fn drop_waiting(&mut self, id: MessageId) {
        if let Some(held) = self.waiting.messages.remove(&id) {
            self.let_go_all(held.handles);
        }
    }

    /// Sends what can be sent, beginning where this message stands.
    fn flush_from(&mut self, id: MessageId) {
        match self.waiting.messages.get(&id).map(|held| &held.way) {
            Some(Way::Port(handle)) => {
                let handle = *handle;
                self.flush(handle);
            }
            Some(Way::Ipc { document, .. }) => {
                let document = *document;
                self.flush_ipc(document);
            }
            None => {}
        }
    }

    /// Is the message complete, and does nothing wait in its ports?
    fn is_due(&self, id: MessageId) -> bool {
        let Some(held) = self.waiting.messages.get(&id) else { return true };
        held.reader.is_none() && !held.handles.iter().any(|&handle| self.has_waiting(handle))
    }

    /// Posts what waits in a port, as far as its turn has come. When nothing is left the port may go, or the message that it lies in.
    fn flush(&mut self, mut handle: Handle) {
        loop {
            while let Some(id) = self.entries.get(&handle).and_then(|entry| entry.outbox.front().copied()) {
                if !self.is_due(id) {
                    return;
                }
                if let Some(entry) = self.entries.get_mut(&handle) {
                    entry.outbox.pop_front();
                }
                let Some(held) = self.waiting.messages.remove(&id) else { continue };
                let ports = self.extract(&held.handles);
                if let Some(entry) = self.entries.get(&handle) {
                    // What cannot be posted has nobody left to get it.
                    let _ = entry.port.post(Message::with_ports(held.data, ports));
                }
            }
            match self.entries.get(&handle).map(|entry| entry.location) {
                Some(Location::Leaving(reason)) => {
                    if let Some(entry) = self.remove(handle) {
                        entry.port.close_with(reason);
                    }
                    return;
                }
                Some(Location::Waiting(id)) => match self.waiting.messages.get(&id).map(|held| &held.way) {
                    Some(Way::Port(outer)) => handle = *outer,
                    Some(Way::Ipc { .. }) => return self.flush_from(id),
                    None => return,
                },
                _ => return,
            }
        }
    }

    fn flush_ipc(&mut self, document: DocumentId) {
        while let Some(id) = self.waiting.ipc.get(&document).and_then(|queue| queue.front().copied()) {
            if !self.is_due(id) {
                return;
            }
            if let Some(queue) = self.waiting.ipc.get_mut(&document) {
                queue.pop_front();
            }
            let Some(held) = self.waiting.messages.remove(&id) else { continue };
            let ports = self.extract(&held.handles);
            if let Way::Ipc { document, kind, channel } = held.way {
                self.waiting.due.push_back(DueIpc { document, kind, channel, payload: held.data, ports });
            }
        }
        self.waiting.ipc.remove(&document);
    }

    /// The ports that lie in a message.
    fn extract(&mut self, handles: &[Handle]) -> Vec<Port> {
        handles.iter().filter_map(|&handle| self.remove(handle)).map(|entry| entry.port).collect()
    }
}

impl Waiting {
    /// A number that no waiting message has.
    fn next_id(&mut self) -> MessageId {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.messages.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}
