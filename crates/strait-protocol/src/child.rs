//! What main and a child that it has started tell each other. It goes over the bootstrap port, which is not the program's: it says by its close that main is gone.

use serde::{Deserialize, Serialize};

/// The environment variable that names the file for the events of a child's ports, if they are inspected.
pub const INSPECT_VARIABLE: &str = "STRAIT_INSPECT_PORTS";

/// From main to a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToChild {
    /// The first message, with one port: the child's parent port.
    Start(Start),
}

/// What a child is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The process's name for people.
    pub name: String,
    /// What a script finds in `process.argv` behind its file.
    pub args: Vec<String>,
}
