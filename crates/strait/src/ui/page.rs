//! The program's operations on a view's page besides loads: style sheets, the inspector, the
//! process's end.

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

/// The state of a page for these operations.
#[derive(Default)]
pub(super) struct Extras {
    /// Style sheets of the present document.
    sheets: RefCell<HashMap<StyleKey, UserStyleSheet>>,
    /// The manager of the sheets. A page that a page has opened uses its opener's, whatever manager
    /// its own view has.
    user_content: RefCell<Option<UserContentManager>>,
    devtools: Cell<bool>,
    /// Detects whether the page answers.
    pub(super) watch: Watch,
    /// The process is being ended because the link to it broke.
    pub(super) lost: Cell<bool>,
    /// The process is being ended because it has no agent.
    pub(super) agentless: Cell<bool>,
}

impl View {
    /// The manager of style sheets and scripts for the page's documents.
    pub(super) fn user_content(&self) -> Option<UserContentManager> {
        self.state.user_content()
    }

    /// Makes the page share another page's manager.
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
                // Before the first load there is no process, and a dead process can't end again.
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

/// Reports when the inspector opens and closes.
pub(super) fn connect(state: &Rc<ViewState>) {
    let Some(inspector) = state.view.inspector() else { return };
    let opened = |state: &Rc<ViewState>| {
        let state = Rc::downgrade(state);
        move |_: &_| {
            if let Some(state) = state.upgrade() {
                state.devtools_changed(true);
            }
            // WebKit continues its own handling.
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
        // WebKit has no inspector for a view without permission.
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

    /// Reports success when the page's process has applied the change: the process answers in
    /// order.
    fn styled(&self, done: StyleDone) {
        if !self.used.get() || self.unannounced.get() {
            let _ = done.send(Ok(()));
            return;
        }
        self.view.evaluate_javascript("", None, None, Cancellable::NONE, move |_| {
            let _ = done.send(Ok(()));
        });
    }

    /// Removes the style sheets of the former document.
    pub(super) fn forget_styles(&self) {
        let sheets = self.extras.sheets.take();
        if let Some(manager) = self.user_content().filter(|_| !sheets.is_empty()) {
            sheets.values().for_each(|sheet| manager.remove_style_sheet(sheet));
        }
    }

    /// The reason for the end of the view's process, with Electron's name, and its exit code.
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
