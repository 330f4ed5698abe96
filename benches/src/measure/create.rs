//! What does a channel cost to make?

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::ours;
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

/// As many are alive at a time.
const BATCH: usize = 1000;

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let node = ours::broker()?;
    let count = effort.count(200_000);

    let mut contest = Contest::new(effort, Placement::One);
    contest.enter("strait", count, |count| Ok(creating(count, || node.channel())));
    contest.enter("flume::unbounded", count, |count| Ok(creating(count, flume::unbounded::<Vec<u8>>)));
    contest.enter("crossbeam unbounded", count, |count| Ok(creating(count, crossbeam_channel::unbounded::<Vec<u8>>)));
    let figures = contest.run()?;
    for (peer, bar) in [("flume::unbounded", Bar::AtMost(4.0)), ("crossbeam unbounded", Bar::None)] {
        report.compare("create a channel", Unit::Nanoseconds, &figures, "strait", peer, bar);
    }

    let mut contest = Contest::new(effort, Placement::One);
    contest.enter("strait", count, |count| creating_and_dropping(count, || Ok(node.channel())));
    contest.enter("flume::unbounded", count, |count| creating_and_dropping(count, || Ok(flume::unbounded::<Vec<u8>>())));
    contest.enter("ipc-channel", effort.count(2000), |count| creating_and_dropping(count, || Ok(ipc_channel::ipc::channel::<Vec<u8>>()?)));
    let figures = contest.run()?;
    for peer in ["flume::unbounded", "ipc-channel"] {
        report.compare("create and drop a channel", Unit::Nanoseconds, &figures, "strait", peer, Bar::None);
    }
    Ok(())
}

/// The time it takes to make them; dropping them does not count.
fn creating<T>(count: u32, create: impl Fn() -> T) -> Duration {
    let mut took = Duration::ZERO;
    let mut alive = Vec::with_capacity(BATCH);
    for _ in 0..count as usize / BATCH {
        let start = Instant::now();
        for _ in 0..BATCH {
            alive.push(create());
        }
        took += start.elapsed();
        alive.clear();
    }
    took
}

fn creating_and_dropping<T>(count: u32, create: impl Fn() -> Outcome<T>) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        drop(black_box(create()?));
    }
    Ok(start.elapsed())
}

/// The role whose system calls are counted: makes so many channels, and uses each once.
pub(crate) fn create(count: u32) -> Outcome<()> {
    let node = ours::broker()?;
    for _ in 0..count {
        let (one, other) = node.channel();
        one.post(&[7; 32][..])?;
        black_box(other.try_recv());
    }
    Ok(())
}
