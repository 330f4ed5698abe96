//! See `strait_fuzz::modules::texts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::modules::texts(bytes));
