//! JavaScriptCore, the engine of pages, for targets that are scripts.

use javascriptcore::{Context, ContextExt, Exception, ExceptionExt, TypedArrayData, Value, ValueExt, ValueExtManual};

/// Makes a `Uint8Array` of a string with a character for each byte. `javascriptcore::Value::new_array_buffer` cannot be used: version 1.1.2 makes its
/// buffer of the `GBytes` structure and not of the bytes.
const BYTES_OF: &str = "(text) => {
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
    return bytes
}";

/// A context without a page, and the function in it that the target calls.
pub(crate) struct Engine {
    context: Context,
    bytes_of: Value,
    subject: Value,
}

impl Engine {
    /// Makes a context and calls `script`, a function expression, with the values of the function expressions `parts`. What it returns is the subject.
    ///
    /// The engine is never dropped: a thread's end may destroy the thread-local values of WebKit before those of Rust.
    pub(crate) fn start(script: &str, parts: &[&str]) -> &'static Self {
        let context = Context::new();
        let evaluate = |text: &str| {
            let value = context.evaluate(text);
            if let Some(exception) = take_exception(&context) {
                panic!("{}", describe(&exception));
            }
            value.expect("a script without an exception has a value")
        };
        let bytes_of = evaluate(BYTES_OF);
        let parts: Vec<Value> = parts.iter().map(|part| evaluate(part)).collect();
        let subject = call(&context, &evaluate(script), &parts).unwrap_or_else(|exception| panic!("{}", describe(&exception)));
        Box::leak(Box::new(Self { context, bytes_of, subject }))
    }

    /// Calls the subject. `Err` has what it threw.
    pub(crate) fn call(&self, arguments: &[Value]) -> Result<Value, Exception> {
        call(&self.context, &self.subject, arguments)
    }

    /// Calls a method of `object`. `Err` has what it threw.
    pub(crate) fn call_method(&self, object: &Value, name: &str, arguments: &[Value]) -> Result<Value, Exception> {
        let value = object.object_invoke_methodv(name, arguments);
        finish(&self.context, value)
    }

    /// A `Uint8Array` with a copy of these bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Value {
        let text: String = bytes.iter().copied().map(char::from).collect();
        let text = Value::new_string_from_bytes(&self.context, Some(&glib::Bytes::from_owned(text)));
        call(&self.context, &self.bytes_of, &[text]).unwrap_or_else(|exception| panic!("{}", describe(&exception)))
    }

    pub(crate) fn number(&self, number: u32) -> Value {
        Value::new_number(&self.context, number.into())
    }

    pub(crate) fn boolean(&self, boolean: bool) -> Value {
        Value::new_boolean(&self.context, boolean)
    }
}

/// A copy of a `Uint8Array`'s bytes.
pub(crate) fn to_bytes(array: &Value) -> Vec<u8> {
    match array.typed_array_get_data() {
        TypedArrayData::Uint8(bytes) => bytes.to_vec(),
        other => panic!("expected a Uint8Array with bytes, got {other:?}"),
    }
}

/// The value, if it is a boolean.
pub(crate) fn to_bool(value: &Value) -> Option<bool> {
    value.is_boolean().then(|| value.to_boolean())
}

/// An exception with its stack.
pub(crate) fn describe(exception: &Exception) -> String {
    exception.report().map_or_else(|| "an exception without a report".into(), Into::into)
}

fn call(context: &Context, function: &Value, arguments: &[Value]) -> Result<Value, Exception> {
    finish(context, function.function_callv(arguments))
}

fn finish(context: &Context, value: Option<Value>) -> Result<Value, Exception> {
    match take_exception(context) {
        Some(exception) => Err(exception),
        None => Ok(value.expect("a call without an exception has a value")),
    }
}

fn take_exception(context: &Context) -> Option<Exception> {
    let exception = context.exception()?;
    context.clear_exception();
    Some(exception)
}

/// Twice of what the engine needs for the deepest value. A test's own thread has 2 MiB.
#[cfg(test)]
const STACK: usize = 4 << 20;

/// Runs `act` in a thread with room for the deepest value.
#[cfg(test)]
pub(crate) fn run_with_stack(act: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(act).expect("a thread").join().expect("the target holds");
}
