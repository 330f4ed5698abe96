//! Natives for large messages. Scripts write and read them part by part in shared memory, so that
//! each byte is copied once on each side.

use napi::{Error, Result};
use strait_ports::{MessageWriter, PostBufferError, Unread, copy_bytes};

use super::{
    Call, Natives,
    ports::{unsent, with_ports},
};
use crate::{core::Host, ports::PortId};

/// The large messages under way.
#[derive(Default)]
pub(crate) struct LargeMessages {
    /// Messages that are being written, by number: a getter in a message may post another one.
    writers: Vec<(u32, PortId, MessageWriter)>,
    last: u32,
    /// The message that is being read.
    pub(crate) incoming: Option<Unread>,
}

pub(super) fn register<H: Host>(natives: &mut Natives<'_, H>) -> Result<()> {
    natives.set("writerOpen", open)?;
    natives.set("writerPut", put)?;
    // (writer, start, stop)
    natives.set("writerCut", |call| {
        let mut large = call.host.core().large.borrow_mut();
        large.writer(call.get(0)?)?.1.cut(call.size(1)?, call.size(2)?);
        Ok(())
    })?;
    // (writer)
    natives.set("writerPaste", |call| {
        let (mut large, table) = (call.host.core().large.borrow_mut(), call.host.core().ports.borrow());
        let (port, writer) = large.writer(call.get(0)?)?;
        writer.paste(table.get(port)).map_err(|error| Error::from_reason(unsent(&error)))
    })?;
    natives.set("writerPost", post)?;
    // (writer): the message is not posted.
    natives.set("writerDrop", |call| {
        drop(call.host.core().large.borrow_mut().take(call.get(0)?));
        Ok(())
    })?;
    // (start, length): copies a part of the message that is being read to the stage.
    natives.set("readPart", |call| {
        let (start, length) = (call.size(0)?, call.size(1)?);
        let core = call.host.core();
        let filled = core.hook.fill_stage(length, |stage| core.copy_incoming(start, stage));
        if filled { Ok(()) } else { Err(Error::from_reason(TOO_SHORT)) }
    })?;
    // (start, bytes): fills the array with a part of the message that is being read.
    natives.set("readInto", |call| {
        if call.host.core().copy_incoming(call.size(0)?, call.get(1)?) { Ok(()) } else { Err(Error::from_reason(TOO_SHORT)) }
    })?;
    // The message has been read: its memory is returned to the sender.
    natives.set("readDone", |call| {
        let read = call.host.core().large.borrow_mut().incoming.take();
        drop(read);
        Ok(())
    })
}

const TOO_SHORT: &str = "the message is shorter";

impl LargeMessages {
    fn writer(&mut self, number: u32) -> Result<(PortId, &mut MessageWriter)> {
        let found = self.writers.iter_mut().rev().find(|(known, ..)| *known == number);
        found.map(|(_, port, writer)| (*port, writer)).ok_or_else(unknown)
    }

    fn take(&mut self, number: u32) -> Option<(PortId, MessageWriter)> {
        let at = self.writers.iter().rposition(|(known, ..)| *known == number)?;
        let (_, port, writer) = self.writers.remove(at);
        Some((port, writer))
    }
}

fn unknown() -> Error {
    Error::from_reason("there is no such message")
}

/// `(port, size)`: begins a message for that port, of `size` bytes or more; returns its number,
/// which is not 0.
fn open<H: Host>(call: &Call<'_, H>) -> Result<u32> {
    let port: PortId = call.get(0)?;
    let core = call.host.core();
    let writer = MessageWriter::new(core.ports.borrow().get(port), call.size(1)?).map_err(|error| Error::from_reason(unsent(&error)))?;
    let mut large = core.large.borrow_mut();
    large.last = large.last.wrapping_add(1).max(1);
    let number = large.last;
    large.writers.push((number, port, writer));
    Ok(number)
}

/// `(writer, bytes, length)`: adds `length` bytes.
fn put<H: Host>(call: &Call<'_, H>) -> Result<()> {
    let bytes = call.written(1)?;
    let (mut large, table) = (call.host.core().large.borrow_mut(), call.host.core().ports.borrow());
    let (port, writer) = large.writer(call.get(0)?)?;
    let room = writer.room(bytes.len(), table.get(port)).map_err(|error| Error::from_reason(unsent(&error)))?;
    if !room.is_empty() {
        copy_bytes(bytes, room);
    }
    Ok(())
}

/// `(writer, bytes, length, ports)`: adds the last bytes and posts the message.
fn post<H: Host>(call: &Call<'_, H>) -> Result<()> {
    put(call)?;
    let (port, writer) = call.host.core().large.borrow_mut().take(call.get(0)?).ok_or_else(unknown)?;
    with_ports(call, 3, |ports| {
        let table = call.host.core().ports.borrow();
        // Without a port or a buffer the other end is gone, and the post has no effect.
        let (Some(port), Some(buffer)) = (table.get(port), writer.finish()) else { return Ok(()) };
        port.post_buffer(buffer, ports).map_err(|PostBufferError { ports, reason, .. }| (ports, unsent(&reason)))
    })
}
