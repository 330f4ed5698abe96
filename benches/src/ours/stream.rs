//! Messages in one direction.

use strait_ports::{Message, Node, Port, SharedBuffer};

use super::echo::{copy, post_large};
use super::{Counterpart, broker, join, message, next};
use crate::Outcome;
use crate::measure::{Answer, Stream, Window};
use crate::placement::{Placement, Side};

/// To a process that reads what it gets.
pub(crate) struct Sender(Counterpart);

impl Sender {
    pub(crate) fn start(placement: Placement, window: Window) -> Outcome<Self> {
        Self::start_in(&broker()?, (placement, Side::Far), window)
    }

    fn start_in(node: &Node, place: (Placement, Side), window: Window) -> Outcome<Self> {
        let counterpart = Counterpart::start_in(node, "sink", place)?;
        counterpart.port.post(window.every.to_le_bytes().to_vec())?;
        Ok(Self(counterpart))
    }

    fn port(&self) -> &Port {
        &self.0.port
    }
}

impl Stream for Sender {
    fn post(&mut self, payload: &[u8]) -> Outcome<()> {
        if payload.len() < LARGE { Ok(self.port().post(payload)?) } else { post_large(self.port(), payload) }
    }

    fn answer(&mut self) -> Outcome<u64> {
        Answer::read(&message(self.port())?.data)
    }
}

/// The same to several processes, on both processors in turn.
pub(crate) struct FanOut(Vec<Sender>);

impl FanOut {
    pub(crate) fn start(placement: Placement, window: Window, receivers: usize) -> Outcome<Self> {
        let node = broker()?;
        let sides = [Side::Far, Side::Near].into_iter().cycle();
        let senders = sides.take(receivers).map(|side| Sender::start_in(&node, (placement, side), window));
        senders.collect::<Outcome<_>>().map(Self)
    }
}

impl Stream for FanOut {
    fn post(&mut self, payload: &[u8]) -> Outcome<()> {
        let shared = SharedBuffer::build(payload.len(), |bytes| copy(bytes, payload));
        let posted = |sender: &Sender| sender.port().post(Message::with_buffers(Vec::new(), vec![shared.clone()]));
        Ok(self.0.iter().try_for_each(posted)?)
    }

    /// What all have read, if that is the same.
    fn answer(&mut self) -> Outcome<u64> {
        let sums = self.0.iter_mut().map(Sender::answer).collect::<Outcome<Vec<u64>>>()?;
        let first = *sums.first().ok_or("nobody reads")?;
        if sums.iter().all(|sum| *sum == first) { Ok(first) } else { Err("not all have read the same".into()) }
    }
}

/// From where on a payload is worth its own place.
const LARGE: usize = 64 * 1024;

/// The other side.
pub(crate) fn serve() -> Outcome<()> {
    let (_node, port) = join()?;
    let mut answer = Answer::every(u32::from_le_bytes(message(&port)?.data[..].try_into()?));
    while let Some(message) = next(&port)? {
        let payload = message.buffers.first().map_or(&message.data[..], |shared| shared);
        if let Some(sum) = answer.after(payload) {
            port.post(sum.to_le_bytes().to_vec())?;
        }
    }
    Ok(())
}
