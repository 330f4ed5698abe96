//! See `strait_fuzz::protocol::messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::protocol::messages(bytes));
