//! Fuzz targets for everything in Strait that reads what others wrote.
//!
//! A target is a function that takes any bytes and comes back; what must hold of them it asserts. There are two ways to run it:
//!
//! - `cargo xtask fuzz` looks for bytes that break it: libFuzzer, steered by the branches that the code takes.
//! - [`replay()`] in an ordinary test: the seeds, every past finding, and some thousand mutations of them, the same in each run.
//!
//! The targets `bridge` and `codec` run scripts in JavaScriptCore: they exist in this crate's tests and in the programs only, so that other crates' tests
//! link no part of WebKit.
//!
//! Targets of `strait-ports` need what is private there: they are in its `fuzzing` module. `seeds/TARGET/` holds the bytes to begin with; a
//! finding that has been mended is put there too.

pub mod agreement;
#[cfg(any(test, feature = "libfuzzer"))]
pub mod bridge;
pub mod clone;
#[cfg(any(test, feature = "libfuzzer"))]
pub mod codec;
pub mod console;
#[cfg(any(test, feature = "libfuzzer"))]
mod engine;
pub mod handshake;
pub mod modules;
pub mod protocol;
mod replay;
mod sources;

pub use replay::{Mutator, replay};
