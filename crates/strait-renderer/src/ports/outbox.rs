//! Posted messages that cannot be sent yet: a message whose Blobs are still being read, all
//! messages behind it on the same port, and messages that contain such a port.
//!
//! A port in a waiting message keeps its entry, but no document can use it ([`Location::Waiting`]).
//! A port that is closed while messages wait in it stays until they are sent
//! ([`Location::Leaving`]). No message can wait for itself: no document can post on a port that is
//! in a message.

use std::collections::{HashMap, VecDeque};

use strait_ports::{CloseReason, MAX_DATA, Message, Port};
use strait_protocol::{DocumentId, IpcKind};

use super::{Handle, Location, PortTable};

/// A waiting message's number; 0 stands for none.
pub(crate) type MessageId = u32;

/// The destination of a message.
pub(crate) enum Way {
    /// The other end of this port.
    Port(Handle),
    /// Main.
    Ipc { document: DocumentId, kind: IpcKind, channel: String },
}

/// A message that waits.
struct WaitingMessage {
    way: Way,
    data: Vec<u8>,
    handles: Vec<Handle>,
    /// The document that still adds bytes.
    reader: Option<DocumentId>,
}

/// An IPC message that is due.
pub(crate) struct DueIpc {
    pub(crate) document: DocumentId,
    pub(crate) kind: IpcKind,
    pub(crate) channel: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) ports: Vec<Port>,
}

/// All waiting messages. The ports' entries hold the order of a port's messages; `ipc` holds that
/// of IPC messages.
#[derive(Default)]
pub(super) struct Waiting {
    messages: HashMap<MessageId, WaitingMessage>,
    last: MessageId,
    ipc: HashMap<DocumentId, VecDeque<MessageId>>,
    due: VecDeque<DueIpc>,
}

/// The message `written` with room at the given places. `rooms` are pairs of a place and a length,
/// in the order of places. Lengths are padded to even numbers, as the format requires. `None` if
/// the pairs do not fit the message, or make it longer than [`MAX_DATA`].
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
    /// Whether a message on this port, or for main, must wait for another one.
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

    /// Holds a message until it is due. It is due at once if no other message precedes it and the
    /// document does not add bytes (`reads`). `None`, and nothing is taken, if a port in it is not
    /// the document's. A message on a port that is gone is dropped, with its ports.
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

    /// Adds bytes to a message that waits for them. False if it does not wait, or the bytes do not
    /// fit.
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

    /// The message has all its bytes, or will never have them (`whole` is false). In that case the
    /// receiver gets an unreadable message in its place.
    pub(crate) fn filled(&mut self, id: MessageId, document: DocumentId, whole: bool) {
        let Some(held) = self.waiting.messages.get_mut(&id).filter(|held| held.reader == Some(document)) else { return };
        held.reader = None;
        if !whole {
            held.data = Vec::new();
        }
        self.flush_from(id);
    }

    /// The next IPC message that is due.
    pub(crate) fn next_due(&mut self) -> Option<DueIpc> {
        self.waiting.due.pop_front()
    }

    /// The document adds no more bytes: messages that wait for it are sent without them.
    pub(super) fn stop_reading(&mut self, document: DocumentId) {
        let mut waiting: Vec<_> =
            self.waiting.messages.iter().filter(|(_, held)| held.reader == Some(document)).map(|(&id, _)| id).collect();
        waiting.sort_unstable();
        for id in waiting {
            self.filled(id, document, false);
        }
    }

    /// Drops the document's IPC messages that could not be sent any more.
    pub(super) fn drop_ipc(&mut self, document: DocumentId) {
        for id in self.waiting.ipc.remove(&document).into_iter().flatten() {
            self.drop_waiting(id);
        }
    }

    /// Moves all waiting messages of one document to another.
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

    /// Moves the messages that wait in a port to the port's new handle.
    pub(super) fn rename_waiting(&mut self, outbox: &VecDeque<MessageId>, handle: Handle) {
        for id in outbox {
            if let Some(held) = self.waiting.messages.get_mut(id) {
                held.way = Way::Port(handle);
            }
        }
    }

    /// Closes a port with this reason, once no message waits in it.
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

    /// Drops a message that no port or document can send any more, with the ports in it.
    pub(super) fn drop_waiting(&mut self, id: MessageId) {
        if let Some(held) = self.waiting.messages.remove(&id) {
            self.let_go_all(held.handles);
        }
    }

    /// Sends all messages that are due, from this message's queue on.
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

    /// Whether the message is complete and no message waits in its ports.
    fn is_due(&self, id: MessageId) -> bool {
        let Some(held) = self.waiting.messages.get(&id) else { return true };
        held.reader.is_none() && !held.handles.iter().any(|&handle| self.has_waiting(handle))
    }

    /// Posts a port's waiting messages as far as they are due. When none is left, a leaving port
    /// closes, and a message that contains the port may be due.
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
                    // A message that cannot be posted has no receiver any more.
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

    /// Takes out the ports that are in a message.
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
