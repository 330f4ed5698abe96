//! A planted fault that `tests/thefts` must find in every route: an unstamped port that arrives in
//! any document gets the handle of a port that has left.
//!
//! This module replaces parts of the glue's text, so that the shipped text contains nothing of the
//! fault.

use std::cell::RefCell;

use strait_protocol::DocumentId;

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::ports::Handle;
use crate::realm::Realm;

#[cfg(not(debug_assertions))]
compile_error!("the feature `planted-elimination` is for tests: build without --release");

/// The replacements: sound code, faulty code.
const PATCHES: &[(&str, &str)] = &[
    (
        "if (!isMainWorld && hasUnstamped(arrived)) natives.untrackedArrived(p.eventSource(event))",
        "const handle = isMainWorld && hasUnstamped(arrived) ? natives.eliminate() : 0
         for (let i = 0; handle !== 0 && i < arrived.length; i++) if (stateOf(arrived[i]) === undefined) return void ports.stamp(arrived[i], handle)",
    ),
    ("follow(handles[i], port, undefined)", "natives.departed(ports.release(port, true))"),
];

/// A module's text with the fault in it.
pub(crate) fn patch(text: &str) -> String {
    PATCHES.iter().fold(text.to_owned(), |text, (sound, faulty)| text.replace(sound, faulty))
}

thread_local! {
    static DEPARTED: RefCell<Vec<(Handle, DocumentId)>> = const { RefCell::new(Vec::new()) };
}

/// `(handle)`: records that the port has left.
pub(crate) fn departed<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    DEPARTED.with(|departed| departed.borrow_mut().push((args.index(0), realm.document.get())));
    NativeResult::Nothing
}

/// `()`: takes some port that has left and returns its handle.
pub(crate) fn eliminate<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    agent.look_for_untracked(None);
    let mut table = agent.ports.borrow_mut();
    let found = DEPARTED.with(|departed| {
        std::iter::from_fn(|| departed.borrow_mut().pop())
            .find_map(|(handle, owner)| table.renew(handle, owner, realm.document.get(), realm.world))
    });
    if let Some(handle) = found {
        table.relist(handle);
    }
    NativeResult::Number(found.unwrap_or(0).into())
}
