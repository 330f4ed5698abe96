//! Sends messages, scripts and loads from main to pages.

use strait_ports::Port;
use strait_protocol::{DocumentBinding, EmitKind, ToAgent, World};
use tokio::sync::oneshot;

use crate::{
    AppEvent, ContentsEvent, ContentsId, FrameEvent, FrameGone, FrameKey, LoadError, LoadFuture, PostMessageError, QuotaGuard, ScriptError,
    WebContents, WebFrameMain, WindowId,
    app::App,
    error,
    io::IoCommand,
    registry::{Document, Gone, SenderDocument},
    shared::{Answer, ContentsRecord, PendingEval, PendingMessage, PendingScript, SharedRef, State},
    ui::{Headers, UiCommand},
    web_contents::EvalFuture,
};

/// The destination of a message.
enum Route {
    /// The frame is gone, or crashed.
    Nowhere,
    /// To this page's next document.
    Wait(ContentsId),
    To(Document),
}

impl PendingMessage {
    /// The message for a document; the payload moves into it.
    fn take_message(&mut self, document: &Document) -> ToAgent {
        let (channel, payload) = (std::mem::take(&mut self.channel), std::mem::take(&mut self.payload));
        ToAgent::Emit { document: document.wire, channel, kind: self.kind, payload }
    }

    fn take_back(&mut self, message: ToAgent) {
        if let ToAgent::Emit { channel, payload, .. } = message {
            (self.channel, self.payload) = (channel, payload);
        }
    }
}

/// The addressee of a message.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The page's main frame.
    Page(ContentsId),
    Frame(FrameKey),
    /// The document that sent a message, or a later one of the same origin in its frame.
    Sender(FrameKey, SenderDocument),
}

impl ContentsRecord {
    pub(crate) fn new(window: WindowId, main_frame: FrameKey) -> Self {
        Self {
            window,
            main_frame,
            commits: Default::default(),
            title: String::new(),
            loads: Default::default(),
            outbox: Default::default(),
            documents_ready: 0,
            awaits_ready: false,
            loading: false,
            scripts: Vec::new(),
            asks_open: false,
            epoch: 0,
            crashed: false,
            devtools: false,
            download_refused: false,
        }
    }

    /// Ends the waiting scripts, because there is no document for them.
    pub(crate) fn refuse_scripts(&mut self) {
        for script in self.scripts.drain(..) {
            let _ = script.answer.send(Err(ScriptError::Frame(FrameGone)));
        }
    }
}

impl SharedRef {
    /// Sends a message to a frame's present document, or to the one under way.
    pub(crate) fn emit(
        &self,
        target: Target,
        channel: &str,
        kind: EmitKind,
        payload: Vec<u8>,
        ports: Vec<Port>,
    ) -> Result<(), PostMessageError<Port>> {
        let mut held = PendingMessage { channel: channel.into(), kind, payload, ports };
        // Encoded outside the lock, because the UI thread may wait for it; then the target is
        // checked again.
        let mut prepared: Option<(Document, Vec<u8>)> = None;
        loop {
            let document = {
                let mut state = self.state();
                match state.route(&target) {
                    Route::Nowhere => return Err(error::gone(held.ports)),
                    Route::Wait(contents) => {
                        if let Some(record) = state.contents.get_mut(&contents) {
                            record.outbox.hold(held);
                        }
                        return Ok(());
                    }
                    Route::To(document) => match prepared {
                        Some((prepared_for, bytes)) if prepared_for == document => {
                            return state.post_encoded(document.agent, bytes, held.ports).map_err(error::gone);
                        }
                        _ => document,
                    },
                }
            };
            let message = held.take_message(&document);
            let bytes = strait_protocol::encode(&message);
            held.take_back(message);
            prepared = Some((document, bytes));
        }
    }

    /// Runs a script in a frame's present document.
    pub(crate) fn eval(&self, key: FrameKey, world: World, source: &str) -> EvalFuture {
        let (answer, future) = oneshot::channel();
        let refused = self.state().evaluate(key, world, source, Answer::Program(answer));
        if let Err(Answer::Program(answer)) = refused {
            let _ = answer.send(Err(ScriptError::Frame(FrameGone)));
        }
        EvalFuture(future)
    }

    /// Runs a script in a page's main frame, once it shows a document and no load is under way.
    pub(crate) fn eval_page(&self, contents: ContentsId, world: World, source: &str) -> EvalFuture {
        let (answer, future) = oneshot::channel();
        let mut state = self.state();
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        match state.contents.get_mut(&contents) {
            Some(record) if !closing && !record.crashed => {
                record.scripts.push(PendingScript { world, source: source.into(), answer });
                state.run_scripts(contents);
            }
            _ => drop(answer.send(Err(ScriptError::Frame(FrameGone)))),
        }
        EvalFuture(future)
    }

    pub(crate) fn load(&self, contents: ContentsId, url: Result<String, LoadError>, headers: Headers) -> LoadFuture {
        let mut state = self.state();
        let given = url.as_ref().map_or_else(|error| error.url.clone(), Clone::clone);
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        let Some(record) = state.contents.get_mut(&contents).filter(|_| !closing) else {
            return LoadFuture::failed(LoadError::aborted(&given));
        };
        let url = match url {
            Ok(url) => url,
            Err(error) => {
                drop(state);
                report_contents(self, contents, ContentsEvent::DidFailLoad(error.clone()), QuotaGuard::default());
                return LoadFuture::failed(error);
            }
        };
        let (load, future) = record.loads.begin(&url, &self.queue.of(contents));
        record.outbox.load_begins(load, &url);
        (record.crashed, record.loading) = (false, true);
        let window = record.window;
        self.ui(UiCommand::Load { window, load, url, headers });
        future
    }

    pub(crate) fn reload(&self, contents: ContentsId) -> LoadFuture {
        let mut state = self.state();
        let closing = state.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing);
        let Some(record) = state.contents.get_mut(&contents).filter(|_| !closing) else {
            return LoadFuture::failed(LoadError::aborted(""));
        };
        let url = record.commits.url().to_owned();
        let (load, future) = record.loads.begin(&url, &self.queue.of(contents));
        record.outbox.load_begins(load, &url);
        (record.crashed, record.loading) = (false, true);
        let window = record.window;
        self.ui(UiCommand::Reload { window, load });
        future
    }

    /// The view has committed a document with this URL.
    pub(crate) fn committed(&self, contents: ContentsId, url: &str) {
        if let Some(record) = self.state().contents.get_mut(&contents) {
            record.commits.committed(url);
        }
    }

    /// The view shows another URL of the document that it has committed.
    pub(crate) fn moved(&self, contents: ContentsId, url: &str) {
        let mut state = self.state();
        let generation = state.contents.get_mut(&contents).and_then(|record| record.commits.moved(url));
        if let Some(generation) = generation {
            state.registry.moved(contents, generation, url);
        }
    }

    /// A page has reported to its view, through WebKit, which document it shows. The agent's own
    /// report of the document may wait for this one.
    pub(crate) fn bind_document(&self, contents: ContentsId, binding: DocumentBinding) {
        let agent = {
            let mut state = self.state();
            let Some(record) = state.contents.get_mut(&contents) else { return };
            record.commits.bind(binding);
            state.registry.page(contents).map(|(agent, _)| agent)
        };
        if let Some(agent) = agent {
            self.io.send(IoCommand::AgentReady(agent));
        }
    }

    pub(crate) fn stop_load(&self, contents: ContentsId) {
        if let Some(record) = self.state().contents.get(&contents) {
            self.ui(UiCommand::Stop { window: record.window });
        }
    }
}

impl State {
    /// Runs a script in a frame's present document; returns the answer's sender if there is none.
    fn evaluate(&mut self, key: FrameKey, world: World, source: &str, answer: Answer) -> Result<(), Answer> {
        let request = self.next_request();
        let Some(document) = self.registry.document_in(key) else { return Err(answer) };
        let (agent, id, contents) = (document.agent, document.id, document.contents);
        let message = ToAgent::Eval { request, document: document.wire, world, source: source.into() };
        if self.post(agent, &message, Vec::new()).is_err() {
            return Err(answer);
        }
        self.evals.insert(request, PendingEval { agent, document: id, contents, answer });
        Ok(())
    }

    /// The present destination of a message.
    fn route(&self, target: &Target) -> Route {
        let key = match target {
            Target::Page(contents) => self.registry.main_frame(*contents),
            Target::Frame(key) => Some(*key),
            Target::Sender(key, sender) => {
                let document = self.registry.document_in(*key).filter(|document| sender.is_succeeded_by(document));
                return document.cloned().map_or(Route::Nowhere, Route::To);
            }
        };
        let Some((key, frame)) = key.and_then(|key| Some((key, self.registry.frame(key)?))) else { return Route::Nowhere };
        let contents = ContentsId(frame.contents);
        if self.windows.get(&WindowId(contents.0)).is_none_or(|window| window.closing) {
            return Route::Nowhere;
        }
        let Some(record) = self.contents.get(&contents) else { return Route::Nowhere };
        if record.main_frame == key && (record.outbox.is_held() || (frame.document.is_none() && !record.crashed)) {
            return Route::Wait(contents);
        }
        if record.crashed {
            return Route::Nowhere;
        }
        self.registry.document_in(key).cloned().map_or(Route::Nowhere, Route::To)
    }

    /// Posts a held message to the frame's present document; its ports close if there is none.
    pub(crate) fn emit_pending(&self, key: FrameKey, mut held: PendingMessage) {
        if let Some(document) = self.registry.document_in(key) {
            let message = held.take_message(document);
            let _ = self.post(document.agent, &message, held.ports);
        }
    }

    /// Whether a page shows a document that the registry has.
    pub(crate) fn has_document(&self, contents: ContentsId) -> bool {
        self.registry.main_frame(contents).is_some_and(|key| self.registry.document_in(key).is_some())
    }

    /// Load number `load` has ended.
    pub(crate) fn settle_load(&mut self, contents: ContentsId, load: u64, result: Result<(), LoadError>) {
        let Some(record) = self.contents.get_mut(&contents) else { return };
        let failed = result.is_err();
        record.loads.settle(load, result);
        self.loading_stopped(contents);
        // There will be no document; if there is none now either, the scripts must end.
        if failed
            && !self.has_document(contents)
            && let Some(record) = self.contents.get_mut(&contents).filter(|record| !record.loading)
        {
            record.refuse_scripts();
        }
    }

    /// The page has begun a load itself.
    pub(crate) fn loading_started(&mut self, contents: ContentsId) {
        if let Some(record) = self.contents.get_mut(&contents) {
            record.loading = true;
        }
    }

    /// A load of a page has ended. If the program has not requested another one, the page is no
    /// longer loading.
    pub(crate) fn loading_stopped(&mut self, contents: ContentsId) {
        if let Some(record) = self.contents.get_mut(&contents).filter(|record| record.loads.current().is_none()) {
            record.loading = false;
            self.run_scripts(contents);
        }
    }

    /// Runs the scripts that waited for a page to have a document and to finish loading, if it has.
    pub(crate) fn run_scripts(&mut self, contents: ContentsId) {
        if !self.has_document(contents) {
            return;
        }
        let Some(record) = self.contents.get_mut(&contents).filter(|record| !record.loading) else { return };
        let (key, scripts) = (record.main_frame, std::mem::take(&mut record.scripts));
        for PendingScript { world, source, answer } in scripts {
            if let Err(Answer::Program(answer)) = self.evaluate(key, world, &source, Answer::Program(answer)) {
                let _ = answer.send(Err(ScriptError::Frame(FrameGone)));
            }
        }
    }

    /// Load number `load` ended without a new document. Messages that waited for one go to the
    /// present document, or are dropped.
    pub(crate) fn load_without_document(&mut self, contents: ContentsId, load: u64) {
        let Some(record) = self.contents.get_mut(&contents) else { return };
        let (key, held) = (record.main_frame, record.outbox.no_document(load));
        for held in held {
            self.emit_pending(key, held);
        }
    }
}

/// A load turned out to move only within the present document. Messages sent to the page since then
/// go there. The load ends when the page's own `hashchange` event comes, because WebKit has no
/// signal for it.
pub(crate) fn moves_within_document(shared: &SharedRef, contents: ContentsId, load: u64, url: &str) {
    // In the isolated world, where no script of the page interferes.
    const ARRIVAL: &str = "new Promise((done) => { \
        if (location.href === new URL(TARGET).href) done(); else addEventListener('hashchange', () => done(), { once: true }) })";
    let source = ARRIVAL.replace("TARGET", &format!("{url:?}"));
    let refused = {
        let mut state = shared.state();
        state.load_without_document(contents, load);
        let answer = Answer::Move { contents, load, url: url.into() };
        match state.registry.main_frame(contents) {
            Some(key) => state.evaluate(key, World::Isolated, &source, answer).is_err(),
            None => true,
        }
    };
    if refused {
        shared.state().settle_load(contents, load, Err(LoadError::aborted(url)));
    }
}

/// Requests an answer from the agent after its reports of all frames that the page has now:
/// [`UiCommand::FramesKnown`]. False if the agent cannot be reached.
pub(crate) fn await_frames(shared: &SharedRef, contents: ContentsId) -> bool {
    let mut state = shared.state();
    let Some(key) = state.registry.main_frame(contents) else { return false };
    state.evaluate(key, World::Isolated, "0", Answer::Frames { contents }).is_ok()
}

/// A script has ended.
pub(crate) fn finish_eval(shared: &SharedRef, eval: PendingEval, outcome: Result<Vec<u8>, ScriptError>) {
    match eval.answer {
        Answer::Program(answer) => shared.queue.of(eval.contents).settle(answer, outcome),
        Answer::Frames { contents } => {
            let window = shared.state().contents.get(&contents).map(|record| record.window);
            if let Some(window) = window {
                shared.ui(UiCommand::FramesKnown { window });
            }
        }
        Answer::Move { contents, load, url } => {
            let window = shared.state().contents.get(&contents).map(|record| record.window);
            match window.filter(|_| outcome.is_ok()) {
                Some(window) => shared.ui(UiCommand::MovedWithinDocument { window, load, url }),
                None => shared.state().settle_load(contents, load, Err(LoadError::aborted(&url))),
            }
        }
    }
}

/// The view has recorded too that its document moved, so a later load is compared with the right
/// URL.
pub(crate) fn moved_within_document(shared: &SharedRef, contents: ContentsId, load: u64, url: String) {
    report_contents(shared, contents, ContentsEvent::DidNavigate { url, same_document: true, status: None }, QuotaGuard::default());
    shared.state().settle_load(contents, load, Ok(()));
}

/// Reports removed frames and documents to the program, and ends the scripts that ran in them.
pub(crate) fn report_gone(shared: &SharedRef, gone: Vec<Gone>, quota_guard: impl Fn() -> QuotaGuard) {
    let app = App(shared.clone());
    for gone in gone {
        let (key, contents, event) = match gone {
            Gone::Document(document) => {
                let ended: Vec<PendingEval> =
                    shared.state().evals.extract_if(|_, eval| eval.document == document.id).map(|(_, eval)| eval).collect();
                for eval in ended {
                    finish_eval(shared, eval, Err(ScriptError::Unloaded));
                }
                (document.frame, document.contents, FrameEvent::DocumentGone { document: document.id })
            }
            Gone::Frame(key, contents) => (key, contents, FrameEvent::Gone),
        };
        let frame = WebFrameMain::new(app.clone(), key);
        shared.queue(AppEvent::Frame { frame, contents: WebContents::new(app.clone(), contents), event, quota_guard: quota_guard() });
    }
}

/// Reports an event of a page to the program.
pub(crate) fn report_contents(shared: &SharedRef, contents: ContentsId, event: ContentsEvent, quota_guard: QuotaGuard) {
    shared.queue(AppEvent::Contents { contents: WebContents::new(App(shared.clone()), contents), event, quota_guard });
}
