//! The state that the natives use: one host in a process, in Node's main thread.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

use napi::{Env, bindgen_prelude::Function};
use serde::Deserialize;
use strait::{App, AppConfig, BrowserWindow, Delivery, Embedded, NodeJs, Responder, UtilityProcess, WebFrameMain, WindowOpenRequest};
use strait_node_core::{Core, values};
use strait_ports::Node;

use crate::events;

/// The program's description, from JavaScript.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Options {
    /// The program's folder.
    pub(crate) root: PathBuf,
    name: String,
    version: String,
    #[serde(default)]
    expose_gc: bool,
    #[serde(default)]
    no_sandbox: bool,
    inspect_ports: Option<PathBuf>,
    /// The program's `process.argv`.
    arguments: Vec<String>,
    utility: UtilityOptions,
}

/// The Node that runs utility processes in JavaScript, and the files that it loads.
#[derive(Debug, Deserialize)]
struct UtilityOptions {
    program: PathBuf,
    boot: PathBuf,
    addon: PathBuf,
}

/// The children that scripts have forked, by number.
pub(crate) type Utilities = RefCell<HashMap<u32, UtilityProcess>>;

/// The running program, for its scripts.
pub(crate) struct Host {
    pub(crate) app: App,
    pub(crate) root: PathBuf,
    pub(crate) core: Core,
    /// `None` once the program has ended.
    pub(crate) embedded: RefCell<Option<Embedded>>,
    /// The windows that scripts have referred to, until they are closed.
    pub(crate) windows: RefCell<HashMap<u32, BrowserWindow>>,
    /// The frames whose numbers scripts have received, until they are gone.
    pub(crate) frames: RefCell<HashMap<u64, WebFrameMain>>,
    /// Requests that scripts have not answered yet.
    pub(crate) responders: RefCell<HashMap<u32, Responder>>,
    last_responder: Cell<u32>,
    pub(crate) utilities: Utilities,
    /// The page's request to open a window, while a script decides about it.
    pub(crate) open_request: RefCell<Option<WindowOpenRequest>>,
}

impl Host {
    /// Starts the program's parts outside of JavaScript.
    pub(crate) fn start(env: &Env, options: Options, hook: &Function<'_, (), ()>) -> Result<Rc<Self>, String> {
        give_streams_to_children();
        let core = Core::new(env, hook)?;
        // A program that is started by its own name has the switch among its own arguments.
        let no_sandbox = options.no_sandbox || options.arguments.iter().any(|argument| argument == strait::NO_SANDBOX);
        let config = AppConfig::new(&options.root).name(options.name).version(options.version).arguments(options.arguments).console(true);
        let config = config.expose_gc(options.expose_gc).no_sandbox(no_sandbox);
        let UtilityOptions { program, boot, addon } = options.utility;
        let config = config.node_js(NodeJs { program, boot, addon });
        let config = match options.inspect_ports {
            Some(file) => config.inspect_ports(file),
            None => config,
        };
        let embedded = Embedded::start(config, core.waker()).map_err(|error| error.to_string())?;
        let app = embedded.app().clone();
        let host = Rc::new(Self {
            app,
            root: options.root,
            core,
            embedded: RefCell::new(Some(embedded)),
            windows: RefCell::default(),
            frames: RefCell::default(),
            responders: RefCell::default(),
            last_responder: Cell::new(0),
            utilities: RefCell::default(),
            open_request: RefCell::default(),
        });
        strait_node_core::run(host.clone())?;
        Ok(host)
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

    /// The frame's number; from now on scripts may refer to the frame by it.
    pub(crate) fn know(&self, frame: &WebFrameMain) -> u64 {
        let key = frame.key().get();
        self.frames.borrow_mut().entry(key).or_insert_with(|| frame.clone());
        key
    }

    /// Keeps a responder until a script answers; returns its number.
    pub(crate) fn keep_responder(&self, responder: Responder) -> u32 {
        let id = self.last_responder.get().wrapping_add(1).max(1);
        self.last_responder.set(id);
        self.responders.borrow_mut().insert(id, responder);
        id
    }

    /// Ends the rest of the program, and waits for that.
    pub(crate) fn finish(&self) {
        let embedded = self.embedded.borrow_mut().take();
        // Pending decisions let their actions happen, and requests remain unanswered.
        drop(self.responders.take());
        if let Some(embedded) = embedded {
            embedded.finish();
        }
    }
}

impl strait_node_core::Host for Host {
    fn core(&self) -> &Core {
        &self.core
    }

    fn node(&self) -> &Node {
        self.app.node()
    }

    fn dispatch(&self, budget: Duration) {
        if let Some(embedded) = &*self.embedded.borrow() {
            // Routing fails only if descriptors are missing; the I/O thread reports that.
            let _ = embedded.dispatch(budget);
        }
    }

    fn busy_poll(&self) -> bool {
        self.embedded.borrow().as_ref().is_some_and(Embedded::busy_poll)
    }

    fn deliver(&self) -> bool {
        let next = self.embedded.borrow_mut().as_mut().and_then(Embedded::next_delivery);
        let Some(next) = next else { return false };
        let hook = &self.core.hook;
        match next {
            Delivery::Started => drop(hook.call(values!["started"])),
            Delivery::Failed(error) => drop(hook.call(values!["start-failed", error.to_string()])),
            Delivery::Event(event) => events::app_event(self, event),
            Delivery::Ended(code) => {
                self.core.keep_alive(false);
                hook.call(values!["ended", code]);
            }
            // `Settled`: a task is ready.
            _ => {}
        }
        true
    }
}

/// Lets processes that are started here inherit this one's standard streams. Node marks its streams
/// close-on-exec, and passes its own children theirs explicitly. WebKit and the program's children
/// inherit the streams, and would start without them.
fn give_streams_to_children() {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    for stream in streams {
        // A closed stream cannot be inherited.
        let _ = rustix::io::fcntl_setfd(stream, rustix::io::FdFlags::empty());
    }
}
