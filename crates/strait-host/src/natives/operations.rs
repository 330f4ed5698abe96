//! Natives for what Node's `fs`, `os` and `crypto` ask of the system (`strait-system`): one to do something now, one to have it done beside the program.

use std::sync::Arc;

use rquickjs::{Array, Ctx, Exception, Object, Result, TypedArray, Value, prelude::Func};
use strait_system::{Answer, Call, Operation, module, operation};

use crate::{host::host, operations::Done};

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("systemNow", Func::from(now))?;
    natives.set("systemLater", Func::from(later))?;
    natives.set("moduleText", Func::from(text))
}

/// What the object names, and is to be called with.
fn asked(ctx: &Ctx<'_>, call: &Object<'_>) -> Result<(Operation, Call)> {
    let name: String = call.get("name")?;
    let operation = operation(&name).ok_or_else(|| Exception::throw_reference(ctx, &format!("no operation {name}")))?;
    let text = |name| call.get::<_, Option<String>>(name).map(Option::unwrap_or_default);
    let number = |name| call.get::<_, Option<f64>>(name).map(Option::unwrap_or_default);
    let data = call.get::<_, Option<TypedArray<'_, u8>>>("data")?.and_then(|data| data.as_bytes().map(<[u8]>::to_vec)).unwrap_or_default();
    let numbers = [number("number")?, number("other")?, number("third")?];
    let files = Arc::clone(&host().operations.files);
    Ok((operation, Call { first: text("first")?, second: text("second")?, numbers, data, files }))
}

/// `[text, bytes]` of an answer.
pub(crate) fn told<'js>(ctx: &Ctx<'js>, Answer { text, bytes }: Answer) -> Result<(String, Value<'js>)> {
    let bytes = match bytes {
        Some(bytes) => TypedArray::new(ctx.clone(), bytes)?.into_value(),
        None => Value::new_undefined(ctx.clone()),
    };
    Ok((text, bytes))
}

/// `(call) -> [text, bytes]`
fn now<'js>(ctx: Ctx<'js>, call: Object<'js>) -> Result<Array<'js>> {
    let (operation, call) = asked(&ctx, &call)?;
    let (text, bytes) = told(&ctx, operation(&call).into())?;
    let answer = Array::new(ctx)?;
    answer.set(0, text)?;
    answer.set(1, bytes)?;
    Ok(answer)
}

/// `(request, call)`: the answer comes by the hook `systemDone`.
fn later<'js>(ctx: Ctx<'js>, request: u32, call: Object<'js>) -> Result<()> {
    let (operation, call) = asked(&ctx, &call)?;
    let task = Box::new(move || Done { request, result: operation(&call) });
    if host().operations.pool.have_done(task) { Ok(()) } else { Err(Exception::throw_message(&ctx, "no thread can be made")) }
}

/// The text of a module that pages have too.
fn text(ctx: Ctx<'_>, name: String) -> Result<&'static str> {
    module(&name).map(|(_, _, text)| *text).ok_or_else(|| Exception::throw_reference(&ctx, &format!("no module {name}")))
}
