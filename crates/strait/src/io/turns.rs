//! Agents' turns: the messages of renderer processes are decoded and handled, one batch at a time.
//!
//! The I/O thread handles them, and so does any other thread that routes and [has marked
//! itself](route_here), because handing a message to another thread costs more than all the rest of
//! its handling.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use strait_ports::Port;

use super::{IoCommand, agent, closing::Closings};
use crate::{
    quota::{MAX_BACKLOG_BYTES, MAX_BACKLOG_MESSAGES, Quota},
    registry::AgentId,
    shared::SharedRef,
};

/// The number of messages taken from one agent before the others get their turn...
const AGENT_BATCH: usize = 64;
/// ... and their bytes. The message that reaches the limit is the batch's last.
const AGENT_BATCH_BYTES: usize = 256 * 1024;
/// The interval at which the port of a paused agent is measured: counting its messages takes time.
const BACKLOG_INTERVAL: Duration = Duration::from_millis(50);

thread_local! {
    static ROUTES_HERE: Cell<bool> = const { Cell::new(false) };
}

/// State of the agents' turns, for one thread at a time.
#[derive(Default)]
pub(crate) struct AgentTurns {
    pub(super) closings: Closings,
    quotas: HashMap<AgentId, Watched>,
}

/// The state of one agent.
struct Watched {
    quota: Arc<Quota>,
    /// The time of the last measurement of its port.
    looked: Option<Instant>,
    /// Its next message, which waits for the UI thread.
    waiting: Option<agent::Said>,
}

/// Runs `route`, which routes messages, so that this thread handles agents' messages.
///
/// Only inside this call: code that posts may hold the state's lock, and a post that reaches a
/// limit makes a port ready as well.
pub(crate) fn route_here<T>(route: impl FnOnce() -> T) -> T {
    let before = ROUTES_HERE.replace(true);
    let result = route();
    ROUTES_HERE.set(before);
    result
}

/// Gives an agent its turn in this thread, if the thread routes and no other one holds the turns.
/// Otherwise, and for the remaining messages, the I/O thread does it.
pub(crate) fn handle_here(shared: &SharedRef, agent: AgentId) {
    let more = !ROUTES_HERE.get() || shared.try_turns().is_none_or(|mut turns| turns.take(shared, agent));
    if more {
        shared.io.send(IoCommand::AgentReady(agent));
    }
}

impl AgentTurns {
    /// Handles a batch of an agent's messages; true if there may be more, for another turn. Takes
    /// nothing while the agent's quota is full.
    pub(super) fn take(&mut self, shared: &SharedRef, agent: AgentId) -> bool {
        let Some(port) = shared.state().agents.get(&agent).cloned() else { return false };
        let watched = self.quotas.entry(agent).or_insert_with(|| {
            let io = shared.io.clone();
            Watched { quota: Quota::new(move || io.send(IoCommand::AgentReady(agent))), looked: None, waiting: None }
        });
        let quota = watched.quota.clone();
        agent::report_dropped(shared, &quota);
        let mut bytes = 0;
        for _ in 0..AGENT_BATCH {
            if bytes >= AGENT_BATCH_BYTES {
                break;
            }
            let mut unread = quota.is_full();
            if !unread {
                let said = match watched.waiting.take() {
                    Some(said) => Some(said),
                    None => match port.try_recv() {
                        None => return false,
                        Some(strait_ports::Event::Message(message)) => {
                            bytes += message.data.len();
                            agent::decode(agent, message)
                        }
                        Some(strait_ports::Event::Close(reason)) => {
                            agent::gone(shared, &mut self.closings, agent, &quota, reason);
                            self.quotas.remove(&agent);
                            return false;
                        }
                    },
                };
                let Some(mut said) = said else { continue };
                if agent::identify(shared, agent, &mut said, || port.is_ended()) {
                    agent::heard(shared, &mut self.closings, agent, &quota, said);
                } else {
                    watched.waiting = Some(said);
                    unread = true;
                }
            }
            if unread {
                let now = Instant::now();
                if watched.looked.is_none_or(|looked| now >= looked + BACKLOG_INTERVAL) {
                    watched.looked = Some(now);
                    self.check_backlog(shared, agent, &quota, &port);
                }
                return false;
            }
        }
        true
    }

    /// Ends an agent's process if its port holds more than any correct agent would send. A single
    /// message may have any size.
    fn check_backlog(&mut self, shared: &SharedRef, agent: AgentId, quota: &Arc<Quota>, port: &Port) {
        let (messages, bytes) = port.queued();
        if messages > MAX_BACKLOG_MESSAGES || (messages > 1 && bytes > MAX_BACKLOG_BYTES) {
            agent::expel(shared, &mut self.closings, agent, quota, (messages, bytes));
            self.quotas.remove(&agent);
        }
    }
}
