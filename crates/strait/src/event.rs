//! All events of a program. The events of one window keep their order, and so do those of windows
//! whose pages share a process. Windows take turns, so that none delays the others.
//!
//! [`App::set_event_sink`](crate::App::set_event_sink) receives the events themselves. Without a
//! sink they go to the handlers that were registered on the handles.

use std::{path::PathBuf, sync::Arc};

use strait_ports::Port;

use crate::{
    App, BrowserWindow, ConsoleLevel, LoadError, Opened, QuotaGuard, Responder, SecondInstance, UtilityEvent, UtilityProcess, WebContents,
    WebFrameMain, WindowOpenRequest, registry::SenderDocument, shared::SharedRef,
};

/// A document's number: unique in the whole program, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId(pub(crate) u64);

impl DocumentId {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The document with this number, if it ever existed.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// An event of the program.
///
/// ```no_run
/// # fn f(app: &strait::App) {
/// app.set_event_sink(|event| match event {
///     strait::AppEvent::Ipc(message) => println!("{} says {} bytes", message.url, message.payload.len()),
///     strait::AppEvent::Quit { code } => println!("that was all: {code}"),
///     _ => {}
/// });
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AppEvent {
    /// A page's `ipcRenderer` sent something.
    Ipc(IpcMessage),
    /// Something happened to a window. `Closed` is a window's last event.
    Window {
        /// The window.
        window: BrowserWindow,
        /// The event.
        event: WindowEvent,
    },
    /// A window was made: by the program, or by a page that opened it.
    WindowCreated {
        /// The window.
        window: BrowserWindow,
        /// The page that opened it, and the request. Boxed, because it is rare.
        opened: Option<Box<Opened>>,
    },
    /// A page requests to open a window, and waits (see [`WebContents::set_window_open_handler`]).
    /// Dropping the request refuses it.
    WindowOpen(WindowOpenRequest),
    /// The user or the program requests that the window closes. It closes when the decision is
    /// dropped, unless that was prevented.
    WindowClose {
        /// The window.
        window: BrowserWindow,
        /// The program's decision.
        decision: Decision,
    },
    /// The page has a new title. The window gets it when the decision is dropped, unless that was
    /// prevented.
    WindowTitle {
        /// The window.
        window: BrowserWindow,
        /// The title.
        title: String,
        /// The program's decision.
        decision: Decision,
    },
    /// Something happened to a window's page.
    Contents {
        /// The page.
        contents: WebContents,
        /// The event.
        event: ContentsEvent,
        /// Its share of the renderer's quota.
        quota_guard: QuotaGuard,
    },
    /// Something happened to a frame.
    Frame {
        /// The frame.
        frame: WebFrameMain,
        /// Its page.
        contents: WebContents,
        /// The event.
        event: FrameEvent,
        /// Its share of the renderer's quota.
        quota_guard: QuotaGuard,
    },
    /// The last window closed (not while quitting). The program quits when the decision is dropped,
    /// unless that was prevented. If the program has made another window by then, the decision no
    /// longer [`stands`](Decision::stands), and no handler should be called.
    WindowAllClosed(Decision),
    /// Another instance of the program was started, and was refused the single-instance lock.
    SecondInstance(Box<SecondInstance>),
    /// [`App::quit`] was called. Windows begin to close when the decision is dropped, unless that
    /// was prevented.
    BeforeQuit(Decision),
    /// All windows are closed. The program ends when the decision is dropped, unless that was
    /// prevented.
    WillQuit(Decision),
    /// Something happened to a child process.
    Utility {
        /// The child process.
        process: UtilityProcess,
        /// The event.
        event: UtilityEvent,
    },
    /// The last event: the program ends with this code when the event has been handled.
    Quit {
        /// The exit code.
        code: i32,
    },
}

/// Something that happened to a window.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WindowEvent {
    /// The window's first page has content to show.
    ReadyToShow,
    /// It became visible.
    Shown,
    /// It was hidden.
    Hidden,
    /// It got the keyboard focus.
    Focused,
    /// It lost the keyboard focus.
    Blurred,
    /// Its inner size changed, in logical pixels.
    Resized {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// It was moved; the position of its upper left corner, in logical pixels of the screen.
    Moved {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
    },
    /// It was minimized.
    Minimized,
    /// It is no longer minimized.
    Restored,
    /// It fills the screen.
    Maximized,
    /// It no longer fills the screen.
    Unmaximized,
    /// Whether it stays above others has changed.
    AlwaysOnTop(bool),
    /// It is closed. Its handles stay valid; `is_destroyed` returns true.
    Closed,
}

/// Something that happened to a page.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ContentsEvent {
    /// A load began.
    DidStartLoading,
    /// The main frame starts to navigate to another document; the navigation may still fail.
    DidStartNavigation {
        /// The URL.
        url: String,
    },
    /// The main frame shows another document, or another place in the same one.
    DidNavigate {
        /// The URL that it shows now.
        url: String,
        /// Only the fragment or the history state changed.
        same_document: bool,
        /// The status of the HTTP response; `None` if the document did not come by HTTP.
        status: Option<u16>,
    },
    /// DOMContentLoaded in the main frame.
    DomReady,
    /// The load event of the main frame.
    DidFinishLoad,
    /// A load failed; the former document stays.
    DidFailLoad(LoadError),
    /// No load is under way any more.
    DidStopLoading,
    /// The document has another title.
    TitleUpdated(String),
    /// The page wrote to its console.
    Console(ConsoleMessage),
    /// The preload script could not be read, or threw.
    PreloadError {
        /// The script.
        path: PathBuf,
        /// The error's text with its place.
        message: String,
    },
    /// The page's process has ended, and all its ports are closed. `reload` starts a new one.
    RenderProcessGone {
        /// `crashed`, `killed`, `oom` or `abnormal-exit`, as in Electron.
        reason: &'static str,
        /// Its exit code, or the number of the signal that ended it.
        exit_code: i32,
    },
    /// The page has not answered for some time, though its window is visible: its scripts loop, or
    /// wait in `sendSync`.
    Unresponsive,
    /// It answers again.
    Responsive,
    /// Its inspector has opened.
    DevToolsOpened,
    /// Its inspector has closed.
    DevToolsClosed,
    /// The page was destroyed with its window.
    Destroyed,
}

/// A line of a page's console.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsoleMessage {
    /// The severity.
    pub level: ConsoleLevel,
    /// The text.
    pub text: String,
    /// The script's URL; may be empty.
    pub source: String,
    /// The line in it, from 1; 0 if unknown.
    pub line: u32,
}

/// Something that happened to a frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FrameEvent {
    /// The frame was created; it has no document yet.
    Created,
    /// The frame has a new document; no script of it has run yet.
    DocumentCreated {
        /// Its number.
        document: DocumentId,
        /// Its URL.
        url: String,
    },
    /// DOMContentLoaded.
    DomReady {
        /// The document.
        document: DocumentId,
    },
    /// The load event.
    Loaded {
        /// The document.
        document: DocumentId,
    },
    /// The document was unloaded.
    DocumentGone {
        /// The document.
        document: DocumentId,
    },
    /// The frame itself was removed.
    Gone,
}

/// A message from a page.
#[derive(Debug)]
pub struct IpcMessage {
    /// The page.
    pub sender: WebContents,
    /// The frame. It may show another document by now; [`IpcMessage::sender_frame`] checks that.
    pub frame: WebFrameMain,
    /// The document that sent it.
    pub document: DocumentId,
    /// The URL of that document when it sent the message; see [`WebFrameMain::url`] for its source.
    pub url: Arc<str>,
    /// Its origin.
    pub origin: Arc<str>,
    /// Whether the document was being unloaded.
    pub leaving: bool,
    /// The channel.
    pub channel: String,
    /// How the page sent it, and the responder.
    pub kind: IpcEventKind,
    /// The structured clone: an array of arguments, or for `PostMessage` the message itself.
    pub payload: Vec<u8>,
    /// The transferred ports.
    pub ports: Vec<Port>,
    /// Its share of the renderer's quota.
    pub quota_guard: QuotaGuard,
}

impl IpcMessage {
    /// The frame that sent it, with the rule of
    /// [`IpcEvent::sender_frame`](crate::IpcEvent::sender_frame).
    pub fn sender_frame(&self) -> Option<WebFrameMain> {
        self.frame.of_sender(&self.sender_document())
    }

    pub(crate) fn sender_document(&self) -> SenderDocument {
        SenderDocument::new(self.document, self.origin.clone(), self.leaving)
    }
}

/// The method by which a page sent a message.
#[derive(Debug)]
pub enum IpcEventKind {
    /// `ipcRenderer.send`
    Send,
    /// `ipcRenderer.postMessage`
    PostMessage,
    /// `ipcRenderer.invoke`
    Invoke(Responder),
    /// `ipcRenderer.sendSync`: the page is blocked until the responder is used or dropped.
    SendSync(Responder),
}

/// A decision about an action that happens unless the program prevents it. Dropping the decision
/// lets the action happen.
///
/// ```no_run
/// # fn handle(event: strait::AppEvent, keep_open: bool) {
/// if let strait::AppEvent::WindowClose { decision, .. } = event {
///     if keep_open {
///         decision.prevent();
///     } // else: dropped here, and the window closes
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Decision {
    shared: Option<SharedRef>,
    question: Question,
}

/// The action that a [`Decision`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    CloseWindow(crate::WindowId),
    Title(crate::WindowId, String),
    /// Contains the number of the last window that had been made.
    AllClosed(u32),
    BeginQuit,
    EndQuit,
}

impl Decision {
    pub(crate) fn new(shared: SharedRef, question: Question) -> Self {
        Self { shared: Some(shared), question }
    }

    /// Whether the decision still has an effect: for [`AppEvent::WindowAllClosed`] it has none once
    /// there is another window.
    pub fn stands(&self) -> bool {
        match (&self.shared, &self.question) {
            (Some(shared), Question::AllClosed(last)) => shared.state().last_window == *last,
            _ => true,
        }
    }

    /// Prevents the action. A prevented `close` or `will-quit` also ends the attempt to quit that
    /// caused it.
    pub fn prevent(mut self) {
        if let Some(shared) = self.shared.take() {
            crate::quit::prevented(&shared, self.question.clone());
        }
    }
}

impl Drop for Decision {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            crate::quit::agreed(&shared, self.question.clone());
        }
    }
}

impl AppEvent {
    /// The app this event belongs to, where the event names a handle.
    pub fn app(&self) -> Option<&App> {
        match self {
            Self::Ipc(message) => Some(message.sender.app()),
            Self::Window { window, .. }
            | Self::WindowCreated { window, .. }
            | Self::WindowClose { window, .. }
            | Self::WindowTitle { window, .. } => Some(window.app()),
            Self::Contents { contents, .. } | Self::Frame { contents, .. } => Some(contents.app()),
            Self::WindowOpen(request) => Some(request.opener().app()),
            _ => None,
        }
    }
}
