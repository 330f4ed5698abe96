//! What happens to a node's ports, for whoever looks for a mistake ([`Node::trace`](crate::Node::trace)).

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::message::CloseReason;
use crate::name::{RandomKeys, SideName};
use crate::router::ElementKey;

/// Something that happened to a port. What begins with [`Created`](PortEvent::Created) or [`Arrived`](PortEvent::Arrived) ends with
/// [`Left`](PortEvent::Left) or [`Closed`](PortEvent::Closed), and happens once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortEvent {
    /// It was made as one end of a new channel.
    Created {
        /// The number of the other end, in this node too.
        other: u64,
    },
    /// It came inside a message from another node.
    Arrived {
        /// The number under which it left there.
        ticket: u64,
    },
    /// A message was posted on it, whether or not anybody can receive it.
    Posted {
        /// The message's data, without shared buffers.
        bytes: usize,
        /// The ports in it.
        ports: Vec<u64>,
    },
    /// The program took a message from it.
    Received {
        /// The message's data, without shared buffers.
        bytes: usize,
        /// The ports in it.
        ports: Vec<u64>,
    },
    /// It went to another node inside a message.
    Left {
        /// The number under which it arrives there, if it does.
        ticket: u64,
    },
    /// It was closed here, or the program received its close (or threw the port away before it could).
    Closed {
        /// Why.
        reason: CloseReason,
        /// By the program that holds this end; otherwise by what happened to the other.
        here: bool,
    },
}

/// A [`PortEvent`], and where and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracedEvent {
    /// On the system's monotonic clock: all processes of one machine share it.
    pub at: Duration,
    /// Numbers the port: while it is in the node, and never used for another one there.
    pub port: u64,
    /// What happened.
    pub event: PortEvent,
}

/// Who is told. Called without locks, in whatever thread did what it is told of.
pub(crate) type Tracer = Arc<dyn Fn(&[TracedEvent]) + Send + Sync>;

/// What has been noted and not been told yet.
#[derive(Default)]
pub(crate) struct Trace {
    /// Ports that have begun and not ended; true: the close has been told.
    ports: HashMap<ElementKey, bool, RandomKeys>,
    events: Vec<(u64, PortEvent)>,
}

impl Trace {
    pub(crate) fn created(&mut self, one: ElementKey, other: ElementKey) {
        for (port, other) in [(one, other), (other, one)] {
            self.ports.insert(port, false);
            self.events.push((port.to_bits(), PortEvent::Created { other: other.to_bits() }));
        }
    }

    pub(crate) fn arrived(&mut self, port: ElementKey, name: SideName) {
        self.ports.insert(port, false);
        self.events.push((port.to_bits(), PortEvent::Arrived { ticket: ticket(name) }));
    }

    pub(crate) fn left(&mut self, port: ElementKey, name: SideName) {
        // One whose close has been told ends with that.
        if self.ports.remove(&port) == Some(false) {
            self.events.push((port.to_bits(), PortEvent::Left { ticket: ticket(name) }));
        }
    }

    pub(crate) fn posted(&mut self, port: ElementKey, bytes: usize, ports: &[ElementKey]) {
        if self.ports.contains_key(&port) {
            self.events.push((port.to_bits(), PortEvent::Posted { bytes, ports: numbers(ports) }));
        }
    }

    pub(crate) fn received(&mut self, port: ElementKey, bytes: usize, ports: &[ElementKey]) {
        if self.ports.contains_key(&port) {
            self.events.push((port.to_bits(), PortEvent::Received { bytes, ports: numbers(ports) }));
        }
    }

    /// The program has received the close.
    pub(crate) fn heard(&mut self, port: ElementKey, reason: CloseReason) {
        if let Some(told) = self.ports.get_mut(&port)
            && !std::mem::replace(told, true)
        {
            self.events.push((port.to_bits(), PortEvent::Closed { reason, here: false }));
        }
    }

    pub(crate) fn closed(&mut self, port: ElementKey, reason: CloseReason, here: bool) {
        if self.ports.remove(&port) == Some(false) {
            self.events.push((port.to_bits(), PortEvent::Closed { reason, here }));
        }
    }

    pub(crate) fn take(&mut self) -> Vec<TracedEvent> {
        if self.events.is_empty() {
            return Vec::new();
        }
        let at = trace_clock();
        self.events.drain(..).map(|(port, event)| TracedEvent { at, port, event }).collect()
    }
}

/// Now, on the clock of [`TracedEvent::at`].
pub fn trace_clock() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn numbers(ports: &[ElementKey]) -> Vec<u64> {
    ports.iter().map(|port| port.to_bits()).collect()
}

/// The same in both nodes. A name lets its holder speak, so it is not shown itself.
fn ticket(name: SideName) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name.0)
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("ports", &self.ports.len()).finish_non_exhaustive()
    }
}
