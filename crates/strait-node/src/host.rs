//! What the natives work on: one host in a process, in Node's main thread.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use napi::{Env, bindgen_prelude::Function};
use serde::Deserialize;
use strait::{App, AppConfig, BrowserWindow, Embedded, Responder, UtilityProcess, WebFrameMain, WindowOpenRequest};
use strait_ports::Port;

use crate::{
    event_loop::{self, Tasks},
    ffi::{self, Hook, UvLoop},
    ports::{PortId, PortTable, ReadyList},
    value::Value,
};

/// Bytes of the buffer through which small messages reach JavaScript: to make an array for each costs more than everything else.
const STAGE: usize = 64 << 10;

/// What JavaScript says of its program.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    /// Its folder.
    pub(crate) root: PathBuf,
    name: String,
    version: String,
    #[serde(default)]
    expose_gc: bool,
    #[serde(default)]
    no_sandbox: bool,
    inspect_ports: Option<PathBuf>,
    /// Its `process.argv`.
    arguments: Vec<String>,
}

/// A child that scripts have forked.
pub(crate) type Utilities = RefCell<HashMap<u32, UtilityProcess>>;

/// The program, as its scripts know it.
pub(crate) struct Host {
    pub(crate) app: App,
    pub(crate) root: PathBuf,
    pub(crate) hook: Hook,
    pub(crate) uv: UvLoop,
    /// `None` once the program has ended.
    pub(crate) embedded: RefCell<Option<Embedded>>,
    pub(crate) tasks: Tasks,
    pub(crate) ready: ReadyList,
    pub(crate) ports: RefCell<PortTable>,
    /// The windows that scripts have named, until they are closed.
    pub(crate) windows: RefCell<HashMap<u32, BrowserWindow>>,
    /// The frames that scripts have seen, until they are gone.
    pub(crate) frames: RefCell<HashMap<u64, WebFrameMain>>,
    /// Requests that scripts have not answered yet.
    pub(crate) responders: RefCell<HashMap<u32, Responder>>,
    last_responder: Cell<u32>,
    pub(crate) utilities: Utilities,
    /// A page that waits for the decision whether it may open a window, while a script is asked.
    pub(crate) open_request: RefCell<Option<WindowOpenRequest>>,
    /// Something is being delivered: nothing else is until that has returned.
    pub(crate) delivering: Cell<bool>,
}

thread_local! {
    static HOST: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

/// Wakes Node's loop, unless it is awake.
struct LoopWaker {
    wake: ffi::Wake,
}

impl Wake for LoopWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // In the loop's own thread what is delivered is looked through before it sleeps.
        if !event_loop::is_delivering() {
            self.wake.wake();
        }
    }
}

impl Host {
    /// Starts the program's part outside of JavaScript.
    pub(crate) fn start(env: &Env, options: Options, hook: &Function<'_, (), ()>) -> Result<Rc<Self>, String> {
        static STARTED: AtomicBool = AtomicBool::new(false);
        if rustix::thread::gettid() != rustix::process::getpid() {
            return Err("windows can be made in the main thread only, not in a worker thread".into());
        }
        if STARTED.swap(true, Ordering::Relaxed) {
            return Err("Strait has been started already".into());
        }
        give_streams_to_children();
        let hook = Hook::new(env, ffi::raw_function(hook))?;
        let uv = UvLoop::of(env, event_loop::CALLBACKS)?;
        let waker = Waker::from(Arc::new(LoopWaker { wake: uv.wake() }));
        // A program that is started by its own name has the switch among its own arguments.
        let no_sandbox = options.no_sandbox || options.arguments.iter().any(|argument| argument == strait::NO_SANDBOX);
        let config = AppConfig::new(&options.root).name(options.name).version(options.version).arguments(options.arguments).console(true);
        let config = config.expose_gc(options.expose_gc).no_sandbox(no_sandbox);
        let config = match options.inspect_ports {
            Some(file) => config.inspect_ports(file),
            None => config,
        };
        let embedded = Embedded::start(config, waker.clone()).map_err(|error| error.to_string())?;
        let app = embedded.app().clone();
        uv.poll(std::os::fd::AsFd::as_fd(app.node()))?;
        let host = Rc::new(Self {
            app,
            root: options.root,
            hook,
            uv,
            embedded: RefCell::new(Some(embedded)),
            tasks: Tasks::new(waker.clone()),
            ready: ReadyList::new(waker),
            ports: RefCell::default(),
            windows: RefCell::default(),
            frames: RefCell::default(),
            responders: RefCell::default(),
            last_responder: Cell::new(0),
            utilities: RefCell::default(),
            open_request: RefCell::default(),
            delivering: Cell::new(false),
        });
        HOST.set(Some(host.clone()));
        Ok(host)
    }

    /// Bytes of the buffer for small messages.
    pub(crate) const fn stage_length() -> usize {
        STAGE
    }

    /// That buffer, for JavaScript.
    pub(crate) fn stage(&self) -> Result<napi::sys::napi_value, String> {
        self.hook.make_stage(STAGE)
    }

    /// Promise number `token` settles: `hook(name, token, ...)`.
    pub(crate) fn settle(&self, name: &str, token: u32, rest: impl IntoIterator<Item = Value>) {
        let arguments = [Value::from(name), Value::from(token)];
        self.hook.call(arguments.into_iter().chain(rest));
    }

    /// Gives ports to the program's scripts, by their numbers.
    pub(crate) fn adopt(&self, ports: Vec<Port>) -> Vec<PortId> {
        self.ports.borrow_mut().insert_all(ports, &self.ready)
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
        let id = self.last_responder.get().wrapping_add(1).max(1);
        self.last_responder.set(id);
        self.responders.borrow_mut().insert(id, responder);
        id
    }

    /// Ends what is left of the program, and waits for that.
    pub(crate) fn finish(&self) {
        let embedded = self.embedded.borrow_mut().take();
        // Decisions are taken as agreed, requests as unanswered.
        drop(self.responders.take());
        if let Some(embedded) = embedded {
            embedded.finish();
        }
    }
}

/// Lets processes that are started here have this one's standard streams. Node keeps its own from them, and gives its children others by name; WebKit and
/// children of the program take what there is, and would begin without.
fn give_streams_to_children() {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for stream in streams {
        // One that is closed is nobody's.
        let _ = rustix::io::fcntl_setfd(stream, rustix::io::FdFlags::empty());
    }
}

/// This thread's host, once it has started.
pub(crate) fn current() -> Option<Rc<Host>> {
    HOST.with_borrow(|host| host.clone())
}
