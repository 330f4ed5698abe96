//! What the natives work on: one host per thread, for as long as its program runs.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use rquickjs::{Ctx, Function, Object, Result};
use strait_modules::Loader;
use strait_ports::{Node, Port};
use tokio::sync::Notify;

use crate::{
    operations::Operations,
    ports::PortTable,
    ready::{PortId, ReadyList},
};

/// What a kind of process adds to the engine: main its windows, a child its parent.
pub trait Embedder {
    /// Its scripts, by the name that `require` knows inside them. `strait:electron` must be among them: what it exports as `dispatch(name, ...)`
    /// hears the embedder's events.
    fn scripts(&self) -> &'static [(&'static str, &'static str)];

    /// Adds its functions to the natives.
    ///
    /// # Errors
    /// The engine's.
    fn register(&self, natives: &Object<'_>) -> Result<()>;

    /// The process's node: channels are made by it.
    fn node(&self) -> &Node;

    /// Whether the program ends once it has nothing left to do, as Node's do. Otherwise it lives until it says.
    fn ends_when_idle(&self) -> bool {
        false
    }

    /// The program is finished; no JavaScript runs any more.
    fn finished(&self) {}
}

/// An event of the embedder's that waits for the loop: calls the `dispatch` of its scripts.
pub type Incoming = Box<dyn for<'js> FnOnce(&Ctx<'js>, &Function<'js>) -> Result<()>>;

/// What the program is started with.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its script, absolute or relative to the working folder.
    pub main: PathBuf,
    /// What the program finds after its own path in `process.argv`.
    pub args: Vec<String>,
    /// `process.execArgv`.
    pub exec_args: Vec<String>,
}

/// The state of one running program, apart from its JavaScript.
pub struct Host {
    /// What it runs in.
    pub(crate) embedder: Rc<dyn Embedder>,
    /// What runs.
    pub(crate) entry: Entry,
    /// Wakes the loop.
    pub(crate) wake: Arc<Notify>,
    /// Ports that may have something.
    pub(crate) ready: ReadyList,
    /// The program's ends of channels.
    pub(crate) ports: RefCell<PortTable>,
    /// What it has the system do.
    pub(crate) operations: Operations,
    /// What has happened, in order.
    pub(crate) incoming: RefCell<VecDeque<Incoming>>,
    /// The names of the host's own modules.
    pub(crate) builtins: Rc<RefCell<BTreeSet<String>>>,
    /// Finds all others.
    pub(crate) modules: Loader,
    /// `process.nextTick` has something.
    pub(crate) tick_wanted: Cell<bool>,
    /// Promises were rejected, or got a late handler.
    pub(crate) rejections_changed: Cell<bool>,
    /// The engine may use this many bytes and no more; 0: as many as there are.
    pub(crate) memory_limit: Cell<usize>,
    /// The program ends with this code; no JavaScript runs any more.
    finished: Cell<Option<i32>>,
    started: Instant,
}

thread_local! {
    static HOST: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

impl Host {
    /// A host for a program.
    pub fn new(embedder: Rc<dyn Embedder>, entry: Entry) -> Self {
        let wake = Arc::new(Notify::new());
        let builtins = Rc::<RefCell<BTreeSet<String>>>::default();
        let (known, had) = (Rc::clone(&builtins), Rc::clone(&builtins));
        Self {
            embedder,
            entry,
            ready: ReadyList::new(wake.clone()),
            operations: Operations::new(wake.clone()),
            wake,
            ports: RefCell::default(),
            incoming: RefCell::default(),
            builtins,
            modules: Loader::new(move |name| known.borrow().contains(name)).with_missing(move || {
                let names: Vec<_> = had.borrow().iter().cloned().collect();
                format!("this process has {}", names.join(", "))
            }),
            tick_wanted: Cell::new(false),
            rejections_changed: Cell::new(false),
            memory_limit: Cell::new(0),
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
    pub fn push(&self, incoming: impl for<'js> FnOnce(&Ctx<'js>, &Function<'js>) -> Result<()> + 'static) {
        // Nobody will hear it any more: what it would have let happen happens now.
        if self.finished.get().is_none() {
            self.incoming.borrow_mut().push_back(Box::new(incoming));
            self.wake.notify_one();
        }
    }

    /// Gives ports to the program's scripts, by their numbers.
    pub fn adopt(&self, ports: Vec<Port>) -> Vec<PortId> {
        self.ports.borrow_mut().insert_all(ports, &self.ready)
    }

    /// Ends the program. The first code counts.
    pub fn finish(&self, code: i32) {
        if self.finished.get().is_none() {
            self.finished.set(Some(code));
            self.wake.notify_one();
            // Decisions among it are taken as agreed, requests as unanswered.
            drop(self.incoming.take());
            self.embedder.finished();
        }
    }

    /// The code the program ends with, once it is decided.
    pub fn finished(&self) -> Option<i32> {
        self.finished.get()
    }
}

/// Makes a host this thread's own until it is dropped.
pub struct Installed(());

impl Installed {
    /// Installs `host`.
    pub fn new(host: Rc<Host>) -> Self {
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
pub fn host() -> Rc<Host> {
    HOST.with_borrow(|host| host.clone()).expect("natives are called while a host is installed")
}
