//! A broker, an honest member, and a member that sends arbitrary frames: real nodes over real
//! links.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::input::{Input, Names};
use super::peer;
use crate::link::{self, Link, MAX_PACKET, ReceiveOutcome, RingParts, Socket};
use crate::router::MAX_HOPS;
use crate::wire::{self, Control, Encoded, Packet};
use crate::{CloseReason, Event, LinkKind, Message, Node, Port, Progress};

/// The most rounds until nodes with little work are idle: a message that follows its port takes one
/// or two rounds for each proxy.
const MOST_ROUNDS: usize = 8 * MAX_HOPS as usize;

/// The most ports that the programs make.
const MOST_PORTS: usize = 100;

/// A member without an engine.
struct Forger {
    link: Box<dyn Link>,
    buffer: Vec<u8>,
    names: Names,
}

impl Forger {
    /// Takes the welcome, as [`Node::join`] does.
    fn join(socket: OwnedFd) -> Self {
        let (mut socket, mut buffer) = (Socket::new(socket).expect("a socket"), vec![0; MAX_PACKET]);
        let Ok(ReceiveOutcome::Frame(frame)) = socket.receive(&mut buffer) else { panic!("no welcome") };
        let Ok(Packet::Control(welcome)) = wire::decode(frame.bytes) else { panic!("no welcome") };
        let Control::Welcome { you, broker, .. } = welcome else { panic!("no welcome") };
        let link = link::over(socket, RingParts::from_descriptors(&mut frame.descriptors.into_iter()), you < broker).expect("a link");
        let mut names = Names::new();
        names.learn(Packet::Control(welcome));
        Self { link, buffer, names }
    }

    fn say(&mut self, frame: Vec<u8>, descriptors: Vec<OwnedFd>) {
        self.link.push(Encoded { data: frame, message: true, ..Encoded::default() }, descriptors);
        let _ = self.link.flush();
    }

    /// Receives the available data; false at the end of the link.
    fn hear(&mut self) -> bool {
        for _ in 0..MOST_ROUNDS {
            match self.link.receive(&mut self.buffer) {
                Ok(ReceiveOutcome::Frame(frame)) => self.names.learn(wire::decode(frame.bytes).expect("nodes say what can be decoded")),
                Ok(ReceiveOutcome::Part) => {}
                Ok(ReceiveOutcome::Nothing) if peer::readable(&self.link) => self.link.woken(),
                Ok(ReceiveOutcome::Nothing) => match self.link.prepare_sleep().expect("an honest node keeps to the rings' rules") {
                    true => self.link.rung(),
                    false => return self.link.flush().is_ok(),
                },
                Ok(ReceiveOutcome::Ended) => return false,
                Err(error) => panic!("an honest node breaks the link: {error}"),
            }
        }
        panic!("a node talks without end");
    }
}

struct Network {
    nodes: [Node; 2],
    /// The ports of each node.
    ports: [Vec<Port>; 2],
    forger: Option<Forger>,
    /// A port was posted that had been used before. It may be in a queue that is inside its own
    /// queue, where it can never be received (a known limit).
    entangled: bool,
}

impl Network {
    /// Routes until the nodes have no work left.
    fn settle(&self) {
        for _ in 0..MOST_ROUNDS {
            let idle = |node: &Node| node.dispatch(Duration::from_millis(1)).expect("it can be driven") == Progress::Idle;
            if self.nodes.iter().all(idle) && !self.nodes.iter().any(peer::readable) {
                return;
            }
        }
        panic!("the nodes never come to rest");
    }

    /// Receives on one of a node's ports, and keeps the received ports.
    fn receive(&mut self, node: usize, input: &mut Input<'_>) {
        let Some(which) = input.index(self.ports[node].len()) else { return };
        if let Some(Event::Message(message)) = self.ports[node][which].try_recv() {
            self.ports[node].extend(message.ports);
        }
    }

    /// Posts on one of a node's ports, with a new channel's end or an old port.
    fn post(&mut self, node: usize, step: u8, input: &mut Input<'_>) {
        let mut with = Vec::new();
        if step & 0x40 != 0 && self.ports[node].len() < MOST_PORTS {
            let (kept, sent) = self.nodes[node].channel();
            self.ports[node].push(kept);
            with.push(sent);
        }
        if step & 0x80 != 0
            && let Some(which) = input.index(self.ports[node].len())
        {
            self.entangled = true;
            with.push(self.ports[node].swap_remove(which));
        }
        if let Some(over) = input.index(self.ports[node].len()) {
            self.ports[node][over]
                .post(Message::with_ports(vec![step; usize::from(input.byte())], with))
                .expect("these ports are the node's own");
        }
    }
}

/// Frames and descriptors of any kind from a member to the broker, which exchanges messages with
/// another member, introduces the two to each other, and sends ports to both. The forger loses its
/// link, or not; the channel of the others continues.
pub fn node(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let links = if input.byte().is_multiple_of(2) { LinkKind::Socket } else { LinkKind::Rings };
    let broker = Node::broker_with(links).expect("a broker");
    let ((ours, theirs), (for_forger, forgers)) = (peer::pair(), peer::pair());
    let to_member = broker.invite(ours).expect("an invitation");
    let (member, to_broker) = Node::join(theirs).expect("a welcome");
    let to_liar = broker.invite(for_forger).expect("an invitation");
    // For the last messages between the two; earlier ones use their own channels.
    let (here, there) = broker.channel();
    to_member.post(Message::with_ports(Vec::new(), vec![there])).expect("its own port");
    let ports = [vec![to_member, to_liar], vec![to_broker]];
    let mut network = Network { nodes: [broker, member], ports, forger: Some(Forger::join(forgers)), entangled: false };
    network.settle();
    let Some(Event::Message(first)) = network.ports[1][0].try_recv() else { panic!("nothing arrives") };
    let there = first.ports.into_iter().next().expect("the port that was sent");

    while let Some(step) = input.step() {
        match step % 8 {
            0..3 => {
                if let Some(forger) = &mut network.forger {
                    let frame = input.frame(&forger.names);
                    let descriptors = (0..step / 64).map(|_| peer::descriptor()).collect();
                    forger.say(frame, descriptors);
                }
            }
            3 => {
                if network.forger.as_mut().is_some_and(|forger| !forger.hear()) {
                    network.forger = None;
                }
            }
            4 => network.settle(),
            5 => network.post(usize::from(step / 8 % 2), step, &mut input),
            6 => network.receive(usize::from(step / 8 % 2), &mut input),
            _ if step > 0xf0 => network.forger = None,
            _ => {
                let node = usize::from(step / 8 % 2);
                if let Some(which) = input.index(network.ports[node].len()) {
                    network.ports[node].swap_remove(which).close();
                }
            }
        }
    }

    // No other node is affected.
    network.settle();
    for (from, to) in [(&here, &there), (&there, &here)] {
        from.post(b"still here".to_vec()).expect("bytes alone");
        network.settle();
        assert!(matches!(to.try_recv(), Some(Event::Message(message)) if message.data == b"still here"), "an honest channel has suffered");
    }
    // Without the forger, and without ports, only the two nodes are left.
    network.forger = None;
    network.settle();
    network.ports.iter_mut().for_each(Vec::clear);
    network.settle();
    let stats = network.nodes.each_ref().map(Node::stats);
    assert_eq!(stats.map(|stats| stats.links), [1, 1], "links: {stats:?}");
    assert!(network.entangled || stats.map(|stats| stats.ports + stats.proxies) == [1, 1], "ports: {stats:?}");
    network.nodes[1].leave(CloseReason::Exited);
}
