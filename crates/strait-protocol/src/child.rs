//! The messages between main and its children. They use the bootstrap port, which is not the
//! program's port. Its close means that main has ended.

use serde::{Deserialize, Serialize};

/// The environment variable with the path of the file for the events of a child's ports, if they
/// are inspected.
pub const INSPECT_VARIABLE: &str = "STRAIT_INSPECT_PORTS";

/// From main to a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToChild {
    /// The first message, with one port: the child's parent port.
    Start(Start),
}

/// Name and arguments of a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The process's name for people.
    pub name: String,
    /// The arguments behind a script's file in `process.argv`.
    pub args: Vec<String>,
}
