//! Transferable message ports between processes: order, exactly once, close with a reason.
//!
//! A *channel* has two ends, its *ports*. A message that is posted on one port is received on the
//! other. A port can itself be posted, through any other port, to any process. This can happen any
//! number of times and concurrently. Its messages follow it in order, messages in transit and
//! unread messages included. When a transfer has settled, the two processes that hold the ports
//! exchange messages over a direct link: shared memory, and a socket that carries descriptors and
//! shows the end of the link. No other process forwards them.
//!
//! # A first program
//! A [`Node`] is one process's participation in the network of ports. A channel inside a process
//! makes no system call and takes no descriptor.
//!
//! ```
//! use strait_ports::{CloseReason, Event, Node};
//!
//! let node = Node::broker()?;
//! let (left, right) = node.channel();
//! left.post("hello")?;
//! left.close();
//!
//! assert!(matches!(right.recv_blocking(None)?, Event::Message(m) if m.data == b"hello"));
//! assert!(matches!(right.recv_blocking(None)?, Event::Close(CloseReason::Closed)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A message consists of bytes and ports; the program defines the meaning of the bytes. Posting
//! never waits.
//!
//! # Processes
//! One process is the *broker*: it admits the others. When two nodes hold the two ports of a
//! channel, the broker introduces them to each other, once for each pair of nodes. From then on
//! their messages do not pass through the broker: the link continues when the broker is stopped or
//! dead.
//!
//! A child gets its first port from [`Node::spawn`] and takes it by [`Node::from_env`]:
//!
//! ```no_run
//! use std::process::Command;
//! use strait_ports::{CloseReason, Event, Node};
//!
//! fn parent() -> Result<(), Box<dyn std::error::Error>> {
//!     let node = Node::broker()?;
//!     let (mut child, port) = node.spawn(&mut Command::new("shouter"))?;
//!     port.post("hello")?;
//!     if let Event::Message(answer) = port.recv_blocking(None)? {
//!         assert_eq!(answer.data, b"HELLO");
//!     }
//!     port.close();
//!     child.wait()?;
//!     Ok(())
//! }
//!
//! fn child() -> Result<(), Box<dyn std::error::Error>> {
//!     let (node, port) = Node::from_env()?;
//!     while let Event::Message(word) = port.recv_blocking(None)? {
//!         port.post(word.data.to_ascii_uppercase())?;
//!     }
//!     node.leave(CloseReason::Exited);
//!     Ok(())
//! }
//! ```
//!
//! Other processes connect to an [`Endpoint`], a socket at a path. By default it accepts processes
//! of the same user only; the program can set another policy:
//!
//! ```
//! use std::thread;
//! use strait_ports::{Endpoint, Event, Node};
//!
//! let path = std::env::temp_dir().join(format!("strait-doc-five-minutes-{}", std::process::id()));
//! let node = Node::broker()?;
//! let mut incoming = Endpoint::bind(&path)?.incoming(&node)?;
//! // Usually another process.
//! let client = thread::spawn(move || {
//!     let (_node, port) = Node::connect(&path).unwrap();
//!     port.post("good morning").unwrap();
//! });
//! let guest = incoming.recv_blocking(None)?;
//! println!("process {} of user {} says:", guest.credentials.pid, guest.credentials.uid);
//! assert!(matches!(guest.port.recv_blocking(None)?, Event::Message(m) if m.data == b"good morning"));
//! # client.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For a socket pair from another source, [`Node::invite`] and [`Node::join`] take its two ends.
//!
//! # Transfer
//! A request carries the port for its reply. The process that receives the port replies directly to
//! the process that made the request:
//!
//! ```
//! use strait_ports::{Event, Message, Node};
//!
//! let node = Node::broker()?;
//! let (client, server) = node.channel();
//! let (answer, theirs) = node.channel();
//! client.post(Message::with_ports(b"6 * 7".to_vec(), vec![theirs]))?;
//!
//! // In the server, or in the process to which the server has sent the request.
//! let Event::Message(mut question) = server.recv_blocking(None)? else { panic!("a question was asked") };
//! question.ports.remove(0).post("42")?;
//!
//! assert!(matches!(answer.recv_blocking(None)?, Event::Message(m) if m.data == b"42"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A post that fails consumes nothing: [`PostError`] returns the message with its ports. A message
//! that can no longer be received closes its ports.
//!
//! # Close
//! Every channel ends with one [`Event::Close`] at the remaining port, after all messages that were
//! sent before. Its [`CloseReason`] distinguishes: the other port was closed or dropped, or its
//! process left in order or crashed. So a request does not hang when its server dies, and no
//! time-out is needed to detect that. After a crash, all messages that had left the crashed process
//! arrive, without a gap.
//!
//! ```
//! use strait_ports::{CloseReason, Event, Message, Node};
//!
//! let node = Node::broker()?;
//! let (client, server) = node.channel();
//! let (answer, theirs) = node.channel();
//! client.post(Message::with_ports(b"6 * 7".to_vec(), vec![theirs]))?;
//! drop(server);
//! // The request can no longer be received: the port in it closes.
//! assert!(matches!(answer.recv_blocking(None)?, Event::Close(CloseReason::Dropped)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A process should end with [`Node::leave`], or drop the last handle of its node. Otherwise its
//! peers report `Crashed`.
//!
//! # Driving the node
//! The engine has no threads of its own. Received messages have to be routed, and as a rule the
//! waiting thread routes them, so that a message crosses as few threads as possible:
//! - [`Port::recv_blocking`] and its siblings ([`select`], [`PortSet::recv_blocking`],
//!   [`Incoming::recv_blocking`]) drive the node while they wait, in any number of threads. A
//!   program that waits in one of them most of the time needs nothing else.
//! - [`Node::block_on`] drives the node for a future, without a runtime.
//! - [`Node::drive`] is for a thread with no other work.
//! - A program's own loop polls the node's descriptor (the node is `AsFd`) and calls
//!   [`Node::dispatch`] when it is readable. `dispatch` calls the callbacks of [`Port::on_ready`]
//!   and wakes futures of ports. Examples: `examples/poll_loop.rs` and `examples/tokio_loop.rs`.
//!
//! Routing does not deliver: a program that does not read its ports still forwards messages of
//! others. A node that is not driven can post, but receives nothing, and it delays the messages
//! that pass through it.
//!
//! # Async
//! [`Port::recv`] is a future for any runtime. With the feature `futures` (on by default) ports are
//! also `Stream`s of events and `Sink`s of messages.
//!
//! ```
//! use std::thread;
//! use strait_ports::{Event, Node};
//!
//! let node = Node::broker()?;
//! let driver = thread::spawn({
//!     let node = node.clone();
//!     move || node.drive()
//! });
//! let (left, right) = node.channel();
//! # struct Runtime;
//! # impl Runtime { fn block_on<F: Future>(&self, f: F) -> F::Output { Node::broker().unwrap().block_on(f).unwrap() } }
//! # let runtime = Runtime;
//! runtime.block_on(async move {
//!     left.post("ping").unwrap();
//!     let Some(Event::Message(ping)) = right.recv().await else { panic!("it was posted") };
//!     right.post(ping).unwrap();
//!     assert!(matches!(left.recv().await, Some(Event::Message(pong)) if pong.data == b"ping"));
//! });
//! drop(node); // That was the last handle: the driver ends.
//! driver.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Many ports
//! [`select`] waits for a few ports, a [`PortSet`] for any number: the cost of an event does not
//! depend on the number of ports, and a flooded port does not delay the others. A set can also add
//! the guests of an endpoint ([`PortSet::admit`]).
//!
//! ```
//! use strait_ports::{Event, Node, PortSet};
//!
//! let node = Node::broker()?;
//! let mut clients = PortSet::new();
//! let ends: Vec<_> = (0..100u8)
//!     .map(|number| {
//!         let (near, far) = node.channel();
//!         clients.insert(near);
//!         far.post(&[number]).unwrap();
//!         far
//!     })
//!     .collect();
//! drop(ends);
//! let mut sum = 0;
//! while let Some((_client, event)) = clients.recv_blocking(None)? {
//!     if let Event::Message(message) = event {
//!         sum += u32::from(message.data[0]);
//!     }
//! }
//! assert_eq!(sum, 4950);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Back-pressure
//! A post is never refused, so a fast sender can fill a slow receiver's memory.
//! [`Port::buffered_amount`] returns the messages and bytes that the program at the other end has
//! not yet received, wherever they are queued. [`Port::ready`] waits until that amount is below a
//! [`HighWaterMark`], across processes and during transfers. The sender has to respect the mark;
//! the mark moves with the port.
//!
//! ```
//! use std::thread;
//! use strait_ports::{HighWaterMark, Node};
//!
//! let node = Node::broker()?;
//! let (feed, worker) = node.channel();
//! feed.set_high_water_mark(HighWaterMark::messages(16));
//! let slow = thread::spawn(move || {
//!     while let Ok(strait_ports::Event::Message(_)) = worker.recv_blocking(None) {
//!         assert!(worker.queued().0 <= 16);
//!     }
//! });
//! for number in 0..100u8 {
//!     feed.ready_blocking(None)?;
//!     feed.post(&[number])?;
//! }
//! drop(feed);
//! slow.join().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//! - A message carries at most [`MAX_DATA`] bytes and [`MAX_PORTS`] ports.
//! - A process has one link for each *process* with which it shares a channel. A link takes a few
//!   descriptors, a port takes none.
//! - Linux only, one machine.
//! - Only the broker invites and introduces. When it is gone, existing links continue, and no new
//!   node can be reached.
//! - Two ports that are queued inside each other's queues cannot be received. They stay until their
//!   other ends close or the node ends: the engine does not search for such cycles.
//!
//! # Hostile peers
//! Everything that a peer sends is copied first and then checked. A peer that violates the protocol
//! loses its link, and with it the ports that it held; other nodes are not affected. Names of ports
//! are random and reach only the processes that need them.
#![deny(unsafe_code)]

mod body;
mod buffer;
mod flow;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod host;
mod limits;
mod link;
mod message;
mod name;
mod node;
mod port;
mod router;
mod shared_buffer;
mod trace;
mod wire;
mod writer;

pub use buffer::{AllocError, Buffer, PostBufferError};
pub use flow::{Amount, HighWaterMark, Ready, ReadyError};
pub use host::{
    AcceptError, BindError, ConnectError, Credentials, Endpoint, EndpointOptions, FromEnvError, Guest, Incoming, PORT_FD_VARIABLE,
    SpawnError,
};
pub use limits::{LimitReached, Limits, MESSAGE_COST, PORT_COST};
pub use link::{LinkKind, copy_bytes, copy_shared_bytes};
pub use message::{CloseReason, Event, Message};
#[cfg(any(test, feature = "hostile"))]
#[doc(hidden)]
pub use node::hostile;
pub use node::{JoinError, Node, NodeStats, Progress};
#[cfg(feature = "futures")]
pub use port::SinkError;
pub use port::{Arrival, Port, PortId, PortSet, PostError, PostErrorReason, Recv, RecvError, Unread, select};
pub use shared_buffer::SharedBuffer;
pub use trace::{PortEvent, TracedEvent, trace_clock};
pub use writer::MessageWriter;

/// The most shared buffers that one message may carry: 16.
pub const MAX_BUFFERS: usize = 16;

/// The most bytes that one message may carry: 1 GiB. The same limit applies to a shared buffer.
pub const MAX_DATA: usize = 1 << 30;

/// The most ports that one message may carry: 1,024. A message is routed without interruption, and
/// a port costs about 1 µs of routing.
pub const MAX_PORTS: usize = 1 << 10;
