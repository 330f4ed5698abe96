//! Frames of pages: [`WebFrameMain`].

use std::{fmt, future::Future};

use strait_ports::Port;
use strait_protocol::EmitKind;

use crate::{
    App, ContentsId, FrameGone, FrameKey, IpcMain, MessagePort, PostMessageError, PostMessageErrorKind, ScriptError, Value, WebContents,
    World,
    page_sender::Target,
    port,
    registry::{AgentId, Document, PageFrame, SenderDocument},
    value,
    web_contents::EvalFuture,
};

/// A frame of a page. Two handles are equal if they are the same frame, whichever document it
/// shows.
///
/// ```no_run
/// # fn f(app: &strait::App, window: &strait::BrowserWindow) {
/// let expected = window.web_contents().main_frame();
/// app.ipc_main().on("request", move |event, _| {
///     // Not from an iframe, and not from another window.
///     if event.sender_frame() == Some(expected.clone()) {
///         let _ = expected.send("granted", []);
///     }
/// });
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebFrameMain {
    app: AppRef,
    key: FrameKey,
}

/// An [`App`] without part in the hash: a frame's number alone decides.
#[derive(Clone, PartialEq, Eq)]
struct AppRef(App);

impl std::hash::Hash for AppRef {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl WebFrameMain {
    pub(crate) fn new(app: App, key: FrameKey) -> Self {
        Self { app: AppRef(app), key }
    }

    /// The frame's number (Electron's `routingId`).
    pub fn key(&self) -> FrameKey {
        self.key
    }

    /// The app it belongs to.
    pub fn app(&self) -> &App {
        &self.app.0
    }

    /// The page that contains it; `None` when the frame is gone.
    pub fn web_contents(&self) -> Option<WebContents> {
        self.read(|frame| ContentsId(frame.contents)).map(|id| WebContents::new(self.app.0.clone(), id))
    }

    /// Messages from this frame only.
    pub fn ipc(&self) -> IpcMain {
        IpcMain::of_frame(self.clone())
    }

    /// Whether it was removed.
    pub fn is_destroyed(&self) -> bool {
        self.read(|_| ()).is_none()
    }

    /// The URL of its document; empty when it has none. A main frame's URL is the one that the web
    /// engine has committed, independent of the page's process. Another frame's URL is the one that
    /// this process reports.
    pub fn url(&self) -> String {
        self.read_document(|document| document.url.to_string())
    }

    /// The origin of its document, from the same source as [its URL](Self::url); `null` if the
    /// origin is opaque, or the frame has no document.
    pub fn origin(&self) -> String {
        let state = self.app.0.shared().state();
        state.registry.document_in(self.key).map_or_else(|| "null".into(), |document| document.origin.to_string())
    }

    /// Its name, of which the first 64 KiB are kept; empty when it has no document.
    pub fn name(&self) -> String {
        self.read_document(|document| document.name.to_string())
    }

    /// Whether it exists but shows no document now: between two documents, before the first one,
    /// after a crash.
    pub fn is_empty(&self) -> bool {
        self.read(|frame| frame.document.is_none()).unwrap_or(true)
    }

    /// Whether its document is being unloaded, or was unloaded and has no successor yet; true when
    /// the frame itself is gone.
    pub fn is_detached(&self) -> bool {
        let state = self.app.0.shared().state();
        let leaving = state.registry.document_in(self.key).is_some_and(|document| document.leaving);
        leaving || state.registry.frame(self.key).is_none_or(|frame| frame.document.is_none() && frame.left)
    }

    /// Whether its window is visible: the document's own `visibilityState`. False when the frame is
    /// gone.
    pub fn is_visible(&self) -> bool {
        self.web_contents().is_some_and(|contents| contents.window().is_visible())
    }

    /// The frame that contains it; `None` for a main frame.
    pub fn parent(&self) -> Option<WebFrameMain> {
        self.read(|frame| frame.parent).flatten().map(|key| self.sibling(key))
    }

    /// The main frame of its page.
    pub fn top(&self) -> Option<WebFrameMain> {
        self.web_contents().map(|contents| contents.main_frame())
    }

    /// Its child frames, in the order of their creation.
    pub fn frames(&self) -> Vec<WebFrameMain> {
        self.read(|frame| frame.children.clone()).unwrap_or_default().into_iter().map(|key| self.sibling(key)).collect()
    }

    /// This frame and all its descendants, depth first.
    pub fn frames_in_subtree(&self) -> Vec<WebFrameMain> {
        let mut all = vec![self.clone()];
        for child in self.frames() {
            all.extend(child.frames_in_subtree());
        }
        all
    }

    /// The number of its process, never reused in this program; 0 when it has none.
    pub fn process_id(&self) -> u64 {
        self.read(|frame| frame.agent).flatten().map_or(0, |AgentId(id)| id)
    }

    /// The system's id of its process, while it has one.
    pub fn os_process_id(&self) -> Option<i32> {
        let state = self.app.0.shared().state();
        state.registry.pid(state.registry.frame(self.key)?.agent?)
    }

    /// See [`WebContents::send`](crate::WebContents::send).
    pub fn send(&self, channel: &str, args: impl IntoIterator<Item = Value>) -> Result<(), PostMessageErrorKind> {
        let payload = value::encode_args(args)?;
        Ok(self.send_encoded(channel, payload)?)
    }

    /// See [`WebContents::post_message`](crate::WebContents::post_message).
    pub fn post_message(&self, channel: &str, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        port::with_taken(&message.into(), ports, None, |payload, ports| self.post_encoded(channel, payload, ports))
    }

    /// See [`WebContents::post_message_to`](crate::WebContents::post_message_to).
    pub fn post_message_to(
        &self,
        world: World,
        channel: &str,
        message: impl Into<Value>,
        ports: Vec<MessagePort>,
    ) -> Result<(), PostMessageError> {
        port::with_taken(&message.into(), ports, None, |payload, ports| self.post_encoded_to(world, channel, payload, ports))
    }

    /// [`WebFrameMain::send`] with the structured clone of the array of arguments.
    pub fn send_encoded(&self, channel: &str, payload: Vec<u8>) -> Result<(), FrameGone> {
        self.app.0.0.emit(Target::Frame(self.key), channel, EmitKind::Send, payload, Vec::new()).map_err(|_| FrameGone)
    }

    /// [`WebFrameMain::post_message`] with the structured clone of the message.
    pub fn post_encoded(&self, channel: &str, payload: Vec<u8>, ports: Vec<Port>) -> Result<(), PostMessageError<Port>> {
        self.post_encoded_to(World::Isolated, channel, payload, ports)
    }

    /// [`WebFrameMain::post_message_to`] with the structured clone of the message.
    pub fn post_encoded_to(&self, world: World, channel: &str, payload: Vec<u8>, ports: Vec<Port>) -> Result<(), PostMessageError<Port>> {
        self.app.0.0.emit(Target::Frame(self.key), channel, EmitKind::message_in(world), payload, ports)
    }

    /// Runs a script in the frame's own world and returns its completion value. A promise is
    /// awaited.
    pub fn execute_javascript(&self, source: &str) -> impl Future<Output = Result<Value, ScriptError>> + Send + use<> {
        let running = self.execute_encoded(World::Main, source);
        async move { value::decode(&running.await?, 0).map_err(|error| ScriptError::BadValue(error.to_string())) }
    }

    /// [`WebFrameMain::execute_javascript`] in either world; returns the value's structured clone.
    pub fn execute_encoded(&self, world: World, source: &str) -> EvalFuture {
        self.app.0.0.eval(self.key, world, source)
    }

    /// Whether it shows the sender of a message, or a later document of the sender's origin, or has
    /// shown nothing since.
    pub fn shows_sender(&self, sender: &SenderDocument) -> bool {
        self.app.0.shared().state().registry.shows_sender(self.key, sender)
    }

    /// [`WebFrameMain::send_encoded`] to the sender of a message, or to a later document of the
    /// sender's origin. No other document gets the answer.
    pub fn reply_encoded(&self, sender: SenderDocument, channel: &str, payload: Vec<u8>) -> Result<(), FrameGone> {
        self.app.0.0.emit(Target::Sender(self.key, sender), channel, EmitKind::Send, payload, Vec::new()).map_err(|_| FrameGone)
    }

    pub(crate) fn of_sender(&self, sender: &SenderDocument) -> Option<Self> {
        self.shows_sender(sender).then(|| self.clone())
    }

    fn sibling(&self, key: FrameKey) -> Self {
        Self { app: self.app.clone(), key }
    }

    fn read_document(&self, read: impl FnOnce(&Document) -> String) -> String {
        self.app.0.shared().state().registry.document_in(self.key).map(read).unwrap_or_default()
    }

    fn read<T>(&self, read: impl FnOnce(&PageFrame) -> T) -> Option<T> {
        self.app.0.shared().state().registry.frame(self.key).map(read)
    }
}

impl fmt::Debug for WebFrameMain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebFrameMain({})", self.key.0)
    }
}
