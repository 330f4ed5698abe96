//! Pages that pages open: who they belong to is known before any script sees them.

use std::cell::{Cell, RefCell};

use strait_protocol::{PageId, ToAgent, ToMain, Verdict};

use crate::agent::Agent;

/// What is known of the `window.open` that is being called.
#[derive(Default)]
pub(crate) struct Opening {
    /// Target and features.
    given: RefCell<Option<(String, String)>>,
    /// The same of the last call that has returned before there was a page: WebKit makes pages without an opener later.
    late: RefCell<Option<(String, String)>>,
    refused: Cell<bool>,
}

impl Agent {
    /// A script calls `window.open` with these arguments.
    pub(crate) fn opening(&self, target: String, features: String) {
        self.opening.given.replace(Some((target, features)));
        self.opening.refused.set(false);
    }

    /// The call is over; was the window that it opened refused?
    pub(crate) fn opened(&self) -> bool {
        if let Some(given) = self.opening.given.take() {
            let independent = ["noopener", "noreferrer"].iter().any(|word| given.1.to_ascii_lowercase().contains(word));
            self.opening.late.replace(independent.then_some(given));
        }
        self.opening.refused.take()
    }

    /// A page came to a process that had one. Main is asked whose it is, and the page that opened it waits, as it does in `sendSync`:
    /// the preload script must run before the opener, which shares the thread, can reach into the new window.
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
