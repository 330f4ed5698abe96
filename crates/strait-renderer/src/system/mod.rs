//! What the modules of Node's that need the system (`fs`, `os`, parts of `crypto`) ask of the agent: one native to do something now, one to have
//! it done beside the page.
//!
//! > **Architecture Invariant:** only a realm with [`Privileges::system`](crate::realm::Privileges) gets anything done here, whatever scripts of its page may have got hold of.

mod errors;
mod files;
mod machine;
mod pool;

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::realm::Realm;
use errors::Failure;
pub(crate) use pool::Pool;

/// What an operation is asked to do: its table says what of it it looks at.
pub(crate) struct Call {
    /// Mostly a path.
    pub(crate) first: String,
    /// Mostly another path, or a file's flags.
    pub(crate) second: String,
    pub(crate) numbers: [f64; 2],
    pub(crate) data: Vec<u8>,
}

/// What it gives.
pub(crate) enum Gives {
    Json(Value),
    Bytes(Vec<u8>),
}

type Operation = fn(&Call) -> Result<Gives, Failure>;

/// Every operation with the name that the modules call it.
const OPERATIONS: &[(&str, Operation)] = &[
    ("readFile", files::read),
    ("writeFile", files::write),
    ("truncate", files::truncate),
    ("stat", files::stat),
    ("lstat", files::lstat),
    ("readdir", files::list),
    ("mkdir", files::make_folder),
    ("mkdirAll", files::make_folders),
    ("mkdtemp", files::make_temporary_folder),
    ("rmdir", files::remove_folder),
    ("rm", files::remove),
    ("unlink", files::unlink),
    ("rename", files::rename),
    ("copyFile", files::copy),
    ("access", files::access),
    ("realpath", files::real_path),
    ("readlink", files::read_link),
    ("symlink", files::symlink),
    ("link", files::link),
    ("chmod", files::change_mode),
    ("utimes", files::change_times),
    ("machine", machine::describe),
    ("digest", machine::digest),
    ("hmac", machine::hmac),
];

fn find(name: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
}

/// An operation that is over, for the realm that has asked.
pub(crate) struct Done {
    realm: u32,
    request: u32,
    result: Result<Gives, Failure>,
}

/// Bytes on their way between a realm's modules and an operation: they go through the realm's inbox, part by part.
#[derive(Default)]
pub(crate) struct Cargo {
    /// For the next operation.
    out: RefCell<Vec<u8>>,
    /// Of the last one.
    back: RefCell<Vec<u8>>,
}

impl Cargo {
    /// The answer as the modules read it: `{ value }`, `{ bytes }` (so many are to be pulled) or `{ error }`.
    fn answer(&self, result: Result<Gives, Failure>) -> String {
        let answer = match result {
            Ok(Gives::Json(value)) => json!({ "value": value }),
            Ok(Gives::Bytes(bytes)) => {
                let answer = json!({ "bytes": bytes.len() });
                self.back.replace(bytes);
                answer
            }
            Err(failure) => json!({ "error": failure.told() }),
        };
        answer.to_string()
    }

    /// Forgets what has not been pulled.
    pub(crate) fn clear(&self) {
        self.back.take();
    }
}

/// The operation that the arguments from `at` on name, and what it is called with: `(name, first, second, number, number)`.
fn asked(realm: &Realm, args: &Args<'_>, at: usize) -> Option<(Operation, Call)> {
    let data = realm.cargo.out.take();
    if !realm.privileges.system {
        return None;
    }
    let number = |index| args.get(index).as_number().unwrap_or_default();
    let call = Call { first: args.text(at + 1), second: args.text(at + 2), numbers: [number(at + 3), number(at + 4)], data };
    Some((find(&args.text(at))?, call))
}

/// `(name, first, second, number, number)`: does it now; its answer.
pub(crate) fn now<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((operation, call)) = asked(realm, args, 0) else { return NativeResult::Nothing };
    NativeResult::Text(realm.cargo.answer(operation(&call)))
}

/// `(request, name, first, second, number, number)`: has it done beside the page; the answer comes by [`Agent::deliver_done`]. False if nobody can do it.
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
