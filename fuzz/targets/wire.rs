//! See `strait_ports::fuzzing::wire`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::wire(bytes));
