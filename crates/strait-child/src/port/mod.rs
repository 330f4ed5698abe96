//! Channels and ports that carry values.

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Instant,
};

use serde::{Serialize, de::DeserializeOwned};
use strait_clone::Value;
use strait_ports::{CloseReason, Event, Message, Node, Port};

use crate::{
    DecodeValueError, PostMessageError, PostMessageErrorKind,
    turn::{MESSAGE_COST, Turn},
    value,
};

/// A new channel: two ports that exchange messages, in whichever process they are.
///
/// ```no_run
/// # async fn f(node: &strait_ports::Node, way: strait_child::MessagePort) -> Result<(), Box<dyn std::error::Error>> {
/// let channel = strait_child::MessageChannel::new(node);
/// way.post_message("here is one", vec![channel.port1])?;
/// let answer = channel.port2.recv().await?;
/// println!("{:?}", answer.data);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MessageChannel {
    /// One port.
    pub port1: MessagePort,
    /// The other port.
    pub port2: MessagePort,
}

impl MessageChannel {
    /// A channel of this process. The process is named by its node, or by an object that has one
    /// (an `App`, a [`ParentPort`](crate::ParentPort)). Makes no system call.
    pub fn new(of: &(impl AsRef<Node> + ?Sized)) -> Self {
        let (port1, port2) = of.as_ref().channel();
        Self { port1: port1.into(), port2: port2.into() }
    }
}

/// One port of a channel. Clones are the same port. When the last one is dropped, the other port
/// closes (`dropped`).
///
/// Messages are queued in the port until they are received. A port that was posted away is
/// *neutered*: it receives nothing, and posting on it has no effect, as on a closed port.
///
/// ```no_run
/// # use strait_child::{MessagePort, PortRecvError};
/// async fn serve(port: MessagePort) -> Result<(), Box<dyn std::error::Error>> {
///     loop {
///         match port.recv_as::<f64>().await {
///             Ok(number) => port.send_as(&(number * 2.0))?,
///             Err(PortRecvError::BadValue(_)) => {} // not a number
///             Err(_) => return Ok(()),
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct MessagePort(Arc<Inner>);

#[derive(Default)]
struct Inner {
    port: Mutex<Option<Port>>,
    waiting: Arc<Mutex<Waiting>>,
    /// The messages received one after another without a pause.
    turn: Mutex<Turn>,
}

#[derive(Default)]
struct Waiting {
    hooked: bool,
    wakers: Vec<Waker>,
    ended: Option<PortRecvError>,
}

/// A message that a port has received.
#[derive(Debug)]
pub struct MessageEvent {
    /// The message.
    pub data: Value,
    /// The ports that came with it, in the sender's order.
    pub ports: Vec<MessagePort>,
}

/// The reason why a port returned no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortRecvError {
    /// The channel is closed, and everything sent before has been received.
    #[error("the channel is closed: {0}")]
    Closed(CloseReason),
    /// The port was posted away, or closed on this side.
    #[error("the port is neutered")]
    Neutered,
    /// A message arrived that cannot be read, or does not fit the requested type. It is skipped.
    #[error(transparent)]
    BadValue(#[from] DecodeValueError),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MessagePort {
    /// Posts a message, with ports.
    ///
    /// On a port that is closed or neutered, or with a closed other end, this has no effect (and
    /// the ports in the list close).
    ///
    /// # Errors
    /// They return all ports, usable as before: one of them is a duplicate, neutered, or this port
    /// itself.
    pub fn post_message(&self, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        with_taken(&message.into(), ports, Some(self), |data, ports| self.post_encoded(data, ports))
    }

    /// Posts any serializable value, without ports.
    ///
    /// # Errors
    /// If serde cannot turn it into a [`Value`].
    pub fn send_as<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), PostMessageError> {
        let message = value::from_serde(message).map_err(|kind| PostMessageError { kind, ports: Vec::new() })?;
        self.post_message(message, Vec::new())
    }

    fn post_encoded(&self, data: Vec<u8>, ports: Vec<Port>) -> Result<(), PostMessageError<Port>> {
        match &*lock(&self.0.port) {
            Some(port) => port.post(Message::with_ports(data, ports)).map_err(port_error),
            None => Ok(()),
        }
    }

    /// Waits for the next message.
    ///
    /// A port that always has another message does not block the other tasks of a single-threaded
    /// runtime. After messages of 32 KiB (a message counts 512 bytes besides its own) or one
    /// millisecond without a pause, the runtime's other tasks run before the next message is
    /// returned.
    ///
    /// # Errors
    /// [`PortRecvError::Closed`] after the last message, and for each further call.
    /// [`PortRecvError::BadValue`] for a message that cannot be read; the next call continues
    /// behind it.
    pub async fn recv(&self) -> Result<MessageEvent, PortRecvError> {
        // Before a message is taken, so that dropping this future loses nothing.
        if self.turn_is_over() {
            // (With a runtime other than tokio the task is woken at once.)
            tokio::task::yield_now().await;
        }
        poll_fn(|cx| {
            if let Some((result, cost)) = self.take() {
                lock(&self.0.turn).spend(cost, Instant::now());
                return Poll::Ready(result);
            }
            lock(&self.0.turn).end();
            let mut waiting = lock(&self.0.waiting);
            if !waiting.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.wakers.push(cx.waker().clone());
            }
            drop(waiting);
            self.hook();
            // A message may have arrived before the waker was registered.
            self.take().map_or(Poll::Pending, |(result, _)| Poll::Ready(result))
        })
        .await
    }

    /// The next message; `None` if none is queued.
    pub fn try_recv(&self) -> Option<Result<MessageEvent, PortRecvError>> {
        self.take().map(|(result, _)| result)
    }

    fn turn_is_over(&self) -> bool {
        let mut turn = lock(&self.0.turn);
        let over = turn.is_over(Instant::now());
        if over {
            turn.end();
        }
        over
    }

    /// The next message, if there is one, and its cost in a turn.
    fn take(&self) -> Option<(Result<MessageEvent, PortRecvError>, usize)> {
        let event = {
            let port = lock(&self.0.port);
            let Some(port) = &*port else {
                return Some((Err(lock(&self.0.waiting).ended.clone().unwrap_or(PortRecvError::Neutered)), 0));
            };
            port.try_recv()?
        };
        let cost = MESSAGE_COST + if let Event::Message(message) = &event { message.data.len() } else { 0 };
        let result = match event {
            Event::Message(message) => match value::decode(&message.data, message.ports.len()) {
                Ok(data) => Ok(MessageEvent { data, ports: message.ports.into_iter().map(Into::into).collect() }),
                Err(error) => Err(error.into()),
            },
            Event::Close(reason) => {
                lock(&self.0.waiting).ended = Some(PortRecvError::Closed(reason));
                let ended = lock(&self.0.port).take();
                drop(ended);
                Err(PortRecvError::Closed(reason))
            }
        };
        Some((result, cost))
    }

    /// Waits for the next message and reads it as a `T`. The ports in it are dropped.
    ///
    /// # Errors
    /// See [`MessagePort::recv`].
    pub async fn recv_as<T: DeserializeOwned>(&self) -> Result<T, PortRecvError> {
        let message = self.recv().await?;
        Ok(value::to_serde(&message.data)?)
    }

    /// Waits until the channel closes; drops the messages that still arrive.
    pub async fn closed(&self) -> CloseReason {
        loop {
            match self.recv().await {
                Err(PortRecvError::Closed(reason)) => return reason,
                Err(PortRecvError::Neutered) => return CloseReason::Closed,
                Ok(_) | Err(PortRecvError::BadValue(_)) => {}
            }
        }
    }

    /// Closes the channel. The other end receives all earlier messages, then the close.
    pub fn close(&self) {
        let port = lock(&self.0.port).take();
        if let Some(port) = port {
            port.close();
        }
        self.wake();
    }

    /// Whether the port was posted away or closed.
    pub fn is_neutered(&self) -> bool {
        lock(&self.0.port).is_none()
    }

    /// Takes the engine's port out; `None` if it is neutered. For programs that work with bytes.
    pub fn into_raw(self) -> Option<Port> {
        let port = lock(&self.0.port).take();
        self.wake();
        port
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut lock(&self.0.waiting).wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Makes the engine wake the waiting receiver, once.
    fn hook(&self) {
        if std::mem::replace(&mut lock(&self.0.waiting).hooked, true) {
            return;
        }
        let waiting = self.0.waiting.clone();
        if let Some(port) = &*lock(&self.0.port) {
            port.on_ready(move || {
                let wakers = std::mem::take(&mut lock(&waiting).wakers);
                wakers.into_iter().for_each(Waker::wake);
            });
        }
    }
}

fn port_error(error: strait_ports::PostError) -> PostMessageError<Port> {
    PostMessageError { kind: PostMessageErrorKind::Refused, ports: error.message.ports }
}

/// Takes the engine's ports out of a transfer list for `post`, all or none. If `post` fails they
/// are put back.
pub fn with_taken(
    message: &Value,
    ports: Vec<MessagePort>,
    source: Option<&MessagePort>,
    post: impl FnOnce(Vec<u8>, Vec<Port>) -> Result<(), PostMessageError<Port>>,
) -> Result<(), PostMessageError> {
    if let Some(index) = ports.iter().position(|port| source.is_some_and(|source| source == port)) {
        return Err(PostMessageError { kind: PostMessageErrorKind::Source(index), ports });
    }
    for (index, port) in ports.iter().enumerate() {
        if port.is_neutered() {
            return Err(PostMessageError { kind: PostMessageErrorKind::Neutered(index), ports });
        }
        if ports[..index].contains(port) {
            return Err(PostMessageError { kind: PostMessageErrorKind::Duplicate(index), ports });
        }
    }
    let payload = match value::encode(message) {
        Ok(payload) => payload,
        Err(kind) => return Err(PostMessageError { kind, ports }),
    };
    let mut taken = Vec::with_capacity(ports.len());
    for (index, port) in ports.iter().enumerate() {
        let port = lock(&port.0.port).take();
        match port {
            Some(port) => taken.push(port),
            // Another thread has taken it meanwhile.
            None => {
                put_back(&ports, taken);
                return Err(PostMessageError { kind: PostMessageErrorKind::Neutered(index), ports });
            }
        }
    }
    match post(payload, taken) {
        Ok(()) => {
            ports.iter().for_each(MessagePort::wake);
            Ok(())
        }
        Err(error) => {
            put_back(&ports, error.ports);
            Err(PostMessageError { kind: error.kind, ports })
        }
    }
}

fn put_back(ports: &[MessagePort], taken: Vec<Port>) {
    for (port, raw) in ports.iter().zip(taken) {
        *lock(&port.0.port) = Some(raw);
    }
}

impl From<Port> for MessagePort {
    fn from(port: Port) -> Self {
        Self(Arc::new(Inner { port: Mutex::new(Some(port)), ..Inner::default() }))
    }
}

impl PartialEq for MessagePort {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for MessagePort {}

impl fmt::Debug for MessagePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_neutered() { "MessagePort(neutered)" } else { "MessagePort" })
    }
}

#[cfg(test)]
mod tests;
