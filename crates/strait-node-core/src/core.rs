//! The state of every addon: JavaScript's hook, Node's loop, and the program's ports.

use std::{
    cell::{Cell, RefCell},
    os::fd::AsFd,
    sync::Arc,
    task::{Wake, Waker},
    time::Duration,
};

use napi::{Env, bindgen_prelude::Function};
use strait_ports::{Node, Port};

use crate::{
    event_loop::{self, Tasks},
    ffi::{self, Hook, NodeLoop},
    natives::LargeMessages,
    ports::{PortId, PortTable, ReadyList},
    value::Value,
};

/// Bytes of the buffer through which small messages reach JavaScript: making an array for each
/// costs more than all the rest.
pub(crate) const STAGE: usize = 64 << 10;

/// The parts of a process besides ports; each addon implements it. A thread of the process routes
/// while Node's loop does not.
pub trait Host: 'static {
    /// The state that all addons have.
    fn core(&self) -> &Core;
    /// The process's node.
    fn node(&self) -> &Node;
    /// Routes messages for about `budget`; called when the node's descriptor is readable.
    fn dispatch(&self, budget: Duration);
    /// Polls for messages for a moment, as [`Node::busy_poll`] does.
    fn busy_poll(&self) -> bool;
    /// Delivers one event that comes from no port; false if there is none.
    fn deliver(&self) -> bool {
        false
    }
}

/// The state of every addon. One in a process, in Node's main thread.
pub struct Core {
    /// The JavaScript function that is called for every event.
    pub hook: Hook,
    /// Futures that scripts await.
    pub tasks: Tasks,
    pub(crate) turns: NodeLoop,
    pub(crate) ready: ReadyList,
    pub(crate) ports: RefCell<PortTable>,
    pub(crate) large: RefCell<LargeMessages>,
    /// A delivery is under way; no other one begins before it has returned.
    pub(crate) delivering: Cell<bool>,
    waker: Waker,
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
        // In the loop's own thread, delivery checks for more before the loop sleeps.
        if !event_loop::is_delivering() {
            self.wake.wake();
        }
    }
}

impl Core {
    /// The core of this process. It keeps Node's loop alive, until [`Core::keep_alive`] ends that.
    ///
    /// # Errors
    /// In a worker thread, and a second time.
    pub fn new(env: &Env, hook: &Function<'_, (), ()>) -> Result<Self, String> {
        if rustix::thread::gettid() != rustix::process::getpid() {
            return Err("Strait can be started in the main thread only, not in a worker thread".into());
        }
        ffi::keep_freed_memory();
        let hook = Hook::new(env, ffi::raw_function(hook))?;
        let turns = NodeLoop::of(env, event_loop::CALLBACKS)?;
        let waker = Waker::from(Arc::new(LoopWaker { wake: turns.wake() }));
        Ok(Self {
            hook,
            tasks: Tasks::new(waker.clone()),
            turns,
            ready: ReadyList::new(waker.clone()),
            ports: RefCell::default(),
            large: RefCell::default(),
            delivering: Cell::new(false),
            waker,
        })
    }

    /// A waker that makes the loop deliver; usable from any thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether the loop continues when nothing else keeps it alive.
    pub fn keep_alive(&self, on: bool) {
        self.turns.keep_alive(on);
    }

    /// Makes the loop poll the node's descriptor from now on, if it can. The descriptor stays open
    /// for ever.
    pub(crate) fn poll(&self, node: &Node) -> Result<(), String> {
        self.turns.poll(node.as_fd())
    }

    /// Settles promise number `token`: `hook(name, token, ...)`.
    pub fn settle(&self, name: &str, token: u32, rest: impl IntoIterator<Item = Value>) {
        let arguments = [Value::from(name), Value::from(token)];
        self.hook.call(arguments.into_iter().chain(rest));
    }

    /// Fills `bytes` with a part of the message that is being read; false if the message is
    /// shorter.
    pub(crate) fn copy_incoming(&self, start: usize, bytes: &mut [u8]) -> bool {
        self.large.borrow().incoming.as_ref().is_some_and(|message| message.copy_to(start, bytes))
    }

    /// Gives ports to the program's scripts; returns their numbers.
    pub fn adopt(&self, ports: Vec<Port>) -> Vec<PortId> {
        self.ports.borrow_mut().insert_all(ports, &self.ready)
    }
}
