//! The program's turns in Node's loop.
//!
//! | libuv calls | when | work |
//! |---|---|---|
//! | `on_readable` | the node's descriptor is readable | messages are routed, then all events are delivered |
//! | `on_prepare` | before the loop polls | all events are delivered; then, unless the loop is busy, the node is polled for a moment |
//! | `on_wake` | another thread has an event | all events are delivered |
//!
//! Where Node does not export libuv's functions, a threadsafe function is called instead, and the
//! process's I/O thread routes alone.
//!
//! Deliveries of one turn stop after [`SLICE`], so that timers and files get their turns. If there
//! is more, the loop is woken at once.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, Stream};
use strait_ports::{Arrival, Unread};

use crate::{
    core::{Core, Host, STAGE},
    ffi::Callbacks,
    values,
};

/// How long one turn delivers. Timers and files get one turn between two of these. While messages
/// stream in, successive calls of `fs` therefore proceed at the rate of slices. A turn of libuv's
/// loop costs about 4 µs.
const SLICE: Duration = Duration::from_micros(25);
/// How long one turn routes.
const ROUTE_BUDGET: Duration = Duration::from_micros(100);

pub(crate) const CALLBACKS: Callbacks = Callbacks { on_readable, on_prepare, on_wake };

thread_local! {
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
    static HOST: RefCell<Option<Rc<dyn Host>>> = const { RefCell::new(None) };
}

/// Delivers to `host` from now on, in this thread, which is Node's main thread.
///
/// # Errors
/// If Node's loop does not poll the node's descriptor.
pub fn run(host: Rc<dyn Host>) -> Result<(), String> {
    host.core().poll(host.node())?;
    let wake = host.core().turns.wake();
    HOST.set(Some(host));
    // The first wake-up delivers earlier events; later ones wake the loop themselves.
    wake.wake();
    Ok(())
}

/// Stops all deliveries, because JavaScript ends: Node turns its loop a few times more, when no
/// JavaScript can be called.
pub fn stop() {
    HOST.set(None);
}

/// This thread's host, while it runs.
fn current() -> Option<Rc<dyn Host>> {
    HOST.with_borrow(Clone::clone)
}

/// Whether this thread is the loop's, and is going to check for deliveries anyway.
pub(crate) fn is_delivering() -> bool {
    DELIVERING.get()
}

/// Futures that scripts await.
pub struct Tasks {
    running: RefCell<FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>>,
    /// Futures that were added while the others were polled.
    added: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>,
    waker: Waker,
}

impl Tasks {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { running: RefCell::default(), added: RefCell::default(), waker }
    }

    /// Runs a future, which calls JavaScript itself when it is ready.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        self.added.borrow_mut().push(Box::pin(future));
        self.waker.wake_by_ref();
    }

    /// Polls the woken futures; true if one has ended.
    fn poll(&self) -> bool {
        let Ok(mut running) = self.running.try_borrow_mut() else { return false };
        let mut ended = false;
        loop {
            running.extend(self.added.take());
            match Pin::new(&mut *running).poll_next(&mut Context::from_waker(&self.waker)) {
                Poll::Ready(Some(())) => ended = true,
                Poll::Ready(None) | Poll::Pending if self.added.borrow().is_empty() => return ended,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }
}

fn on_readable() {
    let Some(host) = current() else { return };
    awake(|| host.dispatch(ROUTE_BUDGET));
    deliver(&*host);
}

fn on_wake() {
    if let Some(host) = current() {
        deliver(&*host);
    }
}

fn on_prepare() {
    let Some(host) = current() else { return };
    let core = host.core();
    let until = Instant::now() + SLICE;
    loop {
        deliver(&*host);
        if core.turns.is_busy() || !core.ready.is_empty() || !awake(|| host.busy_poll()) {
            return;
        }
        if Instant::now() >= until {
            // The rest is delivered after libuv's other work.
            core.turns.wake().wake();
            return;
        }
    }
}

/// Runs code during which wakers of this loop are superfluous, because the loop checks for
/// deliveries afterwards.
fn awake<T>(run: impl FnOnce() -> T) -> T {
    let before = DELIVERING.replace(true);
    let result = run();
    DELIVERING.set(before);
    result
}

/// Delivers the available events, for [`SLICE`].
fn deliver(host: &dyn Host) {
    let core = host.core();
    // JavaScript that runs a nested loop, as in a debugger, receives nothing meanwhile.
    if core.delivering.replace(true) {
        return;
    }
    let until = Instant::now() + SLICE;
    let mut more = true;
    awake(|| {
        while more && Instant::now() < until {
            more = deliver_one(host);
        }
    });
    core.delivering.set(false);
    if more {
        core.turns.wake().wake();
    }
}

/// Delivers one event of each kind; false if there is none.
fn deliver_one(host: &dyn Host) -> bool {
    let core = host.core();
    let mut delivered = host.deliver();
    delivered |= core.tasks.poll();
    if let Some(id) = core.ready.pop() {
        delivered = true;
        let event = core.ports.borrow_mut().next_event(id);
        match event {
            Some(Arrival::Message(message)) => {
                // There may be more.
                core.ready.push(id);
                deliver_message(core, id, message);
            }
            Some(Arrival::Close(reason)) => drop(core.hook.call(values!["port-close", id, reason.as_str()])),
            None => {}
        }
    }
    delivered
}

fn deliver_message(core: &Core, id: u32, mut message: Unread) {
    let length = message.len();
    let part = length.min(STAGE);
    if !core.hook.fill_stage(part, |stage| message.copy_to(0, stage)) {
        return;
    }
    let ports = std::mem::take(&mut message.ports);
    if length == part {
        drop(message);
        if ports.is_empty() {
            core.hook.call(values!["port-small", id, length]);
            return;
        }
    } else {
        core.large.borrow_mut().incoming = Some(message);
    }
    let ids = core.adopt(ports);
    core.hook.call(values!["port-message", id, length, ids]);
    let read = core.large.borrow_mut().incoming.take();
    drop(read);
}
