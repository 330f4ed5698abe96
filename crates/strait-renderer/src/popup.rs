//! Pages that other pages open. Main decides about each of them before any script can reach it.

use std::cell::{Cell, RefCell};

use strait_protocol::{PageId, ToAgent, ToMain, Verdict};

use crate::agent::Agent;

/// The state of the `window.open` call that a page is making.
#[derive(Default)]
pub(crate) struct Opening {
    /// Target and features of the call.
    given: RefCell<Option<(String, String)>>,
    /// Those of the last call that returned before its page existed: WebKit makes pages without an
    /// opener later.
    late: RefCell<Option<(String, String)>>,
    refused: Cell<bool>,
}

impl Agent {
    /// A script calls `window.open` with these arguments.
    pub(crate) fn opening(&self, target: String, features: String) {
        self.opening.given.replace(Some((target, features)));
        self.opening.refused.set(false);
    }

    /// The call has returned; true if the window that it opened was refused.
    pub(crate) fn opened(&self) -> bool {
        if let Some(given) = self.opening.given.take() {
            let independent = ["noopener", "noreferrer"].iter().any(|word| given.1.to_ascii_lowercase().contains(word));
            self.opening.late.replace(independent.then_some(given));
        }
        self.opening.refused.take()
    }

    /// A further page began in this process. Requests main's verdict; the page that opened it
    /// waits, as in `sendSync`. The opener shares the thread and can reach the new window, so the
    /// preload must run first.
    pub(crate) fn page_opened(&self, page: PageId) {
        let given = self.opening.given.take().or_else(|| self.opening.late.take());
        let (target, features) = given.unwrap_or_default();
        if !self.tell(&ToMain::PageOpened { page, target, features }, Vec::new()) {
            return;
        }
        let verdict = self.wait_for(|message| match message {
            ToAgent::PageSettled { page: settled, verdict } if settled == page => Ok(verdict),
            other => Err(other),
        });
        match verdict {
            Ok(Verdict::Bound(config)) => self.bind(page, *config),
            Ok(Verdict::Refused) | Err(_) => {
                self.pages.borrow_mut().remove(&page);
                self.opening.refused.set(true);
            }
            Ok(Verdict::Unknown) => {}
        }
    }
}
