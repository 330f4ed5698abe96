//! What is behind a node's lock.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;

use super::NodeStats;
use crate::message::CloseReason;
use crate::name::{NameSource, NodeName, SystemNames};
use crate::router::{Action, ElementKey, Router};

/// Who wants to know of arrivals at a port.
#[derive(Default)]
pub(crate) struct Watch {
    ready: Option<Arc<dyn Fn() + Send + Sync>>,
    wakers: Vec<Waker>,
}

impl Watch {
    pub(crate) fn wake_by(&mut self, waker: &Waker) {
        if !self.wakers.iter().any(|w| w.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }
}

/// What is to be done once the lock is released: foreign code, which may come back here.
#[derive(Default)]
pub(crate) struct Effects {
    calls: Vec<Arc<dyn Fn() + Send + Sync>>,
    wakers: Vec<Waker>,
    /// Only to be dropped: a callback may own ports.
    let_go: Vec<Watch>,
}

impl Effects {
    pub(crate) fn run(self) {
        self.wakers.into_iter().for_each(Waker::wake);
        self.calls.into_iter().for_each(|call| call());
        drop(self.let_go);
    }
}

pub(crate) struct Core {
    pub(crate) router: Router,
    watches: HashMap<ElementKey, Watch>,
    effects: Effects,
}

impl Core {
    pub(super) fn broker() -> Self {
        let mut names = SystemNames::new();
        let me = NodeName(names.next());
        Self { router: Router::new(me, Box::new(names)), watches: HashMap::new(), effects: Effects::default() }
    }

    pub(crate) fn watch(&mut self, key: ElementKey) -> &mut Watch {
        self.watches.entry(key).or_default()
    }

    fn unwatch(&mut self, key: ElementKey) {
        self.effects.let_go.extend(self.watches.remove(&key));
    }

    pub(crate) fn set_ready(&mut self, key: ElementKey, ready: Arc<dyn Fn() + Send + Sync>) {
        if self.router.receivable(key) {
            self.effects.calls.push(Arc::clone(&ready));
        }
        let former = self.watch(key).ready.replace(ready);
        self.effects.let_go.push(Watch { ready: former, wakers: Vec::new() });
    }

    pub(crate) fn post(&mut self, key: ElementKey, data: Vec<u8>, ports: Vec<ElementKey>) {
        // Whoever watched a port watched it where it was.
        ports.iter().for_each(|port| self.unwatch(*port));
        self.router.post(key, data, ports);
    }

    pub(crate) fn close(&mut self, key: ElementKey, reason: CloseReason) {
        self.unwatch(key);
        self.router.close(key, reason);
    }

    pub(super) fn stats(&self) -> NodeStats {
        let (ports, proxies) = self.router.counts();
        NodeStats { ports, proxies, links: 0, queued_bytes: self.router.queued_bytes() }
    }

    /// Does what the router wants done, and hands out what must be done without the lock.
    pub(super) fn settle(&mut self, _epoll: &OwnedFd) -> Effects {
        for action in self.router.take_actions() {
            match action {
                Action::Ready(key) => self.announce(key),
                Action::Send { .. } | Action::Introduce(_) => {}
            }
        }
        std::mem::take(&mut self.effects)
    }

    fn announce(&mut self, key: ElementKey) {
        let Some(watch) = self.watches.get_mut(&key) else { return };
        self.effects.wakers.append(&mut watch.wakers);
        if let Some(ready) = &watch.ready
            && !self.effects.calls.last().is_some_and(|last| Arc::ptr_eq(last, ready))
        {
            self.effects.calls.push(Arc::clone(ready));
        }
        if self.router.ended(key) {
            // Nothing more will arrive: what the callback owns (often its own port) is free.
            self.unwatch(key);
        }
    }
}
