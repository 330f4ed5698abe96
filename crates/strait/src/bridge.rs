//! From main to pages: messages, scripts and loads.

use strait_ports::Port;
use strait_protocol::{ToAgent, World};
use tokio::sync::oneshot;

use crate::{
    AppEvent, ContentsEvent, ContentsId, FrameEvent, FrameGone, FrameKey, LoadError, LoadFuture, PostMessageError, PostMessageErrorKind,
    ScriptError, WebContents, WebFrameMain, WindowId,
    app::App,
    registry::Gone,
    shared::{ContentsRecord, Held, PendingEval, SharedRef, State},
    ui::UiCommand,
    web_contents::EvalFuture,
};

/// Who is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// The page's main frame.
    Page(ContentsId),
    Frame(FrameKey),
}

impl ContentsRecord {
    pub(crate) fn new(window: WindowId, main_frame: FrameKey) -> Self {
        Self {
            window,
            main_frame,
            url: String::new(),
            title: String::new(),
            loads: Default::default(),
            outbox: Default::default(),
            epoch: 0,
            crashed: false,
        }
    }
}

impl SharedRef {
    /// Sends a message to a frame's present document, or to the one that is on its way.
    pub(crate) fn emit(
        &self,
        target: Target,
        channel: &str,
        args: bool,
        payload: Vec<u8>,
        ports: Vec<Port>,
    ) -> Result<(), PostMessageError<Port>> {
        let mut state = self.state();
        let key = match target {
            Target::Page(contents) => state.registry.main_frame(contents),
            Target::Frame(key) => Some(key),
        };
        let Some((key, frame)) = key.and_then(|key| Some((key, state.registry.frame(key)?))) else {
            return Err(PostMessageError::gone(ports));
        };
        let (contents, empty) = (ContentsId(frame.contents), frame.document.is_none());
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        let Some(record) = state.contents.get_mut(&contents).filter(|_| !closing) else {
            return Err(PostMessageError::gone(ports));
        };
        let held = Held { channel: channel.into(), args, payload, ports };
        if record.main_frame == key && (record.outbox.is_held() || (empty && !record.crashed)) {
            record.outbox.hold(held);
            return Ok(());
        }
        state.emit_now(key, held)
    }

    /// Runs a script in a frame's present document.
    pub(crate) fn eval(&self, key: FrameKey, world: World, source: &str) -> EvalFuture {
        let (answer, future) = oneshot::channel();
        let mut state = self.state();
        let request = state.next_request();
        let Some(document) = state.registry.document_in(key).cloned() else {
            let _ = answer.send(Err(ScriptError::Frame(FrameGone)));
            return EvalFuture(future);
        };
        let message = ToAgent::Eval { request, document: document.wire, world, source: source.into() };
        if state.post(document.agent, &message, Vec::new()).is_ok() {
            state.evals.insert(request, PendingEval { agent: document.agent, document: document.id, answer });
        } else {
            let _ = answer.send(Err(ScriptError::Frame(FrameGone)));
        }
        EvalFuture(future)
    }

    pub(crate) fn load(&self, contents: ContentsId, url: Result<String, LoadError>) -> LoadFuture {
        let mut state = self.state();
        let given = url.as_ref().map_or_else(|error| error.url.clone(), Clone::clone);
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        let Some(record) = state.contents.get_mut(&contents).filter(|_| !closing) else {
            return LoadFuture::failed(LoadError::aborted(&given));
        };
        let url = match url {
            Ok(url) => url,
            Err(error) => return LoadFuture::failed(error),
        };
        let (load, future) = record.loads.begin(&url);
        record.outbox.load_begins(load, &url);
        record.crashed = false;
        let window = record.window;
        self.ui(UiCommand::Load { window, load, url });
        future
    }

    pub(crate) fn reload(&self, contents: ContentsId) -> LoadFuture {
        let mut state = self.state();
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        let Some(record) = state.contents.get_mut(&contents).filter(|_| !closing) else {
            return LoadFuture::failed(LoadError::aborted(""));
        };
        let url = record.url.clone();
        let (load, future) = record.loads.begin(&url);
        record.outbox.load_begins(load, &url);
        record.crashed = false;
        let window = record.window;
        self.ui(UiCommand::Reload { window, load });
        future
    }

    pub(crate) fn stop_load(&self, contents: ContentsId) {
        if let Some(record) = self.state().contents.get(&contents) {
            self.ui(UiCommand::Stop { window: record.window });
        }
    }
}

impl State {
    /// Posts a message to the document a frame shows now.
    pub(crate) fn emit_now(&self, key: FrameKey, held: Held) -> Result<(), PostMessageError<Port>> {
        let Some(document) = self.registry.document_in(key) else { return Err(PostMessageError::gone(held.ports)) };
        let message = ToAgent::Emit { document: document.wire, channel: held.channel, args: held.args, payload: held.payload };
        self.post(document.agent, &message, held.ports).map_err(|ports| PostMessageError { kind: PostMessageErrorKind::FrameGone, ports })
    }

    /// Whether a page shows a document of ours now.
    pub(crate) fn has_document(&self, contents: ContentsId) -> bool {
        self.registry.main_frame(contents).is_some_and(|key| self.registry.document_in(key).is_some())
    }

    /// Load number `load` is over.
    pub(crate) fn settle_load(&mut self, contents: ContentsId, load: u64, result: Result<(), LoadError>) {
        if let Some(record) = self.contents.get_mut(&contents) {
            record.loads.settle(load, result);
        }
    }

    /// Load number `load` ended without a new document: what waited for one goes to the present document, or is dropped.
    pub(crate) fn load_without_document(&mut self, contents: ContentsId, load: u64) {
        let Some(record) = self.contents.get_mut(&contents) else { return };
        let (key, held) = (record.main_frame, record.outbox.no_document(load));
        for held in held {
            // Nobody is there: its ports close.
            let _ = self.emit_now(key, held);
        }
    }
}

/// Tells the program of frames and documents that are gone, and ends the scripts that ran in them.
pub(crate) fn report_gone(shared: &SharedRef, gone: Vec<Gone>) {
    let app = App(shared.clone());
    for gone in gone {
        let (key, contents, event) = match gone {
            Gone::Document(document) => {
                let ended: Vec<PendingEval> =
                    shared.state().evals.extract_if(|_, eval| eval.document == document.id).map(|(_, eval)| eval).collect();
                for eval in ended {
                    let _ = eval.answer.send(Err(ScriptError::Unloaded));
                }
                (document.frame, document.contents, FrameEvent::DocumentGone { document: document.id })
            }
            Gone::Frame(key, contents) => (key, contents, FrameEvent::Gone),
        };
        let frame = WebFrameMain::new(app.clone(), key);
        shared.queue(AppEvent::Frame { frame, contents: WebContents::new(app.clone(), contents), event });
    }
}

/// Tells the program of something that happened to a page.
pub(crate) fn report_contents(shared: &SharedRef, contents: ContentsId, event: ContentsEvent) {
    shared.queue(AppEvent::Contents { contents: WebContents::new(App(shared.clone()), contents), event });
}
