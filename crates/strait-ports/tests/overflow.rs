//! Peers and programs that do not read reach limits, and others go on.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Event, LimitReached, Limits, LinkKind, Node, Port};

const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: usize = 4 << 20;

struct Network {
    broker: Node,
    reached: Arc<Mutex<Vec<LimitReached>>>,
}

impl Network {
    fn new(kind: LinkKind, limits: Limits) -> Self {
        let (broker, reached) = (Node::broker_with(kind).unwrap(), Arc::<Mutex<Vec<LimitReached>>>::default());
        let told = reached.clone();
        broker.set_limits(limits, move |limits| told.lock().unwrap().extend_from_slice(limits));
        Self { broker, reached }
    }

    fn member(&self) -> (Port, Node, Port) {
        let (ours, theirs): (OwnedFd, OwnedFd) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let port = self.broker.invite(ours).unwrap();
        let (node, bootstrap) = Node::join(theirs).unwrap();
        (port, node, bootstrap)
    }

    fn reached(&self) -> Vec<LimitReached> {
        std::mem::take(&mut *self.reached.lock().unwrap())
    }
}

fn drive(one: &Node, other: &Node) {
    for node in [one, other] {
        let _ = node.dispatch(Duration::ZERO).unwrap();
    }
}

fn over_both(test: impl Fn(LinkKind)) {
    [LinkKind::Socket, LinkKind::Rings].into_iter().for_each(test);
}

#[test]
fn a_peer_that_does_not_read_loses_its_link() {
    over_both(|kind| {
        for size in [0, 1000, 50_000] {
            let network = Network::new(kind, Limits { link_backlog: Some(LIMIT), ..Limits::default() });
            let (to_mute, mute, _kept) = network.member();
            let (to_other, _other, other) = network.member();
            let mut posted = 0;
            while network.broker.stats().overflowed_links == 0 {
                to_mute.post(vec![0; size]).unwrap();
                posted += 1;
                let waiting = network.broker.stats().queued_bytes;
                // The message that is being sent does not count, and one may exceed the limit.
                assert!(waiting <= LIMIT + 2 * size, "{waiting} bytes wait after {posted} messages of {size}");
                assert!(posted < 1_000_000, "no limit was reached");
            }
            assert!(matches!(to_mute.recv_blocking(Some(PATIENCE)), Ok(Event::Close(CloseReason::Crashed))));
            let [LimitReached::Link { bootstrap, bytes }] = network.reached()[..] else { panic!("one link") };
            assert_eq!(bootstrap, Some(to_mute.number()));
            assert!(bytes > LIMIT && bytes < LIMIT + 2 * (size + 500), "{bytes}");
            let stats = network.broker.stats();
            assert_eq!((stats.queued_bytes, stats.links, stats.overflowed_ports), (0, 1, 0));
            to_other.post("still here").unwrap();
            assert!(matches!(other.recv_blocking(Some(PATIENCE)), Ok(Event::Message(message)) if message.data == b"still here"));
            drop(mute);
        }
    });
}

#[test]
fn a_slow_peer_gets_large_messages_one_after_another() {
    over_both(|kind| {
        let network = Network::new(kind, Limits { link_backlog: Some(LIMIT), ..Limits::default() });
        let (port, node, bootstrap) = network.member();
        for _ in 0..3 {
            // Each is larger than the limit, and the second waits for all of the first.
            port.post(vec![1; 3 * LIMIT]).unwrap();
            port.post(vec![2; 3 * LIMIT]).unwrap();
            let until = Instant::now() + PATIENCE;
            for expected in [1, 2] {
                let message = loop {
                    let _ = network.broker.dispatch(Duration::from_millis(1)).unwrap();
                    let _ = node.dispatch(Duration::from_millis(1)).unwrap();
                    match bootstrap.try_recv() {
                        Some(Event::Message(message)) => break message,
                        Some(Event::Close(reason)) => panic!("{reason}"),
                        None => assert!(Instant::now() < until),
                    }
                };
                assert!(message.data.len() == 3 * LIMIT && message.data[0] == expected);
            }
        }
        assert_eq!(network.reached(), []);
    });
}

#[test]
fn a_port_that_is_not_read_ends_and_others_go_on() {
    over_both(|kind| {
        let network = Network::new(kind, Limits { port_queue: Some(LIMIT), ..Limits::default() });
        let (to_flooder, flooder, bootstrap) = network.member();
        to_flooder.set_queue_limit(None);
        let (sent, kept) = flooder.channel();
        bootstrap.post(strait_ports::Message::with_ports(Vec::new(), vec![sent])).unwrap();
        let Ok(Event::Message(mut message)) = to_flooder.recv_blocking(Some(PATIENCE)) else { panic!("a port") };
        let unread = message.ports.remove(0);
        let until = Instant::now() + PATIENCE;
        let reason = loop {
            kept.post(vec![0; 1000]).unwrap();
            bootstrap.post(vec![0; 1000]).unwrap();
            let _ = network.broker.dispatch(Duration::from_millis(1)).unwrap();
            let _ = flooder.dispatch(Duration::ZERO).unwrap();
            assert!(Instant::now() < until, "no limit was reached");
            if let Some(Event::Close(reason)) = kept.try_recv() {
                break reason;
            }
        };
        assert_eq!(reason, CloseReason::Dropped);
        assert!(matches!(unread.try_recv(), Some(Event::Close(CloseReason::Dropped))));
        let [LimitReached::Port { port, messages, bytes }] = network.reached()[..] else { panic!("one port") };
        assert_eq!((port, bytes), (unread.number(), messages * 1000));
        assert!(bytes < LIMIT && bytes > LIMIT / 2, "{bytes}");
        // The bootstrap port has no limit, and has lost nothing.
        assert!(to_flooder.queued().1 >= bytes, "{:?}", to_flooder.queued());
        assert_eq!(network.broker.stats().overflowed_ports, 1);
    });
}

#[test]
fn ports_of_one_peer_that_end_together_are_reported_together() {
    const PORTS: usize = 200;
    over_both(|kind| {
        let network = Network::new(kind, Limits::default());
        let calls = Arc::<Mutex<Vec<usize>>>::default();
        let counted = calls.clone();
        let limits = Limits { peer_queues: Some(LIMIT), ..Limits::default() };
        network.broker.set_limits(limits, move |reached| {
            assert!(reached.iter().all(|limit| matches!(limit, LimitReached::Peer { bytes, .. } if *bytes > 0)), "{reached:?}");
            counted.lock().unwrap().push(reached.len());
        });
        let (from_member, member, to_broker) = network.member();
        let (sent, moved): (Vec<_>, Vec<_>) = (0..PORTS).map(|_| network.broker.channel()).unzip();
        from_member.post(strait_ports::Message::with_ports(Vec::new(), moved)).unwrap();
        let Ok(Event::Message(message)) = to_broker.recv_blocking(Some(PATIENCE)) else { panic!("the ports") };
        // Both nodes are driven here, so that the member's link does not fill up.
        let until = Instant::now() + PATIENCE;
        for _ in 0..2 * LIMIT / 1000 / PORTS {
            for port in &message.ports {
                // The channel may have ended.
                let _ = port.post(vec![0; 1000]);
            }
            drive(&network.broker, &member);
        }
        to_broker.post(b"all is sent").unwrap();
        while from_member.try_recv().is_none() {
            drive(&network.broker, &member);
            assert!(Instant::now() < until, "the member's last message did not come");
        }
        let ended = network.broker.stats().overflowed_ports;
        let calls = calls.lock().unwrap();
        assert_eq!(calls.iter().sum::<usize>() as u64, ended as u64);
        assert!(ended > 0 && calls.len() * 2 < ended, "{} calls for {ended} ports", calls.len());
        drop(sent);
    });
}
