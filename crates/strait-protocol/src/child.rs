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

/// From a child to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromChild {
    /// It cannot go on, and ends.
    Fatal(Fatal),
}

/// Why a child cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fatal {
    /// The file, line and column of the script, if it is known.
    pub location: String,
    /// What there is to say, for people.
    pub report: String,
}

/// What a child is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The process's name for people.
    pub name: String,
    /// What a child in JavaScript runs.
    pub script: Option<Script>,
}

/// A script with what it finds in `process`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// As the program named it: relative to the child's working folder, perhaps without its extension.
    pub module: String,
    /// `process.argv` behind the module.
    pub args: Vec<String>,
    /// `process.execArgv`.
    pub exec_args: Vec<String>,
}
