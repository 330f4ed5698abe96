//! Strait inside a utility process that is Node.js: what `process.parentPort` and `require('electron')` stand on there.
//!
//! The addon joins the process that has started this one, as every child does (`strait-child`), and gives JavaScript the natives of ports. A thread
//! routes while JavaScript is busy; otherwise Node's loop does (`strait-node-core`).
//!
//! **Architecture Invariant**: this library links no GTK and no WebKit. A test reads what it needs, and what such processes have mapped.

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

/// Joins the parent; gives the natives. Once in a process, in Node's main thread.
///
/// `hook(name, ...args)` is called with everything that happens.
///
/// # Errors
/// In a worker thread, a second time, and if this process was not started by Strait.
#[napi]
pub fn start<'env>(env: &'env Env, _options: Object<'_>, hook: Function<'_, (), ()>) -> Result<Object<'env>> {
    let child = Rc::new(Child::join(env, &hook).map_err(Error::from_reason)?);
    strait_node_core::run(child.clone()).map_err(Error::from_reason)?;
    let mut natives = Natives::new(env, child)?;
    // Its name, and its arguments.
    natives.set("childName", |call| Ok(call.host.name.clone()))?;
    natives.set("childArguments", |call| Ok(call.host.arguments.clone()))?;
    // The parent port's number; once.
    natives.set("parentPort", |call| {
        let port = call.host.parent_port.take().ok_or_else(|| Error::from_reason("the parent port has been taken"))?;
        Ok(call.host.core().adopt(vec![port]).pop())
    })?;
    // Whether the process goes on when nothing else keeps it.
    natives.set("keepAlive", |call| {
        call.host.core().keep_alive(call.get(0)?);
        Ok(())
    })?;
    // The process ends, in good order or not: what was posted is delivered, and its ports close with that reason.
    natives.set("leave", |call| {
        call.host.node.leave(if call.get(0)? { CloseReason::Exited } else { CloseReason::Crashed });
        strait_node_core::stop();
        Ok(())
    })?;
    Ok(natives.into_object())
}
