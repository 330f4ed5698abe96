//! See `strait_fuzz::clone::bytes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::clone::bytes(bytes));
