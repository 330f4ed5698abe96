//! Back-pressure between processes: a slow receiver bounds a fast sender, wherever the two ends are carried meanwhile.
//!
//! The children are this very test binary: `child` below is their entry point and does nothing unless it is one.

mod common;

use std::future::Future;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use strait_ports::{Amount, CloseReason, Event, HighWaterMark, LinkKind, Message, Node, Port, ReadyError};

use common::{Process, ROLE};

/// Nothing in these tests takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

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
    a_slow_receiver_bounds_a_fast_sender,
    a_receiver_that_is_carried_about_bounds_a_sender,
    a_sender_that_is_carried_about_heeds_its_mark,
    both_ends_are_carried_about,
    whoever_waits_for_a_dead_process_is_told,
    whoever_waits_for_a_port_that_closes_is_told,
    waiting_for_a_receiver_that_does_not_read_ends_in_time,
);

fn text(text: impl std::fmt::Display, ports: Vec<Port>) -> Message {
    Message::with_ports(text.to_string().into_bytes(), ports)
}

fn words(message: &Message) -> Vec<String> {
    String::from_utf8(message.data.clone()).unwrap().split(' ').map(str::to_owned).collect()
}

fn message(port: &Port) -> Message {
    match port.recv_blocking(Some(PATIENCE)).unwrap() {
        Event::Message(message) => message,
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

// The children.

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let socket = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3).unwrap();
    match role.as_str() {
        "source" => source(socket),
        "sink" => sink(socket),
        "deaf" => deaf(socket),
        role => panic!("no role {role}"),
    }
    std::process::exit(0);
}

const SIZE: usize = 1000;
/// So many messages are in the mark of every stream, or their bytes.
const MARK: usize = 8;
const TOTAL: usize = 2000;

/// What a source or a sink has in its hands: a port, how far it is, and what a sink has begun to read and not finished.
struct Task {
    port: Port,
    done: usize,
    to_read: usize,
}

/// Takes a port and gives it back, when told to; false at the end.
fn obey(bootstrap: &Port, task: &mut Option<Task>) -> bool {
    match bootstrap.try_recv() {
        Some(Event::Message(mut message)) => match words(&message)[..] {
            [ref done, ref to_read] => {
                *task = Some(Task { port: message.ports.remove(0), done: done.parse().unwrap(), to_read: to_read.parse().unwrap() });
            }
            _ => {
                let Task { port, done, to_read } = task.take().unwrap();
                bootstrap.post(text(format_args!("{done} {to_read}"), vec![port])).unwrap();
            }
        },
        Some(Event::Close(_)) => return false,
        None => {}
    }
    true
}

/// Posts numbered messages, as many as the port's mark lets through.
fn source(socket: OwnedFd) {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let mut task = None;
    while obey(&bootstrap, &mut task) {
        if let Some(Task { port, done, .. }) = &mut task
            && *done < TOTAL
            && port.is_ready()
        {
            let mut data = vec![0; SIZE];
            data[..8].copy_from_slice(&done.to_le_bytes());
            port.post(data).unwrap();
            *done += 1;
            let Amount { messages, bytes } = port.buffered_amount();
            assert!(messages <= MARK && bytes <= MARK * SIZE, "{messages} messages, {bytes} bytes");
            let _ = node.dispatch(Duration::ZERO).unwrap();
        } else {
            let _ = node.wait(Some(PATIENCE)).unwrap();
        }
    }
}

/// As much has come as may come before something is read: the mark, or less by what has been received and is not told yet, which is less than a quarter of it. Or everything.
fn is_full(messages: usize, done: usize) -> bool {
    messages > 0 && messages + MARK / 4 > MARK.min(TOTAL - done)
}

/// Reads half of what is there each time that no more may come.
fn sink(socket: OwnedFd) {
    let (node, bootstrap) = Node::join(socket).unwrap();
    let mut task = None;
    while obey(&bootstrap, &mut task) {
        if let Some(Task { port, done, to_read }) = &mut task {
            let (messages, bytes) = port.queued();
            assert!(messages <= MARK && bytes <= MARK * SIZE, "{messages} messages, {bytes} bytes wait");
            if is_full(messages, *done) {
                *to_read = messages.div_ceil(2);
            }
            // Some of those that are counted may wait for a transfer to settle.
            while *to_read > 0
                && let Some(Event::Message(message)) = port.try_recv()
            {
                assert_eq!((message.data.len(), &message.data[..8]), (SIZE, &done.to_le_bytes()[..]));
                *done += 1;
                *to_read -= 1;
                if *done == TOTAL {
                    bootstrap.post(text("complete", vec![])).unwrap();
                }
            }
            if is_full(port.queued().0, *done) && *to_read == 0 {
                // The last ones: nothing more will come that would wake us.
                continue;
            }
        }
        let _ = node.wait(Some(PATIENCE)).unwrap();
    }
}

/// Takes a port and does not read it, until something more comes: then it closes the port.
fn deaf(socket: OwnedFd) {
    let (_node, bootstrap) = Node::join(socket).unwrap();
    let port = message(&bootstrap).ports.remove(0);
    message(&bootstrap);
    port.close();
    let _ = bootstrap.recv_blocking(Some(PATIENCE));
}

// The tests.

fn stream(kind: LinkKind, sources: usize, sinks: usize) {
    for mark in [HighWaterMark::messages(MARK), HighWaterMark::bytes(MARK * SIZE)] {
        let node = Node::broker_with(kind).unwrap();
        let start = |role: &str, count: usize| (0..count).map(|_| Process::member(&node, role)).collect::<Vec<_>>();
        let (sources, sinks) = (start("source", sources), start("sink", sinks));
        let (one, other) = node.channel();
        one.set_high_water_mark(mark);
        sources[0].1.post(text("0 0", vec![one])).unwrap();
        sinks[0].1.post(text("0 0", vec![other])).unwrap();
        let mut complete = false;
        let mut carry = |all: &[(Process, Port)], round: usize| {
            let [from, to] = [round, round + 1].map(|n| &all[n % all.len()].1);
            from.post(text("give", vec![])).unwrap();
            let mut answer = message(from);
            if words(&answer)[0] == "complete" {
                complete = true;
                answer = message(from);
            }
            to.post(answer).unwrap();
            complete
        };
        let mut last = 0;
        for round in 0..50 {
            // Whoever is alone keeps the port.
            if sources.len() > 1 && carry(&sources, round) || sinks.len() > 1 && carry(&sinks, round) {
                break;
            }
            last = (round + 1) % sinks.len();
        }
        if !complete {
            assert_eq!(words(&message(&sinks[last].1)), ["complete"]);
        }
    }
}

fn a_slow_receiver_bounds_a_fast_sender(kind: LinkKind) {
    stream(kind, 1, 1);
}

fn a_receiver_that_is_carried_about_bounds_a_sender(kind: LinkKind) {
    stream(kind, 1, 2);
}

fn a_sender_that_is_carried_about_heeds_its_mark(kind: LinkKind) {
    stream(kind, 2, 1);
}

fn both_ends_are_carried_about(kind: LinkKind) {
    stream(kind, 2, 2);
}

/// A port with a mark of one message that is posted full, and whoever does not read it.
fn stuck(kind: LinkKind) -> (Process, Port, Port) {
    let node = Node::broker_with(kind).unwrap();
    let (process, bootstrap) = Process::member(&node, "deaf");
    let (port, theirs) = node.channel();
    bootstrap.post(text("", vec![theirs])).unwrap();
    port.set_high_water_mark(HighWaterMark::messages(1));
    port.ready_blocking(Some(Duration::ZERO)).unwrap();
    port.post(vec![0]).unwrap();
    assert!(!port.is_ready());
    (process, bootstrap, port)
}

fn whoever_waits_for_a_dead_process_is_told(kind: LinkKind) {
    let (mut process, _bootstrap, port) = stuck(kind);
    process.0.kill().unwrap();
    assert!(matches!(port.ready_blocking(Some(PATIENCE)), Err(ReadyError::Ended)));
    assert!(!port.is_ready());
    assert_eq!(port.buffered_amount(), Amount::default());
    assert!(matches!(port.try_recv(), Some(Event::Close(CloseReason::Crashed))));
}

fn whoever_waits_for_a_port_that_closes_is_told(kind: LinkKind) {
    let (_process, bootstrap, port) = stuck(kind);
    bootstrap.post(text("close it", vec![])).unwrap();
    assert!(matches!(port.ready_blocking(Some(PATIENCE)), Err(ReadyError::Ended)));
    assert!(matches!(port.try_recv(), Some(Event::Close(CloseReason::Closed))));
}

fn waiting_for_a_receiver_that_does_not_read_ends_in_time(kind: LinkKind) {
    let (_process, _bootstrap, port) = stuck(kind);
    let began = Instant::now();
    let patience = Duration::from_millis(30);
    assert!(matches!(port.ready_blocking(Some(patience)), Err(ReadyError::TimedOut)));
    assert!(began.elapsed() >= patience);
    assert_eq!(port.buffered_amount(), Amount { messages: 1, bytes: 1 });
    // Without a mark nothing is waited for.
    port.set_high_water_mark(HighWaterMark::NONE);
    port.ready_blocking(Some(Duration::ZERO)).unwrap();
}

// In one process.

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::<Self>::default();
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn waiters_are_woken_all_at_once_and_only_when_there_is_room() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    a.set_high_water_mark(HighWaterMark::messages(2));
    (0..3).for_each(|_| a.post(vec![7; 10]).unwrap());
    assert_eq!(a.buffered_amount(), Amount { messages: 3, bytes: 30 });
    let (count, waker) = Count::new();
    let mut context = Context::from_waker(&waker);
    let mut waiters: Vec<_> = (0..1000).map(|_| Box::pin(a.ready())).collect();
    for _ in 0..2 {
        assert!(waiters.iter_mut().all(|waiter| waiter.as_mut().poll(&mut context).is_pending()));
    }
    b.try_recv();
    assert_eq!((count.get(), a.is_ready()), (0, false));
    b.try_recv();
    assert_eq!((count.get(), a.is_ready()), (1000, true));
    for waiter in &mut waiters {
        assert!(matches!(waiter.as_mut().poll(&mut context), Poll::Ready(Ok(()))));
    }
    drop(waiters);
    b.try_recv();
    assert_eq!((count.get(), a.buffered_amount()), (1000, Amount::default()));
}

#[test]
fn who_waits_is_told_of_the_close_and_of_a_new_mark() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    a.set_high_water_mark(HighWaterMark::bytes(10));
    a.post(vec![0; 1000]).unwrap();
    let (count, waker) = Count::new();
    let mut context = Context::from_waker(&waker);
    let mut ready = pin!(a.ready());
    assert!(ready.as_mut().poll(&mut context).is_pending());
    a.set_high_water_mark(HighWaterMark::bytes(100));
    assert_eq!(count.get(), 0);
    a.set_high_water_mark(HighWaterMark { messages: Some(2), bytes: None });
    assert_eq!(count.get(), 1);
    assert!(matches!(ready.as_mut().poll(&mut context), Poll::Ready(Ok(()))));
    a.set_high_water_mark(HighWaterMark::messages(1));
    assert!(ready.as_mut().poll(&mut context).is_pending());
    drop(b);
    assert_eq!(count.get(), 2);
    assert!(matches!(ready.as_mut().poll(&mut context), Poll::Ready(Err(ReadyError::Ended))));
    assert_eq!((a.buffered_amount(), a.high_water_mark()), (Amount::default(), HighWaterMark::NONE));
}

#[test]
fn who_gives_up_waiting_leaves_nothing_behind() {
    let node = Node::broker().unwrap();
    let (a, _b) = node.channel();
    a.set_high_water_mark(HighWaterMark::messages(1));
    a.post(vec![]).unwrap();
    let (count, waker) = Count::new();
    let before = Arc::strong_count(&count);
    for _ in 0..100 {
        assert!(pin!(a.ready()).as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), before);
}

#[test]
fn a_blocked_sender_is_woken_by_a_receiver_in_another_thread() {
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    a.set_high_water_mark(HighWaterMark::messages(3));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..10_000u32 {
                a.ready_blocking(Some(PATIENCE)).unwrap();
                a.post(number.to_le_bytes().to_vec()).unwrap();
            }
        });
        for number in 0..10_000u32 {
            assert_eq!(message(&b).data, number.to_le_bytes());
            assert!(b.queued().0 <= 3);
        }
    });
}

#[test]
fn a_node_that_leaves_lets_go_of_who_waits() {
    let node = Node::broker().unwrap();
    let (a, _b) = node.channel();
    a.set_high_water_mark(HighWaterMark::messages(1));
    a.post(vec![]).unwrap();
    let (count, waker) = Count::new();
    let mut ready = pin!(a.ready());
    assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    node.leave(CloseReason::Exited);
    assert_eq!(count.get(), 1);
    assert!(matches!(ready.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Err(ReadyError::Ended))));
}

#[cfg(feature = "futures")]
#[test]
fn a_sink_takes_what_the_mark_lets_through() {
    use futures_sink::Sink;
    let node = Node::broker().unwrap();
    let (a, b) = node.channel();
    a.set_high_water_mark(HighWaterMark::messages(1));
    let (count, waker) = Count::new();
    let mut context = Context::from_waker(&waker);
    let mut sink = pin!(&a);
    assert!(matches!(sink.as_mut().poll_ready(&mut context), Poll::Ready(Ok(()))));
    sink.as_mut().start_send(Message::new(vec![1])).unwrap();
    for _ in 0..3 {
        assert!(sink.as_mut().poll_ready(&mut context).is_pending());
    }
    b.try_recv();
    assert_eq!(count.get(), 1, "woken once, however often it looked");
    assert!(matches!(sink.as_mut().poll_ready(&mut context), Poll::Ready(Ok(()))));
    drop(b);
    assert!(matches!(sink.as_mut().poll_ready(&mut context), Poll::Ready(Err(_))));
}
