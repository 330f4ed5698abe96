//! A bare `SOCK_SEQPACKET` socket pair: blocking `send` and `recv`.

use std::os::fd::OwnedFd;

use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::Outcome;
use crate::measure::Echo;
use crate::placement::{Placement, Side};
use crate::process::{self, Process};

/// Larger than any payload.
const BUFFER: usize = 64 * 1024;

/// This end of the pair.
pub struct Client {
    socket: OwnedFd,
    buffer: Vec<u8>,
    _process: Process,
}

impl Client {
    /// Starts the other end.
    ///
    /// # Errors
    /// There is no socket or no process to be had.
    pub fn start(placement: Placement) -> Outcome<Self> {
        let (process, socket) = Process::start_with_socket("seqpacket", (placement, Side::Far))?;
        Ok(Self { socket, buffer: vec![0; BUFFER], _process: process })
    }
}

impl Echo for Client {
    fn round_trip(&mut self, payload: &[u8]) -> Outcome<usize> {
        send(&self.socket, payload, SendFlags::empty())?;
        Ok(recv(&self.socket, &mut self.buffer[..], RecvFlags::empty())?.1)
    }
}

/// Sends back what comes until the other end is closed.
pub fn serve() -> Outcome<()> {
    let socket = process::given()?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let (_, length) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if length == 0 {
            return Ok(());
        }
        send(&socket, &buffer[..length], SendFlags::empty())?;
    }
}
