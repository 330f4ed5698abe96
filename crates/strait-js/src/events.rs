//! What windows and pages report, as calls of the host's scripts: `event(name, ...)`. Answers `true` prevent what was announced.

use rquickjs::{Ctx, Function, Object, Result, TypedArray, Value, function::IntoArgs};
use strait::{AppEvent, ContentsEvent, Decision, FrameEvent, IpcEventKind, IpcMessage, LoadError, WindowEvent, WindowOpenDetails};

use crate::{
    host::{Host, Settled},
    natives::utility,
};

/// Tells the script how something ended that it waits for.
pub(crate) fn settled<'js>(ctx: &Ctx<'js>, hook: &Function<'js>, token: u32, settled: Settled) -> Result<()> {
    match settled {
        Settled::Load(result) => load_settled(hook, token, result),
        Settled::Script(Ok(bytes)) => hook.call(("script", token, TypedArray::<u8>::new(ctx.clone(), bytes)?)),
        Settled::Chunk(Some(bytes)) => hook.call(("chunk", token, TypedArray::<u8>::new(ctx.clone(), bytes)?)),
        Settled::Chunk(None) => hook.call(("chunk", token, rquickjs::Null)),
        Settled::Script(Err(error)) => hook.call(("script-failed", token, error.to_string())),
        Settled::Done(Ok(text)) => hook.call(("done", token, text)),
        Settled::Done(Err(error)) => hook.call(("script-failed", token, error)),
    }
}

fn load_settled(hook: &Function<'_>, token: u32, result: std::result::Result<(), LoadError>) -> Result<()> {
    match result {
        Ok(()) => hook.call(("loaded", token)),
        Err(error) => hook.call(("load-failed", token, error.to_string(), error.description, error.code, error.url)),
    }
}

/// Calls the script for one event.
pub(crate) fn app_event<'js>(host: &Host, ctx: &Ctx<'js>, hook: &Function<'js>, event: AppEvent) -> Result<()> {
    match event {
        AppEvent::Ipc(message) => ipc(host, ctx, hook, message),
        AppEvent::Window { window, event } => {
            let id = window.id().get();
            match event {
                WindowEvent::ReadyToShow => hook.call(("window", id, "ready-to-show")),
                WindowEvent::Shown => hook.call(("window", id, "show")),
                WindowEvent::Hidden => hook.call(("window", id, "hide")),
                WindowEvent::Focused => hook.call(("window", id, "focus")),
                WindowEvent::Blurred => hook.call(("window", id, "blur")),
                WindowEvent::Resized { .. } => hook.call(("window", id, "resize")),
                WindowEvent::Moved { .. } => hook.call(("window", id, "move")),
                WindowEvent::Minimized => hook.call(("window", id, "minimize")),
                WindowEvent::Restored => hook.call(("window", id, "restore")),
                WindowEvent::Maximized => hook.call(("window", id, "maximize")),
                WindowEvent::Unmaximized => hook.call(("window", id, "unmaximize")),
                WindowEvent::AlwaysOnTop(on_top) => hook.call(("window", id, "always-on-top-changed", on_top)),
                WindowEvent::Closed => {
                    host.windows.borrow_mut().remove(&id);
                    hook.call(("window", id, "closed"))
                }
                _ => Ok(()),
            }
        }
        AppEvent::WindowCreated { window, opened: Some(opened) } => {
            let id = window.id().get();
            host.windows.borrow_mut().insert(id, window);
            let details = details(ctx, &opened.details)?;
            details.set("features", &opened.details.features)?;
            hook.call(("window-created", id, opened.opener.id().get(), details))
        }
        AppEvent::WindowOpen(request) => {
            let details = details(ctx, request.details())?;
            details.set("features", &request.details().features)?;
            let id = request.opener().id().get();
            host.open_request.replace(Some(request));
            let called = hook.call(("window-open", id, details));
            // Unless the script has taken it, the window is refused; the same if it threw.
            drop(host.open_request.take());
            called
        }
        AppEvent::WindowTitle { window, title, decision } => decide(hook, decision, ("window-title", window.id().get(), title)),
        AppEvent::WindowClose { window, decision } => decide(hook, decision, ("window-close", window.id().get())),
        AppEvent::Contents { contents, event, .. } => contents_event(hook, contents.id().get(), event),
        AppEvent::Frame { frame, contents, event, .. } => {
            let key = frame.key().get();
            let contents = contents.id().get();
            match event {
                FrameEvent::Created => hook.call(("frame-created", host.know(&frame), contents)),
                FrameEvent::DomReady { .. } => hook.call(("frame-dom-ready", host.know(&frame), contents)),
                FrameEvent::DocumentCreated { url, .. } => hook.call(("frame-navigated", host.know(&frame), contents, url)),
                FrameEvent::Loaded { .. } => hook.call(("frame-loaded", host.know(&frame), contents)),
                FrameEvent::Gone => {
                    let called = hook.call(("frame-gone", key, contents));
                    host.frames.borrow_mut().remove(&key);
                    called
                }
                _ => Ok(()),
            }
        }
        AppEvent::WindowAllClosed(decision) if !decision.stands() => Ok(()),
        AppEvent::WindowAllClosed(decision) => decide(hook, decision, ("window-all-closed",)),
        AppEvent::BeforeQuit(decision) => decide(hook, decision, ("before-quit",)),
        AppEvent::WillQuit(decision) => decide(hook, decision, ("will-quit",)),
        AppEvent::Utility { process, event } => utility::heard(hook, &process, &event),
        AppEvent::SecondInstance(second) => {
            let folder = second.working_directory.to_string_lossy().into_owned();
            hook.call(("second-instance", second.args, folder, TypedArray::<u8>::new(ctx.clone(), second.data)?))
        }
        AppEvent::Quit { code } => hook.call(("quit", code)),
        _ => Ok(()),
    }
}

/// What a page wants to open, in Electron's form but for the features.
fn details<'js>(ctx: &Ctx<'js>, details: &WindowOpenDetails) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("url", &details.url)?;
    object.set("frameName", &details.frame_name)?;
    object.set("disposition", details.disposition.as_str())?;
    let referrer = Object::new(ctx.clone())?;
    referrer.set("url", &details.referrer)?;
    referrer.set("policy", if details.referrer.is_empty() { "no-referrer" } else { "strict-origin-when-cross-origin" })?;
    object.set("referrer", referrer)?;
    Ok(object)
}

/// The script's `true` prevents it; so does an error in a listener, which ends the program in its own way.
fn decide<'js>(hook: &Function<'js>, decision: Decision, args: impl IntoArgs<'js>) -> Result<()> {
    let answer = hook.call::<_, Value<'js>>(args);
    match &answer {
        Ok(value) if value.as_bool() != Some(true) => drop(decision),
        _ => decision.prevent(),
    }
    answer.map(drop)
}

fn contents_event(hook: &Function<'_>, id: u32, event: ContentsEvent) -> Result<()> {
    match event {
        ContentsEvent::DidStartLoading => hook.call(("contents", id, "did-start-loading")),
        ContentsEvent::DidStartNavigation { url } => hook.call(("did-start-navigation", id, url, false)),
        ContentsEvent::DidNavigate { url, same_document, status } => hook.call(("did-navigate", id, url, same_document, status)),
        ContentsEvent::DomReady => hook.call(("contents", id, "dom-ready")),
        ContentsEvent::DidFinishLoad => hook.call(("contents", id, "did-finish-load")),
        ContentsEvent::DidFailLoad(error) => hook.call(("did-fail-load", id, error.code, error.description, error.url)),
        ContentsEvent::DidStopLoading => hook.call(("contents", id, "did-stop-loading")),
        ContentsEvent::TitleUpdated(title) => hook.call(("title", id, title)),
        ContentsEvent::Console(message) => {
            let text = (message.level as u32, message.text, message.source, message.line);
            hook.call(("console", id, text.0, text.1, text.2, text.3))
        }
        ContentsEvent::PreloadError { path, message } => hook.call(("preload-error", id, path.to_string_lossy().into_owned(), message)),
        ContentsEvent::RenderProcessGone { reason, exit_code } => hook.call(("render-process-gone", id, reason, exit_code)),
        ContentsEvent::Unresponsive => hook.call(("responsiveness", id, "unresponsive")),
        ContentsEvent::Responsive => hook.call(("responsiveness", id, "responsive")),
        ContentsEvent::DevToolsOpened => hook.call(("contents", id, "devtools-opened")),
        ContentsEvent::DevToolsClosed => hook.call(("contents", id, "devtools-closed")),
        ContentsEvent::Destroyed => hook.call(("contents", id, "destroyed")),
        _ => Ok(()),
    }
}

fn ipc<'js>(host: &Host, ctx: &Ctx<'js>, hook: &Function<'js>, message: IpcMessage) -> Result<()> {
    let IpcMessage { sender, frame, document, origin, leaving, channel, kind, payload, ports, .. } = message;
    let (kind, responder) = match kind {
        IpcEventKind::Send => ("send", 0),
        IpcEventKind::PostMessage => ("post", 0),
        IpcEventKind::Invoke(responder) => ("invoke", host.keep_responder(responder)),
        IpcEventKind::SendSync(responder) => ("sync", host.keep_responder(responder)),
    };
    let from = (sender.id().get(), host.know(&frame));
    let bytes = TypedArray::<u8>::new(ctx.clone(), payload)?;
    let ids = strait_host::host().adopt(ports);
    let mut args = rquickjs::function::Args::new(ctx.clone(), 11);
    args.push_arg("ipc")?;
    args.push_arg(from.0)?;
    args.push_arg(from.1)?;
    args.push_arg(kind)?;
    args.push_arg(channel)?;
    args.push_arg(bytes)?;
    args.push_arg(ids)?;
    args.push_arg(responder)?;
    args.push_arg(document.get())?;
    args.push_arg(&*origin)?;
    args.push_arg(leaving)?;
    hook.call_arg(args)
}
