//! One-way traffic with a bound: who is behind says how far it has come, who is ahead waits for that.

use std::time::{Duration, Instant};

use crate::Outcome;

/// How much may be under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// The receiver answers after so many messages.
    pub(crate) every: u32,
    /// The sender waits for answers when so many messages have none.
    pub(crate) most: u32,
}

/// A sender of messages that are answered now and then.
pub(crate) trait Stream {
    fn post(&mut self, payload: &[u8]) -> Outcome<()>;

    /// Waits for the next answer: the sum of all words received since the one before.
    fn answer(&mut self) -> Outcome<u64>;
}

/// Sends `count` messages, which must be a multiple of the window's `every`, and waits until all have been read. Each is `payload` with its number
/// in its first word, and the sum of what has been read must be that of what was written.
pub(crate) fn stream(stream: &mut dyn Stream, window: Window, payload: &mut [u8], count: u32) -> Outcome<Duration> {
    if !count.is_multiple_of(window.every) {
        return Err(format!("{count} is no multiple of {}", window.every).into());
    }
    payload[..8].fill(0);
    let numbers: u64 = (0..count).map(u64::from).sum();
    let written = sum(payload).wrapping_mul(u64::from(count)).wrapping_add(numbers);
    let (mut answered, mut read) = (0, 0u64);
    let start = Instant::now();
    for number in 0..count {
        payload[..8].copy_from_slice(&u64::from(number).to_ne_bytes());
        stream.post(payload)?;
        while number + 1 - answered > window.most {
            read = read.wrapping_add(stream.answer()?);
            answered += window.every;
        }
    }
    while answered < count {
        read = read.wrapping_add(stream.answer()?);
        answered += window.every;
    }
    let took = start.elapsed();
    if read == written { Ok(took) } else { Err("what was read is not what was written".into()) }
}

/// Every word of it, added up. A tail shorter than a word is left out.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (words, _tail) = bytes.as_chunks::<8>();
    words.iter().fold(0, |sum, word| sum.wrapping_add(u64::from_ne_bytes(*word)))
}

/// The receiver's side.
pub(crate) struct Answer {
    every: u32,
    received: u32,
    sum: u64,
}

impl Answer {
    pub(crate) fn every(every: u32) -> Self {
        Self { every, received: 0, sum: 0 }
    }

    /// Reads a payload; from time to time there is something to answer.
    pub(crate) fn after(&mut self, payload: &[u8]) -> Option<u64> {
        self.sum = self.sum.wrapping_add(sum(payload));
        self.received += 1;
        if self.received < self.every {
            return None;
        }
        self.received = 0;
        Some(std::mem::take(&mut self.sum))
    }

    /// An answer as it came.
    pub(crate) fn read(bytes: &[u8]) -> Outcome<u64> {
        Ok(u64::from_le_bytes(bytes.try_into()?))
    }
}
