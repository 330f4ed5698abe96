//! One web view: its loads, its process, and the signals that it reports.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use gtk::{gio::Cancellable, glib::ToVariant, prelude::WidgetExt};
use strait_protocol::{DOCUMENT_MESSAGE, DocumentBinding, Nonce, VIEW_MESSAGE, ViewConfig, ViewReply};
use webkit2gtk::{
    LoadEvent, NetworkError, PolicyDecision, PolicyDecisionExt, SettingsExt, URIRequest, URIRequestExt, URIResponseExt, UserMessage,
    UserMessageError, UserMessageExt, WebProcessTerminationReason, WebResourceExt, WebView as WebKitView, WebViewExt,
};

use super::{
    Headers, UiCommand, WindowPlan,
    errors::{load_error, refusal},
    page,
    page::Extras,
    watch,
};
use crate::{
    AppEvent, BrowserWindow, ContentsEvent, ContentsId, Decision, LoadError, QuotaGuard, WebPreferences, WindowEvent, WindowId,
    app::App,
    event::Question,
    ffi,
    loading::is_blank,
    page_sender::{self, report_contents},
    popup, printable, quit,
    quota::Quota,
    shared::{Claim, SharedRef},
    text::cut,
};

/// WebKit's features that slow timers of hidden pages; Strait's hidden pages are worker processes
/// too.
const THROTTLING: [&str; 2] = ["HiddenPageDOMTimerThrottling", "DOMTimersThrottling"];

/// The limit of replaced loads that are distinguished.
const MAX_REPLACED: usize = 64;

/// How long the end of a load waits for the agent's report that its document was ready. On a busy
/// machine that report takes its time, and programs rely on the order. Pages without a report by
/// then have entered an endless loop while they loaded.
const MOST_HELD: Duration = Duration::from_secs(2);

/// The longest title, in bytes; the rest is cut off.
const MAX_TITLE: usize = 4096;

/// A view; removed when dropped.
pub(super) struct View {
    pub(super) state: Rc<ViewState>,
}

/// State that the view's signal handlers share.
pub(super) struct ViewState {
    pub(super) shared: SharedRef,
    pub(super) window: WindowId,
    pub(super) contents: ContentsId,
    pub(super) view: WebKitView,
    config: RefCell<ViewConfig>,
    /// The agent in the present process has not received the view's configuration yet.
    pub(super) unannounced: Cell<bool>,
    /// The number of the present process within the view, counted by announcements.
    epoch: Cell<u64>,
    /// The reason why the view loads nothing: it needs a sandbox, and none is available.
    unavailable: RefCell<Option<String>>,
    /// Something has been loaded, so a reload is possible.
    pub(super) used: Cell<bool>,
    /// The number of the last load that the program requested.
    load: Cell<u64>,
    target: RefCell<Option<String>>,
    /// The headers for its request.
    headers: RefCell<Headers>,
    /// The URL of the document that the view shows.
    place: RefCell<String>,
    /// A load has begun and has brought no document yet.
    provisional: Cell<bool>,
    /// The program has requested a load that has not begun. Until it begins, WebKit returns its URL
    /// as the view's.
    requested: Cell<bool>,
    /// The start of the load has not been reported to the program yet.
    start_held: Cell<bool>,
    phase: Cell<Phase>,
    /// The URLs of loads that were stopped or replaced while under way. WebKit may still report
    /// that they were cancelled, which must be ignored.
    replaced: RefCell<Vec<String>>,
    /// The load that was requested of a dead process and has been requested again; that is done
    /// once.
    retried: Cell<u64>,
    failed: Cell<bool>,
    /// The number of documents that had become ready when the last load began.
    ready_before: Cell<u64>,
    /// A load has finished, and this has not been reported to the program yet.
    finish_held: Cell<bool>,
    /// The agent has been requested to answer behind its reports of all frames.
    finish_asked: Cell<bool>,
    /// A blank document was committed that was not requested.
    refused: Cell<bool>,
    /// Titles and moves within the document that are queued for the program.
    titles: Arc<Quota>,
    shown: Cell<bool>,
    /// State of the program's other operations on the page.
    pub(super) extras: Extras,
    /// The page's own navigations, held until the program has decided whether it allows the page.
    undecided: RefCell<Option<Vec<PolicyDecision>>>,
}

/// The progress of the program's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Settled,
    Asked,
    Started,
    Committed,
}

/// The first content of a new view.
pub(super) enum Origin {
    /// No content.
    Empty,
    /// A page that a page has opened, in that page's process, which gets its configuration from
    /// main. It loads this URL.
    Opened { url: String },
}

impl View {
    /// Connects the signals of a view that has been built.
    pub(super) fn new(
        shared: &SharedRef,
        (window, contents): (WindowId, ContentsId),
        (config, preferences): (ViewConfig, &WebPreferences),
        view: WebKitView,
        origin: Origin,
    ) -> Self {
        configure(&view, preferences);
        let (opened, target) = match origin {
            Origin::Empty => (false, None),
            Origin::Opened { url } => (true, Some(url).filter(|url| !popup::shows_nothing(url))),
        };
        let state = Rc::new(ViewState {
            shared: shared.clone(),
            window,
            contents,
            view,
            config: RefCell::new(config),
            unannounced: Cell::new(!opened),
            epoch: Cell::new(u64::from(opened)),
            unavailable: RefCell::default(),
            used: Cell::new(opened),
            load: Cell::new(u64::from(target.is_some())),
            phase: Cell::new(if target.is_some() { Phase::Asked } else { Phase::Settled }),
            target: RefCell::new(target),
            headers: RefCell::default(),
            place: RefCell::default(),
            provisional: Cell::new(false),
            requested: Cell::new(false),
            start_held: Cell::new(false),
            replaced: RefCell::default(),
            retried: Cell::new(0),
            failed: Cell::new(false),
            ready_before: Cell::new(0),
            finish_held: Cell::new(false),
            finish_asked: Cell::new(false),
            refused: Cell::new(false),
            titles: Quota::new(|| {}),
            shown: Cell::new(false),
            extras: Extras::default(),
            undecided: RefCell::new(opened.then(Vec::new)),
        });
        ViewState::connect(&state);
        page::connect(&state);
        watch::begin(&state);
        Self { state }
    }

    /// WebKit's view.
    pub(super) fn webkit(&self) -> &WebKitView {
        &self.state.view
    }

    /// The program has allowed a page that a page has opened: it moves into a window, and its load
    /// begins.
    pub(super) fn adopt(&self, plan: &WindowPlan) {
        self.state.config.borrow_mut().clone_from(&config_of(&self.state.shared, plan));
        configure(&self.state.view, &plan.preferences);
        for decision in self.state.undecided.take().into_iter().flatten() {
            decision.use_();
        }
        if plan.show {
            self.state.view.grab_focus();
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // Decisions that are dropped undecided would let the load continue.
        for decision in self.state.undecided.take().into_iter().flatten() {
            decision.ignore();
        }
        ffi::destroy(&self.state.view);
    }
}

/// The agent's configuration for a window's pages; the nonce is added later.
pub(super) fn config_of(shared: &SharedRef, plan: &WindowPlan) -> ViewConfig {
    popup::view_config(shared, plan.window, &plan.preferences, Nonce::default())
}

/// Applies the preferences that concern the view alone.
fn configure(view: &WebKitView, preferences: &WebPreferences) {
    let Some(settings) = WebViewExt::settings(view) else { return };
    // A page from the page cache would come back without its ports.
    settings.set_enable_page_cache(false);
    settings.set_allow_file_access_from_file_urls(true);
    // The program decides whether a page may open windows, independent of clicks.
    settings.set_javascript_can_open_windows_automatically(true);
    settings.set_enable_developer_extras(preferences.dev_tools.unwrap_or(true));
    settings.set_disable_web_security(!preferences.web_security.unwrap_or(true));
    let missing = ffi::set_features(&settings, &THROTTLING, preferences.background_throttling.unwrap_or(false));
    if !missing.is_empty() {
        tracing::debug!(?missing, "this WebKit lacks features");
    }
}

impl View {
    pub(super) fn load(&self, load: u64, url: &str, headers: Headers) {
        *self.state.headers.borrow_mut() = headers;
        self.state.begin(load, Some(url.into()));
    }

    pub(super) fn reload(&self, load: u64) {
        self.state.begin(load, None);
    }

    pub(super) fn stop(&self) {
        self.state.stop();
    }

    /// From now on the view loads nothing, for this reason: it needs a sandbox, and none is
    /// available. Its present page is removed.
    pub(super) fn refrain(&self, reason: String) {
        let state = &self.state;
        state.unavailable.replace(Some(reason));
        if state.used.get() && !state.unannounced.get() {
            state.extras.lost.set(true);
            state.view.terminate_web_process();
        }
    }

    /// The document for which the end of a load waited is ready.
    pub(super) fn document_ready(&self) {
        self.state.ask_for_frames();
    }

    /// The program has received a report of every frame that the page had when it had loaded.
    pub(super) fn frames_known(&self) {
        if self.state.finish_asked.get() {
            self.state.tell_finish();
        }
    }

    /// The page has moved to `url` in its document, by the agent's report. WebKit's own report,
    /// which changes the view's URL, may still be under way, but it precedes the answer to a script
    /// that starts now.
    pub(super) fn moved_within_document(&self, load: u64, url: String) {
        let (weak, shared, contents) = (Rc::downgrade(&self.state), self.state.shared.clone(), self.state.contents);
        self.state.view.evaluate_javascript("", None, None, Cancellable::NONE, move |_| {
            if let Some(state) = weak.upgrade().filter(|state| state.load.get() == load) {
                // Such a load never begins.
                state.requested.set(false);
                state.note_url(&state.view.uri().map(String::from).unwrap_or_default());
            }
            page_sender::moved_within_document(&shared, contents, load, url);
        });
    }

    /// The link to the view's process number `epoch` broke.
    pub(super) fn process_lost(&self, epoch: u64) {
        // If WebKit has reported that already, this is another process.
        if self.state.epoch.get() == epoch && !self.state.unannounced.get() {
            self.state.extras.lost.set(true);
            self.state.view.terminate_web_process();
        }
    }
}

impl ViewState {
    /// Begins the load of `target`, which is the program's load number `load`.
    fn begin(self: &Rc<Self>, load: u64, target: Option<String>) {
        if self.phase.get() != Phase::Settled {
            self.replace(self.target_url());
        }
        *self.target.borrow_mut() = target;
        self.load.set(load);
        self.phase.set(Phase::Asked);
        if let Some(problem) = self.shared.agent.get().and_then(|agent| agent.problem.clone()) {
            return self.load_failed(LoadError::agent_missing(&self.target_url(), problem));
        }
        self.requested.set(true);
        let target = self.target.borrow().clone();
        if let Some(reason) = self.unavailable.borrow().clone() {
            self.load_failed(LoadError::no_sandbox(&self.target_url(), &reason));
            return;
        }
        let first = !self.used.replace(true);
        // A dead process is replaced by the load, and can receive a message only then; the first
        // process is started by a message.
        if first {
            self.announce();
        }
        match &target {
            Some(url) if self.stays_in_document(url) => {
                // Reported by the script that detects the move.
                self.place.borrow_mut().clone_from(url);
                self.view.load_uri(url);
                self.phase.set(Phase::Settled);
                page_sender::moves_within_document(&self.shared, self.contents, load, url);
            }
            Some(url) => {
                let request = URIRequest::new(url);
                // Only HTTP requests have headers.
                if let Some(headers) = request.http_headers() {
                    self.headers.borrow().iter().for_each(|(name, value)| headers.replace(name, value));
                }
                self.view.load_request(&request);
            }
            None if first => {
                self.used.set(false);
                self.requested.set(false);
                self.fail(load, LoadError::aborted(""));
            }
            None => self.view.reload(),
        }
        self.announce();
    }

    /// Stops the load under way.
    fn stop(&self) {
        self.view.stop_loading();
        // Before the new document is committed WebKit may stop without a signal, or with a later
        // one.
        if matches!(self.phase.get(), Phase::Asked | Phase::Started) {
            let url = self.target_url();
            self.replace(url.clone());
            self.load_failed(LoadError::aborted(&url));
        }
    }

    /// The URL of the program's load.
    fn target_url(&self) -> String {
        let target = self.target.borrow().clone();
        target.or_else(|| self.view.uri().map(String::from)).unwrap_or_default()
    }

    /// Sends the view's configuration to the agent of a process that does not have it.
    fn announce(self: &Rc<Self>) {
        if !self.unannounced.replace(false) {
            return;
        }
        let mut config = self.config.borrow().clone();
        if getrandom::fill(&mut config.nonce).is_err() {
            tracing::error!("no randomness for a view's nonce");
            return;
        }
        {
            let mut state = self.shared.state();
            // An unused nonce is no longer valid.
            state.view_nonces.retain(|_, claim| claim.contents != self.contents);
            self.epoch.set(self.epoch.get() + 1);
            state.view_nonces.insert(config.nonce, Claim { contents: self.contents, epoch: self.epoch.get() });
        }
        let message = UserMessage::new(VIEW_MESSAGE, Some(&strait_protocol::encode(&config).to_variant()));
        let (state, epoch) = (Rc::downgrade(self), self.epoch.get());
        self.view.send_message_to_page(&message, Cancellable::NONE, move |reply| {
            if let Some(state) = state.upgrade() {
                state.announced(epoch, reply);
            }
        });
    }

    /// The agent of the view's process number `epoch` has answered, or there is no agent.
    fn announced(&self, epoch: u64, reply: Result<UserMessage, gtk::glib::Error>) {
        let bytes = |message: UserMessage| message.parameters().and_then(|parameters| parameters.get::<Vec<u8>>());
        let reason = match reply.map(|message| bytes(message).map(|bytes| strait_protocol::decode(&bytes))) {
            Ok(Some(Ok(ViewReply::Bound))) => return,
            Ok(Some(Ok(ViewReply::Failed(reason)))) => reason,
            Ok(_) => "the agent's answer is malformed".into(),
            Err(error) if error.kind::<UserMessageError>() == Some(UserMessageError::Message) => {
                // WebKit prints the linker's message itself.
                "the web process has not loaded it (see WebKit's line \"Error loading module\" above)".into()
            }
            // The process has ended, which is reported elsewhere.
            Err(error) => {
                tracing::debug!(%error, epoch, "no answer to a view's configuration");
                return;
            }
        };
        if epoch == self.epoch.get() && !self.unannounced.get() {
            let folder = self.shared.agent.get().map(|agent| agent.folder.display().to_string()).unwrap_or_default();
            self.agent_missing(format!("the web process has no agent from {folder}: {reason}"));
        }
    }

    /// The process has no agent, so a page in it would have neither preload nor IPC. The load fails
    /// and the process ends, so that no such page is shown.
    fn agent_missing(&self, detail: String) {
        // For a page that was opened by another one, or had loaded, the program awaits no load.
        strait_output::report!("strait: window {}: {}", self.window.0, printable(&detail));
        self.load_failed(LoadError::agent_missing(&self.target_url(), detail));
        self.extras.agentless.set(true);
        // Outside the view's signal, because WebKit still works on the process in it.
        let view = self.view.clone();
        gtk::glib::idle_add_local_full(gtk::glib::Priority::HIGH, move || {
            view.terminate_web_process();
            gtk::glib::ControlFlow::Break
        });
    }

    /// Whether this load only moves within the present document. (WebKit loads the very same URL
    /// again.)
    fn stays_in_document(&self, url: &str) -> bool {
        let Some(present) = self.view.uri() else { return false };
        let Some((place, _)) = url.split_once('#') else { return false };
        let moves = present != url && present.split('#').next() == Some(place);
        moves && !self.unannounced.get() && self.shared.state().has_document(self.contents)
    }

    fn connect(self: &Rc<Self>) {
        let state = Rc::downgrade(self);
        self.view.connect_load_changed(move |_, event| {
            if let Some(state) = state.upgrade() {
                state.load_changed(event);
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_load_failed(move |_, _, url, error| {
            if let Some(state) = state.upgrade() {
                state.tell_finish();
                state.tell_start(url);
                state.provisional.set(false);
                state.failed.set(true);
                if !state.was_replaced(url, error) {
                    state.load_failed(load_error(url, error));
                }
            }
            // No error page: the former document stays.
            true
        });
        let state = Rc::downgrade(self);
        self.view.connect_user_message_received(move |_, message| {
            let ours = message.name().is_some_and(|name| name == DOCUMENT_MESSAGE);
            if let Some(state) = state.upgrade().filter(|_| ours) {
                state.document_named(message);
            }
            ours
        });
        let state = Rc::downgrade(self);
        self.view.connect_page_id_notify(move |_| {
            // WebKit has moved the view to another process, whose agent has no configuration, and
            // commits a document in it next.
            if let Some(state) = state.upgrade().filter(|state| state.used.get() && !state.unannounced.get()) {
                let detail =
                    "the page's Cross-Origin-Opener-Policy moves it to another process, where it would have neither preload nor IPC";
                state.agent_missing(detail.into());
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_decide_policy(move |_, decision, _| {
            let Some(state) = state.upgrade() else { return false };
            let mut undecided = state.undecided.borrow_mut();
            let Some(undecided) = undecided.as_mut() else { return false };
            undecided.push(decision.clone());
            true
        });
        let state = Rc::downgrade(self);
        self.view.connect_resource_load_started(move |view, resource, request| {
            // Only the main frame's document is the view's main resource.
            if let (Some(state), Some(url)) = (state.upgrade(), request.uri())
                && view.main_resource().as_ref() == Some(resource)
            {
                state.tell_start(&url);
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_web_process_terminated(move |_, reason| {
            if let Some(state) = state.upgrade() {
                state.process_terminated(reason);
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_title_notify(move |view| {
            if let (Some(state), Some(title)) = (state.upgrade(), view.title()) {
                state.titled(&title);
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_uri_notify(move |view| {
            if let (Some(state), Some(url)) = (state.upgrade(), view.uri()) {
                state.note_url(&url);
            }
        });
        let state = Rc::downgrade(self);
        self.view.connect_close(move |_| {
            if let Some(state) = state.upgrade() {
                let decision = Decision::new(state.shared.clone(), Question::CloseWindow(state.window));
                state.shared.queue(AppEvent::WindowClose { window: state.handle(), decision });
            }
        });
    }

    fn load_changed(self: &Rc<Self>, event: LoadEvent) {
        // The process is about to be ended; its load has failed already.
        if self.extras.agentless.get() {
            return;
        }
        self.tell_finish();
        match event {
            LoadEvent::Started => {
                self.requested.set(false);
                self.failed.set(false);
                self.ready_before.set(self.documents_ready());
                if self.phase.get() == Phase::Asked {
                    self.phase.set(Phase::Started);
                }
                // WebKit may still report the begin of a stopped load; for the program it has
                // ended.
                let url = self.view.uri().map(String::from).unwrap_or_default();
                let stopped = !matches!(self.phase.get(), Phase::Asked | Phase::Started) && self.replaced.borrow().contains(&url);
                if !stopped {
                    self.shared.state().loading_started(self.contents);
                }
                self.report(ContentsEvent::DidStartLoading);
                self.hold_start();
            }
            LoadEvent::Committed => {
                self.replaced.borrow_mut().clear();
                self.shared.committed(self.contents, &self.committed_url());
                let url = self.view.uri().map(String::from).unwrap_or_default();
                if self.phase.get() == Phase::Started {
                    self.phase.set(Phase::Committed);
                    let unasked = is_blank(&url) && self.target.borrow().as_ref().is_some_and(|target| !target.starts_with("about:"));
                    self.refused.set(unasked);
                }
                self.tell_start(&url);
                self.provisional.set(false);
                self.place.borrow_mut().clone_from(&url);
                self.forget_styles();
                let response = self.view.main_resource().and_then(|resource| resource.response());
                let status = response.and_then(|response| u16::try_from(response.status_code()).ok()).filter(|status| *status > 0);
                self.report(ContentsEvent::DidNavigate { url, same_document: false, status });
            }
            LoadEvent::Finished => {
                self.provisional.set(false);
                if self.phase.get() == Phase::Started && !self.failed.get() {
                    self.load_failed(refusal(&self.target_url()));
                } else if self.phase.get() == Phase::Committed && self.refused.take() {
                    // WebKit refuses some loads (unsafe ports) by a blank page, without an error.
                    self.load_failed(refusal(&self.target_url()));
                } else if !self.failed.get() {
                    return self.hold_finish();
                }
                self.stopped();
            }
            _ => {}
        }
    }

    /// The URL of the document that is being committed. While a load of the program's has been
    /// requested, WebKit returns that load's URL as the view's, though another load may commit
    /// first. The main resource has the right URL.
    fn committed_url(&self) -> String {
        let url = if self.requested.get() { self.view.main_resource().and_then(|resource| resource.uri()) } else { self.view.uri() };
        url.map(String::from).unwrap_or_default()
    }

    /// The page's message about which of its agent's documents is in the view now. WebKit delivers
    /// it behind that document's commit.
    fn document_named(&self, message: &UserMessage) {
        let bytes = message.parameters().and_then(|parameters| parameters.get::<Vec<u8>>());
        match bytes.map(|bytes| strait_protocol::decode::<DocumentBinding>(&bytes)) {
            Some(Ok(binding)) => self.shared.bind_document(self.contents, binding),
            Some(Err(error)) => tracing::warn!(window = self.window.0, %error, "a page sent a malformed document binding"),
            None => tracing::warn!(window = self.window.0, "a page sent a document binding without bytes"),
        }
    }

    fn documents_ready(&self) -> u64 {
        self.shared.state().contents.get(&self.contents).map_or(0, |record| record.documents_ready)
    }

    /// Reports to the program that a load has finished, but only after the report that the document
    /// is ready. The agent sends that one over another connection.
    fn hold_finish(self: &Rc<Self>) {
        self.finish_held.set(true);
        let is_ready = {
            let mut state = self.shared.state();
            let record = state.contents.get_mut(&self.contents);
            record.is_none_or(|record| {
                record.awaits_ready = record.documents_ready == self.ready_before.get();
                !record.awaits_ready
            })
        };
        if is_ready {
            self.ask_for_frames();
        }
        let (state, before) = (Rc::downgrade(self), self.ready_before.get());
        gtk::glib::timeout_add_local_once(MOST_HELD, move || {
            if let Some(state) = state.upgrade().filter(|state| state.ready_before.get() == before) {
                state.tell_finish();
            }
        });
    }

    /// The end of a load is reported after the frames that the page has by then. The agent, which
    /// reports these, answers behind its reports.
    fn ask_for_frames(&self) {
        if self.finish_held.get() && !self.finish_asked.replace(true) && !page_sender::await_frames(&self.shared, self.contents) {
            self.tell_finish();
        }
    }

    /// Reports the finished load to the program, unless that was done.
    fn tell_finish(&self) {
        self.finish_asked.set(false);
        if self.finish_held.take() {
            self.finished();
            self.stopped();
        }
    }

    fn stopped(&self) {
        self.shared.state().loading_stopped(self.contents);
        self.report(ContentsEvent::DidStopLoading);
    }

    fn finished(&self) {
        if !self.shown.replace(true) {
            self.shared.queue(AppEvent::Window { window: self.handle(), event: WindowEvent::ReadyToShow });
        }
        self.report(ContentsEvent::DidFinishLoad);
        // A load that ends before the program's load has begun is the one that it replaced.
        if self.phase.get() == Phase::Committed {
            self.phase.set(Phase::Settled);
            self.shared.state().settle_load(self.contents, self.load.get(), Ok(()));
        }
    }

    /// Records that further signals of the load under way must be ignored.
    fn replace(&self, url: String) {
        let mut replaced = self.replaced.borrow_mut();
        if replaced.len() == MAX_REPLACED {
            replaced.remove(0);
        }
        replaced.push(url);
    }

    /// Whether this is only the end of a load that was stopped or replaced by a newer one.
    fn was_replaced(&self, url: &str, error: &gtk::glib::Error) -> bool {
        if error.kind::<NetworkError>() != Some(NetworkError::Cancelled) {
            return false;
        }
        let mut replaced = self.replaced.borrow_mut();
        match replaced.iter().position(|other| other == url) {
            Some(index) => drop(replaced.remove(index)),
            // A page may stop the program's load itself.
            None if self.target.borrow().as_deref() == Some(url) => return false,
            // A load that was redirected.
            None => return replaced.pop().is_some(),
        }
        true
    }

    fn load_failed(&self, error: LoadError) {
        self.report(ContentsEvent::DidFailLoad(error.clone()));
        if self.phase.get() != Phase::Settled {
            self.fail(self.load.get(), error);
        }
    }

    fn fail(&self, load: u64, error: LoadError) {
        self.phase.set(Phase::Settled);
        let mut state = self.shared.state();
        state.load_without_document(self.contents, load);
        state.settle_load(self.contents, load, Err(error));
    }

    fn process_terminated(self: &Rc<Self>, reason: WebProcessTerminationReason) {
        // The end of a page that the program has not received yet is not reported.
        if !self.shared.state().contents.contains_key(&self.contents) {
            return;
        }
        self.tell_finish();
        let (reason, exit_code) = self.end_of_process(reason);
        self.unannounced.set(true);
        if let Some(record) = self.shared.state().contents.get_mut(&self.contents) {
            // The agent's broken link may not have been detected yet; handlers of the event must
            // already read the page as crashed.
            record.crashed = record.loads.current().is_none();
            record.loading = !record.crashed;
            if record.crashed {
                record.refuse_scripts();
            }
        }
        self.report(ContentsEvent::RenderProcessGone { reason, exit_code });
        let load = self.load.get();
        match self.phase.get() {
            // It was requested of a process that had died undetected.
            Phase::Asked | Phase::Started if self.retried.replace(load) != load => {
                self.phase.set(Phase::Settled);
                // Outside the signal, because WebKit still removes the old process in it.
                self.shared.ui(match self.target.borrow().clone() {
                    Some(url) => UiCommand::Load { window: self.window, load, url, headers: self.headers.borrow().clone() },
                    None => UiCommand::Reload { window: self.window, load },
                });
            }
            Phase::Settled => {}
            _ => {
                let url = self.view.uri().map(String::from).unwrap_or_default();
                let unavailable = self.unavailable.borrow().clone();
                let error = unavailable.map(|reason| LoadError::no_sandbox(&url, &reason)).unwrap_or_else(|| {
                    let detail = "the page's process is gone".into();
                    LoadError { url, code: -2, description: "ERR_FAILED".into(), detail }
                });
                self.fail(load, error);
                if let Some(record) = self.shared.state().contents.get_mut(&self.contents) {
                    record.crashed = true;
                }
            }
        }
    }

    fn titled(&self, title: &str) {
        if title.is_empty() {
            return;
        }
        let mut title = title.to_owned();
        cut(&mut title, MAX_TITLE, "…");
        {
            let mut state = self.shared.state();
            if let Some(record) = state.contents.get_mut(&self.contents) {
                title.clone_into(&mut record.title);
            }
        }
        // The page's own properties have the present title; in a flood of titles not each is
        // reported to the program.
        if !self.titles.is_full() {
            let quota_guard = self.titles.take(title.len());
            report_contents(&self.shared, self.contents, ContentsEvent::TitleUpdated(title.clone()), quota_guard);
        }
        quit::page_titled(&self.shared, self.window, title);
    }

    /// A load has begun. Of the page's own loads WebKit reports the target only with the request,
    /// or when they end.
    fn hold_start(&self) {
        self.provisional.set(true);
        self.start_held.set(true);
        if self.phase.get() != Phase::Settled {
            self.tell_start(&self.target_url());
        }
    }

    fn tell_start(&self, url: &str) {
        if self.start_held.take() {
            self.report(ContentsEvent::DidStartNavigation { url: url.to_owned() });
        }
    }

    /// Reports a move of the page's own within its document, which only the view's URL shows.
    fn moved(&self, url: &str) {
        let rests = self.phase.get() == Phase::Settled && !self.provisional.get();
        if !rests || url.is_empty() || self.place.borrow().is_empty() || *self.place.borrow() == url {
            return;
        }
        url.clone_into(&mut self.place.borrow_mut());
        // A page can move any number of times; its own properties have the present URL.
        if !self.titles.is_full() {
            let event = ContentsEvent::DidNavigate { url: url.to_owned(), same_document: true, status: None };
            report_contents(&self.shared, self.contents, event, self.titles.take(url.len()));
        }
    }

    fn note_url(&self, url: &str) {
        if !self.requested.get() && !self.provisional.get() {
            self.shared.moved(self.contents, url);
        }
        self.moved(url);
    }

    fn handle(&self) -> BrowserWindow {
        BrowserWindow::new(App(self.shared.clone()), self.window)
    }

    pub(super) fn report(&self, event: ContentsEvent) {
        report_contents(&self.shared, self.contents, event, QuotaGuard::default());
    }
}
