//! What the natives work on: one host per thread, for as long as its program runs.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use tokio::sync::Notify;

use crate::{ports::PortTable, program::Program, ready::ReadyList};

/// The state of one running program, apart from its JavaScript.
pub(crate) struct Host {
    /// What runs.
    pub(crate) program: Program,
    /// Wakes the loop.
    pub(crate) wake: Arc<Notify>,
    /// Ports that may have something.
    pub(crate) ready: ReadyList,
    /// The program's ends of channels.
    pub(crate) ports: RefCell<PortTable>,
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
    pub(crate) fn new(program: Program) -> Self {
        let wake = Arc::new(Notify::new());
        Self {
            program,
            ready: ReadyList::new(wake.clone()),
            wake,
            ports: RefCell::default(),
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

    /// Ends the program. The first code counts.
    pub(crate) fn finish(&self, code: i32) {
        if self.finished.get().is_none() {
            self.finished.set(Some(code));
            self.wake.notify_one();
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
