//! The control messages between the main process and the agent in a renderer.
//!
//! Data only. Both sides exchange these over the bootstrap port that `strait-ports` gives a node
//! when it joins. Ports that belong to a message are sent with it in the same port message, in
//! order. Values (`payload`) are structured clones in V8's wire format. `strait-clone` makes and
//! reads them; here they are opaque bytes.
//!
//! A renderer may be hostile. A message that main decodes with [`decode`] is well-formed, and
//! nothing more is certain. Ids in it have a meaning only together with the agent that sent them.

pub mod child;

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The name of the WebKit user message that carries a [`ViewConfig`] to a page. The agent answers
/// with a [`ViewReply`].
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
/// Pairs a reply with its request; chosen by the requesting side.
pub type RequestId = u64;

/// The data with which a new renderer process joins: initialization user data of the web process
/// extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInit {
    /// Pathname of main's listening `SOCK_SEQPACKET` socket.
    pub socket: PathBuf,
    /// The first packet that the agent sends there.
    pub token: Nonce,
    /// The file for the events of the process's ports, if they are inspected.
    pub inspect: Option<PathBuf>,
    /// Whether pages have `gc()`.
    pub expose_gc: bool,
    /// Whether the process should run in the operating system's sandbox.
    pub sandboxed: bool,
}

/// A view's configuration, which the agent needs before the first document. It is sent through
/// WebKit to the page itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewConfig {
    /// Returned in [`ToMain::PageBound`]: binds the page to the view.
    pub nonce: Nonce,
    /// The window's number, for reports about it.
    pub window: u32,
    /// Absolute path of the preload script. It is read again for each document of the main frame:
    /// by the agent, or for a sandboxed page by main ([`ToMain::PreloadWanted`]).
    pub preload: Option<PathBuf>,
    /// Preload and `ipcRenderer` are in the isolated world.
    pub context_isolation: bool,
    /// The page's own world gets `require`.
    pub node_integration: bool,
    /// Frames in the page have preload and `require` too.
    pub sub_frames: bool,
    /// The value of `process.sandboxed`: the agent reads no file and makes no other use of the
    /// system for the page.
    pub sandbox: bool,
    /// The last arguments in `process.argv`.
    pub arguments: Vec<String>,
    /// The program's folder: the base of relative paths in `require` where no file is the base.
    pub app_path: PathBuf,
}

/// The agent's answer to a [`ViewConfig`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ViewReply {
    /// The page belongs to the view.
    Bound,
    /// The agent was loaded and could not start; the text contains the reason.
    Failed(String),
}

/// The document that a view shows. WebKit delivers this behind its own report of the document's
/// commit. So the UI process gets the document's URL without the agent's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentBinding {
    /// From the [`ViewConfig`] of the page's process: another process of the same view has another
    /// nonce.
    pub nonce: Nonce,
    /// A document of the main frame.
    pub document: DocumentId,
}

/// A structured clone, or the error that took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The value's bytes.
    Value(Vec<u8>),
    /// The error's string, in the form of `String(error)`: `Error: text`.
    Error(String),
}

/// The method by which a page sent a message to main.
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

/// The realm of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum World {
    /// The page's own.
    Main,
    /// The preload's.
    Isolated,
}

/// The realm and the form in which a message from main is delivered in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmitKind {
    /// `send`: emitted on `ipcRenderer`; the payload is the array of arguments.
    Send,
    /// `postMessage`: emitted on `ipcRenderer`; the payload is the message.
    PostMessage,
    /// `postMessage` with `{ world: 'main' }`: a `message` event on the page's own window; the
    /// payload is the message.
    Window,
}

impl EmitKind {
    /// The form in which a message reaches the scripts of a world.
    pub fn message_in(world: World) -> Self {
        match world {
            World::Main => Self::Window,
            World::Isolated => Self::PostMessage,
        }
    }
}

/// The decision about a page that a page has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The page belongs to this view.
    Bound(Box<ViewConfig>),
    /// The program refuses it; its view is removed.
    Refused,
    /// No page has opened it. Its view, if it has one, will send the configuration.
    Unknown,
}

/// From an agent to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMain {
    /// A page exists; the nonce proves to which view it belongs.
    PageBound {
        /// From [`ViewConfig`].
        nonce: Nonce,
        /// The page.
        page: PageId,
    },
    /// A page was made in a process that already has pages, usually by `window.open`. The process
    /// waits for [`ToAgent::PageSettled`].
    PageOpened {
        /// The page.
        page: PageId,
        /// The target argument of `window.open`; empty for links.
        target: String,
        /// The features argument of `window.open`.
        features: String,
    },
    /// A document begins (its window object was cleared); no script of the page has run.
    DocumentCreated {
        /// The page that contains it.
        page: PageId,
        /// Its number.
        document: DocumentId,
        /// Its frame.
        frame: FrameId,
        /// The frame's parent; `None` for the main frame.
        parent: Option<FrameId>,
        /// The URL from which it was loaded.
        url: String,
        /// Its origin, `"null"` if opaque.
        origin: String,
        /// The frame's name.
        name: String,
    },
    /// DOMContentLoaded.
    DocumentReady {
        /// The document.
        document: DocumentId,
    },
    /// The document was unloaded; its ports are closed.
    DocumentGone {
        /// The document.
        document: DocumentId,
        /// The frame itself was removed too (iframe removed, page closed).
        frame_gone: bool,
    },
    /// A page's IPC message. Its ports are sent with it.
    Ipc {
        /// The sending document.
        document: DocumentId,
        /// The method.
        kind: IpcKind,
        /// The channel.
        channel: String,
        /// The structured clone.
        payload: Vec<u8>,
    },
    /// A line for the terminal.
    Console {
        /// The page.
        page: PageId,
        /// The severity.
        level: ConsoleLevel,
        /// The text.
        text: String,
        /// The script's URL; may be empty.
        source: String,
        /// The line in the script.
        line: u32,
    },
    /// Answer to [`ToAgent::Eval`].
    EvalDone {
        /// The request.
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
        /// The page.
        page: PageId,
    },
    /// The document's load event.
    DocumentLoaded {
        /// The document.
        document: DocumentId,
    },
    /// The document's `pagehide`: its `unload` listeners run next, and [`ToMain::DocumentGone`]
    /// follows.
    DocumentLeaving {
        /// The document.
        document: DocumentId,
    },
    /// A document of a sandboxed page begins and needs its preload's text. The process waits for
    /// [`ToAgent::Preload`].
    PreloadWanted {
        /// The page.
        page: PageId,
    },
}

/// From main to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// `webContents.send` or `.postMessage`. Held until the document's `ipcRenderer` has a listener
    /// for the channel, or the document reaches DOMContentLoaded; an event of the window waits for
    /// the latter. Ports are sent with the message.
    Emit {
        /// The receiving document.
        document: DocumentId,
        /// The channel.
        channel: String,
        /// The form of delivery.
        kind: EmitKind,
        /// The structured clone.
        payload: Vec<u8>,
    },
    /// Answers `invoke` and `sendSync`. The error text of an invoke is all text after
    /// `Error invoking remote method 'CHANNEL': `.
    Reply {
        /// The requesting document.
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
        /// The document.
        document: DocumentId,
        /// The realm.
        world: World,
        /// The script's text.
        source: String,
    },
    /// Answers [`ToMain::PageOpened`].
    PageSettled {
        /// The page.
        page: PageId,
        /// The decision.
        verdict: Verdict,
    },
    /// The view will be removed: close the page's ports (`unloaded`) and answer with
    /// [`ToMain::PageClosed`].
    ClosePage {
        /// The page.
        page: PageId,
    },
    /// The first message: the process is admitted.
    Admitted {
        /// The process's id as main and the system have it. Inside a sandbox the process has
        /// another one.
        pid: u32,
    },
    /// Answers [`ToMain::PreloadWanted`].
    Preload {
        /// The requesting page.
        page: PageId,
        /// The script's text, or the reason why it cannot be read.
        text: Result<String, String>,
    },
}

/// Bytes that are not a message of this protocol.
#[derive(Debug, thiserror::Error)]
#[error("not a control message: {0}")]
pub struct DecodeError(#[from] postcard::Error);

/// A control message as bytes.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // Every type here is plain data with known lengths; postcard fails only for other types.
    postcard::to_stdvec(message).expect("plain data encodes")
}

/// The message in `bytes`; trailing bytes are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (message, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(message) } else { Err(DecodeError(postcard::Error::DeserializeUnexpectedEnd)) }
}
