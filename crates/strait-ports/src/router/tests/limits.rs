//! What may wait at an endpoint, and for a fence.

use super::world::name;
use crate::limits::{MESSAGE_COST, PORT_COST};
use crate::message::CloseReason;
use crate::name::{Addr, SideName, SystemNames};
use crate::router::{Action, ElementKey, Event, Frame, Received, Router};

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
        .filter_map(|action| if let Action::Overflow { key, messages, bytes } = action { Some((key, messages, bytes)) } else { None })
        .collect()
}

fn closed(router: &mut Router, key: ElementKey) -> Option<CloseReason> {
    match router.pop(key)? {
        Received::Close(reason) => Some(reason),
        Received::Message { .. } => None,
    }
}

/// Posts messages of this size until the channel has ended; how many there were.
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
        router.limit_queues(limit);
        let (a, b) = router.channel();
        let (other, kept) = router.channel();
        router.post(other, vec![1], Vec::new());
        let count = flood(&mut router, a, size);
        // As many as are within the limit, one that exceeds it, and one that finds it exceeded.
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
    router.limit_queues(1000);
    let (a, b) = router.channel();
    for _ in 0..100 {
        router.post(a, vec![0; 5000], Vec::new());
        assert!(matches!(router.pop(b), Some(Received::Message { .. })));
    }
}

#[test]
fn an_endpoint_may_have_its_own_limit() {
    let mut router = router();
    router.limit_queues(1000);
    let (a, b) = router.channel();
    router.limit_queue(b, usize::MAX);
    (0..100).for_each(|_| router.post(a, vec![0; 1000], Vec::new()));
    assert!(!router.ended(a));
    let (a, b) = router.channel();
    router.limit_queue(b, 100);
    assert_eq!(flood(&mut router, a, 100), 2);
    // With its endpoint a limit is forgotten.
    router.limit_queues(usize::MAX);
    router.close(b, CloseReason::Closed);
    let (a, _b) = router.channel();
    (0..100).for_each(|_| router.post(a, vec![0; 1000], Vec::new()));
    assert!(!router.ended(a));
}

#[test]
fn ports_cost_and_close_with_their_messages() {
    let mut router = router();
    router.limit_queues(3 * PORT_COST);
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
    router.limit_queues(10_000);
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
