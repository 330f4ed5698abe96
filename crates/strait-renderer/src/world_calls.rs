//! The world bridge: calls from the glue of one realm to the glue of the document's other realm
//! (`js/context-bridge.js`).
//!
//! > **Architecture Invariant:** only bytes and handles cross. A realm reaches only the other realm
//! > of its own document. Ports move from one world to the other, all or none.

use std::rc::Rc;

use strait_protocol::World;

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::ports::Handle;
use crate::realm::Realm;

/// Smaller ids (`EXPOSE`, `RUN`) are requests that only the preload's realm may make. Either realm
/// may use all others: `MEET`, which opens the world channel, and the functions of programs.
const FIRST_FUNCTION: u32 = 2;

/// A realm's answer to a call.
pub(crate) struct Answer {
    ok: bool,
    bytes: Vec<u8>,
    handles: Vec<Handle>,
}

/// The other realm of the same document, while it exists.
fn other(agent: &Agent, realm: &Realm) -> Option<Rc<Realm>> {
    let document = agent.document(realm.document.get())?;
    document.realm(match realm.world {
        World::Main => World::Isolated,
        World::Isolated => World::Main,
    })
}

/// A message for the other realm. Its ports have moved there.
struct Crossing {
    to: Rc<Realm>,
    bytes: Vec<u8>,
    handles: Vec<Handle>,
}

/// Reads the message in four arguments from `first` on: bytes, length, handles, count. `None` if
/// there is no other realm, or a port is not the document's.
fn crossing(agent: &Agent, realm: &Realm, args: &Args<'_>, first: usize) -> Option<Crossing> {
    let to = other(agent, realm)?;
    let bytes = realm.outgoing(args.get(first), args.index(first + 1) as usize)?;
    let handles = args.get(first + 2).words(args.index(first + 3) as usize)?;
    let handles = agent.ports.borrow_mut().move_all(&handles, realm.document.get(), to.world)?;
    Some(Crossing { to, bytes, handles })
}

/// `(id, bytes, length, handles, count)`: calls the other realm's function `id`. Returns the length
/// of the answer in the receive buffer, as a negative number if the answer is an exception. Returns
/// nothing if the realm is gone.
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

/// `(ok, bytes, length, handles, count)`: the answer to the call that this realm executes now.
pub(crate) fn answer<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let bytes = realm.outgoing(args.get(1), args.index(2) as usize);
    if let (Some(bytes), Some(handles)) = (bytes, args.get(3).words(args.index(4) as usize)) {
        realm.answer.replace(Some(Answer { ok: args.get(0).as_bool().unwrap_or(false), bytes, handles }));
    }
    NativeResult::Nothing
}

/// `()`: the number of ports in the last answer.
pub(crate) fn ports<'a>(_: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(realm.answered_ports.take() as f64)
}

/// `(id, ok, bytes, length, handles, count)`: a promise has settled, which the other realm has
/// under `id`.
pub(crate) fn settle<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(Crossing { to, bytes, handles }) = crossing(agent, realm, args, 2) {
        to.settle(args.index(0), args.get(1).as_bool().unwrap_or(false), &bytes, &handles);
    }
    NativeResult::Nothing
}

/// `(id, count)`: this realm no longer needs a function of the other realm, which arrived `count`
/// times.
pub(crate) fn release<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(other) = other(agent, realm) {
        other.release_function(args.index(0), args.index(1));
    }
    NativeResult::Nothing
}

/// `(source)`: compiles the text of a function in this realm.
pub(crate) fn compile<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    match realm.context.evaluate(&format!("({})", args.text(0)), "", 1) {
        Ok(function) => NativeResult::Value(function.rebind(args)),
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}
