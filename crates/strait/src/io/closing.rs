//! Closing a page in order: its ports first, with their reason, then its view.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use strait_ports::CloseReason;
use strait_protocol::{PageId, ToAgent};

use crate::{WindowId, registry::AgentId, shared::SharedRef, ui::UiCommand};

/// How long an agent may take to close a page's ports. A page that hangs goes without.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// The windows whose agents are to answer.
#[derive(Debug, Default)]
pub(crate) struct Closings(HashMap<WindowId, Closing>);

#[derive(Debug)]
struct Closing {
    agent: AgentId,
    page: PageId,
    until: Instant,
}

impl Closings {
    /// Asks the agent to close the window's page, or has the window destroyed at once if nobody is to be asked.
    pub(crate) fn begin(&mut self, shared: &SharedRef, window: WindowId) {
        if self.0.contains_key(&window) {
            return;
        }
        let asked = {
            let state = shared.state();
            let contents = state.windows.get(&window).map(|record| record.contents);
            contents
                .and_then(|contents| state.registry.page(contents))
                .filter(|(agent, page)| state.post(*agent, &ToAgent::ClosePage { page: *page }, Vec::new()).is_ok())
        };
        match asked {
            Some((agent, page)) => {
                self.0.insert(window, Closing { agent, page, until: Instant::now() + CLOSE_TIMEOUT });
            }
            None => shared.ui(UiCommand::Destroy { window, hangs: false }),
        }
    }

    /// An agent says that a page's ports are closed.
    pub(crate) fn page_closed(&mut self, shared: &SharedRef, agent: AgentId, page: PageId) {
        self.finish(shared, false, |closing| closing.agent == agent && closing.page == page);
    }

    /// An agent is gone, and its pages' ports with it.
    pub(crate) fn agent_gone(&mut self, shared: &SharedRef, agent: AgentId) {
        self.finish(shared, false, |closing| closing.agent == agent);
    }

    /// Goes on without the agents that took too long.
    pub(crate) fn overdue(&mut self, shared: &SharedRef, now: Instant) {
        self.finish(shared, true, |closing| closing.until <= now);
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.values().map(|closing| closing.until).min()
    }

    fn finish(&mut self, shared: &SharedRef, hangs: bool, which: impl Fn(&Closing) -> bool) {
        for (window, closing) in self.0.extract_if(|_, closing| which(closing)) {
            let last = {
                let state = shared.state();
                // The process goes with its last view, and that is no crash.
                let last = state.registry.page_count(closing.agent) <= 1;
                if last && let Some(bootstrap) = state.agents.get(&closing.agent) {
                    shared.node.expect_departure(bootstrap, CloseReason::Unloaded);
                }
                last
            };
            shared.ui(UiCommand::Destroy { window, hangs: hangs && last });
        }
    }
}
