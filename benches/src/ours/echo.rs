//! Round trips over a channel.

use strait_ports::{Event, Port};

use super::{Counterpart, join, message, next, turn};
use crate::Outcome;
use crate::measure::Echo;
use crate::placement::Placement;

/// In a loop of one's own: `poll`, `dispatch`, `try_recv`, on both sides.
pub(crate) struct Polled(Counterpart);

impl Polled {
    pub(crate) fn start(placement: Placement) -> Outcome<Self> {
        Counterpart::start("echo-polled", placement).map(Self)
    }
}

impl Echo for Polled {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        self.0.port.post(payload)?;
        loop {
            turn(&self.0.node)?;
            match self.0.port.try_recv() {
                Some(Event::Message(message)) => return Ok(message.data.len()),
                Some(Event::Close(reason)) => return Err(reason.to_string().into()),
                None => {}
            }
        }
    }
}

/// The other side of [`Polled`].
pub(crate) fn serve_polled() -> Outcome<()> {
    let (node, port) = join()?;
    loop {
        turn(&node)?;
        while let Some(event) = port.try_recv() {
            let Event::Message(message) = event else { return Ok(()) };
            port.post(message)?;
        }
    }
}

/// In threads that do nothing else: `recv_blocking` on both sides.
pub(crate) struct Blocking(Counterpart);

impl Blocking {
    pub(crate) fn start(placement: Placement) -> Outcome<Self> {
        Counterpart::start("echo-blocking", placement).map(Self)
    }
}

impl Echo for Blocking {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        self.0.port.post(payload)?;
        Ok(message(&self.0.port)?.data.len())
    }
}

/// The other side of [`Blocking`].
pub(crate) fn serve_blocking() -> Outcome<()> {
    let (_node, port) = join()?;
    while let Some(message) = next(&port)? {
        port.post(message)?;
    }
    Ok(())
}

/// Large payloads: allocated where they are sent from, filled once.
pub(crate) struct Large(Counterpart);

impl Large {
    pub(crate) fn start(placement: Placement) -> Outcome<Self> {
        Counterpart::start("echo-large", placement).map(Self)
    }
}

impl Echo for Large {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        post_large(&self.0.port, payload)?;
        Ok(message(&self.0.port)?.data.len())
    }
}

/// The other side of [`Large`].
pub(crate) fn serve_large() -> Outcome<()> {
    let (_node, port) = join()?;
    while let Some(message) = next(&port)? {
        post_large(&port, &message.data)?;
    }
    Ok(())
}

/// A payload is written in pieces so short that the C library does not copy them with `rep movsb`: on some processors (AMD's Zen 3 and 4) that is ten
/// times slower whenever source and target happen to lie unfavourably in their pages, and no figure would mean anything.
const PIECE: usize = 2048;

/// Writes a payload where it is sent from, and posts it.
pub(crate) fn post_large(port: &Port, payload: &[u8]) -> Outcome<()> {
    let mut buffer = port.alloc(payload.len())?;
    copy(&mut buffer, payload);
    Ok(port.post_buffer(buffer, Vec::new())?)
}

/// In pieces: see [`PIECE`].
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.chunks_mut(PIECE).zip(from.chunks(PIECE)) {
        to.copy_from_slice(from);
    }
}
