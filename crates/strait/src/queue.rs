//! The program's queue of events, with a lane for each of the program's windows.
//!
//! Windows whose pages share a process (a page and the windows that it has opened) share a lane, so
//! that the events of one renderer keep their order. Lanes are served in turns ([`FairQueue`]), so
//! that no page delays the others. Events of no window have a lane of their own. The ends
//! (`window-all-closed`, `will-quit`, `quit`) follow everything that was queued before them.

use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{
    AppEvent, ContentsId, StartError, WindowEvent, WindowId,
    fair::{FairQueue, Lane, Next},
    quota::EVENT_COST,
};

/// The lane of events that belong to no window. Windows are numbered from 1.
const PROGRAM: Lane = Lane(0);

/// An entry of the program's queue.
pub(crate) enum Queued {
    Event(AppEvent),
    /// An outcome that the program awaits: delivered behind the window's earlier events.
    Settle(Box<dyn FnOnce() + Send>),
    /// Windows can be made, or the reason why not. Only for programs that start before GTK.
    Started(Result<(), StartError>),
    /// The program ends with this code; later entries are dropped.
    End(i32),
}

/// The lane of an event.
enum QueuePosition {
    Window(WindowId),
    Program,
    /// A barrier, behind everything.
    End,
}

impl AppEvent {
    fn position(&self) -> QueuePosition {
        match self {
            Self::Ipc(message) => QueuePosition::Window(WindowId(message.sender.id().0)),
            Self::Window { window, .. }
            | Self::WindowCreated { window, .. }
            | Self::WindowClose { window, .. }
            | Self::WindowTitle { window, .. } => QueuePosition::Window(window.id()),
            Self::Contents { contents, .. } | Self::Frame { contents, .. } => QueuePosition::Window(WindowId(contents.id().0)),
            Self::WindowOpen(request) => QueuePosition::Window(WindowId(request.opener().id().0)),
            Self::BeforeQuit(_) | Self::SecondInstance(_) | Self::Utility { .. } => QueuePosition::Program,
            Self::WindowAllClosed(_) | Self::WillQuit(_) | Self::Quit { .. } => QueuePosition::End,
        }
    }

    /// The amount of its lane's turn that the event uses.
    fn cost(&self) -> usize {
        let quota_guard = match self {
            Self::Ipc(message) => &message.quota_guard,
            Self::Contents { quota_guard, .. } | Self::Frame { quota_guard, .. } => quota_guard,
            _ => return EVENT_COST,
        };
        quota_guard.weight().max(EVENT_COST)
    }
}

/// The end of the queue where entries are added.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Mutex<Inner>>);

/// The queue for the awaited outcomes of one window's page.
#[derive(Clone)]
pub(crate) struct WindowQueue {
    queue: Queue,
    window: WindowId,
}

/// The end of the queue where the program takes entries.
pub(crate) struct Entries(Queue);

#[derive(Default)]
struct Inner {
    entries: FairQueue<Queued>,
    /// Windows that are in the lane of another one.
    lanes: HashMap<WindowId, Lane>,
    /// The waker of the program's task, while it waits.
    waker: Option<Waker>,
    /// The program has ended.
    closed: bool,
}

/// A new queue.
pub(crate) fn queue() -> (Queue, Entries) {
    let queue = Queue(Arc::default());
    (queue.clone(), Entries(queue))
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event behind those that it must follow. After the program's end the event is
    /// dropped.
    pub(crate) fn event(&self, event: AppEvent) {
        let place = event.position();
        let last = matches!(event, AppEvent::Window { event: WindowEvent::Closed, .. });
        let cost = event.cost();
        self.add(Queued::Event(event), |inner, queued| match place {
            QueuePosition::Window(window) => {
                let lane = inner.lane(window);
                inner.entries.push(lane, cost, queued);
                if last {
                    inner.lanes.remove(&window);
                }
            }
            QueuePosition::Program => inner.entries.push(PROGRAM, cost, queued),
            QueuePosition::End => inner.entries.push_barrier(queued),
        });
    }

    /// Reports whether GTK has started.
    pub(crate) fn started(&self, outcome: Result<(), StartError>) {
        self.add(Queued::Started(outcome), |inner, queued| inner.entries.push(PROGRAM, EVENT_COST, queued));
    }

    /// Ends the program, behind all queued entries.
    pub(crate) fn end(&self, code: i32) {
        self.add(Queued::End(code), |inner, queued| inner.entries.push_barrier(queued));
    }

    /// The queue for outcomes that the program awaits of this page.
    pub(crate) fn of(&self, contents: ContentsId) -> WindowQueue {
        WindowQueue { queue: self.clone(), window: WindowId(contents.0) }
    }

    /// Merges a window's lane into another one's, because their pages share a process. The window's
    /// queued entries go behind the other's.
    pub(crate) fn join(&self, window: WindowId, other: WindowId) {
        let mut inner = self.lock();
        let (from, to) = (inner.lane(window), inner.lane(other));
        if from == to {
            return;
        }
        inner.lanes.values_mut().filter(|lane| **lane == from).for_each(|lane| *lane = to);
        inner.lanes.insert(window, to);
        inner.entries.join(from, to);
    }

    fn add(&self, queued: Queued, place: impl FnOnce(&mut Inner, Queued)) {
        let mut inner = self.lock();
        if inner.closed {
            drop(inner);
            drop(queued);
            return;
        }
        place(&mut inner, queued);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl WindowQueue {
    /// Delivers an awaited outcome behind the window's events that are in the queue.
    pub(crate) fn settle<T: Send + 'static>(&self, awaited: oneshot::Sender<T>, outcome: T) {
        // After the program's end the outcome is dropped.
        let tell = Queued::Settle(Box::new(move || drop(awaited.send(outcome))));
        self.queue.add(tell, |inner, queued| {
            let lane = inner.lane(self.window);
            inner.entries.push(lane, EVENT_COST, queued);
        });
    }
}

impl std::fmt::Debug for WindowQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WindowQueue").field(&self.window).finish()
    }
}

impl Inner {
    fn lane(&self, window: WindowId) -> Lane {
        self.lanes.get(&window).copied().unwrap_or(Lane(window.0))
    }
}

impl Entries {
    /// The next entry, as soon as there is one. After each turn of a lane the other tasks of the
    /// program's thread run: each runnable one is polled once before the next lane's turn.
    pub(crate) async fn recv(&mut self) -> Queued {
        loop {
            match poll_fn(|cx| self.poll_next(cx)).await {
                Some(queued) => return queued,
                // The tasks are polled in the order in which they were woken, so this new one is
                // the last.
                None => drop(tokio::task::spawn_local(async {}).await),
            }
        }
    }

    /// The next entry; blocks the thread, for use without a runtime.
    pub(crate) fn blocking_recv(&mut self) -> Queued {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match self.poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some(queued)) => return queued,
                Poll::Ready(None) => {}
                Poll::Pending => thread::park(),
            }
        }
    }

    /// Ready with `None` if a turn is over.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Queued>> {
        let mut inner = self.0.lock();
        match inner.entries.next(Instant::now()) {
            Next::Entry(queued) => Poll::Ready(Some(queued)),
            Next::TurnOver => Poll::Ready(None),
            Next::Empty => {
                if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    inner.waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The next entry, if there is one.
    #[cfg(test)]
    pub(crate) fn try_recv(&mut self) -> Option<Queued> {
        loop {
            match self.poll_next(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(None) => {}
                Poll::Ready(Some(queued)) => return Some(queued),
                Poll::Pending => return None,
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().entries.len()
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.closed = true;
        let left = inner.entries.drain();
        drop(inner);
        // Decisions and responders act when they are dropped, so they are dropped outside the lock.
        drop(left);
    }
}

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
