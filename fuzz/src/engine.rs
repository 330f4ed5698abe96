//! The JS host's engine with a function in it, as targets that are scripts need it.

use rquickjs::{Context, Ctx, Function, Persistent, Runtime};

/// Enough for the deepest value, and less than the main thread has.
pub(crate) const STACK: usize = 6 << 20;

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
