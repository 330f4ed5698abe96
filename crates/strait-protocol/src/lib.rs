//! The control messages between the main process and the agent in a renderer.
//!
//! Data only. Both sides exchange these over the bootstrap port that `strait-ports` gives a node when it joins; ports that
//! belong to a message ride beside it in the same port message, in order. Values (`payload`) are structured clones in V8's wire
//! format, made and read by `strait-clone`; this crate does not look into them.
//!
//! A renderer may be hostile: whatever main decodes with [`decode`] is well-formed, nothing more. Ids in it mean something only
//! together with the agent they came from.

pub mod child;

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The name of the WebKit user message that carries a [`ViewConfig`] to a page. The agent answers with a [`ViewReply`].
pub const VIEW_MESSAGE: &str = "strait-view";
/// The name of the WebKit user message that carries a [`DocumentBinding`] from a page to its view.
pub const DOCUMENT_MESSAGE: &str = "strait-document";

/// A secret that is used once.
pub type Nonce = [u8; 16];
/// A page of one renderer process (WebKit's page id). A view's page changes only with its process.
pub type PageId = u64;
/// A frame of one renderer process (WebKit's frame id): survives navigation inside the process.
pub type FrameId = u64;
/// A document (one global object in one frame), numbered by its agent, never reused there.
pub type DocumentId = u64;
/// Pairs a reply with its request; chosen by who asks.
pub type RequestId = u64;

/// What a new renderer process needs to join: initialization user data of the web process extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInit {
    /// Pathname of main's listening `SOCK_SEQPACKET` socket.
    pub socket: PathBuf,
    /// First packet the agent sends there.
    pub token: Nonce,
    /// The file for the events of the process's ports, if they are inspected.
    pub inspect: Option<PathBuf>,
    /// Whether pages have `gc()`.
    pub expose_gc: bool,
    /// Whether the process was to be started in the operating system's sandbox.
    pub sandboxed: bool,
}

/// What the agent must know of a view before its first document; sent through WebKit to the page itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewConfig {
    /// Returned in [`ToMain::PageBound`]: binds the page to the view.
    pub nonce: Nonce,
    /// The window's number, for what is told of it.
    pub window: u32,
    /// Absolute path of the preload script, read anew for each document of the main frame: by the agent, or in a sandboxed page by main
    /// ([`ToMain::PreloadWanted`]).
    pub preload: Option<PathBuf>,
    /// Preload and `ipcRenderer` live in the isolated world.
    pub context_isolation: bool,
    /// The page's own world gets `require`.
    pub node_integration: bool,
    /// Preload and `require` are for the frames in the page too.
    pub sub_frames: bool,
    /// What `process.sandboxed` says: the agent reads no file and does nothing of the system for the page.
    pub sandbox: bool,
    /// What `process.argv` ends with.
    pub arguments: Vec<String>,
    /// The program's folder: `require` of relative paths without a file to be relative to.
    pub app_path: PathBuf,
}

/// The agent's answer to a [`ViewConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewReply {
    /// The page belongs to the view.
    Bound,
    /// The agent was loaded and could not start; the text says why.
    Failed(String),
}

/// Which document a view shows. WebKit delivers it behind its own notice of the document's commit, so the UI process knows the
/// document's URL without the agent's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentBinding {
    /// From the [`ViewConfig`] of the page's process: another process of the same view has another nonce.
    pub nonce: Nonce,
    /// A document of the main frame.
    pub document: DocumentId,
}

/// A structured clone, or the error that took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The value's bytes.
    Value(Vec<u8>),
    /// The error's string (`Error: text` as `String(error)` gives it).
    Error(String),
}

/// How a page sent something to main.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpcKind {
    /// `ipcRenderer.send`: payload is the array of arguments.
    Send,
    /// `ipcRenderer.postMessage`: payload is the message.
    PostMessage,
    /// `ipcRenderer.invoke`: payload is the array of arguments; answered by [`ToAgent::Reply`].
    Invoke(RequestId),
    /// `ipcRenderer.sendSync`: the page is blocked until [`ToAgent::Reply`].
    SendSync(RequestId),
}

/// The level of a console message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsoleLevel {
    /// `console.debug`
    Debug,
    /// `console.info`
    Info,
    /// `console.log`
    Log,
    /// `console.warn`
    Warning,
    /// `console.error` and uncaught errors
    Error,
}

/// Which realm of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum World {
    /// The page's own.
    Main,
    /// The preload's.
    Isolated,
}

/// Where in a document a message from main is delivered, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmitKind {
    /// `send`: emitted on `ipcRenderer`; the payload is the array of arguments.
    Send,
    /// `postMessage`: emitted on `ipcRenderer`; the payload is the message.
    PostMessage,
    /// `postMessage` with `{ world: 'main' }`: a `message` event on the page's own window; the payload is the message.
    Window,
}

impl EmitKind {
    /// How a message reaches the scripts of a world.
    pub fn message_in(world: World) -> Self {
        match world {
            World::Main => Self::Window,
            World::Isolated => Self::PostMessage,
        }
    }
}

/// What becomes of a page that a page has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It is this view's.
    Bound(Box<ViewConfig>),
    /// The program does not want it: its view goes.
    Refused,
    /// No page has opened it. Its view, if it has one, will say what it is.
    Unknown,
}

/// From an agent to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMain {
    /// A page exists; the nonce proves for which view.
    PageBound {
        /// From [`ViewConfig`].
        nonce: Nonce,
        /// The page.
        page: PageId,
    },
    /// A page was made in a process that has pages already, as a rule by `window.open`. The process waits for [`ToAgent::PageSettled`].
    PageOpened {
        /// The page.
        page: PageId,
        /// What `window.open` was given as its target; empty for links.
        target: String,
        /// What it was given as its features.
        features: String,
    },
    /// A document begins (its window object was cleared); no script of the page has run.
    DocumentCreated {
        /// The page it is in.
        page: PageId,
        /// Its number.
        document: DocumentId,
        /// Its frame.
        frame: FrameId,
        /// The frame's parent; `None` for the main frame.
        parent: Option<FrameId>,
        /// Where it was loaded from.
        url: String,
        /// Its origin, `"null"` if opaque.
        origin: String,
        /// The frame's name.
        name: String,
    },
    /// DOMContentLoaded.
    DocumentReady {
        /// Which.
        document: DocumentId,
    },
    /// The document was unloaded; its ports are closed.
    DocumentGone {
        /// Which.
        document: DocumentId,
        /// The frame itself went too (iframe removed, page closed).
        frame_gone: bool,
    },
    /// A page's IPC. Ports ride beside it.
    Ipc {
        /// The sending document.
        document: DocumentId,
        /// How.
        kind: IpcKind,
        /// The channel.
        channel: String,
        /// The clone.
        payload: Vec<u8>,
    },
    /// A line for the terminal.
    Console {
        /// The page.
        page: PageId,
        /// How bad.
        level: ConsoleLevel,
        /// The text.
        text: String,
        /// The script's URL, may be empty.
        source: String,
        /// Line in it.
        line: u32,
    },
    /// Answer to [`ToAgent::Eval`].
    EvalDone {
        /// Whose answer.
        request: RequestId,
        /// The completion value (promises awaited).
        outcome: Outcome,
    },
    /// The preload script could not be read or threw; `message` has file and line.
    PreloadError {
        /// The page.
        page: PageId,
        /// The script.
        path: PathBuf,
        /// Error text with stack.
        message: String,
    },
    /// Answer to [`ToAgent::ClosePage`]: every port of the page is closed.
    PageClosed {
        /// Which.
        page: PageId,
    },
    /// The document's load event.
    DocumentLoaded {
        /// Which.
        document: DocumentId,
    },
    /// The document's `pagehide`: its `unload` listeners run next, and [`ToMain::DocumentGone`] follows.
    DocumentLeaving {
        /// Which.
        document: DocumentId,
    },
    /// A document of a sandboxed page begins and needs its preload's text. The process waits for [`ToAgent::Preload`].
    PreloadWanted {
        /// The page.
        page: PageId,
    },
}

/// From main to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// `webContents.send` or `.postMessage`: held until the document's `ipcRenderer` has a listener for the channel or the document reaches
    /// DOMContentLoaded; for the window's own event, the latter alone counts. Ports ride beside it.
    Emit {
        /// To which document.
        document: DocumentId,
        /// The channel.
        channel: String,
        /// As what.
        kind: EmitKind,
        /// The clone.
        payload: Vec<u8>,
    },
    /// Answers `invoke` and `sendSync`. The error text of an invoke is the whole message after `Error invoking remote method 'CHANNEL': `.
    Reply {
        /// The asking document.
        document: DocumentId,
        /// Its request.
        request: RequestId,
        /// The answer.
        outcome: Outcome,
    },
    /// `executeJavaScript`.
    Eval {
        /// Chosen by main.
        request: RequestId,
        /// Where.
        document: DocumentId,
        /// In which realm.
        world: World,
        /// What.
        source: String,
    },
    /// Answers [`ToMain::PageOpened`].
    PageSettled {
        /// Which page.
        page: PageId,
        /// What becomes of it.
        verdict: Verdict,
    },
    /// The view is about to go: close the page's ports (`unloaded`) and answer [`ToMain::PageClosed`].
    ClosePage {
        /// Which.
        page: PageId,
    },
    /// The first message: the process is admitted.
    Admitted {
        /// The process's number as main and the system have it. Inside a sandbox the process itself sees another.
        pid: u32,
    },
    /// Answers [`ToMain::PreloadWanted`].
    Preload {
        /// The page that asked.
        page: PageId,
        /// The script's text, or why it cannot be read.
        text: Result<String, String>,
    },
}

/// Bytes that are no message of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("not a control message: {0}")]
pub struct DecodeError(#[from] postcard::Error);

/// A control message as bytes.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // Every type here is plain data with known lengths: postcard can only fail on those that are not.
    postcard::to_stdvec(message).expect("plain data encodes")
}

/// The message in `bytes`; trailing bytes are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (message, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(DecodeError(postcard::Error::DeserializeUnexpectedEnd)) }
}
