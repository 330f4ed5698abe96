//! A program on an event loop that is not Strait's: Node's, for one.

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

/// A running program whose events are taken by a loop of the embedder's.
///
/// Its thread is the one that has [started](Embedded::start) it, and need not be the process's first: GTK gets a thread of its own, which never
/// ends. The embedder's loop
/// - polls [`App::node`]'s descriptor and calls [`Embedded::dispatch`] when it is readable,
/// - takes what there is by [`Embedded::next_delivery`], then and whenever the waker is called,
/// - may call [`Embedded::busy_poll`] before it sleeps.
pub struct Embedded {
    app: App,
    entries: Entries,
    running: Running,
    ui: Arc<UiThread>,
    waker: Waker,
    ended: Option<i32>,
}

/// What an embedded program has next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// Windows can be made.
    Started,
    /// Windows cannot be made. The embedder ends the program.
    Failed(StartError),
    /// Something happened.
    Event(AppEvent),
    /// A future of the program's has got its outcome: it is to be polled before the next delivery is taken.
    Settled,
    /// The program has ended with this code; nothing follows.
    Ended(i32),
}

impl Embedded {
    /// Starts a program. `waker` is called, in any thread, whenever [`Embedded::next_delivery`] has something after it had nothing.
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
                // WebKit's thread-local destructors deadlock with the process's exit when the thread of its main run loop ends.
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

    /// Routes messages for about `budget`; for when the node's descriptor is readable.
    ///
    /// # Errors
    /// When `epoll` fails, or the process has no descriptor left.
    pub fn dispatch(&self, budget: Duration) -> io::Result<Progress> {
        self.app.0.loop_routes.store(true, Ordering::Relaxed);
        route_here(|| self.app.node().dispatch(budget))
    }

    /// For a loop that is about to sleep: looks for messages for a moment, and routes them; as [`Node::busy_poll`](strait_ports::Node::busy_poll).
    /// True if there may be something to deliver.
    pub fn busy_poll(&self) -> bool {
        route_here(|| self.app.node().busy_poll())
    }

    /// What the program has next; `None`: nothing now, and the waker is called when there is.
    pub fn next_delivery(&mut self) -> Option<Delivery> {
        let mut context = Context::from_waker(&self.waker);
        loop {
            match self.entries.poll_next(&mut context) {
                Poll::Pending => return None,
                // The embedder gives everything else its turn between two deliveries.
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

    /// Ends what is left of the program and waits for its end: windows, web processes, children, the runtime folder. Nothing is delivered any more. If the
    /// program has not ended by itself, its windows close without being asked.
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

/// Whether the thread with GTK has done all that it does.
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
