//! See `strait_fuzz::protocol::configs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::protocol::configs(bytes));
