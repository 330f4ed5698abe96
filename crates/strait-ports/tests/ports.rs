//! The API of ports inside one process.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use strait_ports::{CloseReason, Event, MAX_DATA, MAX_PORTS, Message, Node, Port, PostErrorReason, RecvError};

fn data(port: &Port) -> Vec<u8> {
    match port.try_recv() {
        Some(Event::Message(message)) => message.data,
        other => panic!("{other:?}"),
    }
}

fn reason(port: &Port) -> CloseReason {
    match port.try_recv() {
        Some(Event::Close(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_to_end_has_its_reason_after_the_messages() {
    type End = fn(Port);
    let table: [(End, CloseReason); 4] = [
        (Port::close, CloseReason::Closed),
        (drop, CloseReason::Dropped),
        (|port| port.close_with(CloseReason::Unloaded), CloseReason::Unloaded),
        (|port| drop(Message::with_ports(vec![], vec![port])), CloseReason::Dropped),
    ];
    for (end, expected) in table {
        let node = Node::broker().unwrap();
        let (a, b) = node.channel();
        a.post(vec![1]).unwrap();
        a.post(vec![2]).unwrap();
        end(a);
        assert!(b.is_ended());
        assert_eq!(b.queued(), (2, 2));
        assert_eq!(data(&b), [1]);
        assert_eq!(data(&b), [2]);
        assert_eq!(reason(&b), expected);
        assert!(b.try_recv().is_none());
        assert!(matches!(b.recv_blocking(None), Err(RecvError::Ended)));
        drop(b);
        assert_eq!(node.stats().ports, 0);
    }
}

#[test]
fn a_post_to_nobody_is_silent_and_closes_its_ports() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    drop(b);
    let (carried, far) = node.channel();
    a.post(Message::with_ports(vec![1], vec![carried])).unwrap();
    assert_eq!(reason(&far), CloseReason::Dropped);
    assert_eq!(reason(&a), CloseReason::Dropped);
}

#[test]
fn a_failed_post_gives_everything_back() {
    let (node, other) = (Node::broker().unwrap(), Node::broker().unwrap());
    let (a, b) = node.channel();
    let ((ours, our_far), (foreign, _foreign_far)) = (node.channel(), other.channel());
    let error = a.post(Message::with_ports(vec![7], vec![ours, foreign])).unwrap_err();
    assert_eq!(error.reason, PostErrorReason::ForeignPort { index: 1 });
    assert_eq!(error.message.data, [7]);
    our_far.post(vec![8]).unwrap();
    assert_eq!(data(&error.message.ports[0]), [8]);

    let error = a.post(vec![0; MAX_DATA + 1]).unwrap_err();
    assert_eq!(error.reason, PostErrorReason::TooLarge { size: MAX_DATA + 1 });
    drop(error);

    let ports: Vec<Port> = (0..=MAX_PORTS).map(|_| node.channel().0).collect();
    let error = a.post(Message::with_ports(vec![], ports)).unwrap_err();
    assert_eq!(error.reason, PostErrorReason::TooManyPorts { count: MAX_PORTS + 1 });
    assert_eq!(error.message.ports.len(), MAX_PORTS + 1);
    assert!(b.try_recv().is_none());
}

#[test]
fn a_message_with_its_own_target_is_doomed() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    let (cargo, far) = node.channel();
    a.post(Message::with_ports(vec![1], vec![cargo, b])).unwrap();
    assert_eq!(reason(&a), CloseReason::Dropped);
    assert_eq!(reason(&far), CloseReason::Dropped);
    drop((a, far));
    assert_eq!(node.stats().ports, 0);
}

#[test]
fn a_moved_port_keeps_its_queue_and_closes_with_its_message() {
    let node = Node::broker().unwrap();
    let ((a, b), (c, d)) = (node.channel(), node.channel());
    c.post(vec![1]).unwrap();
    a.post(Message::with_ports(vec![], vec![d])).unwrap();
    c.post(vec![2]).unwrap();
    let Some(Event::Message(mut message)) = b.try_recv() else { panic!() };
    let d = message.ports.remove(0);
    assert_eq!((data(&d), data(&d)), (vec![1], vec![2]));
    a.post(Message::with_ports(vec![], vec![d])).unwrap();
    drop(b);
    assert_eq!(reason(&c), CloseReason::Dropped);
}

#[test]
fn ready_is_called_at_once_on_arrival_and_may_use_ports() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    a.post(vec![1]).unwrap();
    let b = Arc::new(b);
    let got = Arc::new(Mutex::new(Vec::new()));
    let (port, sink, makes) = (Arc::clone(&b), Arc::clone(&got), node.clone());
    b.on_ready(move || {
        while let Some(event) = port.try_recv() {
            // Anything goes in here, posting on the same channel too.
            let (x, _y) = makes.channel();
            port.post(Message::with_ports(vec![9], vec![x])).unwrap();
            sink.lock().unwrap().push(match event {
                Event::Message(message) => format!("{:?}", message.data),
                Event::Close(reason) => reason.to_string(),
            });
        }
    });
    a.post(vec![2]).unwrap();
    a.close();
    assert_eq!(*got.lock().unwrap(), ["[1]", "[2]", "closed"]);
    // After the close the callback was let go of, and with it the port it owned.
    assert_eq!(Arc::strong_count(&b), 1);
    assert_eq!(node.stats().ports, 1);
}

#[test]
fn a_callback_that_owns_ports_may_be_replaced_and_dropped() {
    let node = Node::broker().unwrap();
    let ((a, b), (c, d)) = (node.channel(), node.channel());
    b.on_ready(move || drop(d.try_recv()));
    b.on_ready(|| {});
    assert_eq!(reason(&c), CloseReason::Dropped);
    let (e, f) = node.channel();
    b.on_ready(move || drop(f.try_recv()));
    drop(b);
    assert_eq!(reason(&e), CloseReason::Dropped);
    assert_eq!(reason(&a), CloseReason::Dropped);
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn recv_waits_and_ends() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    {
        let mut first = pin!(b.recv());
        assert!(first.as_mut().poll(&mut context).is_pending());
        a.post(vec![1]).unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        // Dropped without having been asked again: nothing is lost.
    }
    assert!(matches!(pin!(b.recv()).poll(&mut context), Poll::Ready(Some(Event::Message(m))) if m.data == [1]));
    drop(a);
    assert!(matches!(pin!(b.recv()).poll(&mut context), Poll::Ready(Some(Event::Close(CloseReason::Dropped)))));
    assert!(matches!(pin!(b.recv()).poll(&mut context), Poll::Ready(None)));
}

#[test]
fn a_blocked_thread_is_woken_by_another() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    assert!(matches!(b.recv_blocking(Some(Duration::from_millis(5))), Err(RecvError::TimedOut)));
    let (tell, told) = mpsc::channel();
    let receiver = std::thread::spawn(move || {
        let mut received = 0u32;
        while let Event::Message(message) = b.recv_blocking(Some(Duration::from_secs(30))).unwrap() {
            assert_eq!(message.data, received.to_le_bytes());
            received += 1;
            tell.send(received).unwrap();
        }
        received
    });
    for number in 0u32..500 {
        a.post(number.to_le_bytes().to_vec()).unwrap();
        if number % 7 == 0 {
            // Let it fall asleep now and then.
            while told.recv_timeout(Duration::from_secs(30)).unwrap() <= number {}
        }
    }
    a.close();
    assert_eq!(receiver.join().unwrap(), 500);
}

#[test]
fn ports_may_be_used_by_many_threads_at_once() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    let (a, b) = (Arc::new(a), Arc::new(b));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (a, b, node) = (Arc::clone(&a), Arc::clone(&b), node.clone());
            scope.spawn(move || {
                for _ in 0..500 {
                    let (x, y) = node.channel();
                    a.post(Message::with_ports(vec![1], vec![x])).unwrap();
                    if let Some(Event::Message(message)) = b.try_recv() {
                        message.ports[0].post(vec![2]).unwrap();
                    }
                    drop(y);
                }
            });
        }
    });
    while b.try_recv().is_some() {}
    assert_eq!(node.stats().ports, 2);
    assert_eq!(node.stats().queued_bytes, 0);
}

#[test]
fn a_deep_nest_of_ports_is_taken_down_without_recursion() {
    let node = Node::broker().unwrap();
    let (top, mut inner) = node.channel();
    let mut far = vec![top];
    for _ in 0..50_000 {
        let (a, b) = node.channel();
        a.post(Message::with_ports(vec![], vec![inner])).unwrap();
        far.push(a);
        inner = b;
    }
    drop(inner);
    assert_eq!(node.stats().ports, far.len());
    assert_eq!(reason(&far[0]), CloseReason::Dropped);
    drop(far);
    assert_eq!(node.stats().ports, 0);
}

/// No descriptor a channel: far more channels than a process may have descriptors.
#[test]
fn channels_take_no_descriptors() {
    let node = Node::broker().unwrap();
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let channels: Vec<_> = (0..100_000).map(|_| node.channel()).collect();
    // Other tests of this process may have a few open.
    assert!(count() < before + 100);
    channels[99_999].0.post(vec![1]).unwrap();
    assert_eq!(data(&channels[99_999].1), [1]);
    assert_eq!(node.stats().ports, 200_000);
}
