//! The program's event loop.
//!
//! A turn runs what is due: timers, immediates, the embedder's events, messages of ports. Each is a macrotask of its own: after it, ticks and
//! microtasks run until there are none, then unhandled rejections are reported.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{Ctx, Error, Function, Persistent, Result, TypedArray, Value, function::IntoArgs};
use strait_ports::{Event, Message};
use tokio::time::sleep_until;

use crate::{
    engine::{Engine, now},
    ffi,
    host::Host,
    natives,
    operations::Done,
};

/// How long one turn delivers port messages, or what operations came to, before timers and the embedder's events get their say again.
const PORT_SLICE: Duration = Duration::from_millis(4);
/// What the engine's error says when there is no memory left.
const OUT_OF_MEMORY: &str = "out of memory";
/// How often the collector runs while there is something whose collection matters.
const COLLECT_EVERY: Duration = Duration::from_secs(1);

/// Runs the program until it has an exit code.
pub struct EventLoop {
    host: Rc<Host>,
    engine: Engine,
    /// The program has been told that it may begin.
    ready: Cell<bool>,
    /// How many macrotasks have run.
    turns: Cell<u64>,
    /// When garbage was last looked for, and how many macrotasks had run then.
    collected: Cell<(Instant, u64)>,
}

/// What a turn leaves behind.
struct Rest {
    /// There is more to do at once.
    more: bool,
    /// The next timer.
    deadline: Option<Instant>,
    /// When to collect.
    collect_at: Option<Instant>,
}

impl EventLoop {
    /// A loop for an engine whose program has not begun.
    pub fn new(host: Rc<Host>, engine: Engine) -> Self {
        Self { host, engine, ready: Cell::new(false), turns: Cell::new(0), collected: Cell::new((Instant::now(), 0)) }
    }

    /// Runs the entry script, then turns until the program is finished; gives its code.
    pub async fn run(&self) -> i32 {
        // Futures of native modules (file promises) are polled beside the loop, and so are the microtasks they lead to: what those scheduled is
        // the loop's business.
        let mut drive = Box::pin(self.engine.runtime.drive());
        let wake = self.host.wake.clone();
        let driver = tokio::task::spawn_local(poll_fn(move |cx| {
            let polled = drive.as_mut().poll(cx);
            wake.notify_one();
            polled
        }));
        let main = self.host.entry.main.to_string_lossy().into_owned();
        self.engine
            .context
            .with(|ctx| {
                self.task(&ctx, &self.engine.hooks.run_main, (main,));
                self.announce(&ctx, false);
            })
            .await;
        let code = loop {
            if let Some(code) = self.host.finished() {
                break code;
            }
            let rest = self.engine.context.with(|ctx| self.turn(&ctx)).await;
            if rest.more {
                tokio::task::yield_now().await;
            } else if !self.engine.context.with(|ctx| self.ended(&ctx)).await {
                self.wait(rest).await;
            }
        };
        driver.abort();
        code
    }

    /// Ends a program that has nothing left to do, if it is one that ends then; whether the loop has something to look at at once.
    fn ended(&self, ctx: &Ctx<'_>) -> bool {
        let idle = || self.ask::<bool>(ctx, &self.engine.hooks.is_alive) == Some(false);
        if !self.host.embedder.ends_when_idle() || !idle() {
            return false;
        }
        // It may find something to do after all.
        self.task(ctx, &self.engine.hooks.before_exit, ());
        if idle() {
            self.task(ctx, &self.engine.hooks.end, ());
        }
        true
    }

    /// Delivers what the embedder has reported, outside of [`EventLoop::run`]. Must not be called from inside JavaScript.
    pub fn last_turn(&self) {
        now(self.engine.context.with(|ctx| self.incoming(&ctx)));
    }

    /// Sleeps until something happens, or the next timer is due, or it is time to collect.
    async fn wait(&self, rest: Rest) {
        let until = [rest.deadline, rest.collect_at].into_iter().flatten().min();
        match until {
            None => self.host.wake.notified().await,
            Some(until) => tokio::select! {
                biased;
                () = self.host.wake.notified() => {}
                () = sleep_until(until.into()) => {}
            },
        }
    }

    /// Finds ports and unanswered calls that are garbage in a cycle: somebody waits to hear of it. (What is in no cycle goes at once.)
    fn collect(&self, ctx: &Ctx<'_>) {
        ctx.run_gc();
        self.task(ctx, &self.engine.hooks.sweep, ());
        self.collected.set((Instant::now(), self.turns.get()));
    }

    /// When to collect next: never while nobody would hear of it, or nothing ran since the last time.
    fn collect_at(&self, ctx: &Ctx<'_>) -> Option<Instant> {
        let (last, turns) = self.collected.get();
        let any = turns != self.turns.get() && self.ask::<u32>(ctx, &self.engine.hooks.watched).is_some_and(|count| count > 0);
        any.then(|| last + COLLECT_EVERY)
    }

    /// `ready`, once the entry has been evaluated: an ES module may wait at its top level. If it waits for `ready` itself, and nothing else is
    /// there to do, that must come first. Whether it came.
    fn announce(&self, ctx: &Ctx<'_>, idle: bool) -> bool {
        let wanted = !self.ready.get()
            && self.host.finished().is_none()
            && self.call::<_, bool>(ctx, &self.engine.hooks.may_be_ready, (idle,)).unwrap_or(true);
        if wanted {
            self.ready.set(true);
            self.task(ctx, &self.engine.hooks.event, ("ready",));
        }
        wanted
    }

    fn turn(&self, ctx: &Ctx<'_>) -> Rest {
        self.drain(ctx);
        if self.collect_at(ctx).is_some_and(|at| at <= Instant::now()) {
            self.collect(ctx);
        }
        self.timers(ctx);
        self.immediates(ctx);
        self.incoming(ctx);
        self.operations(ctx);
        self.ports(ctx);
        self.announce(ctx, false);
        let deadline = self.next_timer(ctx);
        let more = self.host.finished().is_some()
            || !self.host.ready.is_empty()
            || !self.host.incoming.borrow().is_empty()
            || self.host.operations.pool.has_done()
            || self.ask(ctx, &self.engine.hooks.has_immediates).unwrap_or(false)
            || deadline.is_some_and(|deadline| deadline <= self.host.now());
        let more = more || deadline.is_none() && self.announce(ctx, true);
        Rest { more, deadline: deadline.map(|deadline| self.host.instant(deadline)), collect_at: self.collect_at(ctx) }
    }

    /// Runs the timers that are due now.
    fn timers(&self, ctx: &Ctx<'_>) {
        let limit = self.host.now();
        while self.host.finished().is_none() {
            match self.call::<_, f64>(ctx, &self.engine.hooks.run_timer, (limit,)) {
                Ok(deadline) if deadline < 0.0 => {}
                Ok(_) => return,
                Err(error) => self.report(ctx, error),
            }
            self.settle(ctx);
        }
    }

    /// When the next timer is due, in the host's milliseconds.
    fn next_timer(&self, ctx: &Ctx<'_>) -> Option<f64> {
        if self.host.finished().is_some() {
            return None;
        }
        // No timer is due before the beginning: none runs.
        let deadline = self.call::<_, f64>(ctx, &self.engine.hooks.run_timer, (f64::NEG_INFINITY,)).ok()?;
        deadline.is_finite().then_some(deadline)
    }

    fn immediates(&self, ctx: &Ctx<'_>) {
        let Ok(list) = self.call::<_, Vec<Function<'_>>>(ctx, &self.engine.hooks.take_immediates, ()) else { return };
        for immediate in list {
            if self.host.finished().is_some() {
                return;
            }
            if let Err(error) = immediate.call::<_, ()>(()) {
                self.report(ctx, error);
            }
            self.settle(ctx);
        }
    }

    /// What the embedder has reported, up to now.
    fn incoming(&self, ctx: &Ctx<'_>) {
        let waiting = self.host.incoming.borrow().len();
        for _ in 0..waiting {
            let Some(incoming) = self.host.incoming.borrow_mut().pop_front() else { return };
            let hook = self.engine.hooks.event.clone().restore(ctx);
            if let Err(error) = hook.and_then(|hook| incoming(ctx, &hook)) {
                self.report(ctx, error);
            }
            self.settle(ctx);
        }
    }

    /// What the program has had done beside it.
    fn operations(&self, ctx: &Ctx<'_>) {
        let begin = Instant::now();
        while self.host.finished().is_none()
            && begin.elapsed() < PORT_SLICE
            && let Some(Done { request, result }) = self.host.operations.pool.take_done()
        {
            match natives::told(ctx, result.into()) {
                Ok((text, bytes)) => self.task(ctx, &self.engine.hooks.system_done, (request, text, bytes)),
                Err(error) => self.report(ctx, error),
            }
        }
    }

    /// Messages and closes of ports, one of each port in turn.
    fn ports(&self, ctx: &Ctx<'_>) {
        let begin = Instant::now();
        while self.host.finished().is_none() && begin.elapsed() < PORT_SLICE {
            let Some(id) = self.host.ready.pop() else { return };
            let event = self.host.ports.borrow_mut().next_event(id);
            match event {
                Some(Event::Message(Message { data, ports, .. })) => {
                    // There may be more; it waits behind the other ports.
                    self.host.ready.push(id);
                    let ids = self.host.ports.borrow_mut().insert_all(ports, &self.host.ready);
                    match TypedArray::new(ctx.clone(), data) {
                        Ok(bytes) => self.task(ctx, &self.engine.hooks.port_message, (id, bytes, ids)),
                        Err(error) => self.report(ctx, error),
                    }
                }
                Some(Event::Close(reason)) => self.task(ctx, &self.engine.hooks.port_close, (id, reason.as_str())),
                None => {}
            }
        }
    }

    /// One macrotask: the function, then what it left in the queues.
    pub(crate) fn task<'js, A: IntoArgs<'js>>(&self, ctx: &Ctx<'js>, function: &Persistent<Function<'static>>, args: A) {
        if self.host.finished().is_some() {
            return;
        }
        if let Err(error) = self.call::<_, Value<'js>>(ctx, function, args) {
            self.report(ctx, error);
        }
        self.settle(ctx);
    }

    fn call<'js, A: IntoArgs<'js>, R: rquickjs::FromJs<'js>>(
        &self,
        ctx: &Ctx<'js>,
        function: &Persistent<Function<'static>>,
        args: A,
    ) -> Result<R> {
        function.clone().restore(ctx)?.call(args)
    }

    /// The answer of a hook that cannot fail; `None` once the program is finished.
    fn ask<'js, R: rquickjs::FromJs<'js>>(&self, ctx: &Ctx<'js>, function: &Persistent<Function<'static>>) -> Option<R> {
        self.host.finished().is_none().then(|| self.call(ctx, function, ()).ok()).flatten()
    }

    /// An exception that nobody caught.
    fn report(&self, ctx: &Ctx<'_>, error: Error) {
        if self.host.finished().is_some() {
            // `process.exit` unwinds by an exception of its own.
            ctx.catch();
            return;
        }
        let value = if error.is_exception() {
            ctx.catch()
        } else {
            match rquickjs::Exception::from_message(ctx.clone(), &error.to_string()) {
                Ok(exception) => exception.into_object().into_value(),
                Err(_) => return self.host.finish(1),
            }
        };
        let value = self.with_memory(ctx, value);
        if self.call::<_, ()>(ctx, &self.engine.hooks.uncaught, (value,)).is_err() {
            ctx.catch();
            self.host.finish(1);
        }
    }

    /// The same exception; if it says that there is no memory left, there is some from now on.
    fn with_memory<'js>(&self, ctx: &Ctx<'js>, exception: Value<'js>) -> Value<'js> {
        let limit = self.host.memory_limit.get();
        if limit == 0 {
            return exception;
        }
        // To look at it takes some.
        ffi::limit_memory(ctx, 0);
        let says_so =
            |error: &rquickjs::Object<'js>| error.is_error() && error.get("message").is_ok_and(|message: String| message == OUT_OF_MEMORY);
        if exception.as_object().is_some_and(says_so) {
            return exception;
        }
        if exception.is_null() {
            // There was not even enough for the error. (A program that throws `null` ends here as well: nothing tells the two apart.)
            rquickjs::Exception::throw_internal(ctx, OUT_OF_MEMORY);
            return ctx.catch();
        }
        ffi::limit_memory(ctx, limit);
        exception
    }

    /// The end of a macrotask.
    fn settle(&self, ctx: &Ctx<'_>) {
        self.turns.set(self.turns.get() + 1);
        self.drain(ctx);
    }

    /// Runs ticks and microtasks until there are none, and reports rejections that are still unhandled then.
    fn drain(&self, ctx: &Ctx<'_>) {
        while self.host.finished().is_none() {
            if self.host.tick_wanted.get() {
                self.ticks(ctx);
            }
            if self.microtasks(ctx) || self.host.tick_wanted.get() {
                continue;
            }
            if !self.host.rejections_changed.replace(false) {
                return;
            }
            if let Err(error) = self.call::<_, ()>(ctx, &self.engine.hooks.report_rejections, ()) {
                self.report(ctx, error);
            }
        }
    }

    /// Runs all callbacks of `process.nextTick`.
    fn ticks(&self, ctx: &Ctx<'_>) {
        while self.host.tick_wanted.get() && self.host.finished().is_none() {
            self.turns.set(self.turns.get() + 1);
            match self.call::<_, bool>(ctx, &self.engine.hooks.run_tick, ()) {
                Ok(more) => self.host.tick_wanted.set(more),
                Err(error) => self.report(ctx, error),
            }
        }
    }

    /// Runs all microtasks; whether there were any.
    fn microtasks(&self, ctx: &Ctx<'_>) -> bool {
        let before = self.turns.get();
        while self.host.finished().is_none()
            && let Some(done) = ffi::run_job(ctx)
        {
            self.turns.set(self.turns.get() + 1);
            // Promise reactions don't throw, but finalization callbacks may.
            if done {
                ctx.catch();
            } else {
                self.report(ctx, Error::Exception);
            }
        }
        self.turns.get() != before
    }
}
