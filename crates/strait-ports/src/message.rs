//! What goes through a port: messages and, once, a close with its reason.

use std::fmt;

use crate::port::Port;
use crate::shared_buffer::SharedBuffer;

/// Bytes and the ports that travel with them.
///
/// ```
/// use strait_ports::Message;
/// let message = Message::new(b"hello".to_vec());
/// assert_eq!(message.data, b"hello");
/// assert!(message.ports.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Message {
    /// The bytes; the engine does not look into them. At most [`MAX_DATA`](crate::MAX_DATA).
    pub data: Vec<u8>,
    /// Ports that go with the message, in order. At most [`MAX_PORTS`](crate::MAX_PORTS). Dropping a message closes them.
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

/// What [`Port::try_recv`] and its siblings give.
#[derive(Debug)]
pub enum Event {
    /// The other end posted this.
    Message(Message),
    /// The channel has ended. Comes once and last, after every message that was sent before.
    Close(CloseReason),
}

/// Why a channel ended, seen from the end that is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The other end called `close()`.
    Closed,
    /// The other end's last handle was let go of, or the port sat in a message that nobody could receive or took.
    Dropped,
    /// The other end lived in a document that was navigated, reloaded, removed or whose window was closed.
    Unloaded,
    /// The other end lived in a process that ended by itself with code 0 or by orderly shutdown.
    Exited,
    /// The other end lived in a process that was killed or failed, or whose link broke or misbehaved.
    Crashed,
    /// The other end lived on another machine that cannot be reached any more.
    Unreachable,
}

impl CloseReason {
    /// The reason as programs in JavaScript see it.
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
