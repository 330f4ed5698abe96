//! See `strait_fuzz::bridge::messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::bridge::messages(bytes));
