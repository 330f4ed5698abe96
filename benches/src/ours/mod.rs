//! The engine, as its users would use it.

pub(crate) mod echo;
pub(crate) mod stream;

use rustix::event::{PollFd, PollFlags, poll};
use std::time::Duration;
use strait_ports::{Event, LinkKind, Message, Node, Port};

use crate::Outcome;
use crate::placement::{Placement, Side};
use crate::process::{self, Process};

/// A channel to another process. The fields are let go in this order.
pub(crate) struct Counterpart {
    pub(crate) port: Port,
    pub(crate) node: Node,
    pub(crate) process: Process,
}

impl Counterpart {
    /// Starts a role that joins a network of its own.
    pub(crate) fn start(role: &str, placement: Placement) -> Outcome<Counterpart> {
        Self::start_in(&broker()?, role, (placement, Side::Far))
    }

    /// Starts a role that joins the network of `node`.
    pub(crate) fn start_in(node: &Node, role: &str, place: (Placement, Side)) -> Outcome<Counterpart> {
        let (process, socket) = Process::start_with_socket(role, place)?;
        Ok(Counterpart { port: node.invite(socket)?, node: node.clone(), process })
    }
}

/// The broker of a network whose links are the fastest there are.
pub(crate) fn broker() -> Outcome<Node> {
    Ok(Node::broker_with(LinkKind::Rings)?)
}

/// A role's node and the channel to who started it.
pub(crate) fn join() -> Outcome<(Node, Port)> {
    Ok(Node::join(process::given()?)?)
}

/// Thread-driven: the next message, `None` after the close.
pub(crate) fn next(port: &Port) -> Outcome<Option<Message>> {
    match port.recv_blocking(None)? {
        Event::Message(message) => Ok(Some(message)),
        Event::Close(_) => Ok(None),
    }
}

/// The next message, where there must be one.
pub(crate) fn message(port: &Port) -> Outcome<Message> {
    Ok(next(port)?.ok_or("the channel has closed")?)
}

/// Pollable: one turn of a host's loop, which has other things to wait for and therefore waits by itself.
pub(crate) fn turn(node: &Node) -> Outcome<()> {
    poll(&mut [PollFd::new(node, PollFlags::IN)], None)?;
    let _ = node.dispatch(Duration::from_millis(1))?;
    Ok(())
}
