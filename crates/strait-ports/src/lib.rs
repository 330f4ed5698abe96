//! Transferable message ports between processes: order, exactly once, close with a reason.
//!
//! A *channel* has two ends, its *ports*. What is posted on one is received on the other. A port can itself be posted, through any other port, to any
//! process, as often and as concurrently as one likes: its messages follow it, those under way and those not yet read included, in order. When things have settled, the two
//! processes that hold the ends talk over a link of their own: shared memory, and a socket that wakes and ends them. Nothing goes through anybody else.
//!
//! # A first program
//! A [`Node`] is a process's place in the network of ports. Channels inside a process make no system call and take no descriptor.
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
//! Messages are bytes and ports; what the bytes mean is yours to say. Posting never waits.
//!
//! # Processes
//! One process is the *broker*: it lets the others join, and each pair of nodes that come to hold the two ends of a channel is introduced by it, once. After that it has
//! no part in their talk: they go on when it is stopped, or dead.
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
//! Others come to an [`Endpoint`], a path at which only this user's processes are let in, unless a policy of yours says otherwise:
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
//! Where a socket pair comes from elsewhere, [`Node::invite`] and [`Node::join`] take its two ends.
//!
//! # Transfer
//! A question brings the port for its answer along. Whoever ends up with it answers whoever asked, directly:
//!
//! ```
//! use strait_ports::{Event, Message, Node};
//!
//! let node = Node::broker()?;
//! let (client, server) = node.channel();
//! let (answer, theirs) = node.channel();
//! client.post(Message::with_ports(b"6 * 7".to_vec(), vec![theirs]))?;
//!
//! // In the server, or wherever that sends it on to.
//! let Event::Message(mut question) = server.recv_blocking(None)? else { panic!("a question was asked") };
//! question.ports.remove(0).post("42")?;
//!
//! assert!(matches!(answer.recv_blocking(None)?, Event::Message(m) if m.data == b"42"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A post that fails consumes nothing: [`PostError`] gives the message back, ports and all. A message that nobody can receive any more closes the ports in it.
//!
//! # Close
//! Every channel ends in one [`Event::Close`] at the end that is left, after everything that was sent before, with a [`CloseReason`]: the other end was closed or
//! dropped, its process left in order or crashed. So a request whose server dies does not hang, and nobody needs a time-out to find out. After a crash come all messages that had
//! left the crashed process, without a gap.
//!
//! ```
//! use strait_ports::{CloseReason, Event, Message, Node};
//!
//! let node = Node::broker()?;
//! let (client, server) = node.channel();
//! let (answer, theirs) = node.channel();
//! client.post(Message::with_ports(b"6 * 7".to_vec(), vec![theirs]))?;
//! drop(server);
//! // Nobody will ever read the question: the port in it closes.
//! assert!(matches!(answer.recv_blocking(None)?, Event::Close(CloseReason::Dropped)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A process that ends should call [`Node::leave`], or let go of its node's last handle: what does neither has crashed, for all that others can see.
//!
//! # Who drives the node
//! The engine has no threads of its own. Somebody has to route what comes for a node, so that a message crosses as few threads as possible it is whoever waits for it:
//! - [`Port::recv_blocking`] and its like ([`select`], [`PortSet::recv_blocking`], [`Incoming::recv_blocking`]) drive the node while they wait, in any number of threads.
//!   A program that waits in one of them most of the time needs nothing else.
//! - [`Node::block_on`] does so for a future, without a runtime.
//! - [`Node::drive`] is for a thread that does nothing else.
//! - A loop of your own polls the node's descriptor (it is `AsFd`) and calls [`Node::dispatch`] when it is readable; that tells the owners of ports by [`Port::on_ready`] or by waking
//!   their futures. `examples/poll_loop.rs` and `examples/tokio_loop.rs` show it.
//!
//! Routing never delivers: a program that does not read its ports still forwards for others. A node that nobody drives posts, but hears nothing, and keeps those waiting whose
//! messages go through it.
//!
//! # Async
//! [`Port::recv`] is a future for any runtime; with the feature `futures` (on by default) ports are `Stream`s of events and `Sink`s of messages, too.
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
//! [`select`] waits for a few ports, a [`PortSet`] for any number: an event costs the same with ten as with ten thousand, and a port that is flooded does not keep the others waiting.
//! Guests of an endpoint can join a set by themselves ([`PortSet::admit`]).
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
//! A post is never refused, so a fast sender can fill a slow receiver's memory. [`Port::buffered_amount`] says how much the program at the other end has not received yet, wherever it waits;
//! [`Port::ready`] waits until that is below a [`HighWaterMark`], across processes and while ends are transferred. The mark is the sender's to heed, and goes along with the port.
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
//! - A process has one link for each *process* it talks to, not for each port, and each takes a few descriptors. A million ports take none.
//! - Linux only, one machine.
//! - Only the broker invites and introduces. When it is gone, links that exist go on, and nobody new is met.
//! - Two ports queued inside each other's queues can be received by nobody and stay until their other ends close or the node ends: the engine does not look for such rings.
//!
//! # Distrust
//! Whatever a peer sends is checked after it has been copied. One that sends nonsense loses its link and with it the ports it held; nobody else is harmed. Names are random, and
//! useless to processes that were not given them.
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

/// The most shared buffers one message may carry: 16.
pub const MAX_BUFFERS: usize = 16;

/// The most bytes one message may carry: 1 GiB. A shared buffer may have as many.
pub const MAX_DATA: usize = 1 << 30;

/// The most ports one message may carry: 1,024. A message is routed in one go, and its ports are most of the work: about a microsecond each.
pub const MAX_PORTS: usize = 1 << 10;
