//! Events of windows and pages, as calls of JavaScript: `hook(name, ...)`. The result `true`
//! prevents an announced action.

use serde_json::{Value as Json, json};
use strait::{
    AppEvent, ContentsEvent, Decision, FrameEvent, IpcEventKind, IpcMessage, LoadError, ScriptError, UtilityEvent, UtilityProcess,
    WindowEvent, WindowOpenDetails,
};

use strait_node_core::{Value, values};

use crate::host::Host;

/// Calls JavaScript for one event.
pub(crate) fn app_event(host: &Host, event: AppEvent) {
    let hook = &host.core.hook;
    match event {
        AppEvent::Ipc(message) => ipc(host, message),
        AppEvent::Window { window, event } => {
            let id = window.id().get();
            if event == WindowEvent::Closed {
                host.windows.borrow_mut().remove(&id);
            }
            let Some(name) = window_event(&event) else { return };
            let on_top = if let WindowEvent::AlwaysOnTop(on_top) = event { Some(Value::from(on_top)) } else { None };
            hook.call(values!["window", id, name].into_iter().chain(on_top));
        }
        AppEvent::WindowCreated { window, opened: Some(opened) } => {
            let id = window.id().get();
            host.windows.borrow_mut().insert(id, window);
            hook.call(values!["window-created", id, opened.opener.id().get(), details(&opened.details)]);
        }
        AppEvent::WindowOpen(request) => {
            let (id, details) = (request.opener().id().get(), details(request.details()));
            host.open_request.replace(Some(request));
            hook.call(values!["window-open", id, details]);
            // If the script has not taken the request, or threw, the window is refused.
            drop(host.open_request.take());
        }
        AppEvent::WindowTitle { window, title, decision } => decide(host, decision, values!["window-title", window.id().get(), title]),
        AppEvent::WindowClose { window, decision } => decide(host, decision, values!["window-close", window.id().get()]),
        AppEvent::Contents { contents, event, .. } => {
            event.print(contents.window().id());
            contents_event(host, contents.id().get(), event);
        }
        AppEvent::Frame { frame, contents, event, .. } => {
            let contents = contents.id().get();
            match event {
                FrameEvent::Created => drop(hook.call(values!["frame-created", host.know(&frame), contents])),
                FrameEvent::DomReady { .. } => drop(hook.call(values!["frame-dom-ready", host.know(&frame), contents])),
                FrameEvent::DocumentCreated { url, .. } => {
                    hook.call(values!["frame-navigated", host.know(&frame), contents, &*url]);
                }
                FrameEvent::Loaded { .. } => drop(hook.call(values!["frame-loaded", host.know(&frame), contents])),
                FrameEvent::Gone => {
                    let key = frame.key().get();
                    hook.call(values!["frame-gone", key, contents]);
                    host.frames.borrow_mut().remove(&key);
                }
                _ => {}
            }
        }
        // A handler that was called meanwhile may have made a window. When that one closes, the
        // event is raised again.
        AppEvent::WindowAllClosed(decision) if !decision.stands() => {}
        AppEvent::WindowAllClosed(decision) => decide(host, decision, values!["window-all-closed"]),
        AppEvent::BeforeQuit(decision) => decide(host, decision, values!["before-quit"]),
        AppEvent::WillQuit(decision) => decide(host, decision, values!["will-quit"]),
        AppEvent::Utility { process, event } => utility(host, &process, &event),
        AppEvent::SecondInstance(second) => {
            let folder = second.working_directory.to_string_lossy().into_owned();
            hook.call(values!["second-instance", second.args, folder, Value::Bytes(second.data)]);
        }
        AppEvent::Quit { code } => drop(hook.call(values!["quit", code])),
        _ => {}
    }
}

fn window_event(event: &WindowEvent) -> Option<&'static str> {
    Some(match event {
        WindowEvent::ReadyToShow => "ready-to-show",
        WindowEvent::Shown => "show",
        WindowEvent::Hidden => "hide",
        WindowEvent::Focused => "focus",
        WindowEvent::Blurred => "blur",
        WindowEvent::Resized { .. } => "resize",
        WindowEvent::Moved { .. } => "move",
        WindowEvent::Minimized => "minimize",
        WindowEvent::Restored => "restore",
        WindowEvent::Maximized => "maximize",
        WindowEvent::Unmaximized => "unmaximize",
        WindowEvent::AlwaysOnTop(_) => "always-on-top-changed",
        WindowEvent::Closed => "closed",
        _ => return None,
    })
}

/// A page's request to open a window, in Electron's form and with the features as text.
fn details(details: &WindowOpenDetails) -> Json {
    let policy = if details.referrer.is_empty() { "no-referrer" } else { "strict-origin-when-cross-origin" };
    json!({
        "url": details.url,
        "frameName": details.frame_name,
        "disposition": details.disposition.as_str(),
        "referrer": { "url": details.referrer, "policy": policy },
        "features": details.features,
    })
}

/// Prevents the action if the script returns `true`.
fn decide(host: &Host, decision: Decision, arguments: Vec<Value>) {
    if host.core.hook.call(arguments) { decision.prevent() } else { drop(decision) }
}

fn contents_event(host: &Host, id: u32, event: ContentsEvent) {
    let arguments = match event {
        ContentsEvent::DidStartLoading => values!["contents", id, "did-start-loading"],
        ContentsEvent::DidStartNavigation { url } => values!["did-start-navigation", id, url, false],
        ContentsEvent::DidNavigate { url, same_document, status } => values!["did-navigate", id, url, same_document, status],
        ContentsEvent::DomReady => values!["contents", id, "dom-ready"],
        ContentsEvent::DidFinishLoad => values!["contents", id, "did-finish-load"],
        ContentsEvent::DidFailLoad(error) => values!["did-fail-load", id, error.code, error.description, error.url],
        ContentsEvent::DidStopLoading => values!["contents", id, "did-stop-loading"],
        ContentsEvent::TitleUpdated(title) => values!["title", id, title],
        ContentsEvent::Console(message) => {
            values!["console", id, message.level as u32, message.text, message.source, message.line]
        }
        ContentsEvent::PreloadError { path, message } => {
            values!["preload-error", id, path.to_string_lossy().into_owned(), message]
        }
        ContentsEvent::RenderProcessGone { reason, exit_code } => values!["render-process-gone", id, reason, exit_code],
        ContentsEvent::Unresponsive => values!["responsiveness", id, "unresponsive"],
        ContentsEvent::Responsive => values!["responsiveness", id, "responsive"],
        ContentsEvent::DevToolsOpened => values!["contents", id, "devtools-opened"],
        ContentsEvent::DevToolsClosed => values!["contents", id, "devtools-closed"],
        ContentsEvent::Destroyed => values!["contents", id, "destroyed"],
        _ => return,
    };
    host.core.hook.call(arguments);
}

fn ipc(host: &Host, message: IpcMessage) {
    let IpcMessage { sender, frame, document, origin, leaving, channel, kind, payload, ports, .. } = message;
    let (kind, responder) = match kind {
        IpcEventKind::Send => ("send", 0),
        IpcEventKind::PostMessage => ("post", 0),
        IpcEventKind::Invoke(responder) => ("invoke", host.keep_responder(responder)),
        IpcEventKind::SendSync(responder) => ("sync", host.keep_responder(responder)),
    };
    let (sender, frame) = (sender.id().get(), host.know(&frame));
    let ids = host.core.adopt(ports);
    let payload = Value::Bytes(payload);
    host.core.hook.call(values!["ipc", sender, frame, kind, channel, payload, ids, responder, document.get(), &*origin, leaving]);
}

/// Reports an event of a child process.
fn utility(host: &Host, process: &UtilityProcess, event: &UtilityEvent) {
    let id = process.id().get();
    match event {
        UtilityEvent::Spawned { pid } => drop(host.core.hook.call(values!["utility-spawned", id, *pid])),
        UtilityEvent::LaunchFailed { message } => {
            strait_output::report!(
                "strait: the utility process '{}' cannot be started: {}",
                strait::printable(process.name()),
                strait::printable(message)
            );
            host.core.hook.call(values!["utility-ended", id, 1, "launch-failed"]);
        }
        UtilityEvent::Exited(status) => {
            host.core.hook.call(values!["utility-ended", id, status.exit_code(), status.reason.as_str()]);
        }
        _ => {}
    }
}

/// A load that a script awaits has ended.
pub(crate) fn load_settled(host: &Host, token: u32, result: Result<(), LoadError>) {
    match result {
        Ok(()) => host.core.settle("loaded", token, []),
        Err(error) => {
            host.core.settle("load-failed", token, values![error.to_string(), error.description, error.code, error.url]);
        }
    }
}

/// A script that was run in a page has ended.
pub(crate) fn script_settled(host: &Host, token: u32, result: Result<Vec<u8>, ScriptError>) {
    match result {
        Ok(bytes) => host.core.settle("script", token, [Value::Bytes(bytes)]),
        Err(error) => host.core.settle("script-failed", token, values![error.to_string()]),
    }
}

/// Another operation has ended: with a text, with nothing, or with the reason of its failure.
pub(crate) fn settled(host: &Host, token: u32, result: Result<Option<String>, String>) {
    match result {
        Ok(text) => host.core.settle("done", token, values![text.map_or(Json::Null, Json::from)]),
        Err(error) => host.core.settle("script-failed", token, values![error]),
    }
}
