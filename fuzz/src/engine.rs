//! The JS host's engine with a function in it, as targets that are scripts need it.

use rquickjs::{Context, Ctx, Function, Persistent, Runtime};

/// Enough for the deepest value, and less than the main thread has.
const STACK: usize = 6 << 20;

/// An engine of its own, for one thread.
pub(crate) struct Engine {
    // Dropped before the engine.
    function: Persistent<Function<'static>>,
    context: Context,
}

impl Engine {
    /// An engine with the function that `make` gives.
    pub(crate) fn start(make: impl for<'js> FnOnce(&Ctx<'js>) -> Function<'js>) -> Self {
        let runtime = Runtime::new().expect("the engine starts");
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime).expect("the engine starts");
        let function = context.with(|ctx| Persistent::save(&ctx, make(&ctx)));
        Self { function, context }
    }

    /// Does something with the function.
    pub(crate) fn with<R>(&self, act: impl for<'js> FnOnce(&Ctx<'js>, Function<'js>) -> R) -> R {
        self.context.with(|ctx| {
            let function = self.function.clone().restore(&ctx).expect("its own engine");
            act(&ctx, function)
        })
    }
}

/// Runs `act` in a thread with room for the engine's stack, which a test's own thread does not have.
#[cfg(test)]
pub(crate) fn run_with_stack(act: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK + (2 << 20)).spawn(act).expect("a thread").join().expect("the target holds");
}
