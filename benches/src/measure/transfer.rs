//! How long until the new holder of an end hears the other end directly?
//!
//! Two processes, linked and each linked with this one, hand an end to each other in turn; the other end stays here and answers whatever comes,
//! with the time at which it answers. The former holder knows when its node has no trace of the end any more; so whatever is answered after that
//! comes directly. The time from its post to the arrival of the first such answer is what counts.

use std::time::Duration;

use rustix::process::Signal;
use strait_ports::{Event, Message, Node, Port};

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
        // Every hop of the way over the former holder crosses processors.
        let [one, other] = [Side::Far, Side::Near].map(|side| Counterpart::start_in(&node, "mover", (placement, side)));
        let (one, other) = (one?, other?);
        let (friend, friend_of_other) = node.channel();
        let (near, away) = node.channel();
        one.port.post(Message::with_ports(b"holder".to_vec(), vec![friend, away]))?;
        other.port.post(Message::with_ports(b"other".to_vec(), vec![friend_of_other]))?;
        let mut movers = Movers { node, near, one, other };

        let mut contest = Contest::new(effort, placement);
        contest.enter("raw SEQPACKET", effort.count(2000), |count| round_trips(&mut socket as &mut dyn Echo, &[7; 32], count));
        contest.enter("strait", effort.count(200).next_multiple_of(20), |count| movers.run(count));
        let figures = contest.run()?;
        let name = format!("transfer of an end, {}", placement.name());
        report.compare(name, Unit::Microseconds, &figures, "strait", "raw SEQPACKET", Bar::AtMost(6.0));
        movers.prove_directness()?;
    }
    Ok(())
}

struct Movers {
    node: Node,
    near: Port,
    /// It has the end at the beginning, and after every even number of transfers.
    one: Counterpart,
    other: Counterpart,
}

impl Movers {
    /// So many transfers, an even number; gives the median's worth of as many.
    fn run(&mut self, count: u32) -> Outcome<Duration> {
        let each = count.div_ceil(2);
        self.one.port.post(each.to_le_bytes().to_vec())?;
        self.other.port.post(each.to_le_bytes().to_vec())?;
        let mut samples = Vec::new();
        let mut reports = 0;
        while reports < 2 {
            serve(&self.node, &self.near)?;
            for port in [&self.one.port, &self.other.port] {
                if let Some(event) = port.try_recv() {
                    let Event::Message(report) = event else { return Err("a mover has gone".into()) };
                    samples.extend(words(&report.data).map(|nanoseconds| nanoseconds as f64));
                    reports += 1;
                }
            }
        }
        Ok(Duration::from_nanos(median(samples) as u64) * count)
    }

    /// With the former holder stopped, the holder and this process go on talking.
    fn prove_directness(&mut self) -> Outcome<()> {
        self.other.process.signal(Signal::STOP)?;
        self.one.port.post(Vec::new())?;
        let proven = loop {
            serve(&self.node, &self.near)?;
            match self.one.port.try_recv() {
                Some(Event::Message(_)) => break Ok(()),
                Some(Event::Close(reason)) => break Err(format!("a mover has gone: {reason}").into()),
                None => {}
            }
        };
        self.other.process.signal(Signal::CONT)?;
        proven
    }
}

/// A turn of this process's loop: answers what has come with the time.
fn serve(node: &Node, near: &Port) -> Outcome<()> {
    ours::turn(node)?;
    while let Some(event) = near.try_recv() {
        let Event::Message(_) = event else { return Err("the end has closed".into()) };
        near.post(now().to_le_bytes().to_vec())?;
    }
    Ok(())
}

/// The role of both movers. An order of four bytes: take part in so many transfers each way, and report how long those took that came here. An empty
/// order: talk to the other end once.
pub(crate) fn mover() -> Outcome<()> {
    let (node, orders) = join()?;
    let mut first = message(&orders)?;
    let mut held = (first.ports.len() == 2).then(|| first.ports.remove(1));
    let friend = first.ports.pop().ok_or("a friend is missing")?;
    while let Some(order) = next(&orders)? {
        if order.data.is_empty() {
            let end = held.as_ref().ok_or("this is not the holder")?;
            answer(end)?;
            orders.post(Vec::new())?;
            continue;
        }
        let begins = held.is_some();
        let mut samples = Vec::new();
        for _ in 0..u32::from_le_bytes(order.data[..].try_into()?) {
            if !begins {
                samples.extend(take(&friend, &mut held)?.to_le_bytes());
            }
            give(&node, &friend, &mut held)?;
            if begins {
                samples.extend(take(&friend, &mut held)?.to_le_bytes());
            }
        }
        orders.post(samples)?;
    }
    Ok(())
}

/// Posts the end, and says when that was and when nothing was left of it here.
fn give(node: &Node, friend: &Port, held: &mut Option<Port>) -> Outcome<()> {
    let end = held.take().ok_or("nothing to give")?;
    let start = now();
    friend.post(Message::with_ports(Vec::new(), vec![end]))?;
    let settled = until_settled(node)?;
    Ok(friend.post([start.to_le_bytes(), settled.to_le_bytes()].concat())?)
}

/// When the node has no trace left of ends that went away.
pub(super) fn until_settled(node: &Node) -> Outcome<u64> {
    while node.stats().proxies > 0 {
        let _ = node.wait(None)?;
    }
    Ok(now())
}

/// Receives the end and gives the nanoseconds until the first direct answer.
fn take(friend: &Port, held: &mut Option<Port>) -> Outcome<u64> {
    let end = message(friend)?.ports.pop().ok_or("no end came")?;
    let took = until_direct(&end, friend)?;
    *held = Some(end);
    Ok(took)
}

/// Talks to the other end of `end` until an answer is known to have come directly; `former` says when the transfer began and when it had settled.
pub(super) fn until_direct(end: &Port, former: &Port) -> Outcome<u64> {
    let mut answers = Vec::new();
    let mut times = None;
    loop {
        let answered = answer(end)?;
        answers.push((answered, now()));
        if times.is_none()
            && let Some(event) = former.try_recv()
        {
            let Event::Message(message) = event else { return Err("the former holder has gone".into()) };
            let [start, settled] = words(&message.data).collect::<Vec<_>>()[..] else { return Err("two times were expected".into()) };
            times = Some((start, settled));
        }
        if let Some((start, settled)) = times
            && let Some((_, arrived)) = answers.iter().find(|(answered, _)| *answered >= settled)
        {
            return Ok(arrived - start);
        }
    }
}

/// Asks, and gives when the other end answered.
fn answer(end: &Port) -> Outcome<u64> {
    end.post(Vec::new())?;
    words(&message(end)?.data).next().ok_or_else(|| "an answer has a time".into())
}

pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}
