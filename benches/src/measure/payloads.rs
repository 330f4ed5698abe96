//! How long until a large payload has come back?

use super::{Echo, round_trips};
use crate::Outcome;
use crate::ours::echo::Large;
use crate::peers::{ipc_channel, node};
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

/// One size: how many round trips make a round of ours (and of the bytes channel), of the typed channel and of Node, and the bars.
struct Size {
    name: &'static str,
    bytes: usize,
    counts: [u32; 3],
    against_bytes: f64,
    against_typed: f64,
}

const SIZES: [Size; 3] = [
    Size { name: "64 KiB", bytes: 64 << 10, counts: [800, 100, 400], against_bytes: 0.8, against_typed: 0.1 },
    Size { name: "1 MiB", bytes: 1 << 20, counts: [100, 10, 50], against_bytes: 0.6, against_typed: 0.05 },
    Size { name: "64 MiB", bytes: 64 << 20, counts: [2, 1, 1], against_bytes: 0.5, against_typed: 0.08 },
];

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    for size in SIZES {
        let mut ours = Large::start(placement)?;
        let mut typed = ipc_channel::Client::typed_echo(placement)?;
        let mut bytes = ipc_channel::Client::bytes_echo(placement)?;
        let mut worker = node::Node::start(placement)?;

        let payload = &vec![7; size.bytes];
        let [often, seldom, sometimes] = size.counts.map(|count| effort.count(count));
        let mut contest = Contest::new(effort, placement);
        let entries: [(&'static str, u32, &mut dyn Echo); 3] =
            [("strait", often, &mut ours), ("ipc-channel", seldom, &mut typed), ("ipc-channel bytes", often, &mut bytes)];
        for (name, count, echo) in entries {
            contest.enter(name, count, move |count| round_trips(echo, payload, count));
        }
        if let Some(worker) = &mut worker {
            contest.enter("Node worker_threads", sometimes, |count| worker.round_trips(payload.len(), count));
        }
        let figures = contest.run()?;
        let bars = [
            ("ipc-channel bytes", Bar::AtMost(size.against_bytes)),
            ("ipc-channel", Bar::AtMost(size.against_typed)),
            ("Node worker_threads", Bar::None),
        ];
        for (peer, bar) in bars {
            report.compare(format!("round trip {}", size.name), Unit::Microseconds, &figures, "strait", peer, bar);
        }
    }
    Ok(())
}
