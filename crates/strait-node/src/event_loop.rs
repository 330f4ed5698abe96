//! The program's turns in Node's loop.
//!
//! | libuv calls | when | what happens |
//! |---|---|---|
//! | `on_readable` | the node's descriptor is readable | messages are routed, then everything is delivered |
//! | `on_prepare` | before the loop polls | everything is delivered; then, unless the loop is busy, the node is looked at for a moment |
//! | `on_wake` | another thread has something | everything is delivered |
//!
//! Deliveries of one turn stop after [`SLICE`], so that timers and files get their turns.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, Stream};
use strait::Delivery;
use strait_ports::{Event, Message};

use crate::{
    events,
    ffi::Callbacks,
    host::{self, Host},
    value::{Value, values},
};

/// How long one turn delivers. (With 4 ms file system calls went on at a third of this.)
const SLICE: Duration = Duration::from_millis(1);
/// How long one turn routes.
const ROUTE_BUDGET: Duration = Duration::from_millis(1);

pub(crate) const CALLBACKS: Callbacks = Callbacks { on_readable, on_prepare, on_wake };

thread_local! {
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is the loop's, and looks for what there is anyway.
pub(crate) fn is_delivering() -> bool {
    DELIVERING.get()
}

/// Futures whose outcomes scripts wait for.
pub(crate) struct Tasks {
    running: RefCell<FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>>,
    /// Those that have been added while the others were polled.
    added: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>,
    waker: Waker,
}

impl Tasks {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { running: RefCell::default(), added: RefCell::default(), waker }
    }

    /// Runs a future, which calls JavaScript itself when it has its outcome.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        self.added.borrow_mut().push(Box::pin(future));
        self.waker.wake_by_ref();
    }

    /// Polls those that can go on; true if one has ended.
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
    let Some(host) = host::current() else { return };
    awake(|| {
        if let Some(embedded) = &*host.embedded.borrow() {
            // Without descriptors there is nothing to route with; the I/O thread reports that.
            let _ = embedded.dispatch(ROUTE_BUDGET);
        }
    });
    deliver(&host);
}

fn on_wake() {
    if let Some(host) = host::current() {
        deliver(&host);
    }
}

fn on_prepare() {
    let Some(host) = host::current() else { return };
    loop {
        deliver(&host);
        if host.uv.is_busy() || !host.ready.is_empty() {
            return;
        }
        let found = awake(|| host.embedded.borrow().as_ref().is_some_and(strait::Embedded::busy_poll));
        if !found {
            return;
        }
    }
}

/// Runs what makes wakers of this loop superfluous: what they are for is looked for afterwards.
fn awake<T>(run: impl FnOnce() -> T) -> T {
    let before = DELIVERING.replace(true);
    let result = run();
    DELIVERING.set(before);
    result
}

/// Delivers what there is, for [`SLICE`].
fn deliver(host: &Rc<Host>) {
    // JavaScript that runs a nested loop, as a debugger's does, gets nothing meanwhile.
    if host.delivering.replace(true) {
        return;
    }
    let until = Instant::now() + SLICE;
    let mut more = true;
    awake(|| {
        while more && Instant::now() < until {
            more = deliver_one(host);
        }
    });
    host.delivering.set(false);
    if more {
        host.uv.wake().wake();
    }
}

/// Delivers one thing of each kind; false if there is nothing.
fn deliver_one(host: &Rc<Host>) -> bool {
    let next = host.embedded.borrow_mut().as_mut().and_then(strait::Embedded::next_delivery);
    let mut delivered = next.is_some();
    match next {
        None => {}
        Some(Delivery::Started) => drop(host.hook.call(values!["started"])),
        Some(Delivery::Failed(error)) => drop(host.hook.call(values!["start-failed", error.to_string()])),
        Some(Delivery::Event(event)) => events::app_event(host, event),
        Some(Delivery::Ended(code)) => {
            host.uv.release();
            host.hook.call(values!["ended", code]);
        }
        // `Settled`: a task has its outcome.
        Some(_) => {}
    }
    delivered |= host.tasks.poll();
    if let Some(id) = host.ready.pop() {
        delivered = true;
        let event = host.ports.borrow_mut().next_event(id);
        match event {
            Some(Event::Message(message)) => {
                // There may be more.
                host.ready.push(id);
                deliver_message(host, id, message);
            }
            Some(Event::Close(reason)) => drop(host.hook.call(values!["port-close", id, reason.as_str()])),
            None => {}
        }
    }
    delivered
}

fn deliver_message(host: &Host, id: u32, message: Message) {
    let Message { data, ports, .. } = message;
    if ports.is_empty() && data.len() <= Host::stage_length() {
        host.hook.put_on_stage(&data);
        host.hook.call(values!["port-small", id, data.len()]);
    } else {
        let ids = host.adopt(ports);
        host.hook.call(values!["port-message", id, Value::Bytes(data), ids]);
    }
}
