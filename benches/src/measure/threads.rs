//! What does it cost to hand something to another thread of the same process?

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use strait_ports::Port;

use crate::Outcome;
use crate::ours::{self, message};
use crate::placement::{Placement, Side};
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

const PAYLOAD: [u8; 32] = [7; 32];

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let node = ours::broker()?;
    let mut contest = Contest::new(effort, placement);
    let count = effort.count(200_000);
    contest.enter("strait", count, |count| {
        let (sender, receiver) = node.channel();
        one_way(placement, count, || post(&sender), || receive(&receiver))
    });
    contest.enter("crossbeam", count, |count| {
        let (sender, receiver) = crossbeam_channel::unbounded();
        one_way(placement, count, || Ok(sender.send(PAYLOAD.to_vec())?), || Ok(receiver.recv()?.len()))
    });
    contest.enter("flume", count, |count| {
        let (sender, receiver) = flume::unbounded();
        one_way(placement, count, || Ok(sender.send(PAYLOAD.to_vec())?), || Ok(receiver.recv()?.len()))
    });
    let figures = contest.run()?;
    for (peer, bar) in [("crossbeam", Bar::AtMost(2.0)), ("flume", Bar::None)] {
        report.compare("post + receive 32 B between threads", Unit::Nanoseconds, &figures, "strait", peer, bar);
    }

    let mut contest = Contest::new(effort, placement);
    let count = effort.count(4000);
    contest.enter("strait", count, |count| {
        let ((near, far), (back, home)) = (node.channel(), node.channel());
        there_and_back(placement, count, || post(&near), || receive(&far), || post(&back), || receive(&home))
    });
    contest.enter("crossbeam", count, |count| {
        let ((near, far), (back, home)) = (crossbeam_channel::unbounded(), crossbeam_channel::unbounded());
        let send = |sender: &crossbeam_channel::Sender<Vec<u8>>| Ok(sender.send(PAYLOAD.to_vec())?);
        let recv = |receiver: &crossbeam_channel::Receiver<Vec<u8>>| Ok(receiver.recv()?.len());
        there_and_back(placement, count, || send(&near), || recv(&far), || send(&back), || recv(&home))
    });
    let figures = contest.run()?;
    report.compare("round trip 32 B between threads", Unit::Microseconds, &figures, "strait", "crossbeam", Bar::None);
    Ok(())
}

fn post(port: &Port) -> Outcome<()> {
    Ok(port.post(&PAYLOAD[..])?)
}

fn receive(port: &Port) -> Outcome<usize> {
    Ok(message(port)?.data.len())
}

/// This thread sends, another receives; the time is over when all has been received.
fn one_way(
    placement: Placement,
    count: u32,
    send: impl Fn() -> Outcome<()>,
    receive: impl Fn() -> Outcome<usize> + Sync,
) -> Outcome<Duration> {
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let pinned = placement.pin(Side::Far);
            begin.wait();
            pinned?;
            (0..count).try_for_each(|_| receive().map(|_| ()))?;
            Outcome::Ok(Instant::now())
        });
        begin.wait();
        let start = Instant::now();
        (0..count).try_for_each(|_| send())?;
        let end = receiver.join().map_err(|_| "the receiver panicked")??;
        Ok(end - start)
    })
}

/// This thread sends and waits for the answer; another answers.
fn there_and_back(
    placement: Placement,
    count: u32,
    send: impl Fn() -> Outcome<()>,
    receive: impl Fn() -> Outcome<usize> + Sync,
    answer: impl Fn() -> Outcome<()> + Sync,
    hear: impl Fn() -> Outcome<usize>,
) -> Outcome<Duration> {
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let pinned = placement.pin(Side::Far);
            begin.wait();
            pinned?;
            (0..count).try_for_each(|_| receive().and_then(|_| answer()))
        });
        begin.wait();
        let start = Instant::now();
        (0..count).try_for_each(|_| send().and_then(|()| hear().map(|_| ())))?;
        let took = start.elapsed();
        other.join().map_err(|_| "the other thread panicked")??;
        Ok(took)
    })
}
