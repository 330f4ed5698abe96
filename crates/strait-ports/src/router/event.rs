//! The events between neighbours, and the actions of the router.

use super::flow::{Consumed, CreditPolicy, FlowState};
use crate::body::Body;
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

/// A port in transit to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The name of the side that the receiver makes; the sender picks it.
    pub(crate) side: SideName,
    /// The name of its neighbour, a side at the sender.
    pub(crate) neighbour: SideName,
    /// The port's counters of flow control.
    pub(crate) flow_state: FlowState,
}

/// An event between two neighbouring sides. `P` represents a port: a key inside a node, a
/// [`Descriptor`] between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event<P> {
    /// A posted message. `hops` counts the proxies that it has passed, and the moves of queues that
    /// it waited in.
    Message { data: Body, ports: Vec<P>, hops: u16 },
    /// The channel has ended: the sender's last event on this edge.
    Close(CloseReason),
    /// A batch of received messages and bytes.
    Consumed { batch: Consumed, hops: u16 },
    /// The batch size that the posting end requests for [`Event::Consumed`]; `None`: the default.
    CreditPolicy { policy: Option<CreditPolicy>, hops: u16 },
    /// Requests ownership of the edge.
    Lock,
    /// Grants ownership of the edge.
    Granted,
    /// Ends the ownership, and cancels an `Expect`.
    Unlock,
    /// Announces the next neighbour, which will send directly.
    Expect(Addr),
    /// Confirms an `Expect`: direct events are held from now on.
    Expecting,
    /// There is no link to the announced node.
    CannotReach,
    /// Names the next neighbour, to which events go directly from now on.
    Bypass(Addr),
    /// The last event on the old path.
    Fence,
}

impl<P> Event<P> {
    /// The payload bytes that the event keeps in memory.
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
    /// The sending side, in the node whose link carries the event.
    pub(crate) from: SideName,
    /// The receiving side, in this node.
    pub(crate) to: SideName,
    pub(crate) event: Event<Descriptor>,
}

/// A task that the router gives to its node.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send this over the link to `node`, in the order of these actions.
    Send { node: NodeName, frame: Frame },
    /// Obtain a link to this node, and call `link_up` or `unreachable`.
    Introduce(NodeName),
    /// An event can be received at this endpoint.
    Ready(super::ElementKey),
    /// The outstanding amount of this element is below its mark again.
    CreditAvailable(super::ElementKey),
    /// This endpoint or proxy exceeded a limit with this amount: its channel has ended.
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
