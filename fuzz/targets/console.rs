//! See `strait_fuzz::console::texts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::console::texts(bytes));
