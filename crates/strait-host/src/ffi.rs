//! What QuickJS's Rust binding lacks: an exception that no `catch` or `finally` of the program can stop, and whether a job threw.

use rquickjs::{Ctx, Error, Exception, qjs};

/// Runs a job from the queue; `None` when it is empty, `Some(false)` if the job threw, and then that exception is pending.
///
/// The binding's own function does not tell, and that an exception is pending says nothing: its checks of objects' classes leave some behind.
pub(crate) fn run_job(ctx: &Ctx<'_>) -> Option<bool> {
    let mut of = std::ptr::null_mut();
    // SAFETY: the context is live, and with it its runtime, which nobody else uses meanwhile; `of` is written to and not read.
    let result = unsafe { qjs::JS_ExecutePendingJob(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), &mut of) };
    (result != 0).then_some(result > 0)
}

/// Bytes that the engine has in use.
pub(crate) fn heap_used(ctx: &Ctx<'_>) -> i64 {
    let mut usage = std::mem::MaybeUninit::<qjs::JSMemoryUsage>::zeroed();
    // SAFETY: the context is live, and with it its runtime, which nobody else uses meanwhile; the engine fills in all of `usage`, whose fields are
    // integers, so that zeroes are a value of it too.
    let usage = unsafe {
        qjs::JS_ComputeMemoryUsage(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.malloc_size
}

/// Lets the engine have this many bytes; 0 is as many as there are.
pub(crate) fn limit_memory(ctx: &Ctx<'_>, bytes: usize) {
    // SAFETY: the context is live, and with it its runtime, which nobody else uses meanwhile; any number will do.
    unsafe { qjs::JS_SetMemoryLimit(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), bytes as _) };
}

/// Unwinds all JavaScript on the stack, for `process.exit()`. Returns the error to return from the native.
pub(crate) fn throw_uncatchable(ctx: &Ctx<'_>) -> Error {
    let exception = match Exception::from_message(ctx.clone(), "the program exits") {
        Ok(exception) => exception.into_object().into_value(),
        Err(error) => return error,
    };
    // SAFETY: the value is a live error object of this context; the flag is set on it before it is thrown, and the call keeps no
    // reference of its own.
    unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), exception.as_raw()) };
    ctx.throw(exception)
}
