//! Events of a node's ports, for debugging ([`Node::trace`](crate::Node::trace)).

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::message::CloseReason;
use crate::name::{RandomKeys, SideName};
use crate::router::ElementKey;

/// An event of a port. A port begins with [`Created`](PortEvent::Created) or
/// [`Arrived`](PortEvent::Arrived) and ends with [`Left`](PortEvent::Left) or
/// [`Closed`](PortEvent::Closed). Each of these happens once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortEvent {
    /// The port was made, as one end of a new channel.
    Created {
        /// The number of the other end, in the same node.
        other: u64,
    },
    /// The port arrived inside a message from another node.
    Arrived {
        /// The ticket of the [`Left`](PortEvent::Left) event in the node that sent it.
        ticket: u64,
    },
    /// A message was posted on the port, whether or not it can be received.
    Posted {
        /// The size of the message's data, without shared buffers.
        bytes: usize,
        /// The numbers of the ports in it.
        ports: Vec<u64>,
    },
    /// The program took a message from it.
    Received {
        /// The size of the message's data, without shared buffers.
        bytes: usize,
        /// The numbers of the ports in it.
        ports: Vec<u64>,
    },
    /// The port left for another node inside a message.
    Left {
        /// The ticket of the [`Arrived`](PortEvent::Arrived) event in the receiving node, if the
        /// port arrives.
        ticket: u64,
    },
    /// The port was closed here, or the program received its close, or dropped the port before it
    /// received the close.
    Closed {
        /// The reason.
        reason: CloseReason,
        /// Whether the program closed this end; otherwise the other end closed or was lost.
        here: bool,
    },
}

/// A [`PortEvent`] with its port and time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TracedEvent {
    /// The time on the system's monotonic clock, which all processes of a machine share.
    pub at: Duration,
    /// The port's number. It is valid while the port is in the node; a node never reuses it.
    pub port: u64,
    /// The event.
    pub event: PortEvent,
}

/// The function that receives the events. Called without locks, in the thread that caused them.
pub(crate) type Tracer = Arc<dyn Fn(&[TracedEvent]) + Send + Sync>;

/// Recorded events that the tracer has not received yet.
#[derive(Default)]
pub(crate) struct Trace {
    /// Ports that have begun and not ended. True: the close has been recorded.
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
        // A port whose close has been recorded has already ended.
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

/// The present time, on the clock of [`TracedEvent::at`].
pub fn trace_clock() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

fn numbers(ports: &[ElementKey]) -> Vec<u64> {
    ports.iter().map(|port| port.to_bits()).collect()
}

/// A number that is the same in both nodes. The name itself is secret, because its holder can send
/// events to the side.
fn ticket(name: SideName) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name.0)
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("ports", &self.ports.len()).finish_non_exhaustive()
    }
}
