//! Limits of the messages that are queued at an endpoint or held for a fence.

use super::world::name;
use crate::limits::{MESSAGE_COST, PORT_COST};
use crate::message::CloseReason;
use crate::name::{Addr, SideName, SystemNames};
use crate::router::element::SideId;
use crate::router::{Action, ElementKey, Event, Frame, QueueLimit, Received, Router};

const HERE: usize = 0;
const THERE: usize = 1;
const NEXT: usize = 2;

fn router() -> Router {
    let mut router = Router::new(name(HERE), Box::new(SystemNames::new()));
    router.link_up(name(THERE));
    router.link_up(name(NEXT));
    router
}

fn message(data: Vec<u8>) -> Event<crate::router::Descriptor> {
    Event::Message { data: data.into(), ports: Vec::new(), hops: 0 }
}

fn overflows(router: &mut Router) -> Vec<(ElementKey, usize, usize)> {
    let actions = router.take_actions();
    actions
        .into_iter()
        .filter_map(|action| if let Action::Overflow { key, messages, bytes, .. } = action { Some((key, messages, bytes)) } else { None })
        .collect()
}

fn closed(router: &mut Router, key: ElementKey) -> Option<CloseReason> {
    match router.pop(key)? {
        Received::Close(reason) => Some(reason),
        Received::Message { .. } => None,
    }
}

/// Posts messages of this size until the channel has ended; returns their number.
fn flood(router: &mut Router, posting: ElementKey, size: usize) -> usize {
    (1..)
        .find(|_| {
            router.post(posting, vec![0; size], Vec::new());
            router.ended(posting)
        })
        .unwrap()
}

#[test]
fn too_much_at_an_endpoint_ends_its_channel() {
    for (size, limit) in [(0, 10 * MESSAGE_COST), (1000, 100_000), (5000, 100)] {
        let mut router = router();
        router.limit_queues(limit, usize::MAX);
        let (a, b) = router.channel();
        let (other, kept) = router.channel();
        router.post(other, vec![1], Vec::new());
        let count = flood(&mut router, a, size);
        // The messages within the limit, one that exceeds it, and one that finds it exceeded.
        assert_eq!(count, limit / (size + MESSAGE_COST) + 2, "{size} {limit}");
        assert_eq!(overflows(&mut router), [(b, count - 1, (count - 1) * size)]);
        assert_eq!(closed(&mut router, a), Some(CloseReason::Dropped));
        assert_eq!(closed(&mut router, b), Some(CloseReason::Dropped), "nothing else is left");
        assert!(router.exhausted(b));
        assert_eq!(router.queued_bytes(), 1, "other channels keep what waits in them");
        assert!(matches!(router.pop(kept), Some(Received::Message { .. })));
    }
}

#[test]
fn who_reads_is_not_limited() {
    let mut router = router();
    router.limit_queues(1000, usize::MAX);
    let (a, b) = router.channel();
    for _ in 0..100 {
        router.post(a, vec![0; 5000], Vec::new());
        assert!(matches!(router.pop(b), Some(Received::Message { .. })));
    }
}

#[test]
fn an_endpoint_may_have_its_own_limit() {
    let mut router = router();
    router.limit_queues(1000, usize::MAX);
    let (a, b) = router.channel();
    router.limit_queue(b, usize::MAX);
    (0..100).for_each(|_| router.post(a, vec![0; 1000], Vec::new()));
    assert!(!router.ended(a));
    let (a, b) = router.channel();
    router.limit_queue(b, 100);
    assert_eq!(flood(&mut router, a, 100), 2);
    // A limit is removed with its endpoint.
    router.limit_queues(usize::MAX, usize::MAX);
    router.close(b, CloseReason::Closed);
    let (a, _b) = router.channel();
    (0..100).for_each(|_| router.post(a, vec![0; 1000], Vec::new()));
    assert!(!router.ended(a));
}

#[test]
fn ports_cost_and_close_with_their_messages() {
    let mut router = router();
    router.limit_queues(3 * PORT_COST, usize::MAX);
    let (a, b) = router.channel();
    let mut far = Vec::new();
    while !router.ended(a) {
        let (one, two) = router.channel();
        far.push(one);
        router.post(a, Vec::new(), vec![two]);
    }
    assert_eq!(far.len(), 4);
    assert_eq!(overflows(&mut router).len(), 1);
    for port in far {
        assert_eq!(closed(&mut router, port), Some(CloseReason::Dropped));
    }
    assert_eq!(closed(&mut router, b), Some(CloseReason::Dropped));
}

#[test]
fn what_waits_for_a_fence_is_limited_too() {
    let mut router = router();
    router.limit_queues(10_000, usize::MAX);
    let (side, proxy, far) = (SideName(7), SideName(8), SideName(9));
    let key = router.adopt(side, Addr { node: name(THERE), side: proxy });
    let from_proxy = |event| Frame { from: proxy, to: side, event };
    router.handle(name(THERE), from_proxy(Event::Lock)).unwrap();
    router.handle(name(THERE), from_proxy(Event::Expect(Addr { node: name(NEXT), side: far }))).unwrap();
    router.take_actions();
    let mut count = 0;
    while !router.ended(key) {
        count += 1;
        router.handle(name(NEXT), Frame { from: far, to: side, event: message(vec![0; 1000]) }).unwrap();
        assert!(count < 100, "it is not limited");
    }
    assert_eq!(count, 10_000 / (1000 + MESSAGE_COST) + 2);
    assert_eq!(overflows(&mut router), [(key, count - 1, (count - 1) * 1000)]);
    assert_eq!((closed(&mut router, key), router.queued_bytes()), (Some(CloseReason::Dropped), 0));
}

/// An endpoint whose neighbour is a side of that node.
fn from(router: &mut Router, node: usize, number: u128) -> (ElementKey, impl Fn(&mut Router, usize) + use<>) {
    let (side, far) = (SideName(number), SideName(number + 1000));
    let key = router.adopt(side, Addr { node: name(node), side: far });
    let post = move |router: &mut Router, size: usize| {
        router.handle(name(node), Frame { from: far, to: side, event: message(vec![0; size]) }).unwrap();
    };
    (key, post)
}

const PEER: usize = 100_000;

#[test]
fn a_peer_with_many_ports_is_limited_by_their_sum() {
    let mut router = router();
    router.limit_queues(PEER, PEER);
    let (other, post_other) = from(&mut router, NEXT, 1);
    post_other(&mut router, PEER / 2);
    let ports: Vec<_> = (0..100).map(|number| from(&mut router, THERE, 10 + number)).collect();
    for round in 0..20 {
        for (_, post) in &ports {
            post(&mut router, 100 * (round + 1));
            let most = PEER + PEER / 16 + 2000 + MESSAGE_COST;
            assert!(router.queued_bytes() - PEER / 2 <= most, "{} bytes wait", router.queued_bytes() - PEER / 2);
        }
    }
    let ended: Vec<_> = ports.iter().filter(|(key, _)| router.ended(*key)).map(|(key, _)| *key).collect();
    assert!(!ended.is_empty());
    assert_eq!(overflows(&mut router).len(), ended.len());
    for key in ended {
        assert_eq!(closed(&mut router, key), Some(CloseReason::Dropped), "nothing else is left");
    }
    assert!(!router.ended(other), "the other peer's ports go on");
}

#[test]
fn the_fullest_port_of_a_peer_ends_first() {
    let mut router = router();
    router.limit_queues(usize::MAX, PEER);
    let (small, post_small) = from(&mut router, THERE, 1);
    let (large, post_large) = from(&mut router, THERE, 2);
    post_small(&mut router, 1000);
    while !router.ended(large) {
        post_large(&mut router, 10_000);
    }
    assert!(!router.ended(small));
    let limits: Vec<_> = router
        .take_actions()
        .into_iter()
        .filter_map(|action| if let Action::Overflow { limit, key, .. } = action { Some((limit, key)) } else { None })
        .collect();
    assert_eq!(limits, [(QueueLimit::Peer, large)]);
}

#[test]
fn what_a_peer_posted_counts_after_it_has_closed_its_ends() {
    let mut router = router();
    router.limit_queues(usize::MAX, PEER);
    let mut ports = Vec::new();
    for number in 0..100 {
        let (key, post) = from(&mut router, THERE, 10 + number);
        post(&mut router, 10_000);
        router
            .handle(
                name(THERE),
                Frame { from: SideName(1010 + number), to: SideName(10 + number), event: Event::Close(CloseReason::Closed) },
            )
            .unwrap();
        ports.push(key);
    }
    let most = PEER + PEER / 16 + 10_000 + MESSAGE_COST;
    assert!(router.queued_bytes() <= most, "{} bytes wait", router.queued_bytes());
    let mut reasons = [0, 0];
    for key in ports {
        match router.pop(key) {
            Some(Received::Message { .. }) => reasons[0] += usize::from(closed(&mut router, key) == Some(CloseReason::Closed)),
            Some(Received::Close(reason)) => reasons[1] += usize::from(reason == CloseReason::Dropped),
            None => panic!("a port without a close"),
        }
    }
    assert_eq!(reasons.iter().sum::<usize>(), 100, "{reasons:?}");
    assert!(reasons[0] >= 9 && reasons[1] > 80, "{reasons:?}");
}

#[test]
fn the_programs_own_channels_and_own_limits_do_not_count_for_a_peer() {
    let mut router = router();
    router.limit_queues(usize::MAX, PEER);
    let (a, _b) = router.channel();
    let (own, post_own) = from(&mut router, THERE, 1);
    router.limit_queue(own, usize::MAX);
    let (counted, post) = from(&mut router, THERE, 2);
    post(&mut router, PEER / 2);
    for _ in 0..100 {
        router.post(a, vec![0; 10_000], Vec::new());
        post_own(&mut router, 10_000);
    }
    assert!(!router.ended(a) && !router.ended(own) && !router.ended(counted));
}

#[test]
fn a_peer_behind_a_proxy_of_this_node_counts() {
    let mut router = router();
    let (side, far, inner) = (SideName(1), SideName(2), SideName(3));
    let (carrier, other) = (SideName(4), SideName(5));
    let key = router.adopt(side, Addr { node: name(THERE), side: far });
    // The port leaves in a message. A proxy stays, because the port's neighbour has not unlocked
    // the edge.
    let away = router.adopt(carrier, Addr { node: name(NEXT), side: other });
    router.post(away, Vec::new(), vec![key]);
    let left = router.take_actions().into_iter().find_map(|action| match action {
        Action::Send { frame: Frame { event: Event::Message { mut ports, .. }, .. }, .. } => ports.pop(),
        _ => None,
    });
    assert_eq!(router.counts().1, 1, "one proxy");
    let back = router.adopt(inner, Addr { node: name(HERE), side: left.expect("the port left").neighbour });
    assert_eq!(router.source(SideId { key: back, which: 0 }), name(THERE));
    let (local, _other) = router.channel();
    assert_eq!(router.source(SideId { key: local, which: 0 }), name(HERE));
}
