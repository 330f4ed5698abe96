//! What the natives for windows work on: one host per thread, for as long as its program runs.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use rquickjs::Object;
use strait::{App, BrowserWindow, LoadError, Responder, ScriptError, WebFrameMain, WindowOpenRequest};
use strait_host::Embedder;
use strait_ports::Node;

use crate::{
    events,
    natives::{self, utility::Utilities},
    program::Program,
};

/// What of Electron there is: see the compatibility table in the documentation, which is made of the same files.
const TABLE: &str = concat!(
    "module.exports = [",
    include_str!("../electron/app.json"),
    ",",
    include_str!("../electron/browser-window-options.json"),
    ",",
    include_str!("../electron/browser-window.json"),
    ",",
    include_str!("../electron/context-bridge.json"),
    ",",
    include_str!("../electron/exports-main.json"),
    ",",
    include_str!("../electron/exports-renderer.json"),
    ",",
    include_str!("../electron/exports-utility.json"),
    ",",
    include_str!("../electron/ipc-main.json"),
    ",",
    include_str!("../electron/ipc-renderer.json"),
    ",",
    include_str!("../electron/message-channel-main.json"),
    ",",
    include_str!("../electron/message-port-main.json"),
    ",",
    include_str!("../electron/parent-port.json"),
    ",",
    include_str!("../electron/process.json"),
    ",",
    include_str!("../electron/utility-process.json"),
    ",",
    include_str!("../electron/web-contents.json"),
    ",",
    include_str!("../electron/web-frame-main.json"),
    ",",
    include_str!("../electron/web-preferences.json"),
    ",",
    "]"
);

/// The scripts of the main process.
const SCRIPTS: &[(&str, &str)] = &[
    ("strait:ipc", include_str!("../js/ipc.js")),
    ("strait:table", TABLE),
    ("strait:frame", include_str!("../js/frame.js")),
    ("strait:contents", include_str!("../js/contents.js")),
    ("strait:window", include_str!("../js/window.js")),
    ("strait:app", include_str!("../js/app.js")),
    ("strait:utility", include_str!("../js/utility.js")),
    ("strait:electron", include_str!("../js/electron.js")),
];

/// How something ended that a script waits for.
pub(crate) enum Settled {
    /// A load.
    Load(Result<(), LoadError>),
    /// `executeJavaScript`: the value's structured clone.
    Script(Result<Vec<u8>, ScriptError>),
    /// A read of a child's output: some bytes, or the end.
    Chunk(Option<Vec<u8>>),
    /// Anything else: a text, or nothing; or why not.
    Done(Result<Option<String>, String>),
}

/// The windows of one running program, as its scripts know them.
pub(crate) struct Host {
    /// Its windows and the port engine.
    pub(crate) app: App,
    /// What runs.
    pub(crate) program: Program,
    /// The windows that scripts have named, until they are closed.
    pub(crate) windows: RefCell<HashMap<u32, BrowserWindow>>,
    /// The frames that scripts have seen, until they are gone.
    pub(crate) frames: RefCell<HashMap<u64, WebFrameMain>>,
    /// Requests that scripts have not answered yet.
    pub(crate) responders: RefCell<HashMap<u32, Responder>>,
    last_responder: Cell<u32>,
    /// The children that scripts have forked.
    pub(crate) utilities: Utilities,
    /// A page that waits to hear whether it may open a window, while a script is asked.
    pub(crate) open_request: RefCell<Option<WindowOpenRequest>>,
}

thread_local! {
    static HOST: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

impl Host {
    /// A host for the program `program` in `app`.
    pub(crate) fn new(app: App, program: Program) -> Self {
        Self {
            app,
            program,
            windows: RefCell::default(),
            frames: RefCell::default(),
            responders: RefCell::default(),
            open_request: RefCell::default(),
            last_responder: Cell::new(0),
            utilities: Utilities::default(),
        }
    }

    /// Promise number `token` settles.
    pub(crate) fn settle(&self, token: u32, settled: Settled) {
        strait_host::host().push(move |ctx, hook| events::settled(ctx, hook, token, settled));
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
}

impl Embedder for Host {
    fn scripts(&self) -> &'static [(&'static str, &'static str)] {
        SCRIPTS
    }

    fn register(&self, natives: &Object<'_>) -> rquickjs::Result<()> {
        natives::register(natives, &self.program)
    }

    fn node(&self) -> &Node {
        self.app.node()
    }

    fn finished(&self) {
        drop(self.responders.take());
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
