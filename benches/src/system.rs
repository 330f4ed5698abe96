//! What the system knows of a process.

use std::fs;

use rustix::time::{ClockId, clock_gettime};

use crate::Outcome;

/// Nanoseconds on a clock that all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // Neither is negative on this clock.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The proportional set size in bytes: what is the process's alone, and its share of what it shares.
pub(crate) fn proportional_memory(process: u32) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("smaps_rollup has no Pss")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

/// How many descriptors a process has open.
pub(crate) fn descriptors(process: u32) -> Outcome<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count())
}
