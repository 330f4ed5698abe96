//! Messages that are being written, part by part, where their receivers will read them.

use strait_ports::{AllocError, MessageWriter, Port};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::natives::post_buffer;
use crate::ports::Handle;
use crate::realm::Realm;

/// All of the process. There is one for each `postMessage` on the stack that has written a large buffer, as a getter of a message may post others; the glue
/// abandons what it does not post.
#[derive(Default)]
pub(crate) struct MessageWriters {
    open: Vec<(u32, OpenWriter)>,
    last: u32,
}

/// One message.
pub(crate) struct OpenWriter {
    /// The realm whose glue writes it.
    realm: u32,
    /// The port it is for.
    pub(crate) handle: Handle,
    pub(crate) message: MessageWriter,
}

impl MessageWriters {
    /// A writer for a port; its number.
    pub(crate) fn begin(&mut self, realm: u32, handle: Handle, port: Option<&Port>, size: usize) -> Result<u32, AllocError> {
        let message = MessageWriter::new(port, size)?;
        // Not 0, which is none.
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

    /// A realm is gone, and will not abandon what it has begun.
    pub(crate) fn forget(&mut self, realm: u32) {
        self.open.retain(|(_, open)| open.realm != realm);
    }
}

// ---- What the glue asks for ----

const UNREADABLE: &str = "The message cannot be read.";

/// `(handle, size)`: opens a writer for a message of `size` bytes or more for that port; its number.
pub(crate) fn open<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (handle, size) = (args.index(0), args.index(1) as usize);
    let mut table = agent.ports.borrow_mut();
    // A getter of the message may have closed the port, or sent it away: then nobody gets the message, and it is still written to its end.
    let port = table.get_mut(handle, realm.document.get()).map(|entry| &entry.port);
    match agent.message_writers.borrow_mut().begin(realm.id, handle, port, size) {
        Ok(writer) => NativeResult::Number(writer.into()),
        Err(error) => NativeResult::Throw(error.to_string()),
    }
}

/// `(writer, bytes, size)`: adds the first bytes.
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

/// `(writer, start, stop)`: puts aside what is there from `stop` on, and forgets what is there from `start` on.
pub(crate) fn cut<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(open) = agent.message_writers.borrow_mut().get(args.index(0), realm.id) {
        open.message.cut(args.index(1) as usize, args.index(2) as usize);
    }
    NativeResult::Nothing
}

/// `(writer)`: adds what has been put aside.
pub(crate) fn paste<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let mut table = agent.ports.borrow_mut();
    let mut writers = agent.message_writers.borrow_mut();
    let Some(open) = writers.get(args.index(0), realm.id) else { return NativeResult::Nothing };
    let port = table.get_mut(open.handle, realm.document.get()).map(|entry| &entry.port);
    open.message.paste(port).map_or_else(|error| NativeResult::Throw(error.to_string()), |()| NativeResult::Nothing)
}

/// `(writer, bytes, size, handles, count)`: adds the last bytes and posts.
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

/// `(writer)`: it is not posted after all.
pub(crate) fn abandon<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    drop(agent.message_writers.borrow_mut().take(args.index(0), realm.id));
    NativeResult::Nothing
}

/// The bytes of a writer, if that is one, and `last` behind them.
pub(crate) fn with_written(agent: &Agent, realm: &Realm, number: u32, last: Vec<u8>) -> Vec<u8> {
    let Some(buffer) = agent.message_writers.borrow_mut().take(number, realm.id).and_then(|open| open.message.finish()) else {
        return last;
    };
    let mut bytes = buffer.into_vec();
    bytes.extend_from_slice(&last);
    bytes
}
