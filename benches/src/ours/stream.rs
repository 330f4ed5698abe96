//! Messages in one direction.

use strait_ports::Port;

use super::echo::post_large;
use super::{Counterpart, join, message, next};
use crate::Outcome;
use crate::measure::{Answer, Stream, Window};
use crate::placement::Placement;

/// To a process that reads what it gets.
pub(crate) struct Sender(Counterpart);

impl Sender {
    /// For small messages.
    pub(crate) fn start(placement: Placement, window: Window) -> Outcome<Self> {
        let counterpart = Counterpart::start("sink", placement)?;
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

/// From where on a payload is worth its own place.
const LARGE: usize = 64 * 1024;

/// The other side.
pub(crate) fn serve() -> Outcome<()> {
    let (_node, port) = join()?;
    let mut answer = Answer::every(u32::from_le_bytes(message(&port)?.data[..].try_into()?));
    while let Some(message) = next(&port)? {
        if let Some(sum) = answer.after(&message.data) {
            port.post(sum.to_le_bytes().to_vec())?;
        }
    }
    Ok(())
}
