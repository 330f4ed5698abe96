//! The codec that pages and the JS host have, in the host's engine: does it read what the Rust one reads, and as the same?

use rquickjs::{Ctx, Function, Object, TypedArray, Value};
use strait_clone::{JS_CODEC, read};

use crate::engine::Engine;

/// How many ports are said to have come along.
const PORTS: usize = 3;

/// Reads and writes again: the bytes, or what the codec said.
const ROUND: &str = "(codec, ports) => (bytes) => {
    let value
    try {
        value = codec.read(bytes, bytes.length, ports)
    } catch (error) {
        return `${error.constructor === TypeError} ${error.message}`
    }
    const size = codec.write(value, ports)
    return codec.buffer.slice(0, size)
}";

thread_local! {
    static ENGINE: Engine = Engine::start(make_round);
}

/// What reads bytes and writes the value again, by the codec.
fn make_round<'js>(ctx: &Ctx<'js>) -> Function<'js> {
    let ports: Value<'js> = ctx.eval(format!("Array.from({{ length: {PORTS} }}, () => ({{}}))")).expect("a script of ours");
    let codec = codec(ctx, &ports);
    let make: Function<'js> = ctx.eval(ROUND).expect("a script of ours");
    make.call((codec, ports)).expect("a script of ours")
}

/// Reads bytes and writes the value again; an error is the codec's text.
fn round(bytes: &[u8]) -> Result<Vec<u8>, String> {
    ENGINE.with(|engine| {
        engine.with(|ctx, round| {
            let input = TypedArray::<u8>::new_copy(ctx.clone(), bytes).expect("there is room");
            let output: Value<'_> = round.call((input,)).unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()));
            match output.as_string() {
                Some(text) => Err(text.to_string().expect("the codec's texts are well-formed")),
                None => Ok(TypedArray::<u8>::from_value(output).expect("an array").as_bytes().expect("its bytes").to_vec()),
            }
        })
    })
}

fn codec<'js>(ctx: &Ctx<'js>, ports: &Value<'js>) -> Object<'js> {
    let make: Function<'js> = ctx.eval(JS_CODEC).expect("the codec is one expression");
    let env: Function<'js> = ctx
        .eval("(ports) => ({ cloneError: (message) => new Error(message), isPort: (value) => ports.includes(value), detach: (buffer) => buffer.transfer() })")
        .expect("a script of ours");
    let env: Object<'js> = env.call((ports.clone(),)).expect("a script of ours");
    make.call((env,)).expect("the codec starts")
}

/// What an engine without windows says of values that only pages have.
const LACKS: [&str; 3] = ["this realm has no ", "this engine has no ", "that this engine lacks"];

/// What begins values that the engine's own objects may change: a RegExp shows its source as it could be written in a program, a Map and a Set have
/// everything once.
const CHANGED: &[u8] = b"R;'";

/// Reads bytes both ways, and compares.
pub fn bytes(bytes: &[u8]) {
    let ours = read(bytes, PORTS);
    match (round(bytes), ours) {
        (Ok(written), Ok(value)) => {
            let again = read(&written, PORTS).expect("what the codec writes is read");
            let twice = round(&written).expect("the codec reads what it writes");
            assert_eq!(read(&twice, PORTS).expect("what the codec writes is read"), again);
            // Scripts cannot see whether a view follows its buffer's length, and large limits of resizable buffers are not kept: nor does the text show them.
            assert!(
                bytes.iter().any(|byte| CHANGED.contains(byte)) || again == value || format!("{again:?}") == format!("{value:?}"),
                "{again:?} is not {value:?}"
            );
        }
        (Err(said), Err(_)) => assert!(said.starts_with("true invalid structured clone at byte "), "{said}"),
        (Err(said), Ok(value)) => assert!(LACKS.iter().any(|lack| said.contains(lack)), "{said}: {value:?}"),
        (Ok(_), Err(error)) => panic!("only the codec reads it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_and_their_mutants() {
        let replay = || crate::replay("codec", &crate::clone::tests::seeds(), 20_000, super::bytes);
        crate::engine::run_with_stack(replay);
    }
}
