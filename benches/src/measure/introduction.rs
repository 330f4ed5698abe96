//! The same as in `transfer`, where the two who shall talk have never met.
//!
//! One process holds an end; a process that has just joined is given the other. They need a link, which this process, their broker, makes for them.
//! For each transfer a new process is started, which has met somebody else before, so that its code is warm.

use std::time::Duration;

use strait_ports::{Message, Node};

use super::transfer::{until_direct, until_settled, words};
use super::{Echo, round_trips};
use crate::Outcome;
use crate::ours::{self, Counterpart, join, message, next};
use crate::peers::seqpacket;
use crate::placement::{Placement, Side};
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort, median};
use crate::system::now;

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    for placement in Placement::all()?.iter().copied().filter(|placement| *placement != Placement::Free) {
        let mut socket = seqpacket::Client::start(placement)?;
        let node = ours::broker()?;
        let [first, second] = [(); 2].map(|()| Counterpart::start_in(&node, "answerer", (placement, Side::Far)));
        let answerers = [first?, second?];
        let mut contest = Contest::new(effort, placement);
        contest.enter("raw SEQPACKET", effort.count(2000), |count| round_trips(&mut socket as &mut dyn Echo, &[7; 32], count));
        contest.enter("strait", effort.count(40), |count| {
            let samples: Vec<f64> = (0..count).map(|_| introduce(&node, &answerers, placement)).collect::<Outcome<_>>()?;
            Ok(Duration::from_nanos(median(samples) as u64) * count)
        });
        let figures = contest.run()?;
        let name = format!("transfer with introduction, {}", placement.name());
        report.compare(name, Unit::Microseconds, &figures, "strait", "raw SEQPACKET", Bar::AtMost(25.0));
    }
    Ok(())
}

/// A newcomer meets one after the other: nanoseconds until it has heard the last directly.
fn introduce(node: &Node, answerers: &[Counterpart], placement: Placement) -> Outcome<f64> {
    let newcomer = Counterpart::start_in(node, "newcomer", (placement, Side::Near))?;
    placement.pin(Side::Near)?;
    // It has joined.
    message(&newcomer.port)?;
    let mut took = 0;
    for answerer in answerers {
        took = meet(node, answerer, &newcomer)?;
    }
    Ok(took as f64)
}

/// One transfer to the newcomer.
fn meet(node: &Node, answerer: &Counterpart, newcomer: &Counterpart) -> Outcome<u64> {
    let (end, away) = node.channel();
    answerer.port.post(Message::with_ports(Vec::new(), vec![away]))?;
    message(&answerer.port)?;
    until_settled(node)?;

    let start = now();
    newcomer.port.post(Message::with_ports(Vec::new(), vec![end]))?;
    let settled = until_settled(node)?;
    newcomer.port.post([start.to_le_bytes(), settled.to_le_bytes()].concat())?;
    Ok(words(&message(&newcomer.port)?.data).next().ok_or("no figure came")?)
}

/// The role that holds the other end: answers with the time until that closes, and then takes the next.
pub(crate) fn answerer() -> Outcome<()> {
    let (_node, orders) = join()?;
    while let Some(mut order) = next(&orders)? {
        let end = order.ports.pop().ok_or("no end came")?;
        orders.post(Vec::new())?;
        while next(&end)?.is_some() {
            end.post(now().to_le_bytes().to_vec())?;
        }
    }
    Ok(())
}

/// The role of who has just joined.
pub(crate) fn newcomer() -> Outcome<()> {
    let (_node, orders) = join()?;
    orders.post(Vec::new())?;
    // Until the broker has heard enough.
    while let Some(mut order) = next(&orders)? {
        let end = order.ports.pop().ok_or("no end came")?;
        let took = until_direct(&end, &orders)?;
        orders.post(took.to_le_bytes().to_vec())?;
    }
    Ok(())
}
