//! Agents' messages, checked against each agent's own pages and documents.

use std::sync::Arc;

use strait_ports::{CloseReason, Message, Port};
use strait_protocol::{IpcKind, RequestId, ToAgent, ToMain};

use super::closing::Closings;
use crate::{
    AppEvent, ConsoleLevel, ConsoleMessage, ContentsEvent, ContentsId, FrameEvent, IpcEventKind, IpcMessage, QuotaGuard, Responder,
    ScriptError, WebContents, WebFrameMain, WindowId,
    app::App,
    commits::{Address, Bound},
    page_sender::{finish_eval, report_contents, report_gone},
    popup, preload,
    quota::Quota,
    registry::{AgentId, Document, NewDocument},
    sandbox::Confinement,
    shared::{SharedRef, State},
    text::cut,
    ui::UiCommand,
};

/// The longest channel name, in bytes. Messages on longer ones are refused.
pub(super) const MAX_CHANNEL: usize = 64 * 1024;
/// The longest text of a console line or of a preload's error, in bytes; the rest is cut off, with
/// a mark.
pub(super) const MAX_CONSOLE_TEXT: usize = 1 << 20;
/// The longest URL of a script in a console line, in bytes; the rest is cut off, with a mark.
const MAX_CONSOLE_SOURCE: usize = 4096;
/// The longest URL of a document, in bytes; a document with a longer one is ignored. `data:` URLs
/// are long.
pub(super) const MAX_URL: usize = 2 << 20;
/// The longest origin, in bytes; a document with a longer one is ignored.
const MAX_ORIGIN: usize = 64 * 1024;
/// The longest name of a frame, in bytes; the rest is cut off. Pages may choose any name.
const MAX_NAME: usize = 64 * 1024;
/// The longest path of a preload script in an error report, in bytes; no file has a longer one.
const MAX_PATH: usize = 4096;
/// Replaces the part of a text that was cut off.
const CUT: &str = "… (cut off)";
/// The cost of a port in a message, in bytes.
const PORT_COST: usize = 512;

/// A decoded message of an agent.
pub(super) struct Said {
    message: ToMain,
    ports: Vec<Port>,
    /// The number of the view's commit that belongs to the reported main-frame document.
    generation: u64,
}

/// Notifies the view, if it waits for the document.
fn document_ready(shared: &SharedRef, contents: ContentsId) {
    let mut state = shared.state();
    let Some(record) = state.contents.get_mut(&contents) else { return };
    record.documents_ready += 1;
    if std::mem::take(&mut record.awaits_ready) {
        shared.ui(UiCommand::DocumentReady { window: record.window });
    }
}

/// Decodes one message of an agent.
pub(super) fn decode(agent: AgentId, message: Message) -> Option<Said> {
    let Message { data, ports, .. } = message;
    match strait_protocol::decode::<ToMain>(&data) {
        Ok(message) => Some(Said { message, ports, generation: 0 }),
        Err(error) => {
            tracing::warn!(?agent, %error, "an agent sent nonsense");
            None
        }
    }
}

/// Replaces the URL in the report of a main-frame document by the committed one. False if the
/// message must wait for the UI thread, because the document's binding has not arrived. If the
/// agent `is_gone`, nothing waits, because the binding will not arrive.
pub(super) fn identify(shared: &SharedRef, agent: AgentId, said: &mut Said, is_gone: impl FnOnce() -> bool) -> bool {
    let ToMain::DocumentCreated { page, document, parent: None, url, origin, .. } = &mut said.message else { return true };
    let bound = {
        let mut state = shared.state();
        let State { registry, contents, .. } = &mut *state;
        let record = registry.contents_of(agent, *page).and_then(|id| contents.get_mut(&id));
        // A document of a page that does not belong to the agent is ignored.
        record.map_or(Bound::Never, |record| record.commits.take(*document))
    };
    let address = match bound {
        Bound::To(address) => address,
        Bound::NotYet if !is_gone() => return false,
        Bound::NotYet | Bound::Never => Address::unknown(),
    };
    *origin = address.origin(origin).to_string();
    *url = address.url.to_string();
    said.generation = address.generation;
    true
}

/// Handles one message of an agent that has been [identified](identify).
pub(super) fn heard(shared: &SharedRef, closings: &mut Closings, agent: AgentId, quota: &Arc<Quota>, said: Said) {
    let Said { message, ports, generation } = said;
    match message {
        ToMain::PageBound { nonce, page } => page_bound(shared, agent, quota, nonce, page),
        ToMain::DocumentCreated { page, document, frame, parent, url, origin, mut name } => {
            if url.len() > MAX_URL || origin.len() > MAX_ORIGIN {
                tracing::warn!(?agent, url = url.len(), origin = origin.len(), "a document with an overlong address was ignored");
                return;
            }
            cut(&mut name, MAX_NAME, "");
            document_created(
                shared,
                agent,
                quota,
                NewDocument { page, document, frame, parent, url: url.into(), origin: origin.into(), name, generation },
            );
        }
        ToMain::DocumentLeaving { document } => shared.state().registry.document_leaving(agent, document),
        ToMain::DocumentReady { document } => {
            let Some(document) = document_of(shared, agent, document) else { return };
            if document.main_frame {
                report_contents(shared, document.contents, ContentsEvent::DomReady, quota.take(0));
            }
            report_frame(shared, &document, FrameEvent::DomReady { document: document.id }, quota.take(0));
            if document.main_frame {
                document_ready(shared, document.contents);
            }
        }
        ToMain::DocumentLoaded { document } => {
            let Some(document) = document_of(shared, agent, document) else { return };
            report_frame(shared, &document, FrameEvent::Loaded { document: document.id }, quota.take(0));
        }
        ToMain::DocumentGone { document, frame_gone } => {
            let gone = shared.state().registry.document_gone(agent, document, frame_gone);
            report_gone(shared, gone.unwrap_or_default(), || quota.take(0));
        }
        ToMain::Ipc { document, kind, channel, payload } => {
            let Some(document) = document_of(shared, agent, document) else { return };
            if channel.len() > MAX_CHANNEL {
                refuse(shared, &document, kind);
                return;
            }
            let responder = |request: RequestId| Responder::new(shared.clone(), document.id, request);
            let kind = match kind {
                IpcKind::Send => IpcEventKind::Send,
                IpcKind::PostMessage => IpcEventKind::PostMessage,
                IpcKind::Invoke(request) => IpcEventKind::Invoke(responder(request)),
                IpcKind::SendSync(request) => IpcEventKind::SendSync(responder(request)),
            };
            let bytes = document.url.len() + document.origin.len() + channel.len() + payload.len() + ports.len() * PORT_COST;
            let app = App(shared.clone());
            let sender = WebContents::new(app.clone(), document.contents);
            let frame = WebFrameMain::new(app, document.frame);
            shared.queue(AppEvent::Ipc(IpcMessage {
                sender,
                frame,
                document: document.id,
                url: document.url,
                origin: document.origin,
                leaving: document.leaving,
                channel,
                kind,
                payload,
                ports,
                quota_guard: quota.take(bytes),
            }));
        }
        ToMain::Console { page, level, mut text, mut source, line } => {
            let Some(contents) = shared.state().registry.contents_of(agent, page) else { return };
            cut(&mut text, MAX_CONSOLE_TEXT, CUT);
            cut(&mut source, MAX_CONSOLE_SOURCE, CUT);
            if let Some(quota_guard) = quota.take_console(contents, text.len() + source.len()) {
                report_contents(shared, contents, ContentsEvent::Console(ConsoleMessage { level, text, source, line }), quota_guard);
            }
        }
        ToMain::EvalDone { request, outcome } => {
            let eval = {
                let mut state = shared.state();
                // Another agent's answer is ignored.
                if state.evals.get(&request).is_none_or(|eval| eval.agent != agent) {
                    return;
                }
                state.evals.remove(&request)
            };
            if let Some(eval) = eval {
                let outcome = match outcome {
                    strait_protocol::Outcome::Value(payload) => Ok(payload),
                    strait_protocol::Outcome::Error(text) => Err(ScriptError::Thrown(text)),
                };
                finish_eval(shared, eval, outcome);
            }
        }
        ToMain::PreloadError { page, path, mut message } => {
            let Some(contents) = shared.state().registry.contents_of(agent, page) else { return };
            if path.as_os_str().len() > MAX_PATH {
                return;
            }
            cut(&mut message, MAX_CONSOLE_TEXT, CUT);
            // It is also a line for the terminal.
            if let Some(quota_guard) = quota.take_console(contents, path.as_os_str().len() + message.len()) {
                report_contents(shared, contents, ContentsEvent::PreloadError { path, message }, quota_guard);
            }
        }
        ToMain::PageOpened { page, target, features } => popup::opened(shared, agent, quota, page, (target, features)),
        ToMain::PageClosed { page } => closings.page_closed(shared, agent, page),
        ToMain::PreloadWanted { page } => preload_wanted(shared, agent, page),
    }
}

/// Reports the number of dropped console lines, once the quota has space for the report.
pub(super) fn report_dropped(shared: &SharedRef, quota: &Arc<Quota>) {
    for (contents, count) in quota.take_dropped() {
        let text = format!("{count} console lines were dropped: the page writes faster than they can be shown");
        report_contents(shared, contents, ContentsEvent::Console(ours(ConsoleLevel::Warning, text)), quota.take(0));
    }
}

/// Ends the process of an agent that keeps sending while the program does not receive. The report
/// follows all earlier events of the agent.
pub(super) fn expel(shared: &SharedRef, closings: &mut Closings, agent: AgentId, quota: &Arc<Quota>, (messages, bytes): (usize, usize)) {
    let pages = shared.state().registry.contents_in(agent);
    for contents in pages {
        let text = format!("the page's process is ended: {messages} messages of it ({} MiB) wait to be heard", bytes >> 20);
        report_contents(shared, contents, ContentsEvent::Console(ours(ConsoleLevel::Error, text)), quota.take(0));
    }
    gone(shared, closings, agent, quota, CloseReason::Crashed);
}

/// Reports the reason for the end of an agent that does not read its messages. Its bootstrap port
/// then ends like that of any agent.
pub(super) fn unread(shared: &SharedRef, port: u64, bytes: usize) {
    let pages = {
        let state = shared.state();
        let agent = state.agents.iter().find(|(_, bootstrap)| bootstrap.number() == port).map(|(agent, _)| *agent);
        agent.map(|agent| state.registry.contents_in(agent)).unwrap_or_default()
    };
    for contents in pages {
        let text = format!("the page's process is ended: it does not read what is sent to it ({} MiB wait)", bytes >> 20);
        report_contents(shared, contents, ContentsEvent::Console(ours(ConsoleLevel::Error, text)), QuotaGuard::default());
    }
}

fn ours(level: ConsoleLevel, text: String) -> ConsoleMessage {
    ConsoleMessage { level, text, source: String::new(), line: 0 }
}

/// Removes an agent whose process has ended.
pub(super) fn gone(shared: &SharedRef, closings: &mut Closings, agent: AgentId, quota: &Arc<Quota>, reason: CloseReason) {
    let mut abandoned = Vec::new();
    let mut lost = Vec::new();
    let pages = shared.state().registry.contents_in(agent);
    popup::refuse_of(shared, &pages);
    let (gone, bootstrap) = {
        let mut state = shared.state();
        let bootstrap = state.agents.remove(&agent);
        for contents in pages {
            let Some(record) = state.contents.get_mut(&contents) else { continue };
            // Unless a load is under way that brings a new process, messages that wait for a
            // document have no receiver.
            if record.loads.current().is_none() {
                record.crashed = true;
                record.refuse_scripts();
                abandoned.extend(record.outbox.abandon());
            }
            let (window, epoch) = (record.window, record.epoch);
            if state.windows.get(&window).is_some_and(|record| !record.closing) {
                lost.push((window, epoch));
            }
        }
        let gone = state.registry.remove_agent(agent);
        (gone, bootstrap)
    };
    for (window, epoch) in lost {
        shared.ui(UiCommand::ProcessLost { window, epoch });
    }
    // Ports close outside the lock.
    drop((abandoned, bootstrap));
    tracing::debug!(?agent, %reason, "an agent left");
    report_gone(shared, gone, || quota.take(0));
    closings.agent_gone(shared, agent);
}

fn page_bound(shared: &SharedRef, agent: AgentId, quota: &Arc<Quota>, nonce: strait_protocol::Nonce, page: u64) {
    let gone = {
        let mut state = shared.state();
        // The nonce is used up even if the binding is refused.
        let Some(claim) = state.view_nonces.remove(&nonce) else {
            tracing::warn!(?agent, page, "a page with an unknown nonce was ignored");
            return;
        };
        let gone = state.registry.bind_page(agent, page, claim.contents);
        // The events of one process keep their order.
        if gone.is_some()
            && let Some(other) = state.registry.contents_in(agent).into_iter().find(|other| *other != claim.contents)
        {
            shared.queue.join(WindowId(claim.contents.0), WindowId(other.0));
        }
        if gone.is_some()
            && let Some(record) = state.contents.get_mut(&claim.contents)
        {
            record.epoch = claim.epoch;
            record.commits.nonce = nonce;
        }
        gone
    };
    report_gone(shared, gone.unwrap_or_default(), || quota.take(0));
    judge_sandbox(shared, agent, page);
}

/// Warns about a window that should be sandboxed and is not, or stops its use.
fn judge_sandbox(shared: &SharedRef, agent: AgentId, page: u64) {
    let (window, preferences, confined) = {
        let state = shared.state();
        let Some(contents) = state.registry.contents_of(agent, page) else { return };
        let Some(window) = state.contents.get(&contents).map(|record| record.window) else { return };
        // A page that a page has opened is in its opener's process, which was checked.
        let Some(record) = state.windows.get(&window).filter(|record| record.root.is_none()) else { return };
        (window, record.preferences.clone(), state.registry.is_confined(agent))
    };
    match shared.sandbox.judge(&preferences, confined) {
        Confinement::Sandboxed | Confinement::Unsandboxed => {}
        Confinement::Exposed { reason } => shared.sandbox.warn(&reason),
        Confinement::Refused { reason } => shared.ui(UiCommand::Refrain { window, reason }),
    }
}

/// A new document of a sandboxed process requests the text of its window's preload, which it cannot
/// read itself.
fn preload_wanted(shared: &SharedRef, agent: AgentId, page: u64) {
    let path = {
        let state = shared.state();
        let window = state.registry.contents_of(agent, page).and_then(|contents| state.contents.get(&contents)).map(|record| record.window);
        window.and_then(|window| state.windows.get(&window)).and_then(|record| record.preferences.preload.clone())
    };
    // Only main decides which file it is.
    let text = match path {
        Some(path) => preload::read(&path).map_err(|error| format!("Cannot read '{}': {error}", path.display())),
        None => Err("the window has no preload script".to_owned()),
    };
    // An agent that is gone needs no answer.
    let _ = shared.state().post(agent, &ToAgent::Preload { page, text }, Vec::new());
}

fn document_created(shared: &SharedRef, agent: AgentId, quota: &Arc<Quota>, new: NewDocument) {
    let (document, gone, is_new) = {
        let mut state = shared.state();
        let Some((document, gone)) = state.registry.document_created(agent, new) else { return };
        let is_new = state.registry.introduce(document.frame);
        if document.main_frame
            && let Some(record) = state.contents.get_mut(&document.contents)
        {
            record.crashed = false;
            // Under the same lock as sending, so that no later message precedes the held ones.
            for held in record.outbox.document_created(&document.url) {
                state.emit_pending(document.frame, held);
            }
            state.run_scripts(document.contents);
        }
        (document, gone, is_new)
    };
    report_gone(shared, gone, || quota.take(0));
    if is_new {
        report_frame(shared, &document, FrameEvent::Created, quota.take(0));
    }
    let event = FrameEvent::DocumentCreated { document: document.id, url: document.url.to_string() };
    report_frame(shared, &document, event, quota.take(document.url.len()));
}

fn document_of(shared: &SharedRef, agent: AgentId, document: u64) -> Option<Document> {
    shared.state().registry.document_of(agent, document).cloned()
}

fn report_frame(shared: &SharedRef, document: &Document, event: FrameEvent, quota_guard: QuotaGuard) {
    let app = App(shared.clone());
    let contents = WebContents::new(app.clone(), document.contents);
    shared.queue(AppEvent::Frame { frame: WebFrameMain::new(app, document.frame), contents, event, quota_guard });
}

/// Refuses a request with an error, without passing it on.
fn refuse(shared: &SharedRef, document: &Document, kind: IpcKind) {
    if let IpcKind::Invoke(request) | IpcKind::SendSync(request) = kind {
        let outcome = strait_protocol::Outcome::Error("Error: the channel's name is too long".into());
        let reply = ToAgent::Reply { document: document.wire, request, outcome };
        let _ = shared.state().post(document.agent, &reply, Vec::new());
    }
}
