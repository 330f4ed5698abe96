//! Several nodes in one process, driven by the test's own thread: transfers, introductions, closes.

use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Event, Message, Node, Port};

/// A broker and members, and the bootstrap channels between them: (broker's end, member's end).
struct Network {
    broker: Node,
    members: Vec<Node>,
    bootstraps: Vec<(Port, Port)>,
}

impl Network {
    fn of(members: usize) -> Self {
        let mut network = Self { broker: Node::broker().unwrap(), members: Vec::new(), bootstraps: Vec::new() };
        for _ in 0..members {
            let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
            let at_broker = network.broker.invite(ours).unwrap();
            let (node, at_member) = Node::join(theirs).unwrap();
            network.members.push(node);
            network.bootstraps.push((at_broker, at_member));
        }
        network
    }

    fn turn(&self) {
        for node in self.members.iter().chain([&self.broker]) {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
    }

    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < deadline, "waited for {what} in vain");
            self.turn();
        }
    }

    fn receive(&self, port: &Port) -> Event {
        let mut event = None;
        self.until("an event", || {
            event = port.try_recv();
            event.is_some()
        });
        event.unwrap()
    }

    fn message(&self, port: &Port) -> Message {
        match self.receive(port) {
            Event::Message(message) => message,
            Event::Close(reason) => panic!("closed: {reason}"),
        }
    }

    fn close(&self, port: &Port) -> CloseReason {
        match self.receive(port) {
            Event::Close(reason) => reason,
            Event::Message(message) => panic!("{message:?}"),
        }
    }

    /// No proxy is left anywhere.
    fn settle(&self) {
        self.until("the proxies to go", || self.members.iter().chain([&self.broker]).all(|node| node.stats().proxies == 0));
    }

    /// One end at each of two members.
    fn channel(&self, a: usize, b: usize) -> (Port, Port) {
        let (one, other) = self.broker.channel();
        self.bootstraps[a].0.post(Message::with_ports(vec![], vec![one])).unwrap();
        self.bootstraps[b].0.post(Message::with_ports(vec![], vec![other])).unwrap();
        (self.message(&self.bootstraps[a].1).ports.remove(0), self.message(&self.bootstraps[b].1).ports.remove(0))
    }
}

#[test]
fn two_members_talk_directly_once_things_have_settled() {
    let network = Network::of(2);
    let (a, b) = network.channel(0, 1);
    network.settle();
    for i in 0..100u8 {
        a.post(vec![i]).unwrap();
        b.post(vec![i, i]).unwrap();
    }
    // The broker has no part in it.
    let deadline = Instant::now() + Duration::from_secs(10);
    let (mut at_a, mut at_b) = (0, 0);
    while (at_a, at_b) != (100, 100) && Instant::now() < deadline {
        network.members.iter().for_each(|node| {
            let _ = node.dispatch(Duration::ZERO).unwrap();
        });
        while let Some(Event::Message(message)) = a.try_recv() {
            assert_eq!(message.data, [at_a, at_a]);
            at_a += 1;
        }
        while let Some(Event::Message(message)) = b.try_recv() {
            assert_eq!(message.data, [at_b]);
            at_b += 1;
        }
    }
    assert_eq!((at_a, at_b), (100, 100));
    a.close();
    assert_eq!(network.close(&b), CloseReason::Closed);
    assert!(b.try_recv().is_none());
}
