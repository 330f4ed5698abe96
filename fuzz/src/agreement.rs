//! Does a codec in JavaScript read what the Rust one reads, and as the same value?

use strait_clone::read;

/// How many ports are said to have come along.
pub const PORTS: usize = 3;

/// Parts of the errors for values of classes that an engine lacks: windows have them, or newer engines.
const LACKS: [&str; 2] = ["this realm has no ", "that this engine lacks"];

/// What begins values that the engine's own objects may change: a RegExp shows its source as it could be written in a program, a Map and a Set have
/// everything once.
const CHANGED: &[u8] = b"R;'";

/// Compares the codecs on these bytes. `round` reads them with [`PORTS`] ports by the codec in JavaScript and writes the value again; its error is the
/// text of what `read` threw.
///
/// # Panics
/// When the two do not agree.
pub fn check(bytes: &[u8], round: impl Fn(&[u8]) -> Result<Vec<u8>, String>) {
    match (round(bytes), read(bytes, PORTS)) {
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
        (Err(text), Err(_)) => assert!(text.starts_with("TypeError: invalid structured clone at byte "), "{text}"),
        (Err(text), Ok(value)) => assert!(LACKS.iter().any(|lack| text.contains(lack)), "{text}: {value:?}"),
        (Ok(_), Err(error)) => panic!("only the codec in JavaScript reads it: {error}"),
    }
}
