//! See `strait_ports::fuzzing::socket_link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::socket_link(bytes));
