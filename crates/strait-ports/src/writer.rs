//! A message that is written part by part where its receiver reads it.

use crate::MAX_DATA;
use crate::buffer::{AllocError, Buffer};
use crate::port::Port;

/// Bytes that a new buffer has beyond the requested size: mostly a few bytes follow a large part.
const SLACK: usize = 4096;

/// A message that is written part by part into one [`Buffer`], which grows as it must.
///
/// Each call gets the port of the message, because the port may be closed or transferred between two
/// calls. Without a port the message has no receiver: its bytes are counted and not kept.
///
/// ```
/// use strait_ports::{Event, MessageWriter, Node};
/// let (a, b) = Node::broker()?.channel();
/// let mut writer = MessageWriter::new(Some(&a), 6)?;
/// writer.room(6, Some(&a))?.copy_from_slice(b"in two");
/// writer.room(6, Some(&a))?.copy_from_slice(b" parts");
/// a.post_buffer(writer.finish().expect("there is a port"), Vec::new())?;
/// assert!(matches!(b.try_recv(), Some(Event::Message(m)) if m.data == b"in two parts"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MessageWriter {
    /// `None`: there is no receiver.
    buffer: Option<Buffer>,
    /// How many bytes are written.
    used: usize,
    /// What [`MessageWriter::cut`] has put aside.
    aside: Vec<u8>,
}

impl MessageWriter {
    /// A message of `size` bytes or more.
    ///
    /// # Errors
    /// As [`Port::alloc`].
    pub fn new(port: Option<&Port>, size: usize) -> Result<Self, AllocError> {
        let buffer = port.map(|port| port.alloc(size.saturating_add(SLACK).min(MAX_DATA).max(size))).transpose()?;
        Ok(Self { buffer, used: 0, aside: Vec::new() })
    }

    /// The place of the next `size` bytes, all of which the caller writes; it is empty if there is no receiver.
    ///
    /// # Errors
    /// As [`Port::alloc`], for the whole message.
    pub fn room(&mut self, size: usize, port: Option<&Port>) -> Result<&mut [u8], AllocError> {
        let start = self.used;
        let needed = start.saturating_add(size);
        self.used = needed;
        if self.buffer.as_ref().is_some_and(|buffer| buffer.len() < needed) {
            let wanted = needed.saturating_mul(2).min(MAX_DATA).max(needed);
            let larger = port.map(|port| port.alloc(wanted)).transpose()?;
            let smaller = std::mem::replace(&mut self.buffer, larger);
            if let (Some(larger), Some(smaller)) = (&mut self.buffer, smaller) {
                larger[..start].copy_from_slice(&smaller[..start]);
            }
        }
        Ok(self.buffer.as_mut().map_or(&mut [], |buffer| &mut buffer[start..needed]))
    }

    /// Removes the bytes from `start` on; those from `stop` on are kept for [`MessageWriter::paste`].
    pub fn cut(&mut self, start: usize, stop: usize) {
        let (start, stop) = (start.min(self.used), stop.min(self.used));
        self.aside = self.buffer.as_ref().and_then(|buffer| buffer.get(stop..self.used)).map_or_else(Vec::new, <[u8]>::to_vec);
        self.used = start;
    }

    /// Adds the bytes that [`MessageWriter::cut`] has kept.
    ///
    /// # Errors
    /// As [`MessageWriter::room`].
    pub fn paste(&mut self, port: Option<&Port>) -> Result<(), AllocError> {
        let aside = std::mem::take(&mut self.aside);
        let room = self.room(aside.len(), port)?;
        if !room.is_empty() {
            room.copy_from_slice(&aside);
        }
        Ok(())
    }

    /// What was written, if there is a receiver.
    pub fn finish(self) -> Option<Buffer> {
        let mut buffer = self.buffer?;
        buffer.truncate(self.used);
        Some(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Node};

    fn write(writer: &mut MessageWriter, port: Option<&Port>, bytes: &[u8]) {
        let room = writer.room(bytes.len(), port).expect("not too large");
        if !room.is_empty() {
            room.copy_from_slice(bytes);
        }
    }

    #[test]
    fn it_grows_and_keeps_what_is_written() {
        let (a, b) = Node::broker().expect("a node").channel();
        let mut writer = MessageWriter::new(Some(&a), 10).expect("not too large");
        let parts: Vec<Vec<u8>> = (0..8).map(|part| vec![part; 5000]).collect();
        parts.iter().for_each(|part| write(&mut writer, Some(&a), part));
        a.post_buffer(writer.finish().expect("there is a port"), Vec::new()).expect("open");
        assert!(matches!(b.try_recv(), Some(Event::Message(message)) if message.data == parts.concat()));
    }

    #[test]
    fn a_part_is_replaced() {
        let (a, _b) = Node::broker().expect("a node").channel();
        let mut writer = MessageWriter::new(Some(&a), 0).expect("not too large");
        write(&mut writer, Some(&a), b"begin, short, end");
        writer.cut(7, 12);
        write(&mut writer, Some(&a), b"much longer than it was");
        writer.paste(Some(&a)).expect("not too large");
        assert_eq!(&writer.finish().expect("there is a port")[..], b"begin, much longer than it was, end");
    }

    #[test]
    fn without_a_receiver_nothing_is_kept() {
        let (a, _b) = Node::broker().expect("a node").channel();
        let mut writer = MessageWriter::new(None, 1 << 20).expect("no limit");
        write(&mut writer, None, &[1; 100]);
        writer.cut(0, 50);
        writer.paste(None).expect("no limit");
        assert!(writer.finish().is_none());
        // It has gone since.
        let mut writer = MessageWriter::new(Some(&a), 10).expect("not too large");
        write(&mut writer, None, &[1; 10_000]);
        assert!(writer.finish().is_none());
    }

    #[test]
    fn it_is_as_large_as_a_message_at_most() {
        let (a, _b) = Node::broker().expect("a node").channel();
        assert!(MessageWriter::new(Some(&a), MAX_DATA + 1).is_err());
        let mut writer = MessageWriter::new(Some(&a), 0).expect("not too large");
        assert!(writer.room(MAX_DATA + 1, Some(&a)).is_err());
        assert!(writer.room(usize::MAX, Some(&a)).is_err());
    }
}
