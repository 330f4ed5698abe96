//! The peer: the socket pair itself.

use std::error::Error;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::Echo;

/// Larger than any payload.
const BUFFER: usize = 256 * 1024;

/// This end of the pair.
pub(crate) struct Client {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Client {
    /// Talks over `socket`.
    pub(crate) fn connect(socket: OwnedFd) -> Client {
        Client { socket, buffer: vec![0; BUFFER] }
    }
}

impl Echo for Client {
    fn round_trip(&mut self, payload: &[u8]) -> Result<(), Box<dyn Error>> {
        send(&self.socket, payload, SendFlags::empty())?;
        let (_, length) = recv(&self.socket, &mut self.buffer[..], RecvFlags::empty())?;
        if length == payload.len() { Ok(()) } else { Err(format!("{length} bytes came back").into()) }
    }
}

/// Sends back what comes until the other end is closed.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let stdin = std::io::stdin();
    let mut buffer = vec![0; BUFFER];
    loop {
        let (_, length) = recv(stdin.as_fd(), &mut buffer[..], RecvFlags::empty())?;
        if length == 0 {
            return Ok(());
        }
        send(stdin.as_fd(), &buffer[..length], SendFlags::empty())?;
    }
}
