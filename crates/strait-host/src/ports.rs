//! The program's ends of channels, by number.

use std::collections::HashMap;

use strait_ports::{Event, Port};

use crate::ready::{PortId, ReadyList};

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

/// Ports taken out of the table for a post: they go with it, or back to where they were.
pub(crate) struct Taken(Vec<(PortId, bool)>);

impl PortTable {
    /// Gives `port` a number; whatever happens to it is noted on `ready`.
    pub(crate) fn insert(&mut self, port: Port, ready: &ReadyList) -> PortId {
        self.last += 1;
        let id = self.last;
        let ready = ready.clone();
        port.on_ready(move || ready.push(id));
        self.entries.insert(id, Entry { port, started: false });
        id
    }

    /// The port's number for each of them, in order.
    pub(crate) fn insert_all(&mut self, ports: Vec<Port>, ready: &ReadyList) -> Vec<PortId> {
        ports.into_iter().map(|port| self.insert(port, ready)).collect()
    }

    /// The port.
    pub(crate) fn get(&self, id: PortId) -> Option<&Port> {
        self.entries.get(&id).map(|entry| &entry.port)
    }

    /// Takes the port away: dropping or closing it tells the other end.
    pub(crate) fn remove(&mut self, id: PortId) -> Option<Port> {
        self.entries.remove(&id).map(|entry| entry.port)
    }

    /// Takes all of `ids`, or none: `Err` has the first one that is not there.
    pub(crate) fn take(&mut self, ids: &[PortId]) -> Result<(Taken, Vec<Port>), PortId> {
        if let Some(missing) = ids.iter().find(|id| !self.entries.contains_key(id)) {
            return Err(*missing);
        }
        let entries = ids.iter().filter_map(|id| self.entries.remove(id).map(|entry| (*id, entry)));
        let (taken, ports) = entries.map(|(id, entry)| ((id, entry.started), entry.port)).unzip();
        Ok((Taken(taken), ports))
    }

    /// Undoes [`PortTable::take`] after a post that failed.
    pub(crate) fn give_back(&mut self, Taken(taken): Taken, ports: Vec<Port>) {
        for ((id, started), port) in taken.into_iter().zip(ports) {
            self.entries.insert(id, Entry { port, started });
        }
    }

    /// Lets the port deliver.
    pub(crate) fn start(&mut self, id: PortId, ready: &ReadyList) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.started = true;
            ready.push(id);
        }
    }

    /// What the port has for the program now. A port that was never started keeps its messages; its close comes once none wait. After the
    /// close the number is free.
    pub(crate) fn next_event(&mut self, id: PortId) -> Option<Event> {
        let entry = self.entries.get(&id)?;
        let deliverable = entry.started || (entry.port.is_ended() && entry.port.buffered().0 == 0);
        if !deliverable {
            return None;
        }
        let event = entry.port.try_recv()?;
        if let Event::Close(_) = event {
            self.entries.remove(&id);
        }
        Some(event)
    }
}
