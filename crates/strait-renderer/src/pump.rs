//! The agent's turns in the page's main loop.

use std::cell::Cell;
use std::time::{Duration, Instant};

use strait_ports::{Arrival, CloseReason, Port, Progress, Unread};
use strait_protocol::{DocumentId, World};

use crate::agent::Agent;
use crate::ffi::SourceHandler;
use crate::ports::Handle;

/// The source's priority, measured. At -50 the source starves the page's timers for hundreds of
/// milliseconds. From 119 on a page that loops on `window.postMessage` starves the source. At 100,
/// with [`BUDGET`], neither happens.
pub(crate) const PRIORITY: i32 = 100;

/// The longest duration of a turn, unless one task of the page takes longer.
const BUDGET: Duration = Duration::from_millis(1);

/// The part of a turn that goes to routing before anything is delivered.
const ROUTING: Duration = Duration::from_micros(300);

impl SourceHandler for Agent {
    fn has_work(&self) -> bool {
        // A main loop inside one of the page's tasks starts no other task.
        if self.in_turn.get() {
            return false;
        }
        self.routing.get()
            || !self.ready.is_empty()
            || !self.leaving.borrow().is_empty()
            || !self.departed.borrow().is_empty()
            || !self.emits.borrow().is_empty()
            || !self.control.borrow().is_empty()
            || self.pool.has_done()
            || self.ports.borrow().has_released_keepers()
    }

    fn look(&self) -> bool {
        !self.in_turn.get() && {
            self.node.busy_poll();
            self.has_work()
        }
    }

    fn run(&self, readable: bool) {
        let end = Instant::now() + BUDGET;
        if readable || self.routing.get() {
            self.route();
        }
        let Some(_turn) = Turn::begin(&self.in_turn) else { return };
        loop {
            while self.step() {
                if Instant::now() >= end {
                    return;
                }
            }
            // A round of the main loop costs as much as a message, so new arrivals are processed in
            // the same turn.
            if Instant::now() >= end || !self.node.busy_poll() {
                return;
            }
        }
    }
}

/// Marks that tasks run. Messages that arrive in a main loop inside a task are routed and wait.
struct Turn<'a>(&'a Cell<bool>);

impl<'a> Turn<'a> {
    fn begin(running: &'a Cell<bool>) -> Option<Self> {
        (!running.replace(true)).then_some(Self(running))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Agent {
    fn route(&self) {
        match self.node.dispatch(ROUTING) {
            Ok(progress) => self.routing.set(matches!(progress, Progress::More)),
            Err(error) => {
                strait_output::report!("strait agent: the node failed: {error}");
                self.routing.set(false);
            }
        }
    }

    /// Executes one waiting task; false when there is none.
    fn step(&self) -> bool {
        self.end_leaving()
            || self.report_departure()
            || self.deliver_emit()
            || self.handle_queued_control()
            || self.deliver_done()
            || self.release_keeper()
            || self.receive()
    }

    fn receive(&self) -> bool {
        let Some(handle) = self.ready.pop() else { return false };
        if handle == 0 {
            self.receive_control()
        } else {
            self.receive_for(handle)
        }
        true
    }

    fn receive_for(&self, handle: Handle) {
        let (event, document, started) = {
            let mut ports = self.ports.borrow_mut();
            let Some((entry, document)) = ports.unlist(handle) else { return };
            let started = entry.started;
            // A port that was never started keeps its messages; only a close that no message
            // precedes is taken.
            let event = if started.is_some() { entry.port.try_recv_unread() } else { entry.lone_close() };
            (event, document, started)
        };
        match (event, started) {
            (Some(Arrival::Message(message)), Some(realm)) => {
                self.ports.borrow_mut().relist(handle);
                self.deliver(handle, document, realm, message);
            }
            (Some(Arrival::Close(reason)), _) => self.deliver_close(handle, document, started, reason),
            _ => {}
        }
    }

    fn deliver(&self, handle: Handle, document: DocumentId, realm: u32, mut message: Unread) {
        let Some(realm) = self.realm(realm) else { return };
        let ports = std::mem::take(&mut message.ports);
        let Some(handles) = self.adopt(ports, document, realm.world) else { return };
        realm.deliver(handle, message, &handles);
    }

    /// Gives a document the ports of a message, in order.
    pub(crate) fn adopt(&self, ports: Vec<Port>, document: DocumentId, world: World) -> Option<Vec<Handle>> {
        let mut table = self.ports.borrow_mut();
        ports.into_iter().map(|port| table.add(port, document, world)).collect()
    }

    fn deliver_close(&self, handle: Handle, document: DocumentId, started: Option<u32>, reason: CloseReason) {
        let Some(document) = self.document(document) else { return };
        let held = {
            let mut ports = self.ports.borrow_mut();
            let Some(entry) = ports.get_mut(handle, document.id) else { return };
            let held = [World::Main, World::Isolated].map(|world| entry.is_held_by(world));
            ports.take(handle, document.id);
            held
        };
        let realms = [World::Main, World::Isolated].map(|world| document.realm(world));
        let speaker = started
            .or_else(|| realms.iter().zip(held).filter(|(_, held)| *held).find_map(|(realm, _)| realm.as_ref().map(|realm| realm.id)));
        // The other realms are notified first, because listeners of the event can read the port in
        // either world.
        for realm in realms.iter().flatten().filter(|realm| Some(realm.id) != speaker) {
            realm.closed(handle, reason.as_str(), false);
        }
        for realm in realms.iter().flatten().filter(|realm| Some(realm.id) == speaker) {
            realm.closed(handle, reason.as_str(), true);
        }
    }
}
