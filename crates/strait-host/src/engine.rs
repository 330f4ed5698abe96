//! The JavaScript engine with the host's own scripts in it.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use rquickjs::{AsyncContext, AsyncRuntime, CatchResultExt, Ctx, Function, Object, Persistent, Result};

use crate::{builtins, host, natives};

/// The host's scripts, by the name `require` knows inside them. An embedder adds its own, `strait:electron` among them.
const SCRIPTS: &[(&str, &str)] = &[
    ("strait:events", include_str!("../js/events.js")),
    ("strait:listening", include_str!("../js/listening.js")),
    ("strait:streams", include_str!("../js/streams.js")),
    ("strait:writable", include_str!("../js/writable.js")),
    ("strait:inspect", include_str!("../../strait-system/js/inspect.js")),
    ("strait:errors", include_str!("../js/errors.js")),
    ("strait:console", include_str!("../js/console.js")),
    ("strait:timers", include_str!("../js/timers.js")),
    ("strait:work", include_str!("../js/work.js")),
    ("strait:process", include_str!("../js/process.js")),
    ("strait:module", include_str!("../js/module.js")),
    ("strait:builtins", include_str!("../js/builtins.js")),
    ("strait:child-process", include_str!("../js/child-process.js")),
    ("strait:absent-modules", include_str!("../js/absent-modules.js")),
    ("strait:net", include_str!("../js/net.js")),
    ("strait:webcrypto", include_str!("../js/webcrypto.js")),
    ("strait:node", include_str!("../js/node.js")),
    ("strait:system", include_str!("../js/system.js")),
    ("strait:process-information", include_str!("../js/process-information.js")),
    ("strait:collect", include_str!("../js/collect.js")),
    ("strait:ports", include_str!("../js/ports.js")),
    ("strait:alive", include_str!("../js/alive.js")),
    ("strait:tokens", include_str!("../js/tokens.js")),
    // For embedders, which have the table of what they lack as `strait:table`.
    ("strait:unsupported", include_str!("../js/unsupported.js")),
    ("strait:boot", include_str!("../js/boot.js")),
];

/// Gives each script `require`, `module` and `native`, and returns what `strait:boot` exports.
const LOADER: &str = r"(function (native, sources) {
  'use strict'
  const cache = Object.create(null)
  function require (name) {
    if (name in cache) return cache[name].exports
    const module = cache[name] = { exports: {} }
    native.compile('(function (require, module, native) { ' + sources[name] + '\n})', name)(require, module, native)
    return module.exports
  }
  return require('strait:boot')
})";

/// The functions of `strait:boot` that the loop calls.
#[derive(Clone)]
pub(crate) struct Hooks {
    /// `runMain(file)`
    pub(crate) run_main: Persistent<Function<'static>>,
    /// `mayBeReady(idle)`: has the entry been evaluated, or does it wait for that itself?
    pub(crate) may_be_ready: Persistent<Function<'static>>,
    /// `runTick() -> more`
    pub(crate) run_tick: Persistent<Function<'static>>,
    /// `runTimer(limit) -> -1 | deadline`
    pub(crate) run_timer: Persistent<Function<'static>>,
    /// `takeImmediates() -> functions`
    pub(crate) take_immediates: Persistent<Function<'static>>,
    /// `hasImmediates()`
    pub(crate) has_immediates: Persistent<Function<'static>>,
    /// `uncaught(error)`
    pub(crate) uncaught: Persistent<Function<'static>>,
    /// `trackRejection(promise, reason, handled)`
    pub(crate) track_rejection: Persistent<Function<'static>>,
    /// `reportRejections()`
    pub(crate) report_rejections: Persistent<Function<'static>>,
    /// `portMessage(id, bytes, ids)`
    pub(crate) port_message: Persistent<Function<'static>>,
    /// `portClose(id, reason)`
    pub(crate) port_close: Persistent<Function<'static>>,
    /// `systemDone(request, text, bytes)`
    pub(crate) system_done: Persistent<Function<'static>>,
    /// `watched() -> number`: objects whose collection somebody waits for
    pub(crate) watched: Persistent<Function<'static>>,
    /// `sweep()`: looks which of them are gone
    pub(crate) sweep: Persistent<Function<'static>>,
    /// `isAlive()`: whether there is anything left that can make something happen
    pub(crate) is_alive: Persistent<Function<'static>>,
    /// `beforeExit()`
    pub(crate) before_exit: Persistent<Function<'static>>,
    /// `end()`: there is nothing left to do
    pub(crate) end: Persistent<Function<'static>>,
    /// `event(name, ...)`
    pub(crate) event: Persistent<Function<'static>>,
}

/// An engine that is ready to run the program's entry.
pub struct Engine {
    /// Dropped first: they belong to the context.
    pub(crate) hooks: Hooks,
    pub(crate) context: AsyncContext,
    pub(crate) runtime: AsyncRuntime,
}

impl Engine {
    /// Makes the engine and runs the scripts, for a thread that has `thread_stack` bytes of stack. A host must be installed.
    ///
    /// # Errors
    /// A description of what the engine said: out of memory, or a mistake in the host's own scripts.
    pub async fn new(thread_stack: usize) -> std::result::Result<Self, String> {
        let runtime = AsyncRuntime::new().map_err(|error| error.to_string())?;
        // The rest is for what JavaScript calls.
        runtime.set_max_stack_size(thread_stack / 4 * 3).await;
        let context = AsyncContext::full(&runtime).await.map_err(|error| error.to_string())?;
        let hooks = context.with(|ctx| boot(&ctx).catch(&ctx).map_err(|error| error.to_string())).await?;
        let track = hooks.track_rejection.clone();
        runtime
            .set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
                let host = host::host();
                if host.finished().is_some() {
                    return;
                }
                if let Ok(track) = track.clone().restore(&ctx) {
                    // It only fills a table: what could fail is memory, and then the program has other troubles.
                    let _ = track.call::<_, ()>((promise, reason, handled));
                }
                host.rejections_changed.set(true);
                host.wake.notify_one();
            })))
            .await;
        Ok(Self { hooks, context, runtime })
    }

    /// Gives JavaScript this many bytes and no more. A script that needs more gets an exception; if it does not catch that, the limit is lifted, so that there is
    /// memory to tell of it.
    pub async fn limit_memory(&self, bytes: usize) {
        self.runtime.set_memory_limit(bytes).await;
        host::host().memory_limit.set(bytes);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The tracker holds a function, and no function may outlive the context.
        now(self.runtime.set_host_promise_rejection_tracker(None));
    }
}

/// The result of a future that only waits for the engine's lock, which is free outside of JavaScript.
pub(crate) fn now<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn boot(ctx: &Ctx<'_>) -> Result<Hooks> {
    builtins::init_globals(ctx)?;
    let natives = natives::object(ctx)?;
    let sources = Object::new(ctx.clone())?;
    for (name, source) in SCRIPTS.iter().chain(host::host().embedder.scripts()) {
        sources.set(*name, *source)?;
    }
    let load: Function<'_> = natives::compile(ctx.clone(), LOADER.into(), "strait:loader".into())?;
    let exports: Object<'_> = load.call((natives, sources))?;
    let hook = |name: &str| exports.get::<_, Function<'_>>(name).map(|function| Persistent::save(ctx, function));
    Ok(Hooks {
        run_main: hook("runMain")?,
        may_be_ready: hook("mayBeReady")?,
        run_tick: hook("runTick")?,
        run_timer: hook("runTimer")?,
        take_immediates: hook("takeImmediates")?,
        has_immediates: hook("hasImmediates")?,
        uncaught: hook("uncaught")?,
        track_rejection: hook("trackRejection")?,
        report_rejections: hook("reportRejections")?,
        port_message: hook("portMessage")?,
        port_close: hook("portClose")?,
        system_done: hook("systemDone")?,
        watched: hook("watched")?,
        sweep: hook("sweep")?,
        is_alive: hook("isAlive")?,
        before_exit: hook("beforeExit")?,
        end: hook("end")?,
        event: hook("event")?,
    })
}
