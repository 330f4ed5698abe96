//! What agents say, checked against what is theirs.

use strait_ports::{CloseReason, Message};
use strait_protocol::{IpcKind, RequestId, ToAgent, ToMain};

use super::closing::Closings;
use crate::{
    AppEvent, ConsoleMessage, ContentsEvent, FrameEvent, IpcEventKind, IpcMessage, Responder, ScriptError, WebContents, WebFrameMain,
    app::App,
    bridge::{finish_eval, report_contents, report_gone},
    registry::{AgentId, Document, NewDocument},
    shared::SharedRef,
    ui::UiCommand,
};

/// The longest channel name, in bytes. Messages on longer ones are refused.
pub(super) const MAX_CHANNEL: usize = 64 * 1024;
/// The longest console text that is passed on, in bytes; the rest is cut off.
const MAX_CONSOLE_TEXT: usize = 1 << 20;

/// Handles one message of an agent.
pub(super) fn heard(shared: &SharedRef, closings: &mut Closings, agent: AgentId, message: Message) {
    let Message { data, ports } = message;
    let said = match strait_protocol::decode::<ToMain>(&data) {
        Ok(said) => said,
        Err(error) => {
            tracing::warn!(?agent, %error, "an agent sent nonsense");
            return;
        }
    };
    match said {
        ToMain::PageBound { nonce, page } => page_bound(shared, agent, nonce, page),
        ToMain::DocumentCreated { page, document, frame, parent, url, origin, name } => {
            document_created(shared, agent, NewDocument { page, document, frame, parent, url, origin, name });
        }
        ToMain::DocumentReady { document } => {
            let Some(document) = document_of(shared, agent, document) else { return };
            if document.main_frame {
                report_contents(shared, document.contents, ContentsEvent::DomReady);
            }
            report_frame(shared, &document, FrameEvent::DomReady { document: document.id });
        }
        ToMain::DocumentGone { document, frame_gone } => {
            let gone = shared.state().registry.document_gone(agent, document, frame_gone);
            report_gone(shared, gone.unwrap_or_default());
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
            let app = App(shared.clone());
            let sender = WebContents::new(app.clone(), document.contents);
            let frame = WebFrameMain::new(app, document.frame);
            shared.queue(AppEvent::Ipc(IpcMessage {
                sender,
                frame,
                document: document.id,
                url: document.url,
                channel,
                kind,
                payload,
                ports,
            }));
        }
        ToMain::Console { page, level, mut text, source, line } => {
            let Some(contents) = shared.state().registry.contents_of(agent, page) else { return };
            if text.len() > MAX_CONSOLE_TEXT {
                let end = (0..=MAX_CONSOLE_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
                text.truncate(end);
            }
            report_contents(shared, contents, ContentsEvent::Console(ConsoleMessage { level, text, source, line }));
        }
        ToMain::EvalDone { request, outcome } => {
            let eval = {
                let mut state = shared.state();
                // Another agent's answer is none.
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
        ToMain::PreloadError { page, path, message } => {
            let Some(contents) = shared.state().registry.contents_of(agent, page) else { return };
            report_contents(shared, contents, ContentsEvent::PreloadError { path, message });
        }
        ToMain::PageClosed { page } => closings.page_closed(shared, agent, page),
    }
}

/// Forgets an agent whose process is gone.
pub(super) fn gone(shared: &SharedRef, closings: &mut Closings, agent: AgentId, reason: CloseReason) {
    let mut abandoned = Vec::new();
    let mut lost = Vec::new();
    let (gone, bootstrap) = {
        let mut state = shared.state();
        let bootstrap = state.agents.remove(&agent);
        for contents in state.registry.contents_in(agent) {
            let Some(record) = state.contents.get_mut(&contents) else { continue };
            // Unless a load is under way that brings a new process, what waits for a document has nobody to go to.
            if record.loads.current().is_none() {
                record.crashed = true;
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
    report_gone(shared, gone);
    closings.agent_gone(shared, agent);
}

fn page_bound(shared: &SharedRef, agent: AgentId, nonce: strait_protocol::Nonce, page: u64) {
    let gone = {
        let mut state = shared.state();
        // Used up even if the binding is refused.
        let Some(claim) = state.view_nonces.remove(&nonce) else {
            tracing::warn!(?agent, page, "a page with an unknown nonce was ignored");
            return;
        };
        let gone = state.registry.bind_page(agent, page, claim.contents);
        if gone.is_some()
            && let Some(record) = state.contents.get_mut(&claim.contents)
        {
            record.epoch = claim.epoch;
        }
        gone
    };
    report_gone(shared, gone.unwrap_or_default());
}

fn document_created(shared: &SharedRef, agent: AgentId, new: NewDocument) {
    let (document, gone) = {
        let mut state = shared.state();
        let Some((document, gone)) = state.registry.document_created(agent, new) else { return };
        if document.main_frame
            && let Some(record) = state.contents.get_mut(&document.contents)
        {
            record.crashed = false;
            // Under the same lock as sending, so that nothing sent later comes before what was held.
            for held in record.outbox.document_created(&document.url) {
                state.emit_held(document.frame, held);
            }
        }
        (document, gone)
    };
    report_gone(shared, gone);
    let event = FrameEvent::DocumentCreated { document: document.id, url: document.url.clone() };
    report_frame(shared, &document, event);
}

fn document_of(shared: &SharedRef, agent: AgentId, document: u64) -> Option<Document> {
    shared.state().registry.document_of(agent, document).cloned()
}

fn report_frame(shared: &SharedRef, document: &Document, event: FrameEvent) {
    let app = App(shared.clone());
    let contents = WebContents::new(app.clone(), document.contents);
    shared.queue(AppEvent::Frame { frame: WebFrameMain::new(app, document.frame), contents, event });
}

/// Answers what main will not look at.
fn refuse(shared: &SharedRef, document: &Document, kind: IpcKind) {
    if let IpcKind::Invoke(request) | IpcKind::SendSync(request) = kind {
        let outcome = strait_protocol::Outcome::Error("Error: the channel's name is too long".into());
        let reply = ToAgent::Reply { document: document.wire, request, outcome };
        let _ = shared.state().post(document.agent, &reply, Vec::new());
    }
}
