//! See `strait_ports::fuzzing::ring_link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::ring_link(bytes));
