//! Files of crates that need WebKit, compiled here as they are: they have no dependencies of that kind themselves.
#![allow(dead_code, unreachable_pub)]

#[path = "../../crates/strait/src/io/handshake.rs"]
pub mod handshake;
#[path = "../../crates/strait/src/text.rs"]
pub mod text;
