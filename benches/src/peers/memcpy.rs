//! What copying costs at best: from one warm place to another, in one process or in several at the same time.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::placement::{Placement, Side};
use crate::process::{self, Process};

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

/// Processes that copy at the same time, on both processors in turn.
pub(crate) struct Crowd(Vec<(UnixStream, Process)>);

impl Crowd {
    pub(crate) fn start(placement: Placement, processes: usize, bytes: usize) -> Outcome<Self> {
        let sides = [Side::Far, Side::Near].into_iter().cycle();
        let start = |side| {
            let (ours, theirs) = UnixStream::pair()?;
            let process = Process::start("memcpy", OwnedFd::from(theirs), (placement, side), &[bytes.to_string()])?;
            Ok((ours, process))
        };
        sides.take(processes).map(start).collect::<Outcome<_>>().map(Self)
    }

    /// Each copies so many times; takes as long as the slowest.
    pub(crate) fn run(&mut self, count: u32) -> Outcome<Duration> {
        let start = Instant::now();
        for (stream, _) in &mut self.0 {
            stream.write_all(&count.to_le_bytes())?;
        }
        for (stream, _) in &mut self.0 {
            stream.read_exact(&mut [0])?;
        }
        Ok(start.elapsed())
    }
}

/// One of them.
pub(crate) fn serve(bytes: usize) -> Outcome<()> {
    let mut stream = UnixStream::from(process::given()?);
    let mut copy = Copy::of(&vec![7; bytes]);
    let mut count = [0; 4];
    while stream.read_exact(&mut count).is_ok() {
        copy.run(u32::from_le_bytes(count));
        stream.write_all(&[1])?;
    }
    Ok(())
}
