//! Messages from pages to the program: [`IpcMain`], [`IpcEvent`], and their handlers.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use strait_protocol::EmitKind;

use crate::{
    App, ContentsId, FrameKey, HandlerExists, ListenerId, MessagePort, PostMessageError, PostMessageErrorKind, Responder, Value,
    WebContents, WebFrameMain, handlers::Listener, page_sender::Target, port, registry::SenderDocument, value,
};

/// Receives messages from pages: from all pages ([`App::ipc_main`]), one page
/// ([`WebContents::ipc`]) or one frame ([`WebFrameMain::ipc`]).
///
/// A message goes to the listeners of its frame, then of its page, then of the app. An `invoke`
/// goes to the first of these that has a handler.
///
/// ```no_run
/// # fn f(app: &strait::App) {
/// let ipc = app.ipc_main();
/// ipc.on("log", |event, args| println!("{:?} says {args:?}", event.sender()));
/// ipc.handle("double", |_event, args| async move {
///     let answer = args.into_iter().next().ok_or("nothing to double")?;
///     Ok::<_, &str>(answer)
/// })
/// .unwrap();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpcMain {
    app: App,
    scope: Scope,
}

/// The senders of the messages that an [`IpcMain`] receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    App,
    Contents(ContentsId),
    Frame(FrameKey),
}

/// A message and its sender.
///
/// ```no_run
/// # fn f(app: &strait::App) {
/// app.ipc_main().on("give-me-a-stream", |event, args| {
///     let Some(port) = event.ports().first() else { return };
///     for item in args {
///         let _ = port.post_message(item.clone(), vec![]);
///     }
///     port.close();
/// });
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct IpcEvent {
    pub(crate) sender: WebContents,
    pub(crate) frame: WebFrameMain,
    pub(crate) url: Arc<str>,
    pub(crate) document: SenderDocument,
    pub(crate) ports: Vec<MessagePort>,
    pub(crate) answer: Arc<Mutex<Option<Responder>>>,
}

impl IpcEvent {
    /// The app.
    pub fn app(&self) -> &App {
        self.sender.app()
    }

    /// The page that sent it.
    pub fn sender(&self) -> &WebContents {
        &self.sender
    }

    /// The frame that sent it; `None` once the frame is gone, or shows a document of another
    /// origin.
    pub fn sender_frame(&self) -> Option<WebFrameMain> {
        self.frame.of_sender(&self.document)
    }

    /// The URL of the document that sent it, at that time. See [`WebFrameMain::url`] for its
    /// source.
    pub fn sender_url(&self) -> &str {
        &self.url
    }

    /// The origin of that document; `null` if it is opaque.
    pub fn sender_origin(&self) -> &str {
        &self.document.origin
    }

    /// The ports of the message, in the sender's order. A port closes when its last clone is
    /// dropped.
    pub fn ports(&self) -> &[MessagePort] {
        &self.ports
    }

    /// Sends arguments back to the document that sent the message, or to a later one of the same
    /// origin in its frame.
    ///
    /// # Errors
    /// If the frame shows no such document.
    pub fn reply(&self, channel: &str, args: impl IntoIterator<Item = Value>) -> Result<(), PostMessageErrorKind> {
        Ok(self.frame.reply_encoded(self.document.clone(), channel, value::encode_args(args)?)?)
    }

    /// [`IpcEvent::reply`] for a message with ports.
    ///
    /// # Errors
    /// They return the ports.
    pub fn reply_message(&self, channel: &str, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        let target = Target::Sender(self.frame.key(), self.document.clone());
        let post = |payload, ports| self.app().0.emit(target, channel, EmitKind::PostMessage, payload, ports);
        port::with_taken(&message.into(), ports, None, post)
    }

    /// Answers `sendSync`, once; does nothing for other messages. The page waits until this is
    /// called or the last clone of the event is dropped.
    pub fn set_return_value(&self, value: impl Into<Value>) {
        let responder = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(responder) = responder {
            responder.resolve_value(&value.into());
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Value, String>>>>;
/// Makes the future that answers an `invoke`; called and polled on the program's thread.
pub(crate) type Handler = Arc<Mutex<dyn FnMut(IpcEvent, Vec<Value>) -> Answer + Send>>;

/// A message as listeners receive it.
pub(crate) type Heard = (IpcEvent, Vec<Value>);

/// The registered listeners and handlers.
#[derive(Default)]
pub(crate) struct IpcHandlers(HashMap<Scope, ScopeHandlers>);

/// The listeners and handlers of one scope, by channel.
#[derive(Default)]
struct ScopeHandlers {
    listeners: HashMap<String, Vec<Once<Listener<Heard>>>>,
    handlers: HashMap<String, Once<Handler>>,
}

/// A callback that may be removed after its first call.
struct Once<T> {
    call: T,
    once: bool,
}

impl IpcMain {
    pub(crate) fn of_app(app: App) -> Self {
        Self { app, scope: Scope::App }
    }

    pub(crate) fn of_contents(contents: WebContents) -> Self {
        Self { scope: Scope::Contents(contents.id()), app: contents.app().clone() }
    }

    pub(crate) fn of_frame(frame: WebFrameMain) -> Self {
        Self { scope: Scope::Frame(frame.key()), app: frame.app().clone() }
    }

    /// Calls `listener` for every message on `channel`: with the arguments of `send` and
    /// `sendSync`, or with the one message of `postMessage`.
    pub fn on(&self, channel: &str, listener: impl FnMut(&IpcEvent, &[Value]) + Send + 'static) -> ListenerId {
        self.listen(channel, listener, false)
    }

    /// Calls `listener` for the next message on `channel` only.
    pub fn once(&self, channel: &str, listener: impl FnMut(&IpcEvent, &[Value]) + Send + 'static) -> ListenerId {
        self.listen(channel, listener, true)
    }

    fn listen(&self, channel: &str, mut listener: impl FnMut(&IpcEvent, &[Value]) + Send + 'static, once: bool) -> ListenerId {
        let listener = Listener::new(move |(event, args): &Heard| listener(event, args));
        let id = listener.id;
        let mut handlers = self.app.shared().handlers();
        let listeners = &mut handlers.ipc.0.entry(self.scope).or_default().listeners;
        listeners.entry(channel.into()).or_default().push(Once { call: listener, once });
        id
    }

    /// Removes one listener.
    pub fn remove_listener(&self, channel: &str, id: ListenerId) {
        let mut handlers = self.app.shared().handlers();
        let scope = handlers.ipc.0.get_mut(&self.scope);
        if let Some(list) = scope.and_then(|scope| scope.listeners.get_mut(channel)) {
            list.retain(|listener| listener.call.id != id);
        }
    }

    /// Removes all listeners of `channel`.
    pub fn remove_all_listeners(&self, channel: &str) {
        if let Some(scope) = self.app.shared().handlers().ipc.0.get_mut(&self.scope) {
            scope.listeners.remove(channel);
        }
    }

    /// Answers `ipcRenderer.invoke(channel, ...args)` with the future's result. The future runs on
    /// the program's thread and need not be `Send`.
    ///
    /// # Errors
    /// If the channel already has a handler.
    pub fn handle<F, Fut, E>(&self, channel: &str, handler: F) -> Result<(), HandlerExists>
    where
        F: FnMut(IpcEvent, Vec<Value>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Value, E>> + 'static,
        E: fmt::Display,
    {
        self.answer(channel, handler, false)
    }

    /// [`IpcMain::handle`] for the next `invoke` only.
    ///
    /// # Errors
    /// If the channel already has a handler.
    pub fn handle_once<F, Fut, E>(&self, channel: &str, handler: F) -> Result<(), HandlerExists>
    where
        F: FnMut(IpcEvent, Vec<Value>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Value, E>> + 'static,
        E: fmt::Display,
    {
        self.answer(channel, handler, true)
    }

    fn answer<F, Fut, E>(&self, channel: &str, mut handler: F, once: bool) -> Result<(), HandlerExists>
    where
        F: FnMut(IpcEvent, Vec<Value>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Value, E>> + 'static,
        E: fmt::Display,
    {
        let handler = move |event: IpcEvent, args: Vec<Value>| -> Answer {
            let future = handler(event, args);
            Box::pin(async move { future.await.map_err(|error| format!("Error: {error}")) })
        };
        let mut handlers = self.app.shared().handlers();
        match handlers.ipc.0.entry(self.scope).or_default().handlers.entry(channel.to_owned()) {
            Entry::Occupied(_) => Err(HandlerExists { channel: channel.into() }),
            Entry::Vacant(place) => {
                place.insert(Once { call: Arc::new(Mutex::new(handler)), once });
                Ok(())
            }
        }
    }

    /// Removes the handler of `channel`.
    pub fn remove_handler(&self, channel: &str) {
        if let Some(scope) = self.app.shared().handlers().ipc.0.get_mut(&self.scope) {
            scope.handlers.remove(channel);
        }
    }
}

impl IpcHandlers {
    /// The listeners for a message, in order; those for one message are removed.
    pub(crate) fn listeners(&mut self, frame: FrameKey, contents: ContentsId, channel: &str) -> Vec<Listener<Heard>> {
        let mut found = Vec::new();
        for scope in [Scope::Frame(frame), Scope::Contents(contents), Scope::App] {
            if let Some(list) = self.0.get_mut(&scope).and_then(|scope| scope.listeners.get_mut(channel)) {
                found.extend(list.iter().map(|listener| listener.call.clone()));
                list.retain(|listener| !listener.once);
            }
        }
        found
    }

    /// The handler for an `invoke`; one for a single `invoke` is removed.
    pub(crate) fn handler(&mut self, frame: FrameKey, contents: ContentsId, channel: &str) -> Option<Handler> {
        for scope in [Scope::Frame(frame), Scope::Contents(contents), Scope::App] {
            let Some(handlers) = self.0.get_mut(&scope).map(|scope| &mut scope.handlers) else { continue };
            let Some(handler) = handlers.get(channel) else { continue };
            let (call, once) = (handler.call.clone(), handler.once);
            if once {
                handlers.remove(channel);
            }
            return Some(call);
        }
        None
    }

    /// Removes the listeners and handlers of a page.
    pub(crate) fn forget_contents(&mut self, contents: ContentsId) {
        self.0.remove(&Scope::Contents(contents));
    }

    /// Removes the listeners and handlers of a frame.
    pub(crate) fn forget_frame(&mut self, frame: FrameKey) {
        self.0.remove(&Scope::Frame(frame));
    }
}
