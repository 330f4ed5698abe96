//! The agent: the library that WebKit loads into each web process.
//!
//! | work | modules |
//! |---|---|
//! | joins main's node | `agent` |
//! | puts the glue into each document before any page script runs | `document`, `realm`, `js/` |
//! | keeps the documents' ports | `ports` |
//! | carries `ipcRenderer`'s messages | `control` |
//!
//! All of this happens on the page's thread, in a GLib source that works for 1 ms at a time
//! (`pump`). Only file operations that the page does not wait for run on other threads (`system`).
//!
//! > **Architecture Invariant:** no page script can reach an object that the agent gives a realm.
//! > Natives are arguments of the glue's closures, and only primitives and bytes cross between
//! > worlds.

mod agent;
mod buffer_pool;
mod builtins;
mod cage;
mod control;
mod document;
mod ffi;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(feature = "hostile")]
mod hostile;
mod idle_memory;
mod message_writers;
mod modules;
mod natives;
#[cfg(feature = "planted-elimination")]
mod planted;
mod popup;
mod ports;
mod pump;
mod range_allocator;
mod realm;
mod strip_comments;
mod system;
mod trace;
mod untracked_ports;
mod world_calls;

/// WebKit calls this once, when it has loaded the library. `data` is the encoded `AgentInit`.
fn start(extension: ffi::Extension, data: Vec<u8>) {
    if let Err(error) = agent::start(&extension, &data) {
        strait_output::report!("strait agent: {error}");
        agent::report_failure(&extension, &error);
    }
}
