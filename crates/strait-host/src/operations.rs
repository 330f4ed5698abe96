//! What the program has the system do: its open files, and operations that are done beside it.

use std::sync::Arc;

use strait_system::{Descriptors, Failure, Gives, Pool};
use tokio::sync::Notify;

/// An operation that is over.
pub(crate) struct Done {
    /// By which the scripts know it.
    pub(crate) request: u32,
    pub(crate) result: Result<Gives, Failure>,
}

/// See the module.
pub(crate) struct Operations {
    pub(crate) pool: Pool<Done>,
    pub(crate) files: Arc<Descriptors>,
}

impl Operations {
    /// `wake` wakes the loop that takes what is done.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self { pool: Pool::new(move || wake.notify_one()), files: Arc::new(Descriptors::with_standard()) }
    }
}
