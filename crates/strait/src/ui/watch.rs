//! Detects pages that do not answer. A visible page is sent an empty script at intervals, which it
//! cannot run while its own scripts loop or wait.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use gtk::{gio::Cancellable, glib};
use webkit2gtk::WebViewExt;

use super::view::ViewState;
use crate::ContentsEvent;

/// The interval between two scripts.
const INTERVAL: Duration = Duration::from_secs(2);
/// A page that has not answered for this time is unresponsive.
const PATIENCE: Duration = Duration::from_secs(6);

/// The state of one page.
#[derive(Default)]
pub(super) struct Watch {
    /// The time of the script that the page has not answered.
    asked: Cell<Option<Instant>>,
    unresponsive: Cell<bool>,
    /// The page has shown a dialog since its last answer, so it waits for the user.
    dialog: Cell<bool>,
}

/// Watches the view's page as long as the view exists.
pub(super) fn begin(state: &Rc<ViewState>) {
    let weak = Rc::downgrade(state);
    state.view.connect_script_dialog(move |_, _| {
        if let Some(state) = weak.upgrade() {
            state.extras.watch.dialog.set(true);
        }
        false
    });
    let state = Rc::downgrade(state);
    // In whole seconds, so that the system wakes once for all such timers.
    glib::timeout_add_seconds_local(u32::try_from(INTERVAL.as_secs()).unwrap_or(1), move || {
        let Some(state) = state.upgrade() else { return glib::ControlFlow::Break };
        state.look();
        glib::ControlFlow::Continue
    });
}

impl ViewState {
    fn look(self: &Rc<Self>) {
        let watch = &self.extras.watch;
        match watch.asked.get() {
            Some(asked) if asked.elapsed() >= PATIENCE && !watch.dialog.get() && !watch.unresponsive.replace(true) => {
                self.report(ContentsEvent::Unresponsive);
            }
            Some(_) => {}
            None if self.is_watched() => {
                watch.asked.set(Some(Instant::now()));
                let state = Rc::downgrade(self);
                self.view.evaluate_javascript("", None, None, Cancellable::NONE, move |_| {
                    if let Some(state) = state.upgrade() {
                        state.answered();
                    }
                });
            }
            None => {}
        }
    }

    /// Only visible pages are watched: a hidden worker may run for any time.
    fn is_watched(&self) -> bool {
        let present = self.used.get() && !self.unannounced.get();
        present && self.shared.state().windows.get(&self.window).is_some_and(|record| record.mirror.visible && !record.closing)
    }

    fn answered(&self) {
        let watch = &self.extras.watch;
        watch.asked.set(None);
        watch.dialog.set(false);
        if watch.unresponsive.replace(false) {
            self.report(ContentsEvent::Responsive);
        }
    }

    /// The page's process has ended, and the unanswered script with it.
    pub(super) fn forget_watch(&self) {
        self.extras.watch.asked.set(None);
        self.extras.watch.unresponsive.set(false);
        self.extras.watch.dialog.set(false);
    }
}
