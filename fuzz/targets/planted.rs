//! A fault that is known: `cargo xtask fuzz` looks for it first. What does not find it, because the compiler's instrumentation or libFuzzer's search has been
//! lost, would find nothing else either.
#![no_main]

use std::hint::black_box;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Three decisions and a comparison of four bytes, one after another: as good as never met by chance.
    if bytes.first() == Some(&black_box(0x53))
        && bytes.get(1) == Some(&black_box(0x91))
        && bytes.len() > black_box(6)
        && bytes[2..6] == black_box(0x5eed_f00d_u32).to_le_bytes()
    {
        panic!("the planted fault");
    }
});
