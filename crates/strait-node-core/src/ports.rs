//! The program's ports, by number.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use strait_ports::{Arrival, Port};

/// A port's number in this process's JavaScript.
pub type PortId = u32;

#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<PortId>,
    listed: HashSet<PortId>,
}

/// The ports that may have an event for the program: filled by any thread that routes, emptied by
/// the loop. Each is listed at most once, in the order in which they became ready.
#[derive(Debug, Clone)]
pub(crate) struct ReadyList {
    queue: Arc<Mutex<Queue>>,
    waker: Waker,
}

impl ReadyList {
    /// A list that wakes the loop.
    pub(crate) fn new(waker: Waker) -> Self {
        Self { queue: Arc::default(), waker }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held, and the queue is valid after every statement.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `port`, which may have an event.
    pub(crate) fn push(&self, port: PortId) {
        let mut queue = self.lock();
        if queue.listed.insert(port) {
            queue.order.push_back(port);
            drop(queue);
            self.waker.wake_by_ref();
        }
    }

    /// Removes the first port of the list.
    pub(crate) fn pop(&self) -> Option<PortId> {
        let mut queue = self.lock();
        let port = queue.order.pop_front()?;
        queue.listed.remove(&port);
        Some(port)
    }

    /// Whether the list is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().order.is_empty()
    }
}

struct Entry {
    port: Port,
    started: bool,
}

/// All ports that JavaScript holds.
#[derive(Default)]
pub(crate) struct PortTable {
    last: PortId,
    entries: HashMap<PortId, Entry>,
}

/// Ports taken out of the table for a post: they go with it, or return to their places.
pub(crate) struct Taken(Vec<(PortId, bool)>);

impl PortTable {
    /// Gives `port` a number; its events are listed in `ready`.
    pub(crate) fn insert(&mut self, port: Port, ready: &ReadyList) -> PortId {
        self.last += 1;
        let id = self.last;
        let ready = ready.clone();
        port.on_ready(move || ready.push(id));
        self.entries.insert(id, Entry { port, started: false });
        id
    }

    /// The number of each port, in order.
    pub(crate) fn insert_all(&mut self, ports: Vec<Port>, ready: &ReadyList) -> Vec<PortId> {
        ports.into_iter().map(|port| self.insert(port, ready)).collect()
    }

    /// The port.
    pub(crate) fn get(&self, id: PortId) -> Option<&Port> {
        self.entries.get(&id).map(|entry| &entry.port)
    }

    /// Removes the port; dropping or closing it reports that to the other end.
    pub(crate) fn remove(&mut self, id: PortId) -> Option<Port> {
        self.entries.remove(&id).map(|entry| entry.port)
    }

    /// Takes all of `ids`, or none: `Err` has the first one that is missing.
    pub(crate) fn take(&mut self, ids: &[PortId]) -> Result<(Taken, Vec<Port>), PortId> {
        if let Some(missing) = ids.iter().find(|id| !self.entries.contains_key(id)) {
            return Err(*missing);
        }
        let entries = ids.iter().filter_map(|id| self.entries.remove(id).map(|entry| (*id, entry)));
        let (taken, ports) = entries.map(|(id, entry)| ((id, entry.started), entry.port)).unzip();
        Ok((Taken(taken), ports))
    }

    /// Reverses [`PortTable::take`] after a post that failed.
    pub(crate) fn give_back(&mut self, Taken(taken): Taken, ports: Vec<Port>) {
        for ((id, started), port) in taken.into_iter().zip(ports) {
            self.entries.insert(id, Entry { port, started });
        }
    }

    /// Starts the port's deliveries.
    pub(crate) fn start(&mut self, id: PortId, ready: &ReadyList) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.started = true;
            ready.push(id);
        }
    }

    /// The port's next event for the program. A port that was never started keeps its messages; its
    /// close is delivered once no message is queued. After the close the number is free.
    pub(crate) fn next_event(&mut self, id: PortId) -> Option<Arrival> {
        let entry = self.entries.get(&id)?;
        let deliverable = entry.started || (entry.port.is_ended() && entry.port.queued().0 == 0);
        if !deliverable {
            return None;
        }
        let event = entry.port.try_recv_unread()?;
        if let Arrival::Close(_) = event {
            self.entries.remove(&id);
        }
        Some(event)
    }
}
