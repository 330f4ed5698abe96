//! See `strait_ports::fuzzing::node`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::node(bytes));
