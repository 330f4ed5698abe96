//! contextBridge: a realm's end of the bridge (`js/context-bridge.js`), in the engine of pages, with any bytes for the other world's messages.

use javascriptcore::{Exception, ExceptionExt, Value};
use strait_clone::JS_CODEC;

use crate::engine::{Engine, describe, to_bool};

const PRIMORDIALS: &str = include_str!("../../crates/strait-renderer/js/primordials.js");
const BRIDGE: &str = include_str!("../../crates/strait-renderer/js/context-bridge.js");

/// How many steps a run has at most.
const STEPS: usize = 16;

thread_local! {
    /// Makes a realm.
    static ENGINE: &'static Engine = Engine::start(include_str!("bridge.js"), &[JS_CODEC, PRIMORDIALS, BRIDGE]);
}

/// Panics with what was thrown.
fn fail(exception: Exception) -> ! {
    panic!("{}", describe(&exception))
}

/// Calls a method of the realm that may only throw an error that says that bytes are no clone; `None` if it did.
fn try_call(engine: &Engine, realm: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
    match engine.call_method(realm, name, arguments) {
        Ok(value) => Some(value),
        Err(exception) => {
            let message = exception.message().unwrap_or_default();
            assert!(message.contains("invalid structured clone"), "{name} threw {}", describe(&exception));
            None
        }
    }
}

/// Bytes as steps of the other world: calls, settled promises, released functions, answers. Each call is answered once, nothing but functions that were exposed
/// is called, and what has been exposed goes on working unless it was released.
pub fn messages(bytes: &[u8]) {
    ENGINE.with(|engine| {
        let realm = engine.call(&[]).unwrap_or_else(|exception| fail(exception));
        let call = |name, arguments: &[Value]| try_call(engine, &realm, name, arguments);
        let mut rest = bytes;
        let mut released = false;
        for _ in 0..STEPS {
            let [step, id, length, behind @ ..] = rest else { break };
            let (message, behind) = behind.split_at(usize::from(*length).min(behind.len()));
            rest = behind;
            // Only the preload's realm may ask for the first two, which the agent sees to.
            let id = 2 + u32::from(*id % 8);
            let ports = u32::from(step >> 5);
            let (function, array, count) = (engine.number(id), engine.bytes(message), engine.number(ports));
            match step % 5 {
                0 => {
                    let answered = to_bool(&call("invoke", &[function, array, count]).expect("a call does not throw"));
                    assert!(answered.is_some(), "it was not answered once");
                    assert!(answered == Some(false) || id <= 5, "there is no function {id}");
                }
                1 => drop(call("settle", &[function, engine.boolean(ports % 2 == 0), array, count])),
                2 => {
                    // Each has been sent once.
                    released |= id == 3 && ports == 1;
                    call("release", &[function, count]).expect("a release does not throw");
                }
                3 => drop(call("call", &[function, engine.boolean(true), array]).expect("what is thrown is caught")),
                _ => {
                    let thrown = call("call", &[function, engine.boolean(false), array]).expect("what is thrown is caught");
                    assert_eq!(to_bool(&thrown), Some(true), "what is thrown is an Error");
                }
            }
        }
        let works = call("works", &[]).expect("an honest call does not throw");
        assert_eq!(to_bool(&works), Some(!released), "an honest call after {}", bytes.escape_ascii());
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
