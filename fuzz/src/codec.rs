//! The codec of pages, in their engine, against the Rust one.

use javascriptcore::ValueExt;
use strait_clone::JS_CODEC;

use crate::agreement;
use crate::engine::{Engine, describe, to_bytes};

/// Makes a function that reads bytes and writes the value again: it returns the bytes, or the text of what `read` threw.
const ROUND: &str = "(makeCodec) => {
    const ports = [{}, {}, {}]
    const codec = makeCodec({ cloneError: (message) => new Error(message), isPort: (value) => ports.includes(value) })
    return (bytes) => {
        let value
        try {
            value = codec.read(bytes, bytes.length, ports)
        } catch (error) {
            return String(error)
        }
        const size = codec.write(value, ports)
        return codec.buffer.slice(0, size)
    }
}";

thread_local! {
    static ENGINE: &'static Engine = Engine::start(ROUND, &[JS_CODEC]);
}

/// Reads bytes and writes the value again; an error is the text of what `read` threw.
fn round(bytes: &[u8]) -> Result<Vec<u8>, String> {
    ENGINE.with(|engine| {
        let output = engine.call(&[engine.bytes(bytes)]).unwrap_or_else(|exception| panic!("{}", describe(&exception)));
        if output.is_string() { Err(output.to_str().into()) } else { Ok(to_bytes(&output)) }
    })
}

/// Reads bytes both ways, and compares.
pub fn bytes(bytes: &[u8]) {
    agreement::check(bytes, round);
}

#[cfg(test)]
mod tests {
    use strait_clone::MAX_DEPTH;

    use crate::engine::run_with_stack;

    #[test]
    fn seeds_and_their_mutants() {
        run_with_stack(|| crate::replay("codec", &crate::clone::tests::seeds(), 20_000, super::bytes));
    }

    /// What begins a value in another one, and ends it.
    const NESTS: [(&[u8], &[u8]); 4] = [(b"o\"\x01a", b"{\x01"), (b"A\x01", b"$\x00\x01"), (b";T", b":\x02"), (b"rc", b".")];

    #[test]
    fn the_deepest_values_are_read_and_deeper_ones_are_not() {
        run_with_stack(|| {
            for (begin, end) in NESTS {
                let nested = |depth| [b"\xff\x0f".as_slice(), &begin.repeat(depth), b"T", &end.repeat(depth)].concat();
                assert!(super::round(&nested(MAX_DEPTH)).is_ok(), "{}", begin.escape_ascii());
                let error = super::round(&nested(MAX_DEPTH + 2)).expect_err("it is too deep");
                assert!(error.contains("nested too deeply"), "{}: {error}", begin.escape_ascii());
                super::bytes(&nested(MAX_DEPTH));
            }
        });
    }
}
