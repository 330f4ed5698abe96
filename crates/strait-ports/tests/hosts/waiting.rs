//! Waiting for many, blocking and async.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{CloseReason, Endpoint, Event, Message, Node, Port, PortSet, RecvError, SinkError, select};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::common::{Folder, PATIENCE, next};

fn number(event: Event) -> u32 {
    match event {
        Event::Message(message) => u32::from_le_bytes(message.data[..].try_into().unwrap()),
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

/// Two nodes and their bootstrap channel, as two processes would have them.
fn two_nodes() -> (Node, Port, Node, Port) {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let broker = Node::broker().unwrap();
    let port = broker.invite(ours).unwrap();
    let (member, parent) = Node::join(theirs).unwrap();
    (broker, port, member, parent)
}

// select

#[test]
fn select_gives_what_comes_wherever_it_comes() {
    let (broker, port, member, parent) = two_nodes();
    let (one, other) = member.channel();
    let (_quiet, silence) = broker.channel();
    // Ports of two nodes: both are driven.
    thread::scope(|scope| {
        scope.spawn(|| port.post(1u32.to_le_bytes().to_vec()).unwrap());
        let (index, event) = select(&[&silence, &parent, &other], Some(PATIENCE)).unwrap();
        assert_eq!((index, number(event)), (1, 1));
        scope.spawn(|| one.post(2u32.to_le_bytes().to_vec()).unwrap());
        let (index, event) = select(&[&silence, &parent, &other], Some(PATIENCE)).unwrap();
        assert_eq!((index, number(event)), (2, 2));
        scope.spawn(|| parent.post(3u32.to_le_bytes().to_vec()).unwrap());
        let (index, event) = select(&[&other, &silence, &port], Some(PATIENCE)).unwrap();
        assert_eq!((index, number(event)), (2, 3));
    });
    let started = Instant::now();
    let error = select(&[&silence, &parent, &other], Some(Duration::from_millis(30))).unwrap_err();
    assert!(matches!(error, RecvError::TimedOut) && started.elapsed() >= Duration::from_millis(30));
}

#[test]
fn select_takes_turns() {
    let node = Node::broker().unwrap();
    let channels: Vec<_> = (0..4).map(|_| node.channel()).collect();
    for (far, _) in &channels {
        (0..100u32).for_each(|n| far.post(n.to_le_bytes().to_vec()).unwrap());
    }
    let near: Vec<_> = channels.iter().map(|(_, near)| near).collect();
    let mut counts = [0; 4];
    for _ in 0..40 {
        counts[select(&near, None).unwrap().0] += 1;
    }
    assert_eq!(counts, [10; 4]);
}

#[test]
fn select_passes_over_what_has_ended() {
    let node = Node::broker().unwrap();
    let (far, ended) = node.channel();
    far.close();
    assert!(matches!(select(&[&ended], None), Ok((0, Event::Close(CloseReason::Closed)))));
    let (far, open) = node.channel();
    far.post(7u32.to_le_bytes().to_vec()).unwrap();
    for _ in 0..2 {
        let (index, event) = select(&[&ended, &open], Some(PATIENCE)).unwrap();
        assert_eq!((index, number(event)), (1, 7));
        far.post(7u32.to_le_bytes().to_vec()).unwrap();
    }
    assert!(matches!(select(&[&ended], None), Err(RecvError::Ended)));
    assert!(matches!(select(&[], None), Err(RecvError::Ended)));
}

// PortSet

#[test]
fn a_thousand_ports_across_a_link() {
    const PORTS: usize = 1000;
    const ROUNDS: u32 = 5;
    let (broker, port, member, parent) = two_nodes();
    let echo = thread::spawn(move || {
        let mut set = PortSet::new();
        for port in next_ports(&parent) {
            set.insert(port);
        }
        assert_eq!(set.len(), PORTS);
        while let Some((id, event)) = set.recv_blocking(Some(PATIENCE)).unwrap() {
            if let Event::Message(message) = event {
                set.get(id).unwrap().post(message).unwrap();
            }
        }
        member.leave(CloseReason::Exited);
    });
    let (near, far): (Vec<_>, Vec<_>) = (0..PORTS).map(|_| broker.channel()).unzip();
    port.post(Message::with_ports(vec![], far)).unwrap();
    let mut set = PortSet::new();
    let ids: Vec<_> = near.into_iter().map(|port| set.insert(port)).collect();
    let mut heard = HashMap::new();
    for round in 0..ROUNDS {
        for id in &ids {
            set.get(*id).unwrap().post(round.to_le_bytes().to_vec()).unwrap();
        }
        for _ in &ids {
            let (id, event) = set.recv_blocking(Some(PATIENCE)).unwrap().unwrap();
            assert_eq!(number(event), *heard.entry(id).and_modify(|n| *n += 1).or_insert(0), "each port keeps its order");
        }
    }
    assert_eq!(heard.len(), PORTS);
    assert!(heard.values().all(|last| *last == ROUNDS - 1));
    drop(set);
    // So many closes may not fit into the link at once: it waits until they do.
    broker.leave(CloseReason::Exited);
    echo.join().unwrap();
}

fn next_ports(port: &Port) -> Vec<Port> {
    match next(port) {
        Event::Message(message) => message.ports,
        Event::Close(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_flood_keeps_nobody_waiting_in_a_set() {
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    let mut join = |messages: u32| {
        let (near, far) = node.channel();
        (0..messages).for_each(|n| far.post(n.to_le_bytes().to_vec()).unwrap());
        (set.insert(near), far)
    };
    let (flooded, _flood) = join(1000);
    let (quiet, _word) = join(1);
    let got: Vec<_> = (0..3).map(|_| set.try_recv().unwrap().0).collect();
    assert_eq!(got, [flooded, quiet, flooded]);
}

#[test]
fn a_set_gives_closes_once_and_ends() {
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    let (near, far) = node.channel();
    let id = set.insert(near);
    far.post(1u32.to_le_bytes().to_vec()).unwrap();
    far.close();
    assert_eq!(number(set.try_recv().unwrap().1), 1);
    assert!(set.get(id).is_some());
    assert!(matches!(set.try_recv(), Some((from, Event::Close(CloseReason::Closed))) if from == id));
    assert!(set.get(id).is_none() && set.is_empty() && set.try_recv().is_none());
    assert!(matches!(set.recv_blocking(None), Ok(None)));
    // One whose close has been received outside can give nothing: nobody would ever hear of it again.
    let (near, far) = node.channel();
    far.close();
    next(&near);
    set.insert(near);
    assert!(matches!(set.recv_blocking(None), Ok(None)));
}

#[test]
fn a_port_can_leave_a_set() {
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    let (near, far) = node.channel();
    let id = set.insert(near);
    (0..3u32).for_each(|n| far.post(n.to_le_bytes().to_vec()).unwrap());
    assert_eq!(number(set.try_recv().unwrap().1), 0);
    let port = set.remove(id).unwrap();
    assert!(set.try_recv().is_none() && set.remove(id).is_none());
    assert_eq!((number(next(&port)), number(next(&port))), (1, 2));
    // And come back, with what has come meanwhile.
    far.post(3u32.to_le_bytes().to_vec()).unwrap();
    let again = set.insert(port);
    let (id, event) = set.recv_blocking(Some(PATIENCE)).unwrap().unwrap();
    assert_eq!((id, number(event)), (again, 3));
}

#[test]
fn a_set_is_woken_from_other_threads() {
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    let far: Vec<_> = (0..4)
        .map(|_| {
            let (near, far) = node.channel();
            set.insert(near);
            far
        })
        .collect();
    thread::scope(|scope| {
        for port in far {
            scope.spawn(move || (0..500u32).for_each(|n| port.post(n.to_le_bytes().to_vec()).unwrap()));
        }
        let mut counts = HashMap::new();
        while let Some((id, event)) = set.recv_blocking(Some(PATIENCE)).unwrap() {
            if let Event::Message(_) = &event {
                let count = counts.entry(id).or_insert(0);
                assert_eq!(number(event), *count);
                *count += 1;
            }
        }
        assert!(counts.len() == 4 && counts.values().all(|count| *count == 500));
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_set_of_a_thousand_is_woken_once_and_only_for_news() {
    let node = Node::broker().unwrap();
    let mut set = PortSet::new();
    let (near, far): (Vec<_>, Vec<_>) = (0..1000).map(|_| node.channel()).unzip();
    for port in near {
        set.insert(port);
    }
    let counter = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&counter));
    let mut cx = Context::from_waker(&waker);
    assert!(pin!(set.recv()).poll(&mut cx).is_pending());
    // All of them while nobody looks.
    far.iter().for_each(|port| port.post(vec![]).unwrap());
    assert_eq!(counter.0.load(Ordering::Relaxed), 1);
    for _ in &far {
        assert!(matches!(pin!(set.recv()).poll(&mut cx), Poll::Ready(Some((_, Event::Message(_))))));
    }
    assert!(pin!(set.recv()).poll(&mut cx).is_pending());
    // A dropped future has lost nothing.
    far[7].post(vec![7]).unwrap();
    assert_eq!(counter.0.load(Ordering::Relaxed), 2);
    assert!(matches!(set.try_recv(), Some((_, Event::Message(message))) if message.data == [7]));
}

// Stream, Sink, runtimes

#[test]
fn ports_are_streams_and_sinks() {
    let (broker, port, member, parent) = two_nodes();
    let driver = thread::spawn(move || member.drive());
    let echo = thread::spawn(move || {
        // Forwarding takes from a port and posts on the same.
        let messages = (&parent).filter_map(|event| async { matches!(event, Event::Message(_)).then_some(event) });
        let numbers = messages.map(|event| Ok(Message::new((number(event) * 2).to_le_bytes().to_vec())));
        // Its waker comes from a third thread.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(numbers.take(100).forward(&parent)).unwrap();
        parent.close();
    });
    let sum = broker
        .block_on(async {
            let mut sink = &port;
            for n in 0..100u32 {
                sink.send(n.to_le_bytes().to_vec().into()).await.unwrap();
            }
            let events: Vec<_> = (&port).collect().await;
            assert!(matches!(events.last(), Some(Event::Close(CloseReason::Closed))));
            assert!(matches!(sink.send(vec![].into()).await, Err(SinkError::Ended)));
            events.into_iter().filter(|event| matches!(event, Event::Message(_))).map(number).sum::<u32>()
        })
        .unwrap();
    assert_eq!(sum, 9900);
    echo.join().unwrap();
    driver.join().unwrap().unwrap();
}

#[test]
fn a_tokio_runtime_drives_a_node_without_a_thread() {
    let folder = Folder::new();
    let path = folder.join("endpoint");
    let node = Node::broker().unwrap();
    let mut incoming = Endpoint::bind(&path).unwrap().incoming(&node).unwrap();
    let guests: Vec<_> = (0..5u32)
        .map(|n| {
            let path = path.clone();
            thread::spawn(move || {
                let (_node, port) = Node::connect(path).unwrap();
                port.post(n.to_le_bytes().to_vec()).unwrap();
                assert_eq!(number(next(&port)), n);
            })
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let served = runtime.block_on(async {
        // SAFETY: the clone of the node keeps its one descriptor open for as long as tokio has it.
        let driven = unsafe { AsyncFd::register_with_interest(node.clone(), Interest::READABLE) }.unwrap();
        let drive = async {
            loop {
                let mut ready = driven.readable().await.unwrap();
                if node.dispatch(Duration::from_millis(1)).unwrap() == strait_ports::Progress::Idle {
                    ready.clear_ready();
                }
                tokio::task::yield_now().await;
            }
        };
        let serve = async {
            let mut set = PortSet::new();
            let mut served = 0;
            while served < 5 {
                tokio::select! {
                    guest = incoming.next() => { set.insert(guest.unwrap().unwrap().port); }
                    Some((id, event)) = set.next(), if !set.is_empty() => if let Event::Message(message) = event {
                        set.get(id).unwrap().post(message).unwrap();
                    } else {
                        served += 1;
                    },
                }
            }
            served
        };
        tokio::select! {
            served = tokio::time::timeout(PATIENCE, serve) => served.unwrap(),
            () = drive => unreachable!("it drives for ever"),
        }
    });
    assert_eq!(served, 5);
    guests.into_iter().for_each(|guest| guest.join().unwrap());
}
