//! Strait inside Node.js: the base of a main process's `require('electron')`.
//!
//! The addon is loaded by Node's main thread, whose JavaScript is the program. [`start`] gives
//! JavaScript the natives: functions that take and return numbers, strings and bytes. Every event
//! (of windows, messages of pages and ports, the end of an operation that a script awaits) is a
//! call of the one function that JavaScript has passed. Each call is a macrotask of its own.
//!
//! GTK has a thread of its own, and the I/O thread of the crate `strait` routes while JavaScript is
//! busy. libuv's loop polls the node's descriptor: `strait-node-core`, which also has the parts
//! that the children's addon needs.

mod events;
mod host;
mod natives;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{Function, Object},
};
use napi_derive::napi;

use crate::host::{Host, Options};

/// Starts Strait's part of the program; returns the natives. Once in a process, in Node's main
/// thread.
///
/// `hook(name, ...args)` is called for every event; the result `true` prevents an announced action.
///
/// # Errors
/// In a worker thread, a second time, or if the runtime folder, the agent or the engine cannot be
/// set up.
#[napi]
pub fn start<'env>(env: &'env Env, options: Object<'_>, hook: Function<'_, (), ()>) -> Result<Object<'env>> {
    let options: Options = env.from_js_value(options)?;
    let host = Host::start(env, options, &hook).map_err(Error::from_reason)?;
    natives::object(env, host)
}
