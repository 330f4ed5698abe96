//! The bridge between the two worlds of a document: what one realm's glue asks of the other's (`js/context-bridge.js`).
//!
//! > **Architecture Invariant:** only bytes and handles cross. A realm reaches the other one of its own document, and no other; ports move from one
//! > world to the other, all or none.

use std::rc::Rc;

use strait_protocol::World;

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::ports::Handle;
use crate::realm::Realm;

/// The glue's numbers below this are no functions of a program: they ask for something that only the preload's realm may ask for. (The next one is none either:
/// it asks the worlds to meet, which either may.)
const FIRST_FUNCTION: u32 = 2;

/// What a realm answered when it was called.
pub(crate) struct Answer {
    ok: bool,
    bytes: Vec<u8>,
    handles: Vec<Handle>,
}

/// The other realm of the same document, as long as that is there.
fn other(agent: &Agent, realm: &Realm) -> Option<Rc<Realm>> {
    let document = agent.document(realm.document.get())?;
    document.realm(match realm.world {
        World::Main => World::Isolated,
        World::Isolated => World::Main,
    })
}

/// A message for the other realm, whose ports have moved there.
struct Crossing {
    to: Rc<Realm>,
    bytes: Vec<u8>,
    handles: Vec<Handle>,
}

/// The message in four arguments from `first` on: bytes, length, handles, count. `None` if there is no other realm, or a port is not the document's.
fn crossing(agent: &Agent, realm: &Realm, args: &Args<'_>, first: usize) -> Option<Crossing> {
    let to = other(agent, realm)?;
    let bytes = realm.outgoing(args.get(first), args.index(first + 1) as usize)?;
    let handles = args.get(first + 2).words(args.index(first + 3) as usize)?;
    let handles = agent.ports.borrow_mut().move_all(&handles, realm.document.get(), to.world)?;
    Some(Crossing { to, bytes, handles })
}

/// `(id, bytes, length, handles, count)`: calls what the other realm knows as `id`. The length of the answer in the inbox, negative if it is what was thrown; nothing
/// if there is no such realm any more.
pub(crate) fn call<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let id = args.index(0);
    if id < FIRST_FUNCTION && realm.world == World::Main {
        return NativeResult::Nothing;
    }
    let Some(Crossing { to, bytes, handles }) = crossing(agent, realm, args, 1) else { return NativeResult::Nothing };
    to.cross(id, &bytes, &handles);
    let Some(answer) = to.answer.take() else {
        return NativeResult::Throw("Maximum call stack size exceeded.".to_owned());
    };
    let handles = agent.ports.borrow_mut().move_all(&answer.handles, to.document.get(), realm.world).unwrap_or_default();
    if !realm.fill(&answer.bytes, &handles) {
        return NativeResult::Throw("The answer is too large.".to_owned());
    }
    realm.answered_ports.set(handles.len());
    let length = answer.bytes.len() as f64;
    NativeResult::Number(if answer.ok { length } else { -length })
}

/// `(ok, bytes, length, handles, count)`: the answer to the call that is being carried out in this realm.
pub(crate) fn answer<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let bytes = realm.outgoing(args.get(1), args.index(2) as usize);
    if let (Some(bytes), Some(handles)) = (bytes, args.get(3).words(args.index(4) as usize)) {
        realm.answer.replace(Some(Answer { ok: args.get(0).as_bool().unwrap_or(false), bytes, handles }));
    }
    NativeResult::Nothing
}

/// `()`: how many ports the last answer brought.
pub(crate) fn ports<'a>(_: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(realm.answered_ports.take() as f64)
}

/// `(id, ok, bytes, length, handles, count)`: a promise that the other realm has as `id` has settled.
pub(crate) fn settle<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(Crossing { to, bytes, handles }) = crossing(agent, realm, args, 2) {
        to.settle(args.index(0), args.get(1).as_bool().unwrap_or(false), &bytes, &handles);
    }
    NativeResult::Nothing
}

/// `(id, count)`: a function of the other realm's, which came so many times, is not needed here any more.
pub(crate) fn release<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(other) = other(agent, realm) {
        other.release_function(args.index(0), args.index(1));
    }
    NativeResult::Nothing
}

/// `(source)`: the function that the text is, made in this realm.
pub(crate) fn compile<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    match realm.context.evaluate(&format!("({})", args.text(0)), "", 1) {
        Ok(function) => NativeResult::Value(function.rebind(args)),
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}
