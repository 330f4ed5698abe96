//! All events of a program. Events of one window keep their order, and so do those of windows whose pages share a process; windows take turns, so that none keeps the
//! others waiting.
//!
//! [`App::set_event_sink`](crate::App::set_event_sink) receives these as they are; without a sink they go to the handlers
//! that were registered on the handles.

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

    /// The document with this number, if there ever was one.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// One thing the program hears.
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
        /// Which.
        window: BrowserWindow,
        /// What.
        event: WindowEvent,
    },
    /// There is a new window: the program's own, or one that a page has opened.
    WindowCreated {
        /// Which.
        window: BrowserWindow,
        /// The page that opened it, and how. Behind a pointer, as it is rare.
        opened: Option<Box<Opened>>,
    },
    /// A page wants to open a window, and waits (see [`WebContents::set_window_open_handler`]): it is refused when the request is dropped.
    WindowOpen(WindowOpenRequest),
    /// The user or the program asks the window to close: it does when the decision is dropped, unless it was prevented.
    WindowClose {
        /// Which.
        window: BrowserWindow,
        /// The program's say.
        decision: Decision,
    },
    /// The page has a title, which its window gets when the decision is dropped, unless it was prevented.
    WindowTitle {
        /// Which window.
        window: BrowserWindow,
        /// The title.
        title: String,
        /// The program's say.
        decision: Decision,
    },
    /// Something happened to a window's page.
    Contents {
        /// Which.
        contents: WebContents,
        /// What.
        event: ContentsEvent,
        /// What it weighs.
        quota_guard: QuotaGuard,
    },
    /// Something happened to a frame.
    Frame {
        /// Which.
        frame: WebFrameMain,
        /// Its page.
        contents: WebContents,
        /// What.
        event: FrameEvent,
        /// What it weighs.
        quota_guard: QuotaGuard,
    },
    /// The last window closed (not while quitting). The program quits when the decision is dropped, unless it was prevented. If it has made another window by then,
    /// the decision no longer [`stands`](Decision::stands), and nothing is to be told.
    WindowAllClosed(Decision),
    /// Another instance of the program was started, and told that it is not the first.
    SecondInstance(Box<SecondInstance>),
    /// [`App::quit`] was called. Windows begin to close when the decision is dropped, unless it was prevented.
    BeforeQuit(Decision),
    /// All windows are closed. The program ends when the decision is dropped, unless it was prevented.
    WillQuit(Decision),
    /// Something happened to a child process.
    Utility {
        /// Which.
        process: UtilityProcess,
        /// What.
        event: UtilityEvent,
    },
    /// The last event: the program ends with this code when it has been handled.
    Quit {
        /// The exit code.
        code: i32,
    },
}

/// Something that happened to a window.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WindowEvent {
    /// The window's first page has something to show.
    ReadyToShow,
    /// It became visible.
    Shown,
    /// It was hidden.
    Hidden,
    /// It has the keyboard.
    Focused,
    /// It lost the keyboard.
    Blurred,
    /// Its inner size changed, in logical pixels.
    Resized {
        /// Width.
        width: u32,
        /// Height.
        height: u32,
    },
    /// It was moved: where its upper left corner is, in logical pixels of the screen.
    Moved {
        /// From the left.
        x: i32,
        /// From the top.
        y: i32,
    },
    /// It became an icon, or whatever the window system makes of it.
    Minimized,
    /// It is none any more.
    Restored,
    /// It fills the screen.
    Maximized,
    /// It does so no longer.
    Unmaximized,
    /// It is to stay above others, or no longer.
    AlwaysOnTop(bool),
    /// It is gone; its handles stay valid and say so.
    Closed,
}

/// Something that happened to a page.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ContentsEvent {
    /// A load began.
    DidStartLoading,
    /// The main frame is about to get another document, from here; it may still fail.
    DidStartNavigation {
        /// The URL.
        url: String,
    },
    /// The main frame shows another document, or another place in the same one.
    DidNavigate {
        /// Where it is now.
        url: String,
        /// Only the fragment or the history state changed.
        same_document: bool,
        /// The status of the HTTP response; `None` if it came another way.
        status: Option<u16>,
    },
    /// DOMContentLoaded in the main frame.
    DomReady,
    /// The load event of the main frame.
    DidFinishLoad,
    /// A load failed; the former document stays.
    DidFailLoad(LoadError),
    /// Nothing is loading any more.
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
    /// The page's process is gone. All ports it held are closed. `reload` brings a new one.
    RenderProcessGone {
        /// `crashed`, `killed`, `oom` or `abnormal-exit`, in Electron's words.
        reason: &'static str,
        /// Its exit code, or the number of the signal that ended it.
        exit_code: i32,
    },
    /// It has not answered for some time, though its window is visible: its scripts loop, or wait in `sendSync`.
    Unresponsive,
    /// It answers again.
    Responsive,
    /// Its inspector has opened.
    DevToolsOpened,
    /// Its inspector has closed.
    DevToolsClosed,
    /// The page is gone with its window.
    Destroyed,
}

/// A line of a page's console.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsoleMessage {
    /// How bad.
    pub level: ConsoleLevel,
    /// The text.
    pub text: String,
    /// The script's URL, may be empty.
    pub source: String,
    /// The line in it, from 1; 0 if unknown.
    pub line: u32,
}

/// Something that happened to a frame.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FrameEvent {
    /// The frame is there: its first document is about to be.
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
        /// In which document.
        document: DocumentId,
    },
    /// The load event.
    Loaded {
        /// Of which document.
        document: DocumentId,
    },
    /// The document was unloaded.
    DocumentGone {
        /// Which.
        document: DocumentId,
    },
    /// The frame itself is gone.
    Gone,
}

/// A message from a page.
#[derive(Debug)]
pub struct IpcMessage {
    /// The page.
    pub sender: WebContents,
    /// The frame. It may show another document by now: [`IpcMessage::sender_frame`] looks.
    pub frame: WebFrameMain,
    /// The document that sent it (a frame can have another one by now).
    pub document: DocumentId,
    /// The URL of that document when it sent the message; see [`WebFrameMain::url`] for who vouches for it.
    pub url: Arc<str>,
    /// Its origin.
    pub origin: Arc<str>,
    /// It was being unloaded.
    pub leaving: bool,
    /// The channel.
    pub channel: String,
    /// How it was sent, and how to answer.
    pub kind: IpcEventKind,
    /// The structured clone: an array of arguments, or for `PostMessage` the message itself.
    pub payload: Vec<u8>,
    /// The transferred ports.
    pub ports: Vec<Port>,
    /// What it weighs.
    pub quota_guard: QuotaGuard,
}

impl IpcMessage {
    /// The frame that sent it, as [`IpcEvent::sender_frame`](crate::IpcEvent::sender_frame) gives it.
    pub fn sender_frame(&self) -> Option<WebFrameMain> {
        self.frame.of_sender(&self.sender_document())
    }

    pub(crate) fn sender_document(&self) -> SenderDocument {
        SenderDocument::new(self.document, self.origin.clone(), self.leaving)
    }
}

/// How a page sent something.
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

/// What happens by itself unless the program prevents it: dropping the decision lets it happen.
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

/// What a [`Decision`] decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    CloseWindow(crate::WindowId),
    Title(crate::WindowId, String),
    /// That was when the last window there had been was this one.
    AllClosed(u32),
    BeginQuit,
    EndQuit,
}

impl Decision {
    pub(crate) fn new(shared: SharedRef, question: Question) -> Self {
        Self { shared: Some(shared), question }
    }

    /// Whether there is still something to decide: not for [`AppEvent::WindowAllClosed`] once there is another window.
    pub fn stands(&self) -> bool {
        match (&self.shared, &self.question) {
            (Some(shared), Question::AllClosed(last)) => shared.state().last_window == *last,
            _ => true,
        }
    }

    /// It does not happen. A prevented `close` or `will-quit` also ends the attempt to quit it was part of.
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
