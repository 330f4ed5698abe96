//! Does it matter over how many ports of a link messages come?

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use strait_ports::{Event, Message, Node, Port};

use super::flow::{Answer, Stream, Window, stream};
use crate::Outcome;
use crate::ours::{Counterpart, join, message, turn};
use crate::placement::Placement;
use crate::report::{Bar, Report, Unit};
use crate::rounds::{Contest, Effort};

const PORTS: usize = 1000;
const WINDOW: Window = Window { every: 1000, most: 10_000 };

pub(super) fn measure(report: &mut Report, effort: Effort) -> Outcome<()> {
    let placement = Placement::apart()?;
    let (mut many, mut one) = (Sender::start(placement, PORTS)?, Sender::start(placement, 1)?);
    let mut contest = Contest::new(effort, placement);
    contest.enter("strait", effort.count(300_000), |count| stream(&mut many, WINDOW, &mut [7; 32], count));
    contest.enter("one port", effort.count(300_000), |count| stream(&mut one, WINDOW, &mut [7; 32], count));
    let figures = contest.run()?;
    report.compare("one-way 32 B over 1,000 ports", Unit::PerSecond, &figures, "strait", "one port", Bar::AtLeast(0.7));
    Ok(())
}

/// Posts on one port after the other.
struct Sender {
    ports: Vec<Port>,
    next: usize,
    far: Counterpart,
}

impl Sender {
    fn start(placement: Placement, ports: usize) -> Outcome<Self> {
        let far = Counterpart::start("fan-in", placement)?;
        let (near, away) = (0..ports).map(|_| far.node.channel()).unzip();
        far.port.post(Message::with_ports(WINDOW.every.to_le_bytes().to_vec(), away))?;
        message(&far.port)?;
        Ok(Self { ports: near, next: 0, far })
    }
}

impl Stream for Sender {
    fn post(&mut self, payload: &[u8]) -> Outcome<()> {
        self.ports[self.next].post(payload)?;
        self.next = (self.next + 1) % self.ports.len();
        Ok(())
    }

    fn answer(&mut self) -> Outcome<u64> {
        Answer::read(&message(&self.far.port)?.data)
    }
}

/// The role that reads all ports: each says when it has something.
pub(crate) fn fan_in() -> Outcome<()> {
    let (node, orders) = join()?;
    let first = message(&orders)?;
    let mut answer = Answer::every(u32::from_le_bytes(first.data[..].try_into()?));
    let ready = Arc::new(Ready::default());
    for (index, port) in first.ports.iter().enumerate() {
        let ready = Arc::clone(&ready);
        port.on_ready(move || ready.add(index));
    }
    orders.post(Vec::new())?;
    loop {
        wait(&node, &ready)?;
        while let Some(index) = ready.take() {
            while let Some(event) = first.ports[index].try_recv() {
                let Event::Message(message) = event else { return Ok(()) };
                if let Some(sum) = answer.after(&message.data) {
                    orders.post(sum.to_le_bytes().to_vec())?;
                }
            }
        }
    }
}

fn wait(node: &Node, ready: &Ready) -> Outcome<()> {
    while ready.is_empty() {
        turn(node)?;
    }
    Ok(())
}

/// Ports that have something, in the order in which they said so.
#[derive(Default)]
struct Ready(Mutex<VecDeque<usize>>);

impl Ready {
    fn add(&self, index: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(index);
    }

    fn take(&self) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
