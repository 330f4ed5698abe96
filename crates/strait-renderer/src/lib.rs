//! The agent: what runs beside the page in a renderer process.
//!
//! WebKit loads this library into every web process. It joins main's node (`agent`), gives each document its glue before any page
//! script runs (`document`, `realm`, `js/`), keeps the documents' ports (`ports`) and carries `ipcRenderer`'s traffic (`control`).
//! Everything happens on the page's own thread, in a GLib source that works for at most a millisecond at a time (`pump`), but for what a page asks
//! of the file system and does not wait for (`system`).
//!
//! > **Architecture Invariant:** nothing the agent gives a realm is reachable from a script of the page: natives are arguments of the
//! > glue's closures, and only primitives and bytes go from one world to the other.

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

/// Called once, when WebKit has loaded the library: `data` is the encoded `AgentInit`.
fn start(extension: ffi::Extension, data: Vec<u8>) {
    if let Err(error) = agent::start(&extension, &data) {
        strait_output::report!("strait agent: {error}");
        agent::report_failure(&extension, &error);
    }
}
