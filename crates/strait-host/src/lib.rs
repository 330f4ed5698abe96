//! What runs JavaScript in Strait's processes without a window: QuickJS with an event loop, ports, CommonJS, timers, console and `process`.
//!
//! An [`Embedder`] makes a main process of it (`strait-js`, over the `strait` API) or a child. Everything a program sees of the host is
//! JavaScript under `js/`, over a few natives that pass numbers, strings and bytes.
//!
//! **Architecture Invariant**: nothing here, and nothing this crate depends on, knows of windows: a child that links it loads no GTK and no WebKit.

mod builtins;
mod engine;
mod event_loop;
mod ffi;
mod host;
mod natives;
mod operations;
mod ports;
mod ready;

pub use engine::Engine;
pub use event_loop::EventLoop;
pub use host::{Embedder, Entry, Host, Incoming, Installed, host};
pub use natives::{with_ports, written};
pub use ready::PortId;
