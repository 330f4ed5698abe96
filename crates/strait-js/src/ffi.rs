//! The one thing QuickJS's Rust binding lacks: an exception that no `catch` or `finally` of the program can stop.

use rquickjs::{Ctx, Error, Exception, qjs};

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
