//! How long until a small message has come back?

use super::{Echo, round_trips};
use crate::Outcome;
use crate::ours::echo::{Blocking, Polled};
use crate::peers::{futex, ipc_channel, node, seqpacket};
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    Placement::all()?.iter().try_for_each(|placement| measure_in(*placement, report, effort))
}

fn measure_in(placement: Placement, report: &mut Report, effort: Effort) -> Outcome<()> {
    let mut polled = Polled::start(placement)?;
    let mut blocking = Blocking::start(placement)?;
    let mut socket = seqpacket::Client::start(placement)?;
    let mut futex = futex::Client::start(placement)?;
    let mut typed = ipc_channel::Client::typed_echo(placement)?;
    let mut bytes = ipc_channel::Client::bytes_echo(placement)?;
    let mut worker = node::Node::start(placement)?;

    let payload = [7; 32];
    let mut contest = Contest::new(effort, placement);
    let entries: [(&'static str, &mut dyn Echo); 6] = [
        ("polled", &mut polled),
        ("blocking", &mut blocking),
        ("raw SEQPACKET", &mut socket),
        ("raw futex", &mut futex),
        ("ipc-channel", &mut typed),
        ("ipc-channel bytes", &mut bytes),
    ];
    for (name, echo) in entries {
        contest.enter(name, effort.count(4000), move |count| round_trips(echo, &payload, count));
    }
    if let Some(worker) = &mut worker {
        contest.enter("Node worker_threads", effort.count(4000), |count| worker.round_trips(payload.len(), count));
    }
    let figures = contest.run()?;

    let place = placement.name();
    let bar = |bar| if placement == Placement::Free { Bar::None } else { bar };
    let mut row = |mode: &str, ours, peer, bar| {
        report.compare(format!("round trip 32 B, {mode}, {place}"), Unit::Microseconds, &figures, ours, peer, bar);
    };
    row("pollable", "polled", "raw SEQPACKET", bar(Bar::AtMost(1.15)));
    row("thread-driven", "blocking", "raw futex", bar(Bar::AtMost(1.6)));
    row("thread-driven", "blocking", "ipc-channel", bar(Bar::AtMost(0.6)));
    row("thread-driven", "blocking", "ipc-channel bytes", Bar::None);
    row("thread-driven", "blocking", "raw SEQPACKET", Bar::None);
    row("thread-driven", "blocking", "Node worker_threads", Bar::None);
    Ok(())
}
