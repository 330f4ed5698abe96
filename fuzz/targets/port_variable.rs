//! See `strait_ports::fuzzing::port_variable`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_ports::fuzzing::port_variable(bytes));
