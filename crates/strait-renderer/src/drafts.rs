//! Messages that are being written, part by part, where their receivers will read them.

use strait_ports::{AllocError, Buffer, MAX_DATA, Port};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::natives::post_buffer;
use crate::ports::Handle;
use crate::realm::Realm;

/// So much more than has been asked for: what is behind a large buffer is mostly a few bytes.
const SLACK: usize = 4096;

/// All of the process. There is one for each `postMessage` on the stack that has written a large buffer, as a getter of a message may post others; the glue
/// abandons what it does not post.
#[derive(Default)]
pub(crate) struct Drafts {
    open: Vec<(u32, Draft)>,
    last: u32,
}

/// One message.
pub(crate) struct Draft {
    /// The realm whose glue writes it.
    realm: u32,
    /// The port it is for.
    pub(crate) handle: Handle,
    /// `None`: there is nobody to write it for.
    buffer: Option<Buffer>,
    /// How much is written.
    used: usize,
    aside: Vec<u8>,
}

impl Drafts {
    /// A draft for a port; its number.
    pub(crate) fn begin(&mut self, realm: u32, handle: Handle, port: Option<&Port>, size: usize) -> Result<u32, AllocError> {
        let buffer = port.map(|port| port.alloc((size + SLACK).min(MAX_DATA).max(size))).transpose()?;
        // Not 0, which is none.
        self.last = self.last.wrapping_add(1).max(1);
        self.open.push((self.last, Draft { realm, handle, buffer, used: 0, aside: Vec::new() }));
        Ok(self.last)
    }

    pub(crate) fn get(&mut self, number: u32, realm: u32) -> Option<&mut Draft> {
        let found = self.open.iter_mut().rev().find(|(open, draft)| *open == number && draft.realm == realm);
        found.map(|(_, draft)| draft)
    }

    pub(crate) fn take(&mut self, number: u32, realm: u32) -> Option<Draft> {
        let at = self.open.iter().rposition(|(open, draft)| *open == number && draft.realm == realm)?;
        Some(self.open.remove(at).1)
    }

    /// A realm is gone, and will not abandon what it has begun.
    pub(crate) fn forget(&mut self, realm: u32) {
        self.open.retain(|(_, draft)| draft.realm != realm);
    }
}

impl Draft {
    /// Room for the next `size` bytes, which must be filled; none if nobody will get them.
    pub(crate) fn room(&mut self, size: usize, port: Option<&Port>) -> Result<&mut [u8], AllocError> {
        let start = self.used;
        self.used += size;
        let needed = self.used;
        if self.buffer.as_ref().is_some_and(|buffer| buffer.len() < needed) {
            // Unless the port has gone since.
            let wanted = needed.saturating_mul(2).min(MAX_DATA).max(needed);
            let larger = port.map(|port| port.alloc(wanted)).transpose()?;
            let smaller = std::mem::replace(&mut self.buffer, larger);
            if let (Some(larger), Some(smaller)) = (&mut self.buffer, smaller) {
                larger[..start].copy_from_slice(&smaller[..start]);
            }
        }
        Ok(self.buffer.as_mut().map_or(&mut [], |buffer| &mut buffer[start..needed]))
    }

    /// Puts aside what is there from `stop` on, and forgets what is there from `start` on.
    pub(crate) fn cut(&mut self, start: usize, stop: usize) {
        let (start, stop) = (start.min(self.used), stop.min(self.used));
        self.aside = self.buffer.as_ref().and_then(|buffer| buffer.get(stop..self.used)).map_or_else(Vec::new, <[u8]>::to_vec);
        self.used = start;
    }

    /// Adds what has been put aside.
    pub(crate) fn paste(&mut self, port: Option<&Port>) -> Result<(), AllocError> {
        let aside = std::mem::take(&mut self.aside);
        let room = self.room(aside.len(), port)?;
        if !room.is_empty() {
            room.copy_from_slice(&aside);
        }
        Ok(())
    }

    /// The message's bytes, if somebody gets them.
    pub(crate) fn finish(self) -> Option<Buffer> {
        let mut buffer = self.buffer?;
        buffer.truncate(self.used);
        Some(buffer)
    }
}

// ---- What the glue asks for ----

const UNREADABLE: &str = "The message cannot be read.";

/// `(handle, size)`: a draft of a message for that port, of so many bytes at least.
pub(crate) fn draft<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (handle, size) = (args.index(0), args.index(1) as usize);
    let mut table = agent.ports.borrow_mut();
    // A getter of the message may have closed the port, or sent it away: then nobody gets the message, and it is still written to its end.
    let port = table.get_mut(handle, realm.document.get()).map(|entry| &entry.port);
    match agent.drafts.borrow_mut().begin(realm.id, handle, port, size) {
        Ok(draft) => NativeResult::Number(draft.into()),
        Err(error) => NativeResult::Throw(error.to_string()),
    }
}

/// `(draft, bytes, size)`: adds the first bytes.
pub(crate) fn put<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let size = args.index(2) as usize;
    let mut table = agent.ports.borrow_mut();
    let mut drafts = agent.drafts.borrow_mut();
    let Some(draft) = drafts.get(args.index(0), realm.id) else { return NativeResult::Throw(UNREADABLE.to_owned()) };
    let port = table.get_mut(draft.handle, realm.document.get()).map(|entry| &entry.port);
    match draft.room(size, port).map(|room| args.get(1).copy_to(room)) {
        Ok(true) => NativeResult::Nothing,
        Ok(false) => NativeResult::Throw(UNREADABLE.to_owned()),
        Err(error) => NativeResult::Throw(error.to_string()),
    }
}

/// `(draft, start, stop)`: puts aside what is there from `stop` on, and forgets what is there from `start` on.
pub(crate) fn cut<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(draft) = agent.drafts.borrow_mut().get(args.index(0), realm.id) {
        draft.cut(args.index(1) as usize, args.index(2) as usize);
    }
    NativeResult::Nothing
}

/// `(draft)`: adds what has been put aside.
pub(crate) fn paste<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let mut table = agent.ports.borrow_mut();
    let mut drafts = agent.drafts.borrow_mut();
    let Some(draft) = drafts.get(args.index(0), realm.id) else { return NativeResult::Nothing };
    let port = table.get_mut(draft.handle, realm.document.get()).map(|entry| &entry.port);
    draft.paste(port).map_or_else(|error| NativeResult::Throw(error.to_string()), |()| NativeResult::Nothing)
}

/// `(draft, bytes, size, handles, count)`: adds the last bytes and posts.
pub(crate) fn post<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let NativeResult::Throw(error) = put(agent, realm, args) {
        return NativeResult::Throw(error);
    }
    let (Some(handles), Some(draft)) = (args.get(3).words(args.index(4) as usize), agent.drafts.borrow_mut().take(args.index(0), realm.id))
    else {
        return NativeResult::Throw(UNREADABLE.to_owned());
    };
    let handle = draft.handle;
    match draft.finish() {
        Some(buffer) => post_buffer(agent, realm, handle, buffer, handles),
        None => NativeResult::Nothing,
    }
}

/// `(draft)`: it is not posted after all.
pub(crate) fn abandon<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    drop(agent.drafts.borrow_mut().take(args.index(0), realm.id));
    NativeResult::Nothing
}

/// The bytes of a draft, if that is one, and `last` behind them.
pub(crate) fn with_draft(agent: &Agent, realm: &Realm, number: u32, last: Vec<u8>) -> Vec<u8> {
    let Some(buffer) = agent.drafts.borrow_mut().take(number, realm.id).and_then(Draft::finish) else { return last };
    let mut bytes = buffer.into_vec();
    bytes.extend_from_slice(&last);
    bytes
}
