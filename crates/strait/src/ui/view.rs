//! One web view.

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

/// By these WebKit slows timers of hidden pages down; ours are worker processes too.
const THROTTLING: [&str; 2] = ["HiddenPageDOMTimerThrottling", "DOMTimersThrottling"];

/// So many loads that were replaced are told apart.
const MAX_REPLACED: usize = 64;

/// How long the end of a load waits for the agent's word that its document was ready. On a machine with much else to do that word takes its time,
/// and programs rely on the order; without an agent's word there are only pages that went into a loop as they loaded.
const MOST_HELD: Duration = Duration::from_secs(2);

/// The longest title, in bytes; the rest is cut off.
const MAX_TITLE: usize = 4096;

/// A view; gone when dropped.
pub(super) struct View {
    pub(super) state: Rc<ViewState>,
}

/// What the view's signal handlers share.
pub(super) struct ViewState {
    pub(super) shared: SharedRef,
    pub(super) window: WindowId,
    pub(super) contents: ContentsId,
    pub(super) view: WebKitView,
    config: RefCell<ViewConfig>,
    /// The agent in the present process has not got the view's configuration yet.
    pub(super) unannounced: Cell<bool>,
    /// Which process of the view is the present one, counted by announcements.
    epoch: Cell<u64>,
    /// Why it loads nothing: it needs a sandbox, and there is none.
    unavailable: RefCell<Option<String>>,
    /// Something has been loaded, so that there is something to reload.
    pub(super) used: Cell<bool>,
    /// The last load the program asked for, and whether it is still to be settled.
    load: Cell<u64>,
    target: RefCell<Option<String>>,
    /// What goes with the request for it.
    headers: RefCell<Headers>,
    /// Where the document is that the view shows.
    place: RefCell<String>,
    /// A load has begun and has brought no document yet.
    provisional: Cell<bool>,
    /// The program has asked for a load that has not begun: until it does, WebKit gives its URL as the view's.
    requested: Cell<bool>,
    /// The program has not been told of its beginning yet.
    start_held: Cell<bool>,
    phase: Cell<Phase>,
    /// The URLs of loads that were stopped or replaced while under way: WebKit may still say that they were cancelled, which is no news.
    replaced: RefCell<Vec<String>>,
    /// A load that was asked for when the process was already dead is asked for again, once.
    retried: Cell<u64>,
    failed: Cell<bool>,
    /// How many documents had become ready when the last load began.
    ready_before: Cell<u64>,
    /// A load has finished, and the program has not been told yet.
    finish_held: Cell<bool>,
    /// The agent is to say that it has told of all frames.
    finish_asked: Cell<bool>,
    /// A blank document came that was not asked for.
    refused: Cell<bool>,
    /// Titles and moves within the document that wait for the program.
    titles: Arc<Quota>,
    shown: Cell<bool>,
    /// What the program did to the page besides.
    pub(super) extras: Extras,
    /// Where the page wants to go before the program has said that it wants the page at all.
    undecided: RefCell<Option<Vec<PolicyDecision>>>,
}

/// How far the load that the program asked for has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Settled,
    Asked,
    Started,
    Committed,
}

/// What a view that is new shows.
pub(super) enum Origin {
    /// Nothing yet.
    Empty,
    /// What a page has opened: a page of that page's process, which knows of it by main. It loads this URL.
    Opened { url: String },
}

impl View {
    /// Takes charge of a view that has been built.
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

    /// The view itself.
    pub(super) fn webkit(&self) -> &WebKitView {
        &self.state.view
    }

    /// The program wants what a page has opened: it goes into a window, and loads what it is to load.
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
        // Left alone they would be decided in favour of the load.
        for decision in self.state.undecided.take().into_iter().flatten() {
            decision.ignore();
        }
        ffi::destroy(&self.state.view);
    }
}

/// What the agent is to know of a window's pages; the nonce is to come.
pub(super) fn config_of(shared: &SharedRef, plan: &WindowPlan) -> ViewConfig {
    popup::view_config(shared, plan.window, &plan.preferences, Nonce::default())
}

/// Puts into effect what concerns the view alone.
fn configure(view: &WebKitView, preferences: &WebPreferences) {
    let Some(settings) = WebViewExt::settings(view) else { return };
    // A page that comes back from the page cache would come back without its ports.
    settings.set_enable_page_cache(false);
    settings.set_allow_file_access_from_file_urls(true);
    // Whether a page may open windows is the program's say, not a matter of clicks.
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

    /// From now on the view loads nothing, for this reason: it needs a sandbox, and there is none. What it shows goes.
    pub(super) fn refrain(&self, reason: String) {
        let state = &self.state;
        state.unavailable.replace(Some(reason));
        if state.used.get() && !state.unannounced.get() {
            state.extras.lost.set(true);
            state.view.terminate_web_process();
        }
    }

    /// The document that the end of a load waited for is ready.
    pub(super) fn document_ready(&self) {
        self.state.ask_for_frames();
    }

    /// The program knows of every frame that the page had when it had loaded.
    pub(super) fn frames_known(&self) {
        if self.state.finish_asked.get() {
            self.state.tell_finish();
        }
    }

    /// The page has moved to `url` in its document. It said so on its own way; WebKit's word of it, which changes the view's URL, may
    /// still be under way, but it is there before the answer to anything that is asked from now on.
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
        // If WebKit knows already, this is another process.
        if self.state.epoch.get() == epoch && !self.state.unannounced.get() {
            self.state.extras.lost.set(true);
            self.state.view.terminate_web_process();
        }
    }
}

impl ViewState {
    /// Begins what is in `target`, for the program's load number `load`.
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
        // A dead process comes back with the load, and only then can be spoken to; the first one comes with being spoken to.
        if first {
            self.announce();
        }
        match &target {
            Some(url) if self.stays_in_document(url) => {
                // Told by who sees it happen.
                self.place.borrow_mut().clone_from(url);
                self.view.load_uri(url);
                self.phase.set(Phase::Settled);
                page_sender::moves_within_document(&self.shared, self.contents, load, url);
            }
            Some(url) => {
                let request = URIRequest::new(url);
                // What is not asked for by HTTP has none.
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

    /// Stops what is loading.
    fn stop(&self) {
        self.view.stop_loading();
        // Before the new document is there WebKit may stop without a word, or with one that comes later.
        if matches!(self.phase.get(), Phase::Asked | Phase::Started) {
            let url = self.target_url();
            self.replace(url.clone());
            self.load_failed(LoadError::aborted(&url));
        }
    }

    /// What the program's load is to bring.
    fn target_url(&self) -> String {
        let target = self.target.borrow().clone();
        target.or_else(|| self.view.uri().map(String::from)).unwrap_or_default()
    }

    /// Sends the view's configuration to the agent of a process that has not got it.
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
            // One that was never shown is worth nothing any more.
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

    /// The agent of the view's process number `epoch` has answered, or there is none.
    fn announced(&self, epoch: u64, reply: Result<UserMessage, gtk::glib::Error>) {
        let bytes = |message: UserMessage| message.parameters().and_then(|parameters| parameters.get::<Vec<u8>>());
        let reason = match reply.map(|message| bytes(message).map(|bytes| strait_protocol::decode(&bytes))) {
            Ok(Some(Ok(ViewReply::Bound))) => return,
            Ok(Some(Ok(ViewReply::Failed(reason)))) => reason,
            Ok(_) => "the agent's answer is malformed".into(),
            Err(error) if error.kind::<UserMessageError>() == Some(UserMessageError::Message) => {
                // WebKit prints the linker's words itself.
                "the web process has not loaded it (see WebKit's line \"Error loading module\" above)".into()
            }
            // The process is gone, which is reported otherwise.
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

    /// The process has no agent: a page in it would have neither preload nor IPC. The load fails and the process ends, so that no such page is shown.
    fn agent_missing(&self, detail: String) {
        // A page that was opened by another one, or had loaded: its program awaits no load.
        strait_output::report!("strait: window {}: {}", self.window.0, printable(&detail));
        self.load_failed(LoadError::agent_missing(&self.target_url(), detail));
        self.extras.agentless.set(true);
        // Not from inside a signal of the view's, where WebKit is still at work on the process.
        let view = self.view.clone();
        gtk::glib::idle_add_local_full(gtk::glib::Priority::HIGH, move || {
            view.terminate_web_process();
            gtk::glib::ControlFlow::Break
        });
    }

    /// Whether going there only moves within the present document. (To the very same place WebKit loads again.)
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
            // WebKit has put the view on another process, whose agent has no configuration, and commits a document in it next.
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
            // Only the main frame's document is this.
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
        // The process is about to be ended: its load has failed already.
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
                // A load that was stopped may still be said to begin: for the program it has ended.
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
                    // WebKit refuses some loads (unsafe ports) by a blank page, without a word.
                    self.load_failed(refusal(&self.target_url()));
                } else if !self.failed.get() {
                    return self.hold_finish();
                }
                self.stopped();
            }
            _ => {}
        }
    }

    /// The URL of the document that is being committed. While a load of the program's has been requested, WebKit gives that load's URL as the view's,
    /// though another load may commit first; its resource has its own.
    fn committed_url(&self) -> String {
        let url = if self.requested.get() { self.view.main_resource().and_then(|resource| resource.uri()) } else { self.view.uri() };
        url.map(String::from).unwrap_or_default()
    }

    /// The page says which of its agent's documents is in the view now. WebKit has delivered this behind that document's commit.
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

    /// Tells the program that a load has finished, after it has been told that the document is ready: the agent says that, on another way.
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

    /// The end of a load is told after the frames that the page has by then: the agent, which tells of those, answers behind that.
    fn ask_for_frames(&self) {
        if self.finish_held.get() && !self.finish_asked.replace(true) && !page_sender::await_frames(&self.shared, self.contents) {
            self.tell_finish();
        }
    }

    /// Tells the program of the load that has finished, if it has not been told.
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
        // What ends before the program's load has begun is the one that it replaced.
        if self.phase.get() == Phase::Committed {
            self.phase.set(Phase::Settled);
            self.shared.state().settle_load(self.contents, self.load.get(), Ok(()));
        }
    }

    /// Notes that the load under way is to be heard of no more.
    fn replace(&self, url: String) {
        let mut replaced = self.replaced.borrow_mut();
        if replaced.len() == MAX_REPLACED {
            replaced.remove(0);
        }
        replaced.push(url);
    }

    /// Whether this is only the end of a load that was stopped or that a newer one replaced.
    fn was_replaced(&self, url: &str, error: &gtk::glib::Error) -> bool {
        if error.kind::<NetworkError>() != Some(NetworkError::Cancelled) {
            return false;
        }
        let mut replaced = self.replaced.borrow_mut();
        match replaced.iter().position(|other| other == url) {
            Some(index) => drop(replaced.remove(index)),
            // A page may stop the program's load itself.
            None if self.target.borrow().as_deref() == Some(url) => return false,
            // One that was redirected.
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
        // One that the program does not know yet goes without a word.
        if !self.shared.state().contents.contains_key(&self.contents) {
            return;
        }
        self.tell_finish();
        let (reason, exit_code) = self.end_of_process(reason);
        self.unannounced.set(true);
        if let Some(record) = self.shared.state().contents.get_mut(&self.contents) {
            // Its agent's link may not have been found broken yet. Whoever hears of it shall find it so.
            record.crashed = record.loads.current().is_none();
            record.loading = !record.crashed;
            if record.crashed {
                record.refuse_scripts();
            }
        }
        self.report(ContentsEvent::RenderProcessGone { reason, exit_code });
        let load = self.load.get();
        match self.phase.get() {
            // It was asked of a process that was dead, though nobody knew.
            Phase::Asked | Phase::Started if self.retried.replace(load) != load => {
                self.phase.set(Phase::Settled);
                // Not from inside the signal, where WebKit is still putting the old process away.
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
        // The page's own properties have the present one; of a flood of them the program need not hear each.
        if !self.titles.is_full() {
            let quota_guard = self.titles.take(title.len());
            report_contents(&self.shared, self.contents, ContentsEvent::TitleUpdated(title.clone()), quota_guard);
        }
        quit::page_titled(&self.shared, self.window, title);
    }

    /// A load has begun. Of the page's own ones WebKit says only with the request whither they go, or when they end.
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

    /// Tells of a move of the page's own within its document, which WebKit shows by the URL alone.
    fn moved(&self, url: &str) {
        let rests = self.phase.get() == Phase::Settled && !self.provisional.get();
        if !rests || url.is_empty() || self.place.borrow().is_empty() || *self.place.borrow() == url {
            return;
        }
        url.clone_into(&mut self.place.borrow_mut());
        // A page can move as often as it likes; its own properties say where it is now.
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
