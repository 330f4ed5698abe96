//! What copying costs at best: from one warm place to another.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Two places of the same size.
pub(crate) struct Copy {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Copy {
    pub(crate) fn of(payload: &[u8]) -> Self {
        Self { from: payload.to_vec(), to: payload.to_vec() }
    }

    /// Copies so many times.
    pub(crate) fn run(&mut self, count: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..count {
            black_box(&mut self.to[..]).copy_from_slice(black_box(&self.from[..]));
        }
        start.elapsed()
    }
}
