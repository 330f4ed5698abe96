//! Entry points for fuzzing: each accepts arbitrary bytes, returns, and asserts properties that
//! must hold for all inputs.
//!
//! Compiled for tests, which replay `fuzz/seeds/`, and with `--cfg fuzzing`, for `cargo xtask
//! fuzz`. Not part of the crate's interface.
#![allow(missing_docs)]

mod input;
mod links;
mod network;
mod peer;
mod routers;
#[cfg(test)]
mod tests;

pub use links::{ring_link, socket_link};
pub use network::node;
pub use routers::router;

/// The value of `STRAIT_PORT_FD`, which comes from the parent process: the number of a descriptor
/// other than the standard streams, or an error that can be printed.
pub fn port_variable(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes);
    let expected = bytes.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        Some((number * 10 + digit).min(1 << 40))
    });
    let expected = expected.filter(|number| !bytes.is_empty() && (3..=i64::from(i32::MAX)).contains(number));
    match crate::host::parse_port_variable(&value) {
        Ok(number) => assert_eq!(Some(i64::from(number)), expected, "{value}"),
        Err(error) => {
            assert_eq!(expected, None, "{value}");
            assert!(error.to_string().chars().count() < 200, "{error}");
        }
    }
}

/// A frame: encoding a decoded frame gives the same bytes, so each value has exactly one encoding.
pub fn wire(bytes: &[u8]) {
    let Ok(packet) = crate::wire::decode(bytes.to_vec()) else { return };
    let encoded = crate::wire::encode(packet.clone());
    let again = [&encoded.data[..], &encoded.tail].concat();
    assert!(again == bytes, "{packet:?} is encoded as {}", again.escape_ascii());
    assert_eq!(crate::wire::decode(again), Ok(packet));
}

/// The planted fault, in a crate that the targets use: it is found only if the coverage instrumentation
/// reaches that far. Three decisions and a comparison of four bytes, one after another, which chance
/// alone does not pass.
#[inline(never)]
pub fn planted(bytes: &[u8]) {
    use std::hint::black_box;

    if bytes.first() == Some(&black_box(0x53))
        && bytes.get(1) == Some(&black_box(0x91))
        && bytes.len() > black_box(6)
        && bytes[2..6] == black_box(0x5eed_f00d_u32).to_le_bytes()
    {
        panic!("the planted fault");
    }
}
