//! See `strait_fuzz::clone::serde`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::clone::serde(bytes));
