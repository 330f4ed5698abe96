//! What neighbours say to each other.

use super::flow::{Consumed, CreditPolicy, FlowState};
use crate::body::Body;
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

/// A port on its way to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The name of the side that the receiver shall make; picked by the sender.
    pub(crate) side: SideName,
    /// That side's neighbour, at the sender.
    pub(crate) neighbour: SideName,
    /// How much waits for its other end, and the like.
    pub(crate) flow_state: FlowState,
}

/// An event between two neighbouring sides. `P` is how a port is written: a key inside a node, a [`Descriptor`] between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event<P> {
    /// The stream: what a program posted. `hops` counts the proxies it has passed.
    Message { data: Body, ports: Vec<P>, hops: u16 },
    /// The stream's end: the sender's last word on this edge.
    Close(CloseReason),
    /// The program here has received this of what was posted there.
    Consumed { batch: Consumed, hops: u16 },
    /// The sender's limits of a batch of [`Event::Consumed`]; `None`: the default ones.
    CreditPolicy { policy: Option<CreditPolicy>, hops: u16 },
    /// May I own this edge?
    Lock,
    /// You may.
    Granted,
    /// I don't need it any more; whatever I asked you to prepare is off.
    Unlock,
    /// Be ready for your next neighbour: it will speak to you directly.
    Expect(Addr),
    /// I am.
    Expecting,
    /// I can't make contact with the node you named.
    CannotReach,
    /// Speak to this neighbour directly from now on.
    Bypass(Addr),
    /// My last word on this path.
    Fence,
}

impl<P> Event<P> {
    /// Bytes of payload that this event keeps in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Message { data, .. } => data.len(),
            _ => 0,
        }
    }
}

/// An event between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The speaking side, at the node whose link this comes over.
    pub(crate) from: SideName,
    /// The side it speaks to, here.
    pub(crate) to: SideName,
    pub(crate) event: Event<Descriptor>,
}

/// What the router wants done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send this over the link to `node`, after everything else that was to be sent there.
    Send { node: NodeName, frame: Frame },
    /// Get a link to this node: answered by `link_up` or `unreachable`.
    Introduce(NodeName),
    /// Something can be received here.
    Ready(super::ElementKey),
    /// The outstanding amount of this element is below its mark again.
    CreditAvailable(super::ElementKey),
    /// This much waited at this element, which was too much: its channel has ended.
    Overflow { limit: QueueLimit, key: super::ElementKey, messages: usize, bytes: usize },
}

/// The limit that a queue has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueLimit {
    /// [`Limits::port_queue`](crate::Limits::port_queue), or the endpoint's own.
    Port,
    /// [`Limits::peer_queues`](crate::Limits::peer_queues).
    Peer,
}
