//! The natives for modules of Node that need the system (`fs`, `os`, parts of `crypto`). One native
//! runs an operation now, another runs it on a thread of the pool.
//!
//! > **Architecture Invariant:** an operation runs only for a realm with
//! > [`Privileges::system`](crate::realm::Privileges), even if scripts of its page have stolen
//! > functions.

use std::cell::RefCell;
use std::sync::Arc;

use strait_system::{Answer, Call, Descriptors, Failure, Gives, Operation, operation};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::realm::Realm;

/// A finished operation, for the realm that requested it.
pub(crate) struct Done {
    realm: u32,
    request: u32,
    result: Result<Gives, Failure>,
}

/// The state of a realm's modules: open files, which are closed with the realm, and bytes on their
/// way to and from operations. The bytes go through the realm's receive buffer, part by part.
#[derive(Default)]
pub(crate) struct Cargo {
    files: Arc<Descriptors>,
    /// Bytes for the next operation.
    out: RefCell<Vec<u8>>,
    /// Bytes of the last operation's result.
    back: RefCell<Vec<u8>>,
}

impl Cargo {
    /// The answer as the modules read it. Its bytes must be pulled.
    fn answer(&self, result: Result<Gives, Failure>) -> String {
        let Answer { text, bytes } = result.into();
        if let Some(bytes) = bytes {
            self.back.replace(bytes);
        }
        text
    }

    /// Drops the bytes that were not pulled.
    pub(crate) fn clear(&self) {
        self.back.take();
    }
}

/// The operation that the arguments from `at` on name, with its own arguments: `(name, first,
/// second, number, number, number)`.
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

/// `(name, first, second, number, number, number)`: runs the operation now and returns its answer.
pub(crate) fn now<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((operation, call)) = asked(realm, args, 0) else { return NativeResult::Nothing };
    NativeResult::Text(realm.cargo.answer(operation(&call)))
}

/// `(request, name, first, second, number, number, number)`: runs the operation on the pool.
/// [`Agent::deliver_done`] delivers the answer. False if no thread can run it.
pub(crate) fn later<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((operation, call)) = asked(realm, args, 1) else { return NativeResult::Nothing };
    let (realm, request) = (realm.id, args.index(0));
    NativeResult::Bool(agent.pool.have_done(Box::new(move || Done { realm, request, result: operation(&call) })))
}

/// `(length)`: appends this number of bytes of the receive buffer to those for the next operation.
pub(crate) fn put<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let buffers = realm.buffers.borrow();
    let bytes = buffers.as_ref().filter(|_| realm.privileges.system).and_then(|buffers| buffers.inbox.copy(args.index(0) as usize));
    bytes.map_or(NativeResult::Nothing, |bytes| {
        realm.cargo.out.borrow_mut().extend_from_slice(&bytes);
        NativeResult::Bool(true)
    })
}

/// `(start, length)`: copies this part of the last operation's bytes into the receive buffer.
/// `length` 0 means that they have been read.
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
    /// Delivers the answer of one operation of the pool; false when there is none.
    pub(crate) fn deliver_done(&self) -> bool {
        let Some(Done { realm, request, result }) = self.pool.take_done() else { return false };
        // The realm's document may have ended meanwhile.
        if let Some(realm) = self.realm(realm) {
            let answer = realm.cargo.answer(result);
            realm.system_done(request, &answer);
            realm.cargo.clear();
        }
        true
    }
}
