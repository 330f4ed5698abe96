//! The list of ports that may have something for the program: filled by whatever thread routes, emptied by the program's loop.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// A port's number in this host.
pub type PortId = u32;

#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<PortId>,
    listed: HashSet<PortId>,
}

/// Each port is listed at most once, in the order in which they became ready.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadyList {
    queue: Arc<Mutex<Queue>>,
    wake: Arc<Notify>,
}

impl ReadyList {
    /// A list that wakes `wake`.
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self { queue: Arc::default(), wake }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held, and the queue is valid after every statement.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `port` may have something.
    pub(crate) fn push(&self, port: PortId) {
        let mut queue = self.lock();
        if queue.listed.insert(port) {
            queue.order.push_back(port);
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// The port that has waited longest.
    pub(crate) fn pop(&self) -> Option<PortId> {
        let mut queue = self.lock();
        let port = queue.order.pop_front()?;
        queue.listed.remove(&port);
        Some(port)
    }

    /// Whether no port waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().order.is_empty()
    }
}
