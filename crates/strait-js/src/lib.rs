//! The JS host: runs a program written for Electron's IPC on QuickJS, over the `strait` API.
//!
//! [`Program::locate`] finds the program in a folder or file, [`run`] runs it. The program's `main.js` gets CommonJS, the usual
//! pure modules (`path`, `fs`, `events`, ...) and `require('electron')`; that and everything else a program sees of the host is
//! JavaScript under `js/`, over a few natives that pass numbers, strings and bytes.

mod builtins;
mod engine;
mod event_loop;
mod events;
mod ffi;
mod host;
mod natives;
mod ports;
mod program;
mod ready;
mod run;

pub use program::{LocateError, Program};
pub use run::{RunError, run};
