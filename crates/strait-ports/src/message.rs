//! The events of a port: messages and, once, a close with its reason.

use std::fmt;

use crate::port::Port;
use crate::shared_buffer::SharedBuffer;

/// Bytes, with ports and shared buffers that are sent together with them.
///
/// ```
/// use strait_ports::Message;
/// let message = Message::new(b"hello".to_vec());
/// assert_eq!(message.data, b"hello");
/// assert!(message.ports.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Message {
    /// The bytes; the engine does not interpret them. At most [`MAX_DATA`](crate::MAX_DATA).
    pub data: Vec<u8>,
    /// The transferred ports, in order. At most [`MAX_PORTS`](crate::MAX_PORTS). Dropping a message
    /// closes them.
    pub ports: Vec<Port>,
    /// Immutable bytes that all receivers read in place. At most [`MAX_BUFFERS`](crate::MAX_BUFFERS).
    pub buffers: Vec<SharedBuffer>,
}

impl Message {
    /// A message without ports.
    pub fn new(data: Vec<u8>) -> Self {
        Self { data, ..Self::default() }
    }

    /// A message with shared buffers.
    pub fn with_buffers(data: Vec<u8>, buffers: Vec<SharedBuffer>) -> Self {
        Self { data, buffers, ..Self::default() }
    }

    /// A message with ports.
    pub fn with_ports(data: Vec<u8>, ports: Vec<Port>) -> Self {
        Self { data, ports, ..Self::default() }
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::new(data)
    }
}

impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::new(data.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(data: &[u8; N]) -> Self {
        Self::new(data.to_vec())
    }
}

/// As UTF-8.
impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

/// As UTF-8.
impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

/// The result of [`Port::try_recv`] and its siblings.
#[derive(Debug)]
pub enum Event {
    /// A message that the other end posted.
    Message(Message),
    /// The channel has ended. Arrives once and last, after all messages that were sent before.
    Close(CloseReason),
}

/// The reason why a channel ended, seen from the remaining end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The other end called `close()`.
    Closed,
    /// The other end's last handle was dropped, or the port was in a message that could not be
    /// received or was dropped unreceived.
    Dropped,
    /// The other end was in a document that was navigated, reloaded or removed, or whose window was
    /// closed.
    Unloaded,
    /// The other end was in a process that ended with code 0 or in order.
    Exited,
    /// The other end was in a process that was killed or failed, or whose link broke or violated
    /// the protocol.
    Crashed,
    /// The other end was on another machine that has become unreachable.
    Unreachable,
}

impl CloseReason {
    /// The reason's name in JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Dropped => "dropped",
            Self::Unloaded => "unloaded",
            Self::Exited => "exited",
            Self::Crashed => "crashed",
            Self::Unreachable => "unreachable",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
