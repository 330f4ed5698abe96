//! See `strait_fuzz::codec::bytes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::codec::bytes(bytes));
