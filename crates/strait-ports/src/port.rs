//! The port: a handle to one end of a channel.

mod set;
#[cfg(feature = "futures")]
mod stream;
mod unread;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::body::Body;
use crate::buffer::{ALLOC_FROM, AllocError, Buffer, POST_FROM, PostBufferError};
use crate::link::copy_bytes;
use crate::message::{CloseReason, Event, Message};
use crate::node::{Shared, drive_until};
use crate::router::{ElementKey, Prefetch, Received, Router};
use crate::{MAX_BUFFERS, MAX_DATA, MAX_PORTS};

pub(crate) use set::ReadyPorts;
pub use set::{PortId, PortSet, select};
pub use unread::{Arrival, Unread};

/// One end of a channel. `Send` and `Sync`; all methods may be called from any thread.
///
/// Dropping it closes the channel: the other end gets [`CloseReason::Dropped`].
///
/// ```
/// use strait_ports::{Event, Message, Node};
/// let node = Node::broker()?;
/// let (a, b) = node.channel();
/// let (carried, far) = node.channel();
/// // Posting a port transfers it, and its queued messages follow it.
/// far.post(Message::new(vec![42]))?;
/// a.post(Message::with_ports(vec![], vec![carried]))?;
/// let Some(Event::Message(mut message)) = b.try_recv() else { panic!("posted") };
/// let carried = message.ports.remove(0);
/// assert!(matches!(carried.try_recv(), Some(Event::Message(m)) if m.data == [42]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Port {
    shared: Arc<Shared>,
    /// `None` after the port was posted or closed: nothing is left to drop.
    key: Option<ElementKey>,
    /// Messages that can be received without the node's lock; created by the first prefetch.
    prefetch: OnceLock<Arc<Prefetch>>,
}

/// A post that failed. Nothing was consumed: this error returns the message with all its ports.
#[derive(Debug, thiserror::Error)]
#[error("message not posted: {reason}")]
pub struct PostError {
    /// The message that was not posted.
    pub message: Message,
    /// The reason of the failure.
    #[source]
    pub reason: PostErrorReason,
}

/// The reasons for which a post fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostErrorReason {
    /// A port in the list belongs to another [`Node`](crate::Node) of the same process.
    #[error("port at index {index} belongs to another node")]
    ForeignPort {
        /// The port's index in the list.
        index: usize,
    },
    /// More than [`MAX_DATA`] bytes.
    #[error("message of {size} bytes is larger than the limit of {MAX_DATA} bytes: send it in parts")]
    TooLarge {
        /// The size in bytes.
        size: usize,
    },
    /// More than [`MAX_BUFFERS`] shared buffers.
    #[error("message with {count} shared buffers exceeds the limit of {MAX_BUFFERS}: send several messages")]
    TooManyBuffers {
        /// The number of shared buffers.
        count: usize,
    },
    /// More than [`MAX_PORTS`] ports.
    #[error("message with {count} ports exceeds the limit of {MAX_PORTS}: send several messages")]
    TooManyPorts {
        /// The number of ports.
        count: usize,
    },
}

/// The reasons for which a port refuses a message as a `Sink`.
#[cfg(feature = "futures")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The other end is gone.
    #[error("the channel has ended")]
    Ended,
    /// The message cannot be posted; the error returns it.
    #[error(transparent)]
    Post(#[from] PostError),
}

/// The reasons for which [`Port::recv_blocking`] returns no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// No event arrived in time.
    #[error("no event was received within the time limit")]
    TimedOut,
    /// The close was received before: no further event will arrive.
    #[error("the channel has ended")]
    Ended,
    /// The node cannot be driven.
    #[error("the node cannot be driven: waiting or routing failed")]
    Io(#[from] std::io::Error),
}

impl Port {
    pub(crate) fn new(shared: Arc<Shared>, key: ElementKey) -> Self {
        Self { shared, key: Some(key), prefetch: OnceLock::new() }
    }

    fn key(&self) -> ElementKey {
        self.key.expect("only methods that consume the port take its key")
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn element(&self) -> ElementKey {
        self.key()
    }

    /// The port's number in its node, as in [`TracedEvent`](crate::TracedEvent). A node never
    /// reuses a number.
    pub fn number(&self) -> u64 {
        self.key().to_bits()
    }

    /// Posts a message to the other end. If the link has room, it is sent in this thread.
    ///
    /// The ports in it are consumed. When the other end is gone, the message is dropped silently,
    /// and the ports in it close. The same happens to a message that carries its own target, as the
    /// HTML standard requires.
    ///
    /// # Errors
    /// When a port in the list belongs to another node, or a limit on bytes, ports or shared
    /// buffers is exceeded. Nothing is consumed then.
    pub fn post(&self, message: impl Into<Message>) -> Result<(), PostError> {
        let message = message.into();
        if message.ports.is_empty() && message.buffers.is_empty() && message.data.len() < POST_FROM {
            // The common case: there is nothing to check or to prepare.
            self.shared.act(|state| state.post_bytes(self.key(), message.data));
            return Ok(());
        }
        self.post_whole(message)
    }

    /// [`Port::post`] with all checks.
    fn post_whole(&self, message: Message) -> Result<(), PostError> {
        let largest = message.buffers.iter().map(|buffer| buffer.len()).fold(message.data.len(), usize::max);
        let reason = self.refusal(largest, &message.ports).or_else(|| {
            let count = message.buffers.len();
            (count > MAX_BUFFERS).then_some(PostErrorReason::TooManyBuffers { count })
        });
        if let Some(reason) = reason {
            return Err(PostError { message, reason });
        }
        let Message { data, ports, buffers } = message;
        let body = if data.len() < POST_FROM { data.into() } else { self.large(data) };
        self.send(body.with(buffers), ports);
        Ok(())
    }

    /// Copies the data into memory that the receiver can read, if there is a free block.
    fn large(&self, data: Vec<u8>) -> Body {
        match self.shared.block(self.key(), data.len()) {
            Some(mut block) => {
                copy_bytes(&data, &mut block);
                Body::Own(Box::new(block))
            }
            None => data.into(),
        }
    }

    /// Allocates a buffer of `length` bytes for [`Port::post_buffer`]. Its initial content is
    /// arbitrary.
    ///
    /// If the other end is in another process, the buffer is not small, and the shared memory of
    /// both processes has room, the buffer is in that memory. That saves a copy. The first call
    /// mostly returns ordinary memory, because it only causes the shared memory to be made. The
    /// buffer may be posted on any port, or dropped.
    ///
    /// ```
    /// use strait_ports::{Event, Node};
    /// let (a, b) = Node::broker()?.channel();
    /// let mut buffer = a.alloc(100_000)?;
    /// buffer.fill(7);
    /// a.post_buffer(buffer, Vec::new())?;
    /// assert!(matches!(b.try_recv(), Some(Event::Message(m)) if m.data == [7; 100_000]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When `length` is more than [`MAX_DATA`].
    pub fn alloc(&self, length: usize) -> Result<Buffer, AllocError> {
        if length > MAX_DATA {
            return Err(AllocError { size: length });
        }
        let shared = if length < ALLOC_FROM { None } else { self.shared.block(self.key(), length) };
        Ok(shared.map_or_else(|| Buffer::heap(vec![0; length]), Buffer::shared))
    }

    /// As [`Port::post`], with the data in a buffer.
    ///
    /// # Errors
    /// As [`Port::post`]. Nothing is consumed then.
    pub fn post_buffer(&self, buffer: Buffer, ports: Vec<Port>) -> Result<(), PostBufferError> {
        match self.refusal(buffer.len(), &ports) {
            Some(reason) => Err(PostBufferError { buffer, ports, reason }),
            None => {
                self.send(buffer.into(), ports);
                Ok(())
            }
        }
    }

    fn send(&self, body: Body, ports: Vec<Port>) {
        let keys = ports.into_iter().map(|mut port| port.key.take().expect("a port in a list is whole")).collect();
        self.shared.act(|state| state.post(self.key(), body, keys));
    }

    fn refusal(&self, size: usize, ports: &[Port]) -> Option<PostErrorReason> {
        if size > MAX_DATA {
            return Some(PostErrorReason::TooLarge { size });
        }
        if ports.len() > MAX_PORTS {
            return Some(PostErrorReason::TooManyPorts { count: ports.len() });
        }
        let foreign = ports.iter().position(|port| !Arc::ptr_eq(&port.shared, &self.shared));
        foreign.map(|index| PostErrorReason::ForeignPort { index })
    }

    /// Returns the next event, if one has arrived.
    #[inline]
    pub fn try_recv(&self) -> Option<Event> {
        match self.prefetched() {
            Some(data) => Some(Event::Message(Message::new(data))),
            None => self.fetch(),
        }
    }

    /// Returns the next message's data if it can be taken without the node's lock. If so, another
    /// message is queued behind it.
    fn prefetched(&self) -> Option<Vec<u8>> {
        self.prefetch.get()?.take()
    }

    /// Returns the next event, under the node's lock.
    fn fetch(&self) -> Option<Event> {
        let received = self.shared.act(|state| state.router.fetch(self.key(), &self.prefetch))?;
        Some(self.event(received))
    }

    /// Returns the next event, and whether another one is queued. If not, `empty` is called before
    /// another can arrive.
    fn take(&self, empty: impl FnOnce()) -> (Option<Event>, bool) {
        if let Some(data) = self.prefetched() {
            return (Some(Event::Message(Message::new(data))), true);
        }
        let key = self.key();
        let (received, more) = self.shared.act(|state| {
            let (received, more) = (state.router.fetch(key, &self.prefetch), state.router.receivable(key));
            if !more {
                empty();
            }
            (received, more)
        });
        (received.map(|received| self.event(received)), more)
    }

    /// Whether the close has been received: no further event will arrive.
    fn is_exhausted(&self) -> bool {
        self.shared.act(|state| state.router.exhausted(self.key()))
    }

    /// Makes handles of a message's ports.
    fn adopt(&self, keys: Vec<ElementKey>) -> Vec<Port> {
        keys.into_iter().map(|key| Port::new(Arc::clone(&self.shared), key)).collect()
    }

    fn event(&self, received: Received) -> Event {
        match received {
            Received::Message { data, ports } => {
                let ports = self.adopt(ports);
                let (data, buffers) = self.shared.take_out(data);
                Event::Message(Message { data, ports, buffers })
            }
            Received::Close(reason) => Event::Close(reason),
        }
    }

    /// Waits for the next event; `None` once the close has been received.
    ///
    /// The future takes nothing before it is ready, so dropping it loses nothing. A thread must
    /// drive the node meanwhile.
    pub fn recv(&self) -> Recv<'_> {
        Recv { port: self }
    }

    /// Waits for the next event and drives the node meanwhile, at most for `timeout` (`None`:
    /// without limit).
    ///
    /// # Errors
    /// [`RecvError::TimedOut`], [`RecvError::Ended`] after the close, or [`RecvError::Io`].
    #[inline]
    pub fn recv_blocking(&self, timeout: Option<Duration>) -> Result<Event, RecvError> {
        match self.try_recv() {
            Some(event) => Ok(event),
            None => self.wait_for_event(timeout),
        }
    }

    fn wait_for_event(&self, timeout: Option<Duration>) -> Result<Event, RecvError> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let received = drive_until(&[&self.shared], deadline, |cx| self.poll_recv(cx.waker()))?;
        received.ok_or(RecvError::TimedOut)?.ok_or(RecvError::Ended)
    }

    fn poll_recv(&self, waker: &Waker) -> Poll<Option<Event>> {
        if let Some(data) = self.prefetched() {
            return Poll::Ready(Some(Event::Message(Message::new(data))));
        }
        let key = self.key();
        // A waker is foreign code too: it is copied and dropped without the lock.
        let waker = waker.clone();
        let (event, _spare) = self.shared.act(|state| match received(&mut state.router, key, &self.prefetch) {
            None => (None, state.watch(key).wake_by(waker)),
            event => (event, Some(waker)),
        });
        match event {
            Some(received) => Poll::Ready(received.map(|r| self.event(r))),
            None => Poll::Pending,
        }
    }

    /// Calls `ready` after events have arrived, and at once if some are queued. Replaces an earlier
    /// callback.
    ///
    /// It is called in the thread that routes, without locks, so it may use ports. One call can
    /// stand for several arrivals. So take events until [`Port::try_recv`] returns `None`, or
    /// return later for the rest. The callback is dropped after the close has arrived, or with the
    /// port. A call that another thread has begun by then may end later.
    pub fn on_ready(&self, ready: impl Fn() + Send + Sync + 'static) {
        self.shared.act(|state| state.set_ready(self.key(), Arc::new(ready)));
    }

    /// Returns the number of messages queued here, and their bytes.
    ///
    /// The outstanding amount in the other direction is [`Port::buffered_amount`].
    pub fn queued(&self) -> (usize, usize) {
        self.shared.act(|state| state.router.queued(self.key()))
    }

    /// Limits the messages queued at this port, by the costs of [`Limits`](crate::Limits), in place
    /// of the node's limit; `None`: no limit. The messages of this port then do not count for
    /// [`Limits::peer_queues`](crate::Limits::peer_queues). The limit does not move with the port.
    pub fn set_queue_limit(&self, cost: Option<usize>) {
        self.shared.act(|state| state.router.limit_queue(self.key(), cost.unwrap_or(usize::MAX)));
    }

    /// Whether this node has been notified that the other end is gone; messages and the close may
    /// still be queued.
    pub fn is_ended(&self) -> bool {
        self.shared.act(|state| state.router.ended(self.key()))
    }

    /// Closes the channel. The other end receives the messages that were posted before, then
    /// [`CloseReason::Closed`]. Messages queued here are dropped.
    pub fn close(self) {
        self.close_with(CloseReason::Closed);
    }

    /// As [`Port::close`], with a reason that the caller chooses.
    pub fn close_with(mut self, reason: CloseReason) {
        self.end(reason);
    }

    fn end(&mut self, reason: CloseReason) {
        if let Some(key) = self.key.take() {
            self.shared.act(|state| state.close(key, reason));
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.end(CloseReason::Dropped);
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The future of [`Port::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a> {
    port: &'a Port,
}

impl Future for Recv<'_> {
    type Output = Option<Event>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.port.poll_recv(cx.waker())
    }
}

/// Fetches an event; `Some(None)` if no event will ever arrive.
fn received(router: &mut Router, key: ElementKey, prefetch: &OnceLock<Arc<Prefetch>>) -> Option<Option<Received>> {
    match router.fetch(key, prefetch) {
        Some(received) => Some(Some(received)),
        None if router.exhausted(key) => Some(None),
        None => None,
    }
}
