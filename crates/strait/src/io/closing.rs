//! Closes a page in order: its ports first, with their reason, then its view.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use strait_ports::CloseReason;
use strait_protocol::{PageId, ToAgent};

use crate::{ContentsId, WindowId, registry::AgentId, shared::SharedRef, ui::UiCommand};

/// The limit of an agent's time to close a page's ports. A page that hangs exceeds it; a page on a
/// busy processor does not.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a process without pages may then continue: it may still be about to answer. A process
/// whose page loops for ever is ended.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The windows whose agents must answer, and the processes that must end.
#[derive(Debug, Default)]
pub(crate) struct Closings {
    asked: HashMap<WindowId, Closing>,
    stragglers: Vec<(AgentId, Instant)>,
}

#[derive(Debug)]
struct Closing {
    agent: AgentId,
    page: PageId,
    until: Instant,
}

impl Closings {
    /// Requests the agent to close the window's page, or has the window destroyed at once if there
    /// is no agent.
    pub(crate) fn begin(&mut self, shared: &SharedRef, window: WindowId) {
        if self.asked.contains_key(&window) {
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
                self.asked.insert(window, Closing { agent, page, until: Instant::now() + CLOSE_TIMEOUT });
            }
            None => shared.ui(UiCommand::Destroy { window }),
        }
    }

    /// An agent has reported that a page's ports are closed.
    pub(crate) fn page_closed(&mut self, shared: &SharedRef, agent: AgentId, page: PageId) {
        self.finish(shared, false, |closing| closing.agent == agent && closing.page == page);
    }

    /// An agent has ended, and its pages' ports with it.
    pub(crate) fn agent_gone(&mut self, shared: &SharedRef, agent: AgentId) {
        self.stragglers.retain(|(straggler, _)| *straggler != agent);
        self.finish(shared, false, |closing| closing.agent == agent);
    }

    /// Continues without the agents that took too long.
    pub(crate) fn overdue(&mut self, shared: &SharedRef, now: Instant) {
        self.finish(shared, true, |closing| closing.until <= now);
        for (agent, _) in self.stragglers.extract_if(.., |(_, until)| *until <= now) {
            end_process(shared, agent);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.asked.values().map(|closing| closing.until).chain(self.stragglers.iter().map(|(_, until)| *until)).min()
    }

    /// Ends the processes that still had time, because the program ends.
    pub(crate) fn end_stragglers(&mut self, shared: &SharedRef) {
        for (agent, _) in self.stragglers.drain(..) {
            end_process(shared, agent);
        }
    }

    fn finish(&mut self, shared: &SharedRef, hangs: bool, which: impl Fn(&Closing) -> bool) {
        for (window, closing) in self.asked.extract_if(|_, closing| which(closing)) {
            let last = {
                let state = shared.state();
                // The process ends with its last view, which is not a crash.
                let stays = |contents: &ContentsId| {
                    let other = state.contents.get(contents).map(|record| record.window).filter(|other| *other != window);
                    other.and_then(|other| state.windows.get(&other)).is_some_and(|record| !record.closing)
                };
                let last = !state.registry.contents_in(closing.agent).iter().any(stays);
                if last && let Some(bootstrap) = state.agents.get(&closing.agent) {
                    shared.node.expect_departure(bootstrap, CloseReason::Unloaded);
                }
                last
            };
            if hangs && last {
                self.stragglers.push((closing.agent, Instant::now() + END_TIMEOUT));
            }
            shared.ui(UiCommand::Destroy { window });
        }
    }
}

/// Ends an agent's process, unless it shows a page again. While its link is open no other process
/// can have its number.
fn end_process(shared: &SharedRef, agent: AgentId) {
    let state = shared.state();
    let pid = state.registry.pid(agent).and_then(Pid::from_raw).filter(|pid| *pid != rustix::process::getpid());
    if let Some(pid) = pid
        && state.registry.page_count(agent) == 0
    {
        tracing::debug!(?agent, "its process goes on without pages and is ended");
        let _ = kill_process(pid, Signal::KILL);
    }
}
