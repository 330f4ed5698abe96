//! What the natives work on: one host per thread, for as long as its program runs.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use strait::{App, AppEvent, BrowserWindow, LoadError, Responder, ScriptError, WebFrameMain, WindowOpenRequest};
use tokio::sync::Notify;

use crate::{ports::PortTable, program::Program, ready::ReadyList};

/// How something ended that a script waits for.
pub(crate) enum Settled {
    /// A load.
    Load(Result<(), LoadError>),
    /// `executeJavaScript`: the value's structured clone.
    Script(Result<Vec<u8>, ScriptError>),
    /// Anything else: a text, or nothing; or why not.
    Done(Result<Option<String>, String>),
}

/// What waits for the program's loop, apart from port messages and timers.
pub(crate) enum Incoming {
    /// From the windows.
    App(AppEvent),
    /// Of the promise with this number.
    Settled(u32, Settled),
}

/// The state of one running program, apart from its JavaScript.
pub(crate) struct Host {
    /// Its windows and the port engine.
    pub(crate) app: App,
    /// What runs.
    pub(crate) program: Program,
    /// Wakes the loop.
    pub(crate) wake: Arc<Notify>,
    /// Ports that may have something.
    pub(crate) ready: ReadyList,
    /// The program's ends of channels.
    pub(crate) ports: RefCell<PortTable>,
    /// What has happened, in order.
    pub(crate) incoming: RefCell<VecDeque<Incoming>>,
    /// The windows that scripts have named, until they are closed.
    pub(crate) windows: RefCell<HashMap<u32, BrowserWindow>>,
    /// The frames that scripts have seen, until they are gone.
    pub(crate) frames: RefCell<HashMap<u64, WebFrameMain>>,
    /// Requests that scripts have not answered yet.
    pub(crate) responders: RefCell<HashMap<u32, Responder>>,
    last_responder: Cell<u32>,
    /// A page that waits to hear whether it may open a window, while a script is asked.
    pub(crate) open_request: RefCell<Option<WindowOpenRequest>>,
    /// `process.nextTick` has something.
    pub(crate) tick_wanted: Cell<bool>,
    /// Promises were rejected, or got a late handler.
    pub(crate) rejections_changed: Cell<bool>,
    /// The program ends with this code; no JavaScript runs any more.
    finished: Cell<Option<i32>>,
    started: Instant,
}

thread_local! {
    static HOST: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

impl Host {
    /// A host for `program`.
    pub(crate) fn new(app: App, program: Program) -> Self {
        let wake = Arc::new(Notify::new());
        Self {
            app,
            program,
            ready: ReadyList::new(wake.clone()),
            wake,
            ports: RefCell::default(),
            incoming: RefCell::default(),
            windows: RefCell::default(),
            frames: RefCell::default(),
            responders: RefCell::default(),
            open_request: RefCell::default(),
            last_responder: Cell::new(0),
            tick_wanted: Cell::new(false),
            rejections_changed: Cell::new(false),
            finished: Cell::new(None),
            started: Instant::now(),
        }
    }

    /// Milliseconds since the program began.
    pub(crate) fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    /// The instant that is `now() == milliseconds`.
    pub(crate) fn instant(&self, milliseconds: f64) -> Instant {
        self.started + std::time::Duration::from_secs_f64(milliseconds.max(0.0) / 1000.0)
    }

    /// Puts something at the end of the loop's queue.
    pub(crate) fn push(&self, incoming: Incoming) {
        // Nobody will hear it any more: what it would have let happen happens now.
        if self.finished.get().is_none() {
            self.incoming.borrow_mut().push_back(incoming);
            self.wake.notify_one();
        }
    }

    /// Promise number `token` settles.
    pub(crate) fn settle(&self, token: u32, settled: Settled) {
        self.push(Incoming::Settled(token, settled));
    }

    /// The window with this number, which is also its page's.
    pub(crate) fn window(&self, id: u32) -> Option<BrowserWindow> {
        if let Some(window) = self.windows.borrow().get(&id) {
            return Some(window.clone());
        }
        let window = self.app.windows().into_iter().find(|window| window.id().get() == id)?;
        self.windows.borrow_mut().insert(id, window.clone());
        Some(window)
    }

    /// The frame's number; from now on scripts may name the frame by it.
    pub(crate) fn know(&self, frame: &WebFrameMain) -> u64 {
        let key = frame.key().get();
        self.frames.borrow_mut().entry(key).or_insert_with(|| frame.clone());
        key
    }

    /// Keeps a responder until a script answers; gives its number.
    pub(crate) fn keep_responder(&self, responder: Responder) -> u32 {
        let id = self.last_responder.get() + 1;
        self.last_responder.set(id);
        self.responders.borrow_mut().insert(id, responder);
        id
    }

    /// Ends the program. The first code counts.
    pub(crate) fn finish(&self, code: i32) {
        if self.finished.get().is_none() {
            self.finished.set(Some(code));
            self.wake.notify_one();
            // Decisions among it are taken as agreed, requests as unanswered.
            drop(self.incoming.take());
            drop(self.responders.take());
        }
    }

    /// The code the program ends with, once it is decided.
    pub(crate) fn finished(&self) -> Option<i32> {
        self.finished.get()
    }
}

/// Makes a host this thread's own until it is dropped.
pub(crate) struct Installed(());

impl Installed {
    /// Installs `host`.
    pub(crate) fn new(host: Rc<Host>) -> Self {
        HOST.set(Some(host));
        Self(())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        HOST.set(None);
    }
}

/// This thread's host.
///
/// # Panics
/// Without one. Natives exist only inside the engine, which runs only while a host is installed.
pub(crate) fn host() -> Rc<Host> {
    HOST.with_borrow(|host| host.clone()).expect("natives are called while a host is installed")
}
