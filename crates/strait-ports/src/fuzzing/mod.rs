//! Entry points for fuzzing: each takes any bytes and comes back, and asserts what must hold whatever they are.
//!
//! Compiled for tests, which replay `fuzz/seeds/`, and with `--cfg fuzzing`, for `cargo xtask fuzz`. No part of the crate's interface.
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

/// A frame: what can be decoded is the same bytes when it is encoded, so that nothing can be said in two ways.
pub fn wire(bytes: &[u8]) {
    let Ok(packet) = crate::wire::decode(bytes.to_vec()) else { return };
    let encoded = crate::wire::encode(packet.clone());
    let again = [&encoded.data[..], &encoded.tail].concat();
    assert!(again == bytes, "{packet:?} is encoded as {}", again.escape_ascii());
    assert_eq!(crate::wire::decode(again), Ok(packet));
}
