//! Limits of what a node keeps for programs and peers that do not read.

use std::sync::Arc;

/// What a message costs of a limit besides its data, in bytes: empty messages take memory too.
pub const MESSAGE_COST: usize = 128;

/// What a port inside a message costs of a limit, in bytes.
pub const PORT_COST: usize = 512;

/// Limits for a whole node: see [`Node::set_limits`](crate::Node::set_limits). `None`, the default, is no limit.
///
/// Costs are counted: a message's bytes, [`MESSAGE_COST`], and [`PORT_COST`] for each port in it. A limit is looked at before a message is added,
/// so one message of any size always has room, and what counts exceeds a limit by one message at most.
///
/// ```
/// use strait_ports::{CloseReason, Event, Limits, Node};
///
/// let node = Node::broker()?;
/// node.set_limits(Limits { port_queue: Some(1 << 20), ..Limits::default() }, |reached| println!("{reached:?}"));
/// let (a, b) = node.channel();
/// while node.stats().overflowed_ports == 0 {
///     a.post(vec![0; 1 << 16])?;
/// }
/// // What waited is gone, and so is the channel.
/// assert!(matches!(b.try_recv(), Some(Event::Close(CloseReason::Dropped))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// What may wait to be received at one port. A message beyond that ends the channel ([`CloseReason::Dropped`](crate::CloseReason::Dropped), at both ends),
    /// and everything that waits at the port is dropped.
    pub port_queue: Option<usize>,
    /// What may wait to be received at all ports together whose messages come from the same node. Beyond that channels of that node end as with `port_queue`, those in
    /// which most waits first, until less waits; a sixteenth more may have waited. Messages count for the node that sends to the port, also after it has closed its
    /// end or died. Ports with a limit of their own ([`Port::set_queue_limit`](crate::Port::set_queue_limit)) do not count.
    pub peer_queues: Option<usize>,
    /// What may wait to be sent over one link, the message not counted that is being sent. A message beyond that ends the link
    /// ([`CloseReason::Crashed`](crate::CloseReason::Crashed)), and with it all channels to that node.
    pub link_backlog: Option<usize>,
}

/// A limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitReached {
    /// [`Limits::port_queue`] or [`Port::set_queue_limit`](crate::Port::set_queue_limit): the channel has ended.
    Port {
        /// The port's [`number`](crate::Port::number).
        port: u64,
        /// How many messages waited there; all are dropped.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// [`Limits::peer_queues`]: this channel has ended, and perhaps others, each with a report of its own.
    Peer {
        /// The port's [`number`](crate::Port::number).
        port: u64,
        /// How many messages waited there; all are dropped.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// [`Limits::link_backlog`]: the link has ended.
    Link {
        /// The [`number`](crate::Port::number) of this node's end of the bootstrap channel, if there is one.
        bootstrap: Option<u64>,
        /// What waited to be sent, in bytes.
        bytes: usize,
    },
}

/// Is called with limits that were reached at the same time.
pub(crate) type OnLimit = Arc<dyn Fn(&[LimitReached]) + Send + Sync>;
