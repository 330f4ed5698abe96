//! A known fault, in a crate that other targets use: `cargo xtask fuzz` looks for it first. A build without
//! instrumentation of that crate, or a search that is lost, does not find it, and would find nothing else.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::planted(bytes));
