//! The JS host: runs a program written for Electron's IPC on QuickJS, over the `strait` API.
//!
//! [`Program::locate`] finds the program in a folder or file, [`run`] runs it. The engine, its event loop and modules are
//! `strait-host`'s; here is what makes a main process of it: `require('electron')` with windows, pages and IPC, in JavaScript under
//! `js/`, over a few natives that pass numbers, strings and bytes.

mod events;
mod host;
mod natives;
mod program;
mod run;

pub use program::{LocateError, Program};
pub use run::{RunError, run};
pub use strait::NO_SANDBOX;
