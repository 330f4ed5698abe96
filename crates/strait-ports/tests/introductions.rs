//! Several nodes in one process, driven by the test's own thread: transfers, introductions, closes.

use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Event, LinkKind, Message, Node, Port};

/// Both kinds of link must pass every one of these.
macro_rules! over_both {
    ($($test:ident),* $(,)?) => {
        mod sockets {
            $(#[test] fn $test() { super::$test(super::LinkKind::Socket) })*
        }
        mod rings {
            $(#[test] fn $test() { super::$test(super::LinkKind::Rings) })*
        }
    };
}

over_both!(
    two_members_talk_directly_once_things_have_settled,
    a_broker_that_leaves_does_not_part_the_others,
    who_leaves_hands_on_what_goes_through_it_first,
    a_slow_receiver_is_counted_and_loses_nothing,
    joining_fails_with_a_reason,
    a_busy_link_does_not_starve_another,
);

/// A broker and members, and the bootstrap channels between them: (broker's end, member's end).
struct Network {
    broker: Node,
    members: Vec<Node>,
    bootstraps: Vec<(Port, Port)>,
}

impl Network {
    fn of(kind: LinkKind, members: usize) -> Self {
        let mut network = Self { broker: Node::broker_with(kind).unwrap(), members: Vec::new(), bootstraps: Vec::new() };
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
        let deadline = Instant::now() + Duration::from_secs(60);
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

fn two_members_talk_directly_once_things_have_settled(kind: LinkKind) {
    let network = Network::of(kind, 2);
    let (a, b) = network.channel(0, 1);
    network.settle();
    for i in 0..100u8 {
        a.post(vec![i]).unwrap();
        b.post(vec![i, i]).unwrap();
    }
    // The broker has no part in it.
    let deadline = Instant::now() + Duration::from_secs(60);
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

fn a_broker_that_leaves_does_not_part_the_others(kind: LinkKind) {
    let network = Network::of(kind, 2);
    let (a, b) = network.channel(0, 1);
    network.settle();
    // It posts what it has and is gone.
    let (mine, its) = network.broker.channel();
    mine.post(vec![7; 300_000]).unwrap();
    network.bootstraps[0].0.post(Message::with_ports(vec![], vec![its])).unwrap();
    let member = network.members[0].clone();
    let reader = std::thread::spawn({
        let done = Instant::now() + Duration::from_secs(60);
        move || {
            while Instant::now() < done && member.stats().links == 2 {
                let _ = member.wait(Some(Duration::from_millis(5))).unwrap();
            }
        }
    });
    network.broker.leave(CloseReason::Exited);
    reader.join().unwrap();
    let its = network.message(&network.bootstraps[0].1).ports.remove(0);
    assert_eq!(network.message(&its).data, vec![7; 300_000]);
    assert_eq!(network.close(&its), CloseReason::Exited);
    for (_, at_member) in &network.bootstraps {
        assert_eq!(network.close(at_member), CloseReason::Exited);
    }
    a.post(vec![1]).unwrap();
    b.post(vec![2]).unwrap();
    assert_eq!((network.message(&b).data, network.message(&a).data), (vec![1], vec![2]));
    network.until("the broker's links to go", || network.members.iter().all(|node| node.stats().links == 1));
}

fn who_leaves_hands_on_what_goes_through_it_first(kind: LinkKind) {
    let network = Network::of(kind, 3);
    let (a, b) = network.channel(0, 1);
    network.settle();
    // Member 1 passes its end on to member 2 and leaves at once, with messages under way through it.
    let (road, end) = network.channel(1, 2);
    network.settle();
    a.post(vec![1]).unwrap();
    road.post(Message::with_ports(vec![], vec![b])).unwrap();
    a.post(vec![2]).unwrap();
    let leaver = network.members[1].clone();
    let leaving = std::thread::spawn(move || leaver.leave(CloseReason::Exited));
    network.until("the leave", || leaving.is_finished());
    let b = network.message(&end).ports.remove(0);
    a.post(vec![3]).unwrap();
    for n in 1..=3 {
        assert_eq!(network.message(&b).data, [n]);
    }
    b.close();
    assert_eq!(network.close(&a), CloseReason::Closed);
    assert_eq!(network.close(&end), CloseReason::Exited);
}

fn a_slow_receiver_is_counted_and_loses_nothing(kind: LinkKind) {
    let network = Network::of(kind, 1);
    let (at_broker, at_member) = &network.bootstraps[0];
    for i in 0..3000u32 {
        at_broker.post([&i.to_le_bytes()[..], &[0; 996]].concat()).unwrap();
    }
    // Most of it waits here, as the member does not read.
    assert!(network.broker.stats().queued_bytes > 2_000_000);
    network.until("it to arrive", || at_member.queued() == (3000, 3_000_000));
    assert_eq!(network.broker.stats().queued_bytes, 0);
    assert_eq!(network.members[0].stats().queued_bytes, 3_000_000);
    for i in 0..3000u32 {
        assert_eq!(network.message(at_member).data[..4], i.to_le_bytes());
    }
    assert_eq!(network.members[0].stats().queued_bytes, 0);
}

fn joining_fails_with_a_reason(kind: LinkKind) {
    use strait_ports::JoinError;
    let pair = || socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let (ours, theirs) = pair();
    drop(ours);
    assert!(matches!(Node::join(theirs), Err(JoinError::Closed)));
    let (ours, theirs) = pair();
    rustix::io::write(&ours, b"welcome?").unwrap();
    assert!(matches!(Node::join(theirs), Err(JoinError::NoWelcome)));
    let (stream, _other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    assert!(matches!(Node::join(stream), Err(JoinError::Io(_))));
    // Only a broker invites.
    let network = Network::of(kind, 1);
    assert!(network.members[0].invite(pair().0).is_err());
}

/// However short the time for a dispatch: a member that floods does not keep another from being heard.
fn a_busy_link_does_not_starve_another(kind: LinkKind) {
    let network = Network::of(kind, 2);
    let [(from_busy, busy), (from_quiet, quiet)] = &network.bootstraps[..] else { panic!() };
    for _ in 0..20 {
        quiet.post(vec![1]).unwrap();
        let mut dispatches = 0;
        while from_quiet.try_recv().is_none() {
            // Always more than one turn takes.
            for _ in 0..200 {
                busy.post(vec![0]).unwrap();
            }
            assert_eq!(network.broker.dispatch(Duration::ZERO).unwrap(), strait_ports::Progress::More);
            dispatches += 1;
            assert!(dispatches <= 2, "starved");
        }
        while from_busy.try_recv().is_some() {}
    }
}
