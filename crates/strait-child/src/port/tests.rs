//! Tests of ports with values, inside one process.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use strait_ports::Node;

use super::*;

fn channel(node: &Node) -> (MessagePort, MessagePort) {
    let (one, two) = node.channel();
    (one.into(), two.into())
}

/// The output of a future that must be ready.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    // The first poll may end a turn.
    for _ in 0..2 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("not ready")
}

#[test]
fn values_and_ports_arrive_then_one_close() {
    let node = Node::broker().unwrap();
    let (one, two) = channel(&node);
    let (inner, far) = channel(&node);
    one.post_message(Value::array([1, 2]), vec![inner.clone()]).unwrap();
    assert!(inner.is_neutered());
    one.send_as(&("text", 5)).unwrap();
    one.close();
    let first = now(two.recv()).unwrap();
    assert_eq!((first.data, first.ports.len()), (Value::array([1, 2]), 1));
    far.post_message("through", vec![]).unwrap();
    assert_eq!(now(first.ports[0].recv()).unwrap().data, Value::from("through"));
    assert_eq!(now(two.recv_as::<(String, u8)>()).unwrap(), ("text".into(), 5));
    for _ in 0..2 {
        assert_eq!(now(two.recv()).unwrap_err(), PortRecvError::Closed(CloseReason::Closed));
    }
    // No error, as in a page.
    two.post_message(1, vec![]).unwrap();
    assert_eq!(now(one.recv()).unwrap_err(), PortRecvError::Neutered);
}

#[test]
fn the_last_clone_closes() {
    let node = Node::broker().unwrap();
    let (one, two) = channel(&node);
    let clone = one.clone();
    drop(one);
    assert!(two.try_recv().is_none());
    drop(clone);
    assert_eq!(now(two.closed()), CloseReason::Dropped);
}

#[test]
fn a_failed_post_takes_nothing() {
    let node = Node::broker().unwrap();
    let (one, two) = channel(&node);
    let (a, a_far) = channel(&node);
    let (b, _b_far) = channel(&node);
    b.close();
    let check = |list: Vec<MessagePort>, expected: PostMessageErrorKind, text: &str| {
        let error = one.post_message(1, list.clone()).unwrap_err();
        assert_eq!((error.kind, error.to_string().as_str()), (expected, text));
        assert_eq!(error.ports, list);
        assert!(!a.is_neutered());
    };
    check(vec![a.clone(), one.clone()], PostMessageErrorKind::Source(1), "Port at index 1 contains the source port.");
    check(vec![a.clone(), b.clone()], PostMessageErrorKind::Neutered(1), "Port at index 1 is already neutered.");
    check(vec![a.clone(), a.clone()], PostMessageErrorKind::Duplicate(1), "Port at index 1 is a duplicate.");
    // The engine itself refuses: a port of another node.
    let stranger = channel(&Node::broker().unwrap()).0;
    check(vec![a.clone(), stranger], PostMessageErrorKind::Refused, "the message could not be sent");
    a.post_message("whole", vec![]).unwrap();
    assert_eq!(now(a_far.recv()).unwrap().data, Value::from("whole"));
    assert!(two.try_recv().is_none());
}

#[test]
fn who_waits_is_woken_by_a_message_and_by_neutering() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let node = Node::broker().unwrap();
    let (one, two) = channel(&node);
    let (carrier, _far) = channel(&node);
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let waiting = two.clone();
        let task = tokio::task::spawn_local(async move { (waiting.recv().await, waiting.recv().await) });
        tokio::task::yield_now().await;
        one.post_message(7, vec![]).unwrap();
        tokio::task::yield_now().await;
        carrier.post_message(0, vec![two]).unwrap();
        let (first, second) = task.await.unwrap();
        assert_eq!(first.unwrap().data, Value::from(7));
        assert_eq!(second.unwrap_err(), PortRecvError::Neutered);
    });
}

#[test]
fn bytes_that_are_no_value_are_skipped() {
    let node = Node::broker().unwrap();
    let (raw, two) = node.channel();
    let two = MessagePort::from(two);
    raw.post(Message::new(b"nonsense".to_vec())).unwrap();
    raw.post(Message::new(strait_clone::write(&Value::Null).unwrap())).unwrap();
    assert!(matches!(now(two.recv()), Err(PortRecvError::BadValue(_))));
    assert_eq!(now(two.recv()).unwrap().data, Value::Null);
}

#[tokio::test]
async fn a_port_that_never_runs_dry_lets_other_tasks_run() {
    const FLOOD: usize = 1000;
    let node = Node::broker().unwrap();
    let MessageChannel { port1, port2 } = MessageChannel::new(&node);
    for number in 0..FLOOD {
        port1.post_message(number as f64, vec![]).unwrap();
    }
    let local = tokio::task::LocalSet::new();
    let longest = local
        .run_until(async {
            let read = std::rc::Rc::new(std::cell::Cell::new(0));
            let counts = read.clone();
            let reader = tokio::task::spawn_local(async move {
                while counts.get() < FLOOD {
                    port2.recv().await.unwrap();
                    counts.set(counts.get() + 1);
                }
            });
            let (mut longest, mut before) = (0, 0);
            while !reader.is_finished() {
                tokio::task::yield_now().await;
                longest = longest.max(read.get() - before);
                before = read.get();
            }
            reader.await.unwrap();
            longest
        })
        .await;
    let a_turn = crate::turn::TURN_BYTES / crate::turn::MESSAGE_COST;
    assert!(longest <= a_turn, "{longest} messages were read one after another");
}
