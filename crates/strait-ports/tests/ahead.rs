//! A port takes messages along ahead of its program's asking. Nothing but the speed shows that.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use strait_ports::{Amount, CloseReason, Event, HighWaterMark, Message, Node, Port, PortSet};

fn number(event: Option<Event>) -> u32 {
    match event {
        Some(Event::Message(message)) => u32::from_le_bytes(message.data[..4].try_into().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// Small ones and ones that are not, in turns.
fn bytes(number: u32) -> Vec<u8> {
    let length = [4, 46, 47, 300][number as usize % 4];
    let mut bytes = vec![9; length];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn post(port: &Port, numbers: std::ops::Range<u32>) -> usize {
    numbers.map(|number| (port.post(bytes(number)).unwrap(), bytes(number).len()).1).sum()
}

/// A channel at whose second end a program has received the first three of a hundred messages.
fn begun(node: &Node) -> (Port, Port) {
    let (a, b) = node.channel();
    post(&a, 0..100);
    (0..3).for_each(|n| assert_eq!(number(b.try_recv()), n));
    (a, b)
}

#[test]
fn figures_are_exact() {
    let node = Node::broker().unwrap();
    let (a, b) = begun(&node);
    let left: usize = (3..100).map(|n| bytes(n).len()).sum();
    assert_eq!(b.queued(), (97, left));
    assert_eq!(number(b.try_recv()), 3);
    assert_eq!(number(b.try_recv()), 4);
    let left: usize = (5..100).map(|n| bytes(n).len()).sum();
    // The first look, too.
    assert_eq!(a.buffered_amount(), Amount { messages: 95, bytes: left });
    for n in 5..100 {
        assert_eq!(number(b.try_recv()), n);
    }
    assert_eq!((a.buffered_amount(), node.stats().queued_bytes), (Amount::default(), 0));
    assert!(b.try_recv().is_none());
}

#[test]
fn a_mark_set_late_lets_its_sender_go_on_in_time() {
    let node = Node::broker().unwrap();
    let (a, b) = begun(&node);
    a.set_high_water_mark(HighWaterMark::messages(97));
    assert!(!a.is_ready());
    // A quarter of the mark, and what was taken before it was set.
    for n in 3..28 {
        assert_eq!(number(b.try_recv()), n);
    }
    assert!(a.is_ready());
}

#[test]
fn what_was_taken_along_moves_with_the_port() {
    let node = Node::broker().unwrap();
    let (a, b) = begun(&node);
    let (carrier, far) = node.channel();
    carrier.post(Message::with_ports(vec![], vec![b])).unwrap();
    post(&a, 100..150);
    let Some(Event::Message(mut message)) = far.try_recv() else { panic!("posted") };
    let b = message.ports.remove(0);
    a.close();
    for n in 3..150 {
        assert_eq!(number(b.try_recv()), n);
    }
    assert!(matches!(b.try_recv(), Some(Event::Close(CloseReason::Closed))));
    assert!(b.try_recv().is_none());
    drop(b);
    drop((carrier, far));
    assert_eq!((node.stats().ports, node.stats().queued_bytes), (0, 0));
}

#[test]
fn messages_with_ports_keep_their_place() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    for n in 0..200u32 {
        let ports = if n % 7 == 5 { vec![node.channel().0] } else { vec![] };
        a.post(Message::with_ports(bytes(n), ports)).unwrap();
    }
    for n in 0..200 {
        let Some(Event::Message(message)) = b.try_recv() else { panic!("posted") };
        assert_eq!(message.ports.len(), usize::from(n % 7 == 5));
        assert_eq!(message.data, bytes(n));
    }
}

#[test]
fn a_callback_that_comes_late_is_called() {
    let node = Node::broker().unwrap();
    let (_a, b) = begun(&node);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    b.on_ready(move || _ = counted.fetch_add(1, Ordering::Relaxed));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_set_gives_what_its_members_have_taken_along() {
    let node = Node::broker().unwrap();
    let (a, b) = begun(&node);
    let mut set = PortSet::new();
    let id = set.insert(b);
    drop(a);
    for n in 3..100 {
        let (from, event) = set.try_recv().unwrap();
        assert_eq!((from, number(Some(event))), (id, n));
    }
    assert!(matches!(set.try_recv(), Some((_, Event::Close(CloseReason::Dropped)))));
    assert!(set.try_recv().is_none());
}

#[test]
fn threads_that_receive_on_one_port_share_its_messages() {
    const COUNT: u32 = 20_000;
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    let seen = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut mine = Vec::new();
                loop {
                    match b.recv_blocking(Some(Duration::from_secs(20))) {
                        Ok(event @ Event::Message(_)) => mine.push(number(Some(event))),
                        Ok(Event::Close(_)) | Err(strait_ports::RecvError::Ended) => break,
                        Err(why) => panic!("{why}"),
                    }
                }
                // Each thread has what it has in order.
                assert!(mine.is_sorted());
                seen.lock().unwrap().extend(mine);
            });
        }
        post(&a, 0..COUNT);
        a.close();
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(0..COUNT), "{} of {COUNT}", seen.len());
}
