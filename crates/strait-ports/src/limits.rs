//! Limits on data that a node keeps for programs and peers that do not read.

use std::sync::Arc;

/// The cost of a message besides its data, in bytes: an empty message takes memory too.
pub const MESSAGE_COST: usize = 128;

/// The cost of a port inside a message, in bytes.
pub const PORT_COST: usize = 512;

/// Limits for a whole node: see [`Node::set_limits`](crate::Node::set_limits). `None`, the default,
/// means no limit.
///
/// Limits apply to costs. A message costs its bytes, [`MESSAGE_COST`], and [`PORT_COST`] for each
/// port in it. A limit is checked before a message is added. So one message of any size always has
/// room, and a limit is exceeded by one message at most.
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
/// // The queued messages are dropped, and the channel has ended.
/// assert!(matches!(b.try_recv(), Some(Event::Close(CloseReason::Dropped))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Limit of the messages queued at one port. A message beyond it ends the channel
    /// ([`CloseReason::Dropped`](crate::CloseReason::Dropped), at both ends), and all messages
    /// queued at the port are dropped.
    pub port_queue: Option<usize>,
    /// Limit of the messages from one node, queued at all ports together. Beyond it, channels of
    /// that node end as with `port_queue`, the fullest first, until the rest is within the limit.
    /// The limit can be exceeded by one sixteenth. Messages count for the node that sends to the
    /// port, also after it has closed its port or died. Ports with their own limit
    /// ([`Port::set_queue_limit`](crate::Port::set_queue_limit)) do not count.
    pub peer_queues: Option<usize>,
    /// Limit of the messages that wait to be sent over one link, except the one being sent. A
    /// message beyond it ends the link ([`CloseReason::Crashed`](crate::CloseReason::Crashed)), and
    /// with it all channels to that node.
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
        /// The number of messages that were queued there; all are dropped.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// [`Limits::peer_queues`]: this channel has ended, and perhaps others, each with its own
    /// report.
    Peer {
        /// The port's [`number`](crate::Port::number).
        port: u64,
        /// The number of messages that were queued there; all are dropped.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// [`Limits::link_backlog`]: the link has ended.
    Link {
        /// The [`number`](crate::Port::number) of this node's end of the bootstrap channel, if there is one.
        bootstrap: Option<u64>,
        /// The unsent messages, in bytes.
        bytes: usize,
    },
}

/// Called with limits that were reached at the same time.
pub(crate) type OnLimit = Arc<dyn Fn(&[LimitReached]) + Send + Sync>;
