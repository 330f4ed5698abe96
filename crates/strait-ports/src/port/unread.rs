//! Received messages whose bytes have not been copied out of shared memory.

use std::fmt;
use std::sync::Arc;

use super::Port;
use crate::body::Body;
use crate::message::{CloseReason, Message};
use crate::node::Shared;
use crate::router::Received;
use crate::shared_buffer::SharedBuffer;

/// The result of [`Port::try_recv_unread`].
#[derive(Debug)]
pub enum Arrival {
    /// A message.
    Message(Unread),
    /// The other end is gone; no event follows.
    Close(CloseReason),
}

/// A received message whose bytes may still be in memory that is shared with the sender. A receiver
/// with its own target memory can copy them there directly, in parts if needed, and so only once.
///
/// The message occupies the sender's memory until it is dropped.
pub struct Unread {
    body: Body,
    shared: Arc<Shared>,
    /// As [`Message::ports`].
    pub ports: Vec<Port>,
    /// As [`Message::buffers`].
    pub buffers: Vec<SharedBuffer>,
}

impl Unread {
    pub(super) fn new(shared: &Arc<Shared>, body: Body, ports: Vec<Port>) -> Self {
        let (body, buffers) = body.split();
        Self { body, shared: Arc::clone(shared), ports, buffers }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `into` with the bytes from `start` on. Returns false, and copies nothing, if the
    /// message is too short.
    ///
    /// A hostile sender can change bytes in shared memory at any time: bytes that are copied twice
    /// may differ.
    #[must_use]
    pub fn copy_to(&self, start: usize, into: &mut [u8]) -> bool {
        let fits = start.checked_add(into.len()).is_some_and(|end| end <= self.len());
        if fits {
            self.body.copy_part(start, into);
        }
        fits
    }

    /// Returns the message, with its bytes copied.
    pub fn into_message(mut self) -> Message {
        let (ports, buffers) = (std::mem::take(&mut self.ports), std::mem::take(&mut self.buffers));
        // `new` has taken the shared buffers out of the body.
        let (data, _) = self.shared.take_out(std::mem::take(&mut self.body));
        Message { data, ports, buffers }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        if !matches!(self.body, Body::Bytes(_)) {
            // The block is released, and `act` sends `Done` to the sender.
            self.body = Body::default();
            self.shared.act(|_| ());
        }
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").field("len", &self.len()).field("ports", &self.ports).finish_non_exhaustive()
    }
}

impl Port {
    /// As [`Port::try_recv`], without copying the message's bytes out of shared memory.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_ports::{Arrival, Node};
    /// let (here, there) = Node::broker()?.channel();
    /// here.post(b"in two parts".to_vec())?;
    /// let Some(Arrival::Message(message)) = there.try_recv_unread() else { panic!("a message") };
    /// let mut part = [0; 9];
    /// assert!(message.copy_to(3, &mut part));
    /// assert_eq!(&part, b"two parts");
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_recv_unread(&self) -> Option<Arrival> {
        if let Some(data) = self.prefetched() {
            return Some(Arrival::Message(Unread::new(&self.shared, data.into(), Vec::new())));
        }
        Some(match self.shared.act(|state| state.router.fetch(self.key(), &self.prefetch))? {
            Received::Message { data, ports } => Arrival::Message(Unread::new(&self.shared, data, self.adopt(ports))),
            Received::Close(reason) => Arrival::Close(reason),
        })
    }
}
