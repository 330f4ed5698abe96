//! What the program does with a view's page besides loading it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use gtk::gio::Cancellable;
use rustix::process::Signal;
use webkit2gtk::{
    SettingsExt, UserContentInjectedFrames, UserContentManager, UserContentManagerExt, UserStyleLevel, UserStyleSheet, WebInspectorExt,
    WebProcessTerminationReason, WebViewExt,
};

use super::{
    view::{View, ViewState},
    watch::Watch,
};
use crate::{
    ContentsEvent, FrameGone, StyleKey, StyleOrigin,
    page::{PageAction, StyleDone},
};

/// What there is of it.
#[derive(Default)]
pub(super) struct Extras {
    /// Style sheets of the present document.
    sheets: RefCell<HashMap<StyleKey, UserStyleSheet>>,
    /// Where they go: WebKit gives a page that a page has opened those of its opener, whatever its own view says.
    user_content: RefCell<Option<UserContentManager>>,
    devtools: Cell<bool>,
    /// Whether the page answers.
    pub(super) watch: Watch,
    /// The link to the process broke, and that is why it is being ended.
    pub(super) lost: Cell<bool>,
    /// The process has no agent, and that is why it is being ended.
    pub(super) agentless: Cell<bool>,
}

impl View {
    /// What the page's documents get besides their own.
    pub(super) fn user_content(&self) -> Option<UserContentManager> {
        self.state.user_content()
    }

    /// They get the same as those of another page.
    pub(super) fn share_user_content(&self, manager: Option<UserContentManager>) {
        self.state.extras.user_content.replace(manager);
    }

    pub(super) fn act(&self, action: PageAction) {
        let state = &self.state;
        match action {
            PageAction::OpenDevTools { detached } => state.open_devtools(detached),
            PageAction::CloseDevTools => state.close_devtools(),
            PageAction::ToggleDevTools if state.extras.devtools.get() => state.close_devtools(),
            PageAction::ToggleDevTools => state.open_devtools(false),
            PageAction::Crash => {
                // Before the first load there is no process, and a dead one can't die again.
                if state.used.get() && !state.unannounced.get() {
                    state.view.terminate_web_process();
                }
            }
            PageAction::InsertStyle { key, css, origin, done } => state.insert_style(key, &css, origin, done),
            PageAction::RemoveStyle { key, done } => state.remove_style(key, done),
            PageAction::UserAgent(user_agent) => {
                if let Some(settings) = WebViewExt::settings(&state.view) {
                    settings.set_user_agent(Some(&user_agent));
                }
            }
        }
    }
}

/// Reports what becomes of the inspector.
pub(super) fn connect(state: &Rc<ViewState>) {
    let Some(inspector) = state.view.inspector() else { return };
    let opened = |state: &Rc<ViewState>| {
        let state = Rc::downgrade(state);
        move |_: &_| {
            if let Some(state) = state.upgrade() {
                state.devtools_changed(true);
            }
            // WebKit goes on with it.
            false
        }
    };
    inspector.connect_open_window(opened(state));
    inspector.connect_attach(opened(state));
    let state = Rc::downgrade(state);
    inspector.connect_closed(move |_| {
        if let Some(state) = state.upgrade() {
            state.devtools_changed(false);
        }
    });
}

impl ViewState {
    fn user_content(&self) -> Option<UserContentManager> {
        self.extras.user_content.borrow().clone().or_else(|| self.view.user_content_manager())
    }

    fn open_devtools(&self, detached: bool) {
        // WebKit has none for a view that may not be inspected.
        let allowed = WebViewExt::settings(&self.view).is_some_and(|settings| settings.enables_developer_extras());
        if let Some(inspector) = self.view.inspector().filter(|_| allowed) {
            inspector.show();
            if detached && inspector.is_attached() {
                inspector.detach();
            }
        }
    }

    fn close_devtools(&self) {
        if let Some(inspector) = self.view.inspector() {
            inspector.close();
        }
    }

    fn devtools_changed(&self, open: bool) {
        if self.extras.devtools.replace(open) == open {
            return;
        }
        if let Some(record) = self.shared.state().contents.get_mut(&self.contents) {
            record.devtools = open;
        }
        self.report(if open { ContentsEvent::DevToolsOpened } else { ContentsEvent::DevToolsClosed });
    }

    fn insert_style(&self, key: StyleKey, css: &str, origin: StyleOrigin, done: StyleDone) {
        if self.used.get() && self.unannounced.get() {
            let _ = done.send(Err(FrameGone));
            return;
        }
        let Some(manager) = self.user_content() else { return };
        let level = match origin {
            StyleOrigin::Author => UserStyleLevel::Author,
            StyleOrigin::User => UserStyleLevel::User,
        };
        let sheet = UserStyleSheet::new(css, UserContentInjectedFrames::TopFrame, level, &[], &[]);
        manager.add_style_sheet(&sheet);
        self.extras.sheets.borrow_mut().insert(key, sheet);
        self.styled(done);
    }

    fn remove_style(&self, key: StyleKey, done: StyleDone) {
        let sheet = self.extras.sheets.borrow_mut().remove(&key);
        if let (Some(sheet), Some(manager)) = (sheet, self.user_content()) {
            manager.remove_style_sheet(&sheet);
        }
        self.styled(done);
    }

    /// Says that it is done when the page's process has heard of it: that answers in order.
    fn styled(&self, done: StyleDone) {
        if !self.used.get() || self.unannounced.get() {
            let _ = done.send(Ok(()));
            return;
        }
        self.view.evaluate_javascript("", None, None, Cancellable::NONE, move |_| {
            let _ = done.send(Ok(()));
        });
    }

    /// There is another document, to which the sheets of the former one do not belong.
    pub(super) fn forget_styles(&self) {
        let sheets = self.extras.sheets.take();
        if let Some(manager) = self.user_content().filter(|_| !sheets.is_empty()) {
            sheets.values().for_each(|sheet| manager.remove_style_sheet(sheet));
        }
    }

    /// What became of the view's process, in Electron's words.
    pub(super) fn end_of_process(&self, reason: WebProcessTerminationReason) -> (&'static str, i32) {
        let lost = self.extras.lost.take();
        if self.extras.agentless.take() {
            self.forget_watch();
            return ("launch-failed", 1);
        }
        self.forget_watch();
        match reason {
            WebProcessTerminationReason::ExceededMemoryLimit => ("oom", Signal::KILL.as_raw()),
            WebProcessTerminationReason::TerminatedByApi if !lost => ("killed", Signal::KILL.as_raw()),
            _ => ("crashed", 1),
        }
    }
}
