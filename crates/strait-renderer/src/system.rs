//! What the modules of Node's that need the system (`fs`, `os`, parts of `crypto`) ask of the agent: one native to do something now, one to have
//! it done beside the page.
//!
//! > **Architecture Invariant:** only a realm with [`Privileges::system`](crate::realm::Privileges) gets anything done here, whatever scripts of its page may have got hold of.

use std::cell::RefCell;
use std::sync::Arc;

use strait_system::{Answer, Call, Descriptors, Failure, Gives, Operation, operation};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::realm::Realm;

/// An operation that is over, for the realm that has asked.
pub(crate) struct Done {
    realm: u32,
    request: u32,
    result: Result<Gives, Failure>,
}

/// What a realm's modules have of the system: its open files, which are closed when the realm goes, and bytes on their way to and from operations, which go through the
/// realm's inbox, part by part.
#[derive(Default)]
pub(crate) struct Cargo {
    files: Arc<Descriptors>,
    /// For the next operation.
    out: RefCell<Vec<u8>>,
    /// Of the last one.
    back: RefCell<Vec<u8>>,
}

impl Cargo {
    /// The answer as the modules read it; its bytes are to be pulled.
    fn answer(&self, result: Result<Gives, Failure>) -> String {
        let Answer { text, bytes } = result.into();
        if let Some(bytes) = bytes {
            self.back.replace(bytes);
        }
        text
    }

    /// Forgets what has not been pulled.
    pub(crate) fn clear(&self) {
        self.back.take();
    }
}

/// The operation that the arguments from `at` on name, and what it is called with: `(name, first, second, number, number, number)`.
fn asked(realm: &Realm, args: &Args<'_>, at: usize) -> Option<(Operation, Call)> {
    let data = realm.cargo.out.take();
    if !realm.privileges.system {
        return None;
    }
    let number = |index| args.get(index).as_number().unwrap_or_default();
    let numbers = [number(at + 3), number(at + 4), number(at + 5)];
    let call = Call { first: args.text(at + 1), second: args.text(at + 2), numbers, data, files: Arc::clone(&realm.cargo.files) };
    Some((operation(&args.text(at))?, call))
}

/// `(name, first, second, number, number, number)`: does it now; its answer.
pub(crate) fn now<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((operation, call)) = asked(realm, args, 0) else { return NativeResult::Nothing };
    NativeResult::Text(realm.cargo.answer(operation(&call)))
}

/// `(request, name, first, second, number, number, number)`: has it done beside the page; the answer comes by [`Agent::deliver_done`]. False if nobody can do it.
pub(crate) fn later<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((operation, call)) = asked(realm, args, 1) else { return NativeResult::Nothing };
    let (realm, request) = (realm.id, args.index(0));
    NativeResult::Bool(agent.pool.have_done(Box::new(move || Done { realm, request, result: operation(&call) })))
}

/// `(length)`: so many bytes of the inbox are for the next operation, behind those that are there.
pub(crate) fn put<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let buffers = realm.buffers.borrow();
    let bytes = buffers.as_ref().filter(|_| realm.privileges.system).and_then(|buffers| buffers.inbox.copy(args.index(0) as usize));
    bytes.map_or(NativeResult::Nothing, |bytes| {
        realm.cargo.out.borrow_mut().extend_from_slice(&bytes);
        NativeResult::Bool(true)
    })
}

/// `(start, length)`: so many of the bytes that the last operation gave, into the inbox; no length at all says that they have been read.
pub(crate) fn pull<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (start, length) = (args.index(0) as usize, args.index(1) as usize);
    if length == 0 {
        realm.cargo.clear();
        return NativeResult::Nothing;
    }
    let (bytes, buffers) = (realm.cargo.back.borrow(), realm.buffers.borrow());
    let part = start.checked_add(length).and_then(|end| bytes.get(start..end));
    NativeResult::Bool(part.zip(buffers.as_ref()).is_some_and(|(part, buffers)| buffers.inbox.write(part)))
}

impl Agent {
    /// Gives one answer of an operation beside the page; false when there is none.
    pub(crate) fn deliver_done(&self) -> bool {
        let Some(Done { realm, request, result }) = self.pool.take_done() else { return false };
        // Its document may have gone meanwhile.
        if let Some(realm) = self.realm(realm) {
            let answer = realm.cargo.answer(result);
            realm.system_done(request, &answer);
            realm.cargo.clear();
        }
        true
    }
}
