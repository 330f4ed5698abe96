//! See `strait_renderer::fuzzing::untracked_ports`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_renderer::fuzzing::untracked_ports(bytes));
