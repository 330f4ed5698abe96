//! contextBridge: a realm's end of the bridge (`js/context-bridge.js`), in the JS host's engine, with anything for the other world's messages.

use rquickjs::{Ctx, Function, Object, TypedArray, Value};
use strait_clone::JS_CODEC;

use crate::engine::Engine;

const PRIMORDIALS: &str = include_str!("../../crates/strait-renderer/js/primordials.js");
const BRIDGE: &str = include_str!("../../crates/strait-renderer/js/context-bridge.js");

/// How many steps a run has at most.
const STEPS: usize = 16;

thread_local! {
    static ENGINE: Engine = Engine::start(make_realms);
}

/// What makes a realm.
fn make_realms<'js>(ctx: &Ctx<'js>) -> Function<'js> {
    let evaluate = |text: &str| ctx.eval::<Function<'js>, _>(text).unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()));
    let [codec, primordials, bridge] = [JS_CODEC, PRIMORDIALS, BRIDGE].map(evaluate);
    let start = evaluate(include_str!("bridge.js"));
    start.call((codec, primordials, bridge)).unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()))
}

/// A method of the realm's, which throws only what says that bytes are no clone.
fn call<'js>(ctx: &Ctx<'js>, realm: &Object<'js>, name: &str, arguments: impl rquickjs::function::IntoArgs<'js>) -> Option<Value<'js>> {
    let method: Function<'js> = realm.get(name).expect("the script has it");
    match method.call(arguments) {
        Ok(value) => Some(value),
        Err(_) => {
            let thrown = ctx.catch();
            let text = format!("{thrown:?}");
            assert!(thrown.is_error() && text.contains("invalid structured clone"), "{name} threw {text}");
            None
        }
    }
}

/// Bytes as steps of the other world: calls, settled promises, released functions, answers. Each call is answered once, nothing but functions that were exposed
/// is called, and what has been exposed goes on working unless it was released.
pub fn messages(bytes: &[u8]) {
    ENGINE.with(|engine| {
        engine.with(|ctx, make_realm| {
            let realm: Object<'_> = make_realm.call(()).unwrap_or_else(|error| panic!("{error}: {:?}", ctx.catch()));
            let mut rest = bytes;
            let mut released = false;
            for _ in 0..STEPS {
                let [step, id, length, behind @ ..] = rest else { break };
                let (message, behind) = behind.split_at(usize::from(*length).min(behind.len()));
                rest = behind;
                // Only the preload's realm may ask for the first two, which the agent sees to.
                let id = 2 + u32::from(*id % 8);
                let ports = u32::from(step >> 5);
                let array = || TypedArray::<u8>::new_copy(ctx.clone(), message).expect("there is room");
                match step % 5 {
                    0 => {
                        let answered = call(ctx, &realm, "invoke", (id, array(), ports)).expect("a call does not throw");
                        assert!(answered.as_bool().is_some(), "{answered:?}");
                        assert!(answered.as_bool() == Some(false) || id <= 5, "there is no function {id}");
                    }
                    1 => drop(call(ctx, &realm, "settle", (id, ports % 2 == 0, array(), ports))),
                    2 => {
                        // Each has been sent once.
                        released |= id == 3 && ports == 1;
                        call(ctx, &realm, "release", (id, ports)).expect("a release does not throw");
                    }
                    3 => drop(call(ctx, &realm, "call", (id, true, array())).expect("what is thrown is caught")),
                    _ => {
                        let thrown = call(ctx, &realm, "call", (id, false, array())).expect("what is thrown is caught");
                        assert_eq!(thrown.as_bool(), Some(true), "{thrown:?}");
                    }
                }
            }
            let works = call(ctx, &realm, "works", (rquickjs::function::This(realm.clone()),)).expect("an honest call does not throw");
            assert_eq!(works.as_bool(), Some(!released), "an honest call after {}", bytes.escape_ascii());
        });
    });
}

#[cfg(test)]
mod tests {
    use strait_clone::{Value, write};

    /// A step of this kind with a message.
    fn step(kind: u8, id: u8, message: &[u8]) -> Vec<u8> {
        [&[kind, id, message.len() as u8], message].concat()
    }

    #[test]
    fn seeds_and_their_mutants() {
        let clone = |value: Value| write(&Value::array([value])).expect("it is not deep");
        let args = clone(Value::array(["a", "b"]));
        // A function, one of this world's own, a promise, a port and an object that was brought: all as the codec writes what has no clone.
        let foreign: Vec<u8> =
            (0..5).flat_map(|kind| step(0, 1, &[b"\xff\x0fA\x01\\\x05".as_slice(), &[kind, 3], b"$\0\x01"].concat())).collect();
        let seeds = [
            ("calls", [step(0, 1, &args), step(0, 2, &args), step(0, 3, &args), step(0, 0, &args), step(0, 7, &args)].concat()),
            ("settles", [step(1, 1, &args), step(0x21, 2, &args)].concat()),
            ("releases", [step(0x22, 1, &[]), step(0, 1, &args), step(0x42, 2, &[])].concat()),
            ("answers", [step(3, 1, &args), step(4, 1, &clone(Value::from("what")))].concat()),
            ("foreign", foreign),
            ("broken", step(0, 1, b"\xff\x0fA\x05")),
        ];
        let seeds = seeds.map(|(name, bytes)| (name.into(), bytes));
        let replay = move || crate::replay("bridge", &seeds, 1_000, super::messages);
        crate::engine::run_with_stack(replay);
    }
}
