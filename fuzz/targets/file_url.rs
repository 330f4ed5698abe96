//! See `strait_fuzz::modules::file_urls`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| strait_fuzz::modules::file_urls(bytes));
