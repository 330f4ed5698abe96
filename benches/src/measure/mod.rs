//! The questions, in the order of the table.

pub(crate) mod bandwidth;
pub(crate) mod create;
mod flow;
pub(crate) mod introduction;
pub(crate) mod many_ports;
pub(crate) mod million;
mod one_way;
mod payloads;
mod round_trip;
mod shared;
mod system_calls;
mod threads;
pub(crate) mod transfer;

use std::time::{Duration, Instant};

pub(crate) use flow::{Answer, Stream, Window};

use crate::report::Report;
use crate::rounds::Effort;
use crate::{Choice, Outcome};

/// A question: what it is called, and how it is answered.
type Measurement = (&'static str, fn(&mut Report, Effort) -> Outcome<()>);

const MEASUREMENTS: &[Measurement] = &[
    ("round trip of 32 bytes, two processes", round_trip::measure),
    ("one-way messages of 32 bytes, two processes", one_way::measure),
    ("round trip of large payloads, two processes", payloads::measure),
    ("one-way bandwidth of 1 MiB payloads, two processes", bandwidth::measure),
    ("the same 1 MiB to 8 receivers, nine processes", shared::measure),
    ("post and receive between threads", threads::measure),
    ("create a channel", create::measure),
    ("system calls of creating a channel", system_calls::measure),
    ("a million live channels, two processes", million::measure),
    ("transfer of an end, until the first direct message", transfer::measure),
    ("transfer of an end, introduction included", introduction::measure),
    ("1,000 ports of one link", many_ports::measure),
];

/// Sends a payload and waits until it has come back; gives its length.
pub trait Echo {
    /// Once.
    ///
    /// # Errors
    /// The counterpart is gone.
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize>;
}

/// So many round trips.
///
/// # Errors
/// One fails, or gives another length.
pub fn round_trips(echo: &mut dyn Echo, payload: &[u8], count: u32) -> Outcome<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        let length = echo.round_trip(payload)?;
        if length != payload.len() {
            return Err(format!("{length} bytes came back").into());
        }
    }
    Ok(start.elapsed())
}

/// Names every measurement.
pub(crate) fn list() -> Outcome<()> {
    MEASUREMENTS.iter().for_each(|(title, _)| println!("{title}"));
    Ok(())
}

/// Runs what is chosen. A bar that is not met is a figure; a measurement that fails is an error.
pub(crate) fn run(choice: &Choice) -> Outcome<()> {
    let mut report = Report::new();
    let (mut ran, mut failed) = (0, Vec::new());
    for (title, measure) in MEASUREMENTS.iter().filter(|(title, _)| choice.includes(title)) {
        report.title(title);
        ran += 1;
        if let Err(why) = measure(&mut report, choice.effort) {
            println!("  failed: {why}");
            failed.push(*title);
        }
    }
    if ran == 0 {
        return Err(format!("no measurement's title contains {}", choice.names.join(" or ")).into());
    }
    report.finish(&choice.target, "ports.json", &failed)
}
