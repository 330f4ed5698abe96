//! The page of a window: [`WebContents`].

use std::{
    fmt,
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use strait_ports::Port;
use strait_protocol::EmitKind;
use tokio::sync::oneshot;

use crate::{
    App, BrowserWindow, ContentsEvent, ContentsId, FrameEvent, FrameGone, IpcMain, ListenerId, LoadError, LoadFuture, MessagePort,
    PostMessageError, PostMessageErrorKind, ScriptError, Value, WebFrameMain, WindowId, WindowOpenDetails, WindowOpenResponse, World,
    handlers::Listener,
    loading::{resolve_file, resolve_url},
    page_sender::Target,
    port, value,
};

/// The page in a window, across all documents it shows. Cheap to clone.
///
/// ```no_run
/// # async fn f(page: &strait::WebContents) -> Result<(), Box<dyn std::error::Error>> {
/// page.send("greet", ["hello".into()])?;
/// let title = page.execute_javascript("document.title").await?;
/// println!("{} is called {:?}", page.url(), title.as_str());
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WebContents {
    app: App,
    id: ContentsId,
}

impl WebContents {
    pub(crate) fn new(app: App, id: ContentsId) -> Self {
        Self { app, id }
    }

    /// The page's number.
    pub fn id(&self) -> ContentsId {
        self.id
    }

    /// The app it belongs to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The window it is in.
    pub fn window(&self) -> BrowserWindow {
        BrowserWindow::new(self.app.clone(), WindowId(self.id.0))
    }

    /// Its main frame, which stays the same for the page's life.
    pub fn main_frame(&self) -> WebFrameMain {
        let key = self.app.shared().state().registry.main_frame(self.id);
        // If the page is gone: a frame that does not exist.
        WebFrameMain::new(self.app.clone(), key.unwrap_or(crate::FrameKey(0)))
    }

    /// Messages from this page only.
    pub fn ipc(&self) -> IpcMain {
        IpcMain::of_contents(self.clone())
    }

    /// The URL of the document that it shows: the committed one, which a load under way does not
    /// change. Empty before the first document.
    pub fn url(&self) -> String {
        self.app.shared().state().contents.get(&self.id).map(|record| record.commits.url().to_owned()).unwrap_or_default()
    }

    /// The title of its document.
    pub fn title(&self) -> String {
        self.app.shared().state().contents.get(&self.id).map(|record| record.title.clone()).unwrap_or_default()
    }

    /// Whether it was destroyed with its window.
    pub fn is_destroyed(&self) -> bool {
        self.window().is_destroyed()
    }

    /// Whether its process died and nothing has been loaded since.
    pub fn is_crashed(&self) -> bool {
        self.app.shared().state().contents.get(&self.id).is_some_and(|record| record.crashed)
    }

    /// The system's id of its process, while it has one.
    pub fn os_process_id(&self) -> Option<i32> {
        let state = self.app.shared().state();
        let (agent, _) = state.registry.page(self.id)?;
        state.registry.pid(agent)
    }

    /// Loads a file, relative to the program's folder. The load begins at once, even if the future
    /// is not awaited.
    pub fn load_file(&self, path: impl AsRef<Path>) -> LoadFuture {
        let url = resolve_file(self.app.app_path(), path.as_ref());
        self.app.0.load(self.id, url, Vec::new())
    }

    /// [`WebContents::load_url`] with headers for the HTTP request, which may include `Referer`.
    /// They replace those that the web engine would send.
    pub fn load_url_with_headers<N: Into<String>, V: Into<String>>(
        &self,
        url: &str,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> LoadFuture {
        let url = resolve_url(self.app.app_path(), url);
        self.app.0.load(self.id, url, headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Loads a URL. Text that is not an absolute URL is a path relative to the program's folder.
    /// The load begins at once, even if the future is not awaited.
    pub fn load_url(&self, url: &str) -> LoadFuture {
        self.load_url_with_headers(url, None::<(String, String)>)
    }

    /// Whether a load is under way: from the call that begins it, or from the page's own
    /// navigation, to its end.
    pub fn is_loading(&self) -> bool {
        self.app.shared().state().contents.get(&self.id).is_some_and(|record| record.loading)
    }

    /// Loads the same URL again, in a new process if the former one died.
    pub fn reload(&self) -> LoadFuture {
        self.app.0.reload(self.id)
    }

    /// Stops the load under way, which fails with `ERR_ABORTED (-3)`.
    pub fn stop(&self) {
        self.app.0.stop_load(self.id);
    }

    /// Sends arguments to the main frame's `ipcRenderer`.
    ///
    /// A message that is sent while a load is under way belongs to the new document and waits for
    /// it.
    ///
    /// # Errors
    /// If the page is gone, or has crashed.
    pub fn send(&self, channel: &str, args: impl IntoIterator<Item = Value>) -> Result<(), PostMessageErrorKind> {
        let payload = value::encode_args(args)?;
        Ok(self.send_encoded(channel, payload)?)
    }

    /// Sends a message with ports to the main frame's `ipcRenderer`. It waits for a load as
    /// [`WebContents::send`] does.
    ///
    /// # Errors
    /// They return the ports, usable as before.
    pub fn post_message(&self, channel: &str, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        port::with_taken(&message.into(), ports, None, |payload, ports| self.post_encoded(channel, payload, ports))
    }

    /// [`WebContents::post_message`] for one of the main frame's worlds. For [`World::Main`] the
    /// page's own window gets a `message` event, without any preload. Its `source` is the window
    /// itself, its `channel` is the channel, and it comes after DOMContentLoaded.
    /// [`World::Isolated`] means the frame's `ipcRenderer`, in whichever world it is.
    ///
    /// # Errors
    /// They return the ports, usable as before.
    pub fn post_message_to(
        &self,
        world: World,
        channel: &str,
        message: impl Into<Value>,
        ports: Vec<MessagePort>,
    ) -> Result<(), PostMessageError> {
        port::with_taken(&message.into(), ports, None, |payload, ports| self.post_encoded_to(world, channel, payload, ports))
    }

    /// [`WebContents::send`] with the structured clone of the array of arguments.
    pub fn send_encoded(&self, channel: &str, payload: Vec<u8>) -> Result<(), FrameGone> {
        self.app.0.emit(Target::Page(self.id), channel, EmitKind::Send, payload, Vec::new()).map_err(|_| FrameGone)
    }

    /// [`WebContents::post_message`] with the structured clone of the message.
    pub fn post_encoded(&self, channel: &str, payload: Vec<u8>, ports: Vec<Port>) -> Result<(), PostMessageError<Port>> {
        self.post_encoded_to(World::Isolated, channel, payload, ports)
    }

    /// [`WebContents::post_message_to`] with the structured clone of the message.
    pub fn post_encoded_to(&self, world: World, channel: &str, payload: Vec<u8>, ports: Vec<Port>) -> Result<(), PostMessageError<Port>> {
        self.app.0.emit(Target::Page(self.id), channel, EmitKind::message_in(world), payload, ports)
    }

    /// Runs a script in the main frame's own world and returns its completion value. A promise is
    /// awaited.
    ///
    /// While a load is under way, and before the first one, the script waits until the page has
    /// loaded. A frame's [`execute_javascript`](WebFrameMain::execute_javascript) does not wait.
    pub fn execute_javascript(&self, source: &str) -> impl Future<Output = Result<Value, ScriptError>> + Send + use<> {
        let running = self.execute_encoded(World::Main, source);
        async move { value::decode(&running.await?, 0).map_err(|error| ScriptError::BadValue(error.to_string())) }
    }

    /// [`WebContents::execute_javascript`] in either world; returns the value's structured clone.
    pub fn execute_encoded(&self, world: World, source: &str) -> EvalFuture {
        self.app.0.eval_page(self.id, world, source)
    }

    /// Sets the handler that decides about the windows that the page's scripts and links open:
    /// Electron's `setWindowOpenHandler`. The page waits for the decision. Without a handler every
    /// window may be opened. Opened windows do not inherit the handler.
    ///
    /// ```no_run
    /// # fn f(page: &strait::WebContents) {
    /// use strait::{BrowserWindow, WindowOpenResponse};
    ///
    /// page.set_window_open_handler(|details| match details.url.starts_with("https://example.test/") {
    ///     true => WindowOpenResponse::allow_with(BrowserWindow::builder().size(400, 300)),
    ///     false => WindowOpenResponse::Deny,
    /// });
    /// # }
    /// ```
    pub fn set_window_open_handler(&self, handler: impl FnMut(&WindowOpenDetails) -> WindowOpenResponse + Send + 'static) {
        self.app.shared().handlers().window_open.insert(self.id, Arc::new(Mutex::new(handler)));
        self.ask_window_open(true);
    }

    /// Removes the handler.
    pub fn clear_window_open_handler(&self) {
        self.ask_window_open(false);
        self.app.shared().handlers().window_open.remove(&self.id);
    }

    /// Whether [`AppEvent::WindowOpen`](crate::AppEvent::WindowOpen) is delivered before the page
    /// opens a window: for programs with an event sink.
    pub fn ask_window_open(&self, on: bool) {
        if let Some(record) = self.app.shared().state().contents.get_mut(&self.id) {
            record.asks_open = on;
        }
    }

    /// Calls `handler` with each window that the page has opened: Electron's `did-create-window`.
    pub fn on_did_create_window(&self, mut handler: impl FnMut(&BrowserWindow, &WindowOpenDetails) + Send + 'static) -> ListenerId {
        let listener = Listener::new(move |(window, details): &(BrowserWindow, WindowOpenDetails)| handler(window, details));
        let id = listener.id;
        self.app.shared().handlers().opened.entry(self.id).or_default().push(listener);
        id
    }

    /// Calls `handler` with every [`ContentsEvent`].
    pub fn on_event(&self, handler: impl FnMut(&ContentsEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.app.shared().handlers().contents.entry(self.id).or_default().push(listener);
        id
    }

    /// Calls `handler` when the main frame's load event has fired.
    pub fn on_did_finish_load(&self, mut handler: impl FnMut() + Send + 'static) -> ListenerId {
        self.on_event(move |event| {
            if *event == ContentsEvent::DidFinishLoad {
                handler();
            }
        })
    }

    /// Calls `handler` when a load has failed.
    pub fn on_did_fail_load(&self, mut handler: impl FnMut(&LoadError) + Send + 'static) -> ListenerId {
        self.on_event(move |event| {
            if let ContentsEvent::DidFailLoad(error) = event {
                handler(error);
            }
        })
    }

    /// Calls `handler` when the page's process has ended unexpectedly.
    pub fn on_render_process_gone(&self, mut handler: impl FnMut(&str) + Send + 'static) -> ListenerId {
        self.on_event(move |event| {
            if let ContentsEvent::RenderProcessGone { reason, .. } = event {
                handler(reason);
            }
        })
    }

    /// Calls `handler` with every event of every frame of this page.
    pub fn on_frame_event(&self, mut handler: impl FnMut(&WebFrameMain, &FrameEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(move |(frame, event): &(WebFrameMain, FrameEvent)| handler(frame, event));
        let id = listener.id;
        self.app.shared().handlers().frames.entry(self.id).or_default().push(listener);
        id
    }

    /// Removes a handler.
    pub fn remove_listener(&self, id: ListenerId) {
        let mut handlers = self.app.shared().handlers();
        if let Some(list) = handlers.contents.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
        if let Some(list) = handlers.frames.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
        if let Some(list) = handlers.opened.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
    }
}

impl fmt::Debug for WebContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebContents({})", self.id.0)
    }
}

/// A script that has begun; resolves to the structured clone of its value. Dropping this does not
/// stop the script.
#[derive(Debug)]
pub struct EvalFuture(pub(crate) oneshot::Receiver<Result<Vec<u8>, ScriptError>>);

impl Future for EvalFuture {
    type Output = Result<Vec<u8>, ScriptError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let settled = std::task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(settled.unwrap_or(Err(ScriptError::Unloaded)))
    }
}
