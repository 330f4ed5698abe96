//! The common part of Strait's Node-API addons: `strait-node` for main processes,
//! `strait-node-child` for utility processes.
//!
//! An addon implements [`Host`] for its process and makes a [`Core`] with the function that
//! JavaScript passes. It starts the [loop](run) and gives JavaScript the [natives](Natives):
//! functions that take and return numbers, strings and bytes. Every event is a call of that one
//! function, each a macrotask of its own.
//! function, each a macrotask of its own.
//!
//! **Architecture Invariant**: this crate depends on nothing that links GTK or WebKit.

mod core;
mod event_loop;
mod ffi;
mod natives;
mod ports;
mod value;

pub use self::{
    core::{Core, Host},
    event_loop::{Tasks, run, stop},
    ffi::Hook,
    natives::{Call, Natives, with_ports},
    ports::PortId,
    value::Value,
};
