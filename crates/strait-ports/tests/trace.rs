//! What a node tells of its ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Event, Message, Node, Port, PortEvent, TracedEvent};

/// What a node has told so far. Each thread tells of what it did itself, and so perhaps later than another of what came after that.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<TracedEvent>>,
    more: Condvar,
}

impl Told {
    /// In the order in which they happened, once there are enough of them.
    fn events(&self, enough: impl Fn(&[TracedEvent]) -> bool) -> Vec<TracedEvent> {
        let (mut events, _) =
            self.more.wait_timeout_while(self.events.lock().unwrap(), Duration::from_secs(20), |events| !enough(events)).unwrap();
        events.sort_by_key(|traced| traced.at);
        events.clone()
    }

    fn kinds(&self) -> Vec<String> {
        self.events.lock().unwrap().drain(..).map(|traced| format!("{:?}", traced.event)).collect()
    }
}

fn count(events: &[TracedEvent], wanted: fn(&PortEvent) -> bool) -> usize {
    events.iter().filter(|traced| wanted(&traced.event)).count()
}

fn traced(node: &Node) -> Arc<Told> {
    let told = Arc::<Told>::default();
    let teller = Arc::clone(&told);
    node.trace(move |new| {
        teller.events.lock().unwrap().extend_from_slice(new);
        teller.more.notify_all();
    });
    told
}

/// Every port that has begun has ended.
fn is_over(events: &[TracedEvent]) -> bool {
    count(events, |event| matches!(event, PortEvent::Created { .. } | PortEvent::Arrived { .. }))
        == count(events, |event| matches!(event, PortEvent::Left { .. } | PortEvent::Closed { .. }))
}

/// A broker and a member, each driven by a thread of its own, with the channel between the two that is there from the start.
fn network() -> (Node, Port, Node, Port) {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let broker = Node::broker().unwrap();
    let to_member = broker.invite(ours).unwrap();
    let joining = std::thread::spawn(move || Node::join(theirs).unwrap());
    while !joining.is_finished() {
        let _ = broker.wait(Some(Duration::from_millis(1))).unwrap();
    }
    let (member, to_broker) = joining.join().unwrap();
    for node in [&broker, &member] {
        let node = node.clone();
        // It ends with the test's process.
        std::thread::spawn(move || while node.wait(None).is_ok() {});
    }
    (broker, to_member, member, to_broker)
}

fn message(port: &Port) -> Message {
    match port.recv_blocking(Some(Duration::from_secs(20))).unwrap() {
        Event::Message(message) => message,
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

#[test]
fn a_channel_inside_a_node() {
    let node = Node::broker().unwrap();
    let before = node.channel();
    let told = traced(&node);
    before.0.post(b"of ports that were there nothing is told").unwrap();
    let (here, there) = node.channel();
    let (carried, _kept) = node.channel();
    here.post(b"first").unwrap();
    here.post(Message::with_ports(b"second".to_vec(), vec![carried])).unwrap();
    let first = there.try_recv();
    assert!(matches!(first, Some(Event::Message(message)) if message.data == b"first"));
    drop(there.try_recv());
    drop(before);
    let events = told.events.lock().unwrap().clone();
    assert!(events.is_sorted_by_key(|traced| traced.at));
    let numbers: Vec<u64> = events[..4].iter().map(|traced| traced.port).collect();
    assert_eq!(events[0].event, PortEvent::Created { other: numbers[1] });
    assert_eq!(events[1].event, PortEvent::Created { other: numbers[0] });
    let expected = [
        (numbers[0], PortEvent::Posted { bytes: 5, ports: vec![] }),
        (numbers[0], PortEvent::Posted { bytes: 6, ports: vec![numbers[2]] }),
        (numbers[1], PortEvent::Received { bytes: 5, ports: vec![] }),
        (numbers[1], PortEvent::Received { bytes: 6, ports: vec![numbers[2]] }),
        (numbers[2], PortEvent::Closed { reason: CloseReason::Dropped, here: true }),
    ];
    assert_eq!(events[4..].iter().map(|traced| (traced.port, traced.event.clone())).collect::<Vec<_>>(), expected);
}

#[test]
fn a_close_is_told_when_it_is_heard() {
    let node = Node::broker().unwrap();
    let told = traced(&node);
    let (here, there) = node.channel();
    here.post(b"last").unwrap();
    here.close();
    assert_eq!(told.kinds()[3..], ["Closed { reason: Closed, here: true }"]);
    drop(message(&there));
    assert!(matches!(there.try_recv(), Some(Event::Close(_))));
    drop(there);
    assert_eq!(told.kinds(), ["Received { bytes: 4, ports: [] }", "Closed { reason: Closed, here: false }"]);
    // Also when nobody took it.
    let (here, there) = node.channel();
    here.close_with(CloseReason::Unloaded);
    told.kinds();
    drop(there);
    assert_eq!(told.kinds(), ["Closed { reason: Unloaded, here: false }"]);
}

/// What any sequence of events must be: each port begins once and ends once; what left arrives.
fn check_books(nodes: &[&[TracedEvent]]) {
    let (mut left, mut arrived) = (BTreeSet::new(), BTreeSet::new());
    for events in nodes {
        let mut alive = BTreeMap::new();
        for TracedEvent { port, event, .. } in *events {
            match event {
                PortEvent::Created { .. } | PortEvent::Arrived { .. } => {
                    assert_eq!(alive.insert(*port, true), None, "{event:?} of {port}");
                }
                PortEvent::Left { .. } | PortEvent::Closed { .. } => {
                    assert_eq!(alive.insert(*port, false), Some(true), "{event:?} of {port}");
                }
                _ => assert_eq!(alive.get(port), Some(&true), "{event:?} of {port}"),
            }
            match event {
                PortEvent::Left { ticket } => assert!(left.insert(*ticket)),
                PortEvent::Arrived { ticket } => assert!(arrived.insert(*ticket)),
                _ => {}
            }
        }
        assert!(alive.values().all(|alive| !alive), "{alive:?}");
    }
    assert_eq!(left, arrived);
}

#[test]
fn ports_that_travel() {
    let (broker, to_member, member, to_broker) = network();
    let (ours, theirs) = (traced(&broker), traced(&member));
    for round in 0..20u8 {
        let (kept, sent) = broker.channel();
        kept.post(vec![round]).unwrap();
        to_member.post(Message::with_ports(vec![], vec![sent])).unwrap();
        let arrived = message(&to_broker).ports.remove(0);
        assert_eq!(message(&arrived).data, [round]);
        arrived.post(vec![round; 2]).unwrap();
        if round % 2 == 0 {
            // And home again.
            to_broker.post(Message::with_ports(vec![], vec![arrived])).unwrap();
            let back = message(&to_member).ports.remove(0);
            assert_eq!(message(&kept).data.len(), 2);
            drop(back);
        } else {
            assert_eq!(message(&kept).data.len(), 2);
            drop(arrived);
        }
        let closed = kept.recv_blocking(Some(Duration::from_secs(20))).unwrap();
        assert!(matches!(closed, Event::Close(CloseReason::Dropped)), "{closed:?}");
    }
    let ours = ours.events(|events| count(events, |event| matches!(event, PortEvent::Arrived { .. })) == 10 && is_over(events));
    let theirs = theirs.events(|events| count(events, |event| matches!(event, PortEvent::Arrived { .. })) == 20 && is_over(events));
    check_books(&[&ours, &theirs]);
    assert_eq!(count(&ours, |event| matches!(event, PortEvent::Left { .. })), 20);
    assert_eq!(count(&ours, |event| matches!(event, PortEvent::Arrived { .. })), 10);
    assert_eq!(count(&ours, |event| matches!(event, PortEvent::Posted { bytes: 1, .. })), 20);
    assert_eq!(count(&ours, |event| matches!(event, PortEvent::Received { bytes: 2, .. })), 20);
}

#[test]
fn a_long_queue_is_told_message_by_message() {
    let node = Node::broker().unwrap();
    let told = traced(&node);
    let (here, there) = node.channel();
    for number in 0..200u8 {
        here.post(vec![number]).unwrap();
    }
    for number in 0..200u8 {
        assert_eq!(message(&there).data, [number]);
    }
    drop((here, there));
    let events = told.events(is_over);
    assert_eq!(count(&events, |event| matches!(event, PortEvent::Received { .. })), 200);
    check_books(&[&events]);
}

#[test]
fn a_node_that_goes() {
    let (broker, to_member, member, to_broker) = network();
    let told = traced(&broker);
    let (kept, sent) = broker.channel();
    to_member.post(Message::with_ports(vec![], vec![sent])).unwrap();
    let arrived = message(&to_broker).ports.remove(0);
    member.leave(CloseReason::Crashed);
    let closed = kept.recv_blocking(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(closed, Event::Close(CloseReason::Crashed)), "{closed:?}");
    drop((kept, arrived));
    let events = told.events(is_over);
    assert_eq!(events.last().expect("events").event, PortEvent::Closed { reason: CloseReason::Crashed, here: false });
    assert_eq!(count(&events, |event| matches!(event, PortEvent::Left { .. })), 1);
}
