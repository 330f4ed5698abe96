//! The engine: a channel between two nodes.

use std::error::Error;
use std::os::fd::{AsFd, OwnedFd};

use strait_ports::{Event, LinkKind, Node, Port};

use crate::Echo;

/// The broker's end.
pub(crate) struct Client {
    node: Node,
    port: Port,
}

impl Client {
    /// Invites the process at the other end of `socket`.
    pub(crate) fn connect(socket: OwnedFd, links: LinkKind) -> Result<Client, Box<dyn Error>> {
        let node = Node::broker_with(links)?;
        let port = node.invite(socket)?;
        Ok(Client { node, port })
    }
}

impl Echo for Client {
    fn round_trip(&mut self, payload: &[u8]) -> Result<(), Box<dyn Error>> {
        self.port.post(payload)?;
        match next(&self.node, &self.port)? {
            Event::Message(message) if message.data.len() == payload.len() => Ok(()),
            other => Err(format!("{other:?} came back").into()),
        }
    }
}

/// Drives the node in this thread until something comes.
fn next(node: &Node, port: &Port) -> Result<Event, Box<dyn Error>> {
    loop {
        if let Some(event) = port.try_recv() {
            return Ok(event);
        }
        let _ = node.wait(None)?;
    }
}

/// Sends back what comes until the channel closes.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let (node, port) = Node::join(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    // The copy keeps no second end open: standard input is not read, and goes with the process.
    while let Event::Message(message) = next(&node, &port)? {
        port.post(message)?;
    }
    Ok(())
}
