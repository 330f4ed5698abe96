//! How many small messages a second go from one process to another?

use super::flow::{Stream, Window, stream};
use crate::Outcome;
use crate::ours::stream::Sender;
use crate::peers::{ipc_channel, node};
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

/// So deep that neither side often waits for the other.
const WINDOW: Window = Window { every: 1000, most: 10_000 };

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let mut ours = Sender::start(placement, WINDOW)?;
    let mut typed = ipc_channel::Client::typed_sink(placement, WINDOW)?;
    let mut bytes = ipc_channel::Client::bytes_sink(placement, WINDOW)?;
    let mut worker = node::Node::start(placement)?;

    let mut contest = Contest::new(effort, placement);
    let entries: [(&'static str, u32, &mut dyn Stream); 3] =
        [("strait", 500_000, &mut ours), ("ipc-channel", 200_000, &mut typed), ("ipc-channel bytes", 200_000, &mut bytes)];
    for (name, count, sender) in entries {
        contest.enter(name, effort.count(count), move |count| stream(sender, WINDOW, &mut [7; 32], count));
    }
    if let Some(worker) = &mut worker {
        contest.enter("Node worker_threads", effort.count(200_000), |count| worker.one_way(32, count));
    }
    let figures = contest.run()?;
    for (peer, bar) in [("ipc-channel", Bar::AtLeast(12.0)), ("ipc-channel bytes", Bar::None), ("Node worker_threads", Bar::None)] {
        report.compare("one-way 32 B", Unit::PerSecond, &figures, "strait", peer, bar);
    }
    Ok(())
}
