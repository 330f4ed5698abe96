//! The program's event loop.
//!
//! A turn runs what is due: timers, immediates, events of windows, messages of ports. Each is a macrotask of its own: after it, ticks and
//! microtasks run until there are none, then unhandled rejections are reported.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{Ctx, Error, Function, Persistent, Result, Type, Value, function::IntoArgs};
use tokio::time::sleep_until;

use crate::{engine::Engine, host::Host};

/// How long one turn delivers port messages before timers and windows get their say again.
const PORT_SLICE: Duration = Duration::from_millis(4);
/// Unstarted ports may be garbage in a cycle, which only the collector finds: it runs when the program has been quiet for so long.
const QUIET: Duration = Duration::from_millis(500);

/// Runs the program until it has an exit code.
pub(crate) struct EventLoop {
    host: Rc<Host>,
    engine: Engine,
    /// Something ran since the last collection.
    dirty: bool,
}

/// What a turn leaves behind.
struct Rest {
    /// There is more to do at once.
    more: bool,
    /// The next timer.
    deadline: Option<Instant>,
    /// Ports wait for collection.
    collectable: bool,
}

impl EventLoop {
    /// A loop for an engine whose program has not begun.
    pub(crate) fn new(host: Rc<Host>, engine: Engine) -> Self {
        Self { host, engine, dirty: true }
    }

    /// Runs the entry script, then turns until the program is finished; gives its code.
    pub(crate) async fn run(mut self) -> i32 {
        // Futures of native modules (file promises) are polled beside the loop.
        let driver = tokio::task::spawn_local(self.engine.runtime.drive());
        let main = self.host.program.main.to_string_lossy().into_owned();
        self.engine
            .context
            .with(|ctx| {
                self.task(&ctx, &self.engine.hooks.run_main, (main,));
            })
            .await;
        let code = loop {
            if let Some(code) = self.host.finished() {
                break code;
            }
            let rest = self.engine.context.with(|ctx| self.turn(&ctx)).await;
            if rest.more {
                self.dirty = true;
                tokio::task::yield_now().await;
            } else {
                self.wait(rest).await;
            }
        };
        driver.abort();
        self.engine.close().await;
        code
    }

    /// Sleeps until something happens, or the next timer is due, or it is time to collect.
    async fn wait(&mut self, rest: Rest) {
        let collect_at = (rest.collectable && self.dirty).then(|| Instant::now() + QUIET);
        let until = [rest.deadline, collect_at].into_iter().flatten().min();
        let woken = match until {
            None => {
                self.host.wake.notified().await;
                true
            }
            Some(until) => tokio::select! {
                biased;
                () = self.host.wake.notified() => true,
                () = sleep_until(until.into()) => rest.deadline.is_some_and(|deadline| deadline <= Instant::now()),
            },
        };
        if woken {
            self.dirty = true;
        } else {
            self.dirty = false;
            self.engine
                .context
                .with(|ctx| {
                    ctx.run_gc();
                    self.drain(&ctx);
                })
                .await;
        }
    }

    fn turn(&self, ctx: &Ctx<'_>) -> Rest {
        self.drain(ctx);
        let deadline = self.timers(ctx);
        self.immediates(ctx);
        self.ports(ctx);
        let more = self.host.finished().is_some()
            || !self.host.ready.is_empty()
            || self.ask(ctx, &self.engine.hooks.has_immediates).unwrap_or(false)
            || deadline.is_some_and(|deadline| deadline <= self.host.now());
        Rest {
            more,
            deadline: deadline.map(|deadline| self.host.instant(deadline)),
            collectable: self.ask::<u32>(ctx, &self.engine.hooks.collectable_ports).is_some_and(|count| count > 0),
        }
    }

    /// Runs the timers that are due now; gives the deadline of the next.
    fn timers(&self, ctx: &Ctx<'_>) -> Option<f64> {
        let limit = self.host.now();
        while self.host.finished().is_none() {
            match self.call::<_, f64>(ctx, &self.engine.hooks.run_timer, (limit,)) {
                Ok(deadline) if deadline < 0.0 => {}
                Ok(deadline) => return deadline.is_finite().then_some(deadline),
                Err(error) => self.report(ctx, error),
            }
            self.drain(ctx);
        }
        None
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
            self.drain(ctx);
        }
    }

    fn ports(&self, _: &Ctx<'_>) {}

    /// One macrotask: the function, then what it left in the queues.
    pub(crate) fn task<'js, A: IntoArgs<'js>>(&self, ctx: &Ctx<'js>, function: &Persistent<Function<'static>>, args: A) {
        if self.host.finished().is_some() {
            return;
        }
        if let Err(error) = self.call::<_, Value<'js>>(ctx, function, args) {
            self.report(ctx, error);
        }
        self.drain(ctx);
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
        if self.call::<_, ()>(ctx, &self.engine.hooks.uncaught, (value,)).is_err() {
            ctx.catch();
            self.host.finish(1);
        }
    }

    /// Runs ticks and microtasks until there are none, and reports rejections that are still unhandled then.
    fn drain(&self, ctx: &Ctx<'_>) {
        while self.host.finished().is_none() {
            if self.host.tick_wanted.get() {
                match self.call::<_, bool>(ctx, &self.engine.hooks.run_tick, ()) {
                    Ok(more) => self.host.tick_wanted.set(more),
                    Err(error) => self.report(ctx, error),
                }
            } else if ctx.execute_pending_job() {
                // A job's exception stays pending: promise reactions have none, but finalization callbacks may.
                let pending = ctx.catch();
                if !matches!(pending.type_of(), Type::Uninitialized | Type::Null) && self.host.finished().is_none() {
                    ctx.throw(pending);
                    self.report(ctx, Error::Exception);
                }
            } else if self.host.rejections_changed.replace(false) {
                if let Err(error) = self.call::<_, ()>(ctx, &self.engine.hooks.report_rejections, ()) {
                    self.report(ctx, error);
                }
            } else {
                return;
            }
        }
    }
}
