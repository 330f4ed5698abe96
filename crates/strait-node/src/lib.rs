//! Strait inside Node.js: what `require('electron')` of a main process stands on.
//!
//! The addon is loaded by Node's main thread, whose JavaScript is the program. [`start`] gives JavaScript the natives: functions
//! that take and give numbers, strings and bytes. Everything that happens (events of windows, messages of pages and ports, the end of
//! what a script waits for) is a call of the one function that JavaScript has given, each a macrotask of its own.
//!
//! GTK has a thread of its own, the I/O thread of the crate `strait` routes while JavaScript is busy, and libuv's loop polls the node's
//! descriptor: `strait-node-core`, which has what children's addon needs too.

mod events;
mod host;
mod natives;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{Function, Object},
};
use napi_derive::napi;

use crate::host::{Host, Options};

/// Starts Strait's part of the program; gives the natives. Once in a process, in Node's main thread.
///
/// `hook(name, ...args)` is called with everything that happens; `true` prevents what it announces.
///
/// # Errors
/// In a worker thread, a second time, and if the runtime folder, the agent or the engine cannot be had.
#[napi]
pub fn start<'env>(env: &'env Env, options: Object<'_>, hook: Function<'_, (), ()>) -> Result<Object<'env>> {
    let options: Options = env.from_js_value(options)?;
    let host = Host::start(env, options, &hook).map_err(Error::from_reason)?;
    natives::object(env, host)
}
