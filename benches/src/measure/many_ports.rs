//! Does it matter over how many ports of a link messages come?

use strait_ports::{Event, Message, Port, PortSet};

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

/// The role that reads all ports, as one set.
pub(crate) fn fan_in() -> Outcome<()> {
    let (node, orders) = join()?;
    let first = message(&orders)?;
    let mut answer = Answer::every(u32::from_le_bytes(first.data[..].try_into()?));
    let mut ports = PortSet::new();
    first.ports.into_iter().for_each(|port| {
        ports.insert(port);
    });
    orders.post(Vec::new())?;
    loop {
        match ports.try_recv() {
            Some((_, Event::Message(message))) => {
                if let Some(sum) = answer.after(&message.data) {
                    orders.post(sum.to_le_bytes().to_vec())?;
                }
            }
            Some((_, Event::Close(_))) => return Ok(()),
            None => turn(&node)?,
        }
    }
}
