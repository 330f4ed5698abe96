//! A program on another event loop than Strait's, such as Node's.

use std::{
    fmt, io,
    sync::{Arc, Condvar, Mutex, PoisonError, atomic::Ordering},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use strait_ports::Progress;

use crate::{
    App, AppConfig, AppEvent, StartError, ffi,
    io::route_here,
    program::{self, Running},
    queue::{Entries, Queued},
    quit,
    sandbox::Sandbox,
    ui::{self, UiCommand, UiHandle},
};

/// A running program whose events an embedder's loop takes.
///
/// The program's thread is the one that has [started](Embedded::start) it. It need not be the
/// process's first: GTK gets a thread of its own, which never ends. The embedder's loop
/// - polls [`App::node`]'s descriptor and calls [`Embedded::dispatch`] when it is readable,
/// - takes deliveries by [`Embedded::next_delivery`], then and whenever the waker is called,
/// - may call [`Embedded::busy_poll`] before it sleeps.
pub struct Embedded {
    app: App,
    entries: Entries,
    running: Running,
    ui: Arc<UiThread>,
    waker: Waker,
    ended: Option<i32>,
}

/// The next delivery of an embedded program.
#[derive(Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Windows can be made.
    Started,
    /// Windows cannot be made. The embedder ends the program.
    Failed(StartError),
    /// An event.
    Event(AppEvent),
    /// One of the program's futures is ready. It must be polled before the next delivery is taken.
    Settled,
    /// The program has ended with this code; this is the last delivery.
    Ended(i32),
}

impl Embedded {
    /// Starts a program. `waker` is called, in any thread, when [`Embedded::next_delivery`] has a
    /// delivery after it had returned `None`.
    ///
    /// Whether windows can be made is delivered later. Call it once per process.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: AppConfig, waker: Waker) -> Result<Self, StartError> {
        let (ui, connect) = UiHandle::deferred();
        let (running, entries, views) = program::start(config, ui)?;
        let app = App(running.shared.clone());
        let ui = Arc::<UiThread>::default();
        let (shared, thread) = (running.shared.clone(), ui.clone());
        thread::Builder::new()
            .name("strait-ui".into())
            .stack_size(ui::STACK)
            .spawn(move || {
                ffi::share_suspend_signal();
                match ui::Ui::start_on_any_thread() {
                    Ok(ui) => {
                        Sandbox::prepare(&shared, ui.x_display());
                        connect.to(ui.handle());
                        shared.queue.started(Ok(()));
                        ui.run(&shared, views);
                    }
                    Err(error) => shared.queue.started(Err(error)),
                }
                drop(shared);
                thread.end();
                // WebKit's thread-local destructors deadlock with the process's exit when the
                // thread of its main run loop ends.
                loop {
                    thread::park();
                }
            })
            .map_err(StartError::Engine)?;
        Ok(Self { app, entries, running, ui, waker, ended: None })
    }

    /// The program.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Routes messages for about `budget`; for an embedder whose loop has found the node's
    /// descriptor readable.
    ///
    /// # Errors
    /// When `epoll` fails, or the process has no descriptor left.
    pub fn dispatch(&self, budget: Duration) -> io::Result<Progress> {
        self.app.0.loop_routes.store(true, Ordering::Relaxed);
        route_here(|| self.app.node().dispatch(budget))
    }

    /// For a loop that is about to sleep: polls for messages for a moment, and routes them, as
    /// [`Node::busy_poll`](strait_ports::Node::busy_poll) does. True if there may be something to
    /// deliver.
    pub fn busy_poll(&self) -> bool {
        route_here(|| self.app.node().busy_poll())
    }

    /// The next delivery; `None` if there is none now. The waker is called when there is one.
    pub fn next_delivery(&mut self) -> Option<Delivery> {
        let mut context = Context::from_waker(&self.waker);
        loop {
            match self.entries.poll_next(&mut context) {
                Poll::Pending => return None,
                // Between two deliveries the embedder does its other work.
                Poll::Ready(None) => {}
                Poll::Ready(Some(queued)) => match queued {
                    Queued::Started(Ok(())) => return Some(Delivery::Started),
                    Queued::Started(Err(error)) => return Some(Delivery::Failed(error)),
                    Queued::Event(event) => return Some(Delivery::Event(event)),
                    Queued::Settle(tell) => {
                        tell();
                        return Some(Delivery::Settled);
                    }
                    Queued::End(code) => {
                        self.ended = Some(code);
                        return Some(Delivery::Ended(code));
                    }
                },
            }
        }
    }

    /// Ends the rest of the program and waits for the end of windows, web processes, children and
    /// the runtime folder. Nothing is delivered any more. If the program has not ended by itself,
    /// its windows close and cannot prevent it.
    pub fn finish(mut self) {
        if self.ended.is_none() {
            quit::exit(&self.running.shared, 0);
            while !matches!(self.entries.blocking_recv(), Queued::End(_)) {}
        }
        self.running.shared.ui(UiCommand::Exit);
        self.ui.wait();
        self.running.end();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("app", &self.app).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Whether the UI thread has finished all its work.
#[derive(Default)]
struct UiThread {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl UiThread {
    fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(ended, |ended| !*ended).unwrap_or_else(PoisonError::into_inner));
    }
}
