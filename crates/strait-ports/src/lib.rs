//! Transferable message ports between processes: order, exactly once, close with a reason.
//!
//! A *channel* has two ends, its *ports*. What is posted on one is received on the other. A port can itself be posted, through any
//! other port, to any process, as often and as concurrently as one likes: its messages, those under way and those not yet read
//! included, follow it in order, and when things have settled the two processes that hold the ends talk over a link of their own: rings in shared memory, and a socket that wakes and ends them.
//!
//! ```
//! use strait_ports::{Event, Message, Node};
//!
//! let node = Node::broker()?;
//! let (left, right) = node.channel();
//! left.post(Message::new(b"hello".to_vec()))?;
//! left.close();
//!
//! assert!(matches!(right.try_recv(), Some(Event::Message(m)) if m.data == b"hello"));
//! assert!(matches!(right.try_recv(), Some(Event::Close(reason)) if reason.as_str() == "closed"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Nodes
//! A [`Node`] is a process's place in the network of ports. One process is the *broker* ([`Node::broker`]); it invites others over one end of a
//! Unix `SOCK_SEQPACKET` socket pair ([`Node::invite`]), who join with the other end ([`Node::join`]). Both then hold one end of a
//! first channel, the *bootstrap* channel, and everything else is posted through that. The broker introduces any two nodes that come to hold two
//! ends of a channel to each other; after that it has no part in their talk.
//!
//! # Who runs it
//! The engine has no threads. Whoever owns the node's loop polls the node's descriptor (it is `AsFd`) and calls [`Node::dispatch`], which moves what is under way and tells
//! ports' owners by [`Port::on_ready`] or by waking [`Port::recv`]. Programs without a loop use [`Port::recv_blocking`]. Posting sends in the calling
//! thread. Dispatching never delivers: a program that does not read its ports still forwards for others.
//!
//! # Promises
//! - **Order, exactly once**, however either end is moved meanwhile.
//! - **One close, last**: [`Event::Close`] comes after all that was sent before, once, with a [`CloseReason`]. After a crash it comes after everything
//!   the crashed process's links had accepted, without a gap.
//! - **Nothing is lost by a post that fails**: [`PostError`] gives the message back, ports and all.
//! - **A message that nobody can receive closes the ports in it.** Two ports queued inside each other's queues can be received by nobody and yet stay until their
//!   other ends close and the node ends: the engine does not look for such rings.
//! - **Bounded, for senders that heed it**: [`Port::buffered_amount`] is what the other end's program has not received yet, wherever it waits; [`Port::ready`] waits until that
//!   is below a [`HighWaterMark`], across processes and while ends are transferred.
//! - **Distrust**: a peer that sends nonsense loses its link and with it the ports it held. Nobody else is harmed.
#![deny(unsafe_code)]

mod flow;
mod host;
mod link;
mod message;
mod name;
mod node;
mod port;
mod router;
mod wire;

pub use flow::{Amount, HighWaterMark, Ready, ReadyError};
pub use host::{
    AcceptError, BindError, ConnectError, Credentials, Endpoint, EndpointOptions, FromEnvError, Guest, Incoming, PORT_FD_VARIABLE,
    SpawnError,
};
pub use link::LinkKind;
pub use message::{CloseReason, Event, Message};
pub use node::{JoinError, Node, NodeStats, Progress};
#[cfg(feature = "futures")]
pub use port::SinkError;
pub use port::{Port, PortId, PortSet, PostError, PostErrorReason, Recv, RecvError, select};

/// The most bytes one message may carry: 1 GiB.
pub const MAX_DATA: usize = 1 << 30;

/// The most ports one message may carry: 1,024. A message is routed in one go, and its ports are most of the work: about a microsecond each.
pub const MAX_PORTS: usize = 1 << 10;
