//! Strait inside a utility process that is Node.js: the base of `process.parentPort` and
//! `require('electron')`.
//!
//! The addon joins the parent process, as every child does (`strait-child`), and gives JavaScript
//! the natives for ports. A thread routes while JavaScript is busy; otherwise Node's loop does
//! (`strait-node-core`).
//!
//! **Architecture Invariant**: this library links no GTK and no WebKit. A test checks its
//! dependencies, and the files that such processes have mapped.

mod child;

use std::rc::Rc;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{Function, Object},
};
use napi_derive::napi;
use strait_node_core::{Host, Natives};
use strait_ports::CloseReason;

use crate::child::Child;

/// Joins the parent; returns the natives. Once in a process, in Node's main thread.
///
/// `hook(name, ...args)` is called for every event.
///
/// # Errors
/// In a worker thread, a second time, or if this process was not started by Strait.
#[napi]
pub fn start<'env>(env: &'env Env, _options: Object<'_>, hook: Function<'_, (), ()>) -> Result<Object<'env>> {
    let child = Rc::new(Child::join(env, &hook).map_err(Error::from_reason)?);
    strait_node_core::run(child.clone()).map_err(Error::from_reason)?;
    let mut natives = Natives::new(env, child)?;
    // The process's name, and its arguments.
    natives.set("childName", |call| Ok(call.host.name.clone()))?;
    natives.set("childArguments", |call| Ok(call.host.arguments.clone()))?;
    // The parent port's number; once.
    natives.set("parentPort", |call| {
        let port = call.host.parent_port.take().ok_or_else(|| Error::from_reason("the parent port has been taken"))?;
        Ok(call.host.core().adopt(vec![port]).pop())
    })?;
    // Whether the process continues when nothing else keeps it alive.
    natives.set("keepAlive", |call| {
        call.host.core().keep_alive(call.get(0)?);
        Ok(())
    })?;
    // The process ends, in order or not: posted messages are delivered, and its ports close with
    // that reason.
    natives.set("leave", |call| {
        call.host.node.leave(if call.get(0)? { CloseReason::Exited } else { CloseReason::Crashed });
        strait_node_core::stop();
        Ok(())
    })?;
    Ok(natives.into_object())
}
