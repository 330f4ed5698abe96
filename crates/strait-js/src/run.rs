//! Runs a program to its end.

use std::rc::Rc;

use crate::{
    engine::Engine,
    event_loop::EventLoop,
    host::{Host, Installed},
    program::Program,
};

/// A program could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The JavaScript engine could not start.
    #[error("can't start the JavaScript engine: {0}")]
    Engine(String),
}

/// Runs it.
pub fn run(program: Program) -> Result<i32, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let host = Rc::new(Host::new(program));
        let _installed = Installed::new(host.clone());
        let engine = Engine::new().await.map_err(RunError::Engine)?;
        Ok(EventLoop::new(host, engine).run().await)
    })
}
