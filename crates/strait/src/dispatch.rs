//! The program's thread passes each event to the sink, or to the handlers registered for it.

use std::{
    cell::{Cell, RefCell},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    AppEvent, BrowserWindow, CloseEvent, Decision, FrameEvent, IpcEventKind, IpcMessage, Responder, UtilityEvent, WindowEvent,
    WindowOpenResponse,
    handlers::{Ask, Handlers},
    ipc::IpcEvent,
    printable, program,
    shared::SharedRef,
    value,
};

type Sink = Box<dyn FnMut(AppEvent)>;

thread_local! {
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
    static ON_PROGRAM_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as the program's.
pub(crate) fn enter_program_thread() {
    ON_PROGRAM_THREAD.set(true);
}

pub(crate) fn set_sink(sink: Sink) {
    assert!(ON_PROGRAM_THREAD.get(), "App::set_event_sink must be called on the program's thread");
    SINK.set(Some(sink));
}

/// Drops the sink.
pub(crate) fn drop_sink() {
    drop(SINK.take());
}

/// Handles one event.
pub(crate) fn dispatch(shared: &SharedRef, event: AppEvent) {
    // Removed from its slot while it runs, so that it may set another sink.
    if let Some(mut sink) = SINK.take() {
        sink(event);
        SINK.with_borrow_mut(|place| {
            place.get_or_insert(sink);
        });
        return;
    }
    match event {
        AppEvent::Ipc(message) => ipc(shared, message),
        AppEvent::Window { window, event } => {
            let listeners = shared.handlers().window.get(&window.id()).cloned().unwrap_or_default();
            listeners.iter().for_each(|listener| listener.call(&event));
            if event == WindowEvent::Closed {
                shared.handlers().forget_window(window.id(), window.web_contents().id());
            }
        }
        AppEvent::WindowCreated { window, opened } => {
            let listeners = shared.handlers().window_created.clone();
            listeners.iter().for_each(|listener| listener.call(&window));
            if let Some(opened) = opened {
                let listeners = shared.handlers().opened.get(&opened.opener.id()).cloned().unwrap_or_default();
                let argument = (window, opened.details);
                listeners.iter().for_each(|listener| listener.call(&argument));
            }
        }
        AppEvent::WindowOpen(request) => {
            let handler = shared.handlers().window_open.get(&request.opener().id()).cloned();
            // The handler may have been removed after the page's request.
            let response = handler.map_or_else(WindowOpenResponse::allow, |handler| {
                (handler.lock().unwrap_or_else(PoisonError::into_inner))(request.details())
            });
            request.respond(response);
        }
        AppEvent::WindowClose { window, decision } => window_close(shared, &window, decision),
        AppEvent::WindowTitle { window, title, decision } => {
            let listeners = shared.handlers().window_title.get(&window.id()).cloned().unwrap_or_default();
            let event = (CloseEvent::default(), title);
            listeners.iter().for_each(|listener| listener.call(&event));
            if event.0.is_prevented() {
                decision.prevent();
            }
        }
        AppEvent::Contents { contents, event, .. } => {
            if shared.console {
                event.print(contents.window().id());
            }
            let listeners = shared.handlers().contents.get(&contents.id()).cloned().unwrap_or_default();
            listeners.iter().for_each(|listener| listener.call(&event));
        }
        AppEvent::Frame { frame, contents, event, .. } => {
            let listeners = shared.handlers().frames.get(&contents.id()).cloned().unwrap_or_default();
            let gone = event == FrameEvent::Gone;
            let argument = (frame, event);
            listeners.iter().for_each(|listener| listener.call(&argument));
            if gone {
                shared.handlers().ipc.forget_frame(argument.0.key());
            }
        }
        // A handler that was called meanwhile may have made a window. When that one closes, the
        // event is raised again.
        AppEvent::WindowAllClosed(decision) if !decision.stands() => {}
        AppEvent::WindowAllClosed(decision) => ask(shared, decision, |handlers| &handlers.all_closed),
        AppEvent::BeforeQuit(decision) => ask(shared, decision, |handlers| &handlers.before_quit),
        AppEvent::WillQuit(decision) => ask(shared, decision, |handlers| &handlers.will_quit),
        AppEvent::Utility { process, event } => {
            let listeners = shared.handlers().utility.get(&process.id()).cloned().unwrap_or_default();
            listeners.iter().for_each(|listener| listener.call(&event));
            if !matches!(event, UtilityEvent::Spawned { .. }) {
                shared.handlers().utility.remove(&process.id());
            }
        }
        AppEvent::SecondInstance(second) => {
            let listeners = shared.handlers().second_instance.clone();
            listeners.iter().for_each(|listener| listener.call(&second));
        }
        AppEvent::Quit { code } => {
            let listeners = shared.handlers().quit.clone();
            listeners.iter().for_each(|listener| listener.call(&code));
        }
    }
}

fn window_close(shared: &SharedRef, window: &BrowserWindow, decision: Decision) {
    let asked = shared.handlers().window_close.get(&window.id()).cloned().unwrap_or_default();
    settle(&asked, decision);
}

fn ask(shared: &SharedRef, decision: Decision, list: impl FnOnce(&Handlers) -> &Vec<Ask>) {
    let asked = list(&shared.handlers()).clone();
    settle(&asked, decision);
}

fn settle(asked: &[Ask], decision: Decision) {
    let event = CloseEvent::default();
    asked.iter().for_each(|listener| listener.call(&event));
    if event.is_prevented() {
        decision.prevent();
    }
}

fn ipc(shared: &SharedRef, message: IpcMessage) {
    let document = message.sender_document();
    let IpcMessage { sender, frame, url, channel, kind, payload, ports, .. } = message;
    let (frame_key, contents) = (frame.key(), sender.id());
    let is_message = matches!(kind, IpcEventKind::PostMessage);
    let args = if is_message { value::decode(&payload, ports.len()).map(|message| vec![message]) } else { value::decode_args(&payload) };
    let args = match args {
        Ok(args) => args,
        Err(error) => {
            tracing::warn!(?sender, channel, %error, "a page sent something that cannot be read");
            if let IpcEventKind::Invoke(responder) | IpcEventKind::SendSync(responder) = kind {
                responder.reject(format!("Error: {error}"));
            }
            return;
        }
    };
    let mut event = IpcEvent { sender, frame, url, document, ports: ports.into_iter().map(Into::into).collect(), answer: Arc::default() };
    match kind {
        IpcEventKind::Invoke(responder) => {
            let handler = shared.handlers().ipc.handler(frame_key, contents, &channel);
            match handler {
                Some(handler) => {
                    let answer = (handler.lock().unwrap_or_else(PoisonError::into_inner))(event, args);
                    program::spawn(shared, respond(answer, responder));
                }
                None => responder.reject(format!("Error: No handler registered for '{channel}'")),
            }
        }
        IpcEventKind::SendSync(responder) => {
            let listeners = shared.handlers().ipc.listeners(frame_key, contents, &channel);
            if listeners.is_empty() {
                let id = event.sender.id().get();
                strait_output::report!(
                    "WebContents #{id} called ipcRenderer.sendSync() with '{}' channel without listeners.",
                    printable(&channel)
                );
                responder.resolve(value::undefined());
                return;
            }
            event.answer = Arc::new(Mutex::new(Some(responder)));
            let heard = (event, args);
            listeners.iter().for_each(|listener| listener.call(&heard));
        }
        IpcEventKind::Send | IpcEventKind::PostMessage => {
            let listeners = shared.handlers().ipc.listeners(frame_key, contents, &channel);
            let heard = (event, args);
            listeners.iter().for_each(|listener| listener.call(&heard));
        }
    }
}

async fn respond(answer: impl Future<Output = Result<strait_clone::Value, String>>, responder: Responder) {
    match answer.await {
        Ok(answer) => responder.resolve_value(&answer),
        Err(error) => responder.reject(error),
    }
}
