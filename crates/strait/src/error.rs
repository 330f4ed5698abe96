//! Errors of the public API, one type for each operation.

use std::io;

use strait_child::{PostMessageError, PostMessageErrorKind};
use strait_ports::Port;

/// [`App::run`](crate::App::run) could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no display to put windows on.
    #[error("no display: {reason}; run the program inside a desktop session, or under a virtual display: xvfb-run -a PROGRAM")]
    NoDisplay {
        /// GTK's message, or the unset variables.
        reason: String,
    },
    /// The calling thread is not the process's first, which GTK requires.
    #[error("App::run must be called on the process's first thread (from fn main), and once only")]
    WrongThread,
    /// The folder for this process's socket could not be made.
    #[error("can't make the runtime folder: {0}")]
    RuntimeFolder(#[source] io::Error),
    /// The agent could not be installed where the web processes load it.
    #[error("can't install the web process agent in {path}: {source}")]
    Agent {
        /// The folder or file.
        path: std::path::PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file for the events of ports cannot be written.
    #[error("can't write the events of ports to {path}: {source}")]
    Inspect {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The port engine or one of the threads could not start.
    #[error("can't start the message engine: {0}")]
    Engine(#[source] io::Error),
    /// The program is [limited to one instance](crate::AppConfig::single_instance), and another one
    /// runs already. That one has been notified.
    #[error("the program runs already")]
    AlreadyRunning,
    /// Other instances could not be detected: the lock in the program's data folder is not
    /// available.
    #[error("can't look for other instances of the program: {0}")]
    Instance(#[source] io::Error),
}

/// A page could not be loaded.
///
/// Its text is `ERR_FILE_NOT_FOUND (-6) loading 'file:///…'`, as programs written for Electron
/// expect. If the web process agent is missing (`ERR_AGENT_MISSING`) or the sandbox
/// (`ERR_SANDBOX_UNAVAILABLE`), the text also contains the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description} ({code}) loading '{url}'{}", self.reason())]
pub struct LoadError {
    /// The requested URL, resolved.
    pub url: String,
    /// Chromium's number of the error, negative.
    pub code: i32,
    /// Chromium's name of the error.
    pub description: String,
    /// The web engine's own message, for people; may be empty.
    pub detail: String,
}

/// The frame, or the page of the window, no longer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Render frame was disposed before WebFrameMain could be accessed")]
pub struct FrameGone;

/// A second handler was registered for a channel of `handle`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Attempted to register a second handler for '{channel}'")]
pub struct HandlerExists {
    /// The channel.
    pub channel: String,
}

impl From<FrameGone> for PostMessageErrorKind {
    fn from(_: FrameGone) -> Self {
        Self::FrameGone
    }
}

/// The error for a receiver that is gone, with the ports.
pub(crate) fn gone(ports: Vec<Port>) -> PostMessageError<Port> {
    PostMessageError { kind: PostMessageErrorKind::FrameGone, ports }
}

/// `execute_javascript` returned no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The script threw, or its promise was rejected: the error's string.
    #[error("{0}")]
    Thrown(String),
    /// The document was unloaded before the script had finished.
    #[error("the document was unloaded before the script finished")]
    Unloaded,
    /// There is no document for the script.
    #[error(transparent)]
    Frame(#[from] FrameGone),
    /// The returned value is not a well-formed clone.
    #[error("the script's value could not be read: {0}")]
    BadValue(String),
}
