//! Messages that the glue writes part by part, directly where their receivers read them.

use strait_ports::{AllocError, MessageWriter, Port};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::natives::post_buffer;
use crate::ports::Handle;
use crate::realm::Realm;

/// The open writers of the process. A getter of a message may post another one, so each
/// `postMessage` on the stack that has written a large buffer has a writer. The glue abandons those
/// that it does not post.
#[derive(Default)]
pub(crate) struct MessageWriters {
    open: Vec<(u32, OpenWriter)>,
    last: u32,
}

/// The writer of one message.
pub(crate) struct OpenWriter {
    /// The realm whose glue writes the message.
    realm: u32,
    /// The port on which the message is posted.
    pub(crate) handle: Handle,
    pub(crate) message: MessageWriter,
}

impl MessageWriters {
    /// Opens a writer for a port. Returns its number.
    pub(crate) fn begin(&mut self, realm: u32, handle: Handle, port: Option<&Port>, size: usize) -> Result<u32, AllocError> {
        let message = MessageWriter::new(port, size)?;
        // 0 stands for no writer.
        self.last = self.last.wrapping_add(1).max(1);
        self.open.push((self.last, OpenWriter { realm, handle, message }));
        Ok(self.last)
    }

    pub(crate) fn get(&mut self, number: u32, realm: u32) -> Option<&mut OpenWriter> {
        let found = self.open.iter_mut().rev().find(|(known, open)| *known == number && open.realm == realm);
        found.map(|(_, open)| open)
    }

    pub(crate) fn take(&mut self, number: u32, realm: u32) -> Option<OpenWriter> {
        let at = self.open.iter().rposition(|(known, open)| *known == number && open.realm == realm)?;
        Some(self.open.remove(at).1)
    }

    /// Drops the writers of a realm that is gone and cannot abandon them.
    pub(crate) fn forget(&mut self, realm: u32) {
        self.open.retain(|(_, open)| open.realm != realm);
    }
}

// ---- Natives ----

const UNREADABLE: &str = "The message cannot be read.";

/// `(handle, size)`: opens a writer for a message of at least `size` bytes on that port. Returns
/// its number.
pub(crate) fn open<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (handle, size) = (args.index(0), args.index(1) as usize);
    let mut table = agent.ports.borrow_mut();
    // A getter of the message may have closed the port or transferred it. The message is then
    // written without a receiver.
    let port = table.get_mut(handle, realm.document.get()).map(|entry| &entry.port);
    match agent.message_writers.borrow_mut().begin(realm.id, handle, port, size) {
        Ok(writer) => NativeResult::Number(writer.into()),
        Err(error) => NativeResult::Throw(error.to_string()),
    }
}

/// `(writer, bytes, size)`: appends the first `size` bytes of the array.
pub(crate) fn put<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let size = args.index(2) as usize;
    let mut table = agent.ports.borrow_mut();
    let mut writers = agent.message_writers.borrow_mut();
    let Some(open) = writers.get(args.index(0), realm.id) else { return NativeResult::Throw(UNREADABLE.to_owned()) };
    let port = table.get_mut(open.handle, realm.document.get()).map(|entry| &entry.port);
    match open.message.room(size, port).map(|room| args.get(1).copy_to(room)) {
        Ok(true) => NativeResult::Nothing,
        Ok(false) => NativeResult::Throw(UNREADABLE.to_owned()),
        Err(error) => NativeResult::Throw(error.to_string()),
    }
}

/// `(writer, start, stop)`: puts aside the bytes from `stop` on and discards those from `start` to
/// `stop`.
pub(crate) fn cut<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(open) = agent.message_writers.borrow_mut().get(args.index(0), realm.id) {
        open.message.cut(args.index(1) as usize, args.index(2) as usize);
    }
    NativeResult::Nothing
}

/// `(writer)`: appends the bytes that were put aside.
pub(crate) fn paste<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let mut table = agent.ports.borrow_mut();
    let mut writers = agent.message_writers.borrow_mut();
    let Some(open) = writers.get(args.index(0), realm.id) else { return NativeResult::Nothing };
    let port = table.get_mut(open.handle, realm.document.get()).map(|entry| &entry.port);
    open.message.paste(port).map_or_else(|error| NativeResult::Throw(error.to_string()), |()| NativeResult::Nothing)
}

/// `(writer, bytes, size, handles, count)`: appends the last bytes and posts the message.
pub(crate) fn post<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let NativeResult::Throw(error) = put(agent, realm, args) {
        return NativeResult::Throw(error);
    }
    let (Some(handles), Some(open)) =
        (args.get(3).words(args.index(4) as usize), agent.message_writers.borrow_mut().take(args.index(0), realm.id))
    else {
        return NativeResult::Throw(UNREADABLE.to_owned());
    };
    let handle = open.handle;
    match open.message.finish() {
        Some(buffer) => post_buffer(agent, realm, handle, buffer, handles),
        None => NativeResult::Nothing,
    }
}

/// `(writer)`: drops a message that is not posted.
pub(crate) fn abandon<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    drop(agent.message_writers.borrow_mut().take(args.index(0), realm.id));
    NativeResult::Nothing
}

/// The bytes of a writer, if the number is one's, followed by `last`.
pub(crate) fn with_written(agent: &Agent, realm: &Realm, number: u32, last: Vec<u8>) -> Vec<u8> {
    let Some(buffer) = agent.message_writers.borrow_mut().take(number, realm.id).and_then(|open| open.message.finish()) else {
        return last;
    };
    let mut bytes = buffer.into_vec();
    bytes.extend_from_slice(&last);
    bytes
}
