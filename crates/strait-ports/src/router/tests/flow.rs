//! Back-pressure: amounts against an oracle that sees both ends, and the number of reports.

use super::oracle::promise::AMOUNTS;
use super::oracle::{End, Handle};
use super::world::{Parcel, World, name};
use crate::flow::{Amount, HighWaterMark};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};
use crate::router::element::{Element, Endpoint, Line};
use crate::router::queue::Item;
use crate::router::{Consumed, Credit, CreditPolicy, Descriptor, ElementKey, Event, FlowState, Frame, Received};

impl World {
    fn handle(&self, end: End) -> Option<Handle> {
        self.handles.iter().find(|h| h.end == end).copied()
    }

    pub(super) fn set_mark(&mut self, end: End, mark: HighWaterMark) {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        self.router(node).set_mark(key, mark);
        self.act(node);
    }

    pub(super) fn observe_amount(&mut self, end: End) -> Amount {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        let amount = self.router(node).observe_amount(key);
        self.act(node);
        amount
    }

    /// The flow state that would move with an end now, if its channel is open.
    fn flow_state(&self, Handle { node, key, .. }: Handle) -> Option<FlowState> {
        match self.routers[node].as_ref()?.elements.get(key)? {
            Element::Endpoint(Endpoint { line: Line::Open(_), flow, .. }) => Some(flow.pack()),
            _ => None,
        }
    }

    /// The queued amount of an end, counted message by message.
    fn waiting(&self, Handle { node, key, .. }: Handle) -> Amount {
        let Some(Element::Endpoint(endpoint)) = self.routers[node].as_ref().and_then(|r| r.elements.get(key)) else {
            return Amount::default();
        };
        let mut endpoint = endpoint.clone();
        let queued = endpoint.queue.iter().filter(|item| item.is_message()).map(Item::bytes);
        let held: Vec<usize> = match &mut endpoint.line {
            Line::Open(side) => {
                let messages = side.held().map(std::mem::take).unwrap_or_default();
                messages.iter().filter(|event| matches!(event, Event::Message { .. })).map(Event::bytes).collect()
            }
            Line::Ended { .. } => Vec::new(),
        };
        queued.chain(held).fold(Amount::default(), |sum, bytes| Amount { messages: sum.messages + 1, bytes: sum.bytes + bytes })
    }

    /// With no event in transit: every open channel with both ends held by programs has correct
    /// counts, and exact ones where a program has requested that.
    pub(super) fn check_amounts(&mut self) {
        let pairs: Vec<_> = (0..self.books.len()).filter_map(|end| Some((self.handle(end)?, self.handle(end ^ 1)?))).collect();
        for (posting, receiving) in pairs {
            let end = posting.end;
            let (Some(ours), Some(theirs)) = (self.flow_state(posting), self.flow_state(receiving)) else { continue };
            if self.books[end].tainted || self.books[end ^ 1].tainted {
                continue;
            }
            let waiting = self.waiting(receiving);
            let counted = (ours.out_messages as usize, ours.out_bytes as usize);
            let true_count = (waiting.messages + theirs.pending.messages as usize, waiting.bytes + theirs.pending.bytes as usize);
            assert_eq!(counted, true_count, "{AMOUNTS}: end {end}");
            let open = self.router(posting.node).credit(posting.key) == Credit::Available;
            let mark = ours.mark;
            assert_eq!(
                open,
                mark.messages.is_none_or(|m| counted.0 < m.max(1)) && mark.bytes.is_none_or(|m| counted.1 < m.max(1)),
                "{AMOUNTS}: end {end}"
            );
            assert_eq!(
                theirs.policy,
                crate::router::flow::CreditPolicy::wanted(mark, ours.observed),
                "{AMOUNTS}: end {end}: the other end knows what is wanted"
            );
            if waiting.messages == 0 {
                assert!(open, "{AMOUNTS}: end {end}: nothing waits and yet there is no room");
                assert!(!ours.observed || counted == (0, 0), "{AMOUNTS}: end {end}: nothing waits and the amount is {counted:?}");
            }
        }
    }

    /// The number of reports in transit.
    fn reports(&self) -> usize {
        let is_report = |parcel: &&Parcel| matches!(parcel, Parcel::Frame(Frame { event: Event::Consumed { .. }, .. }));
        self.queues.values().flatten().filter(is_report).count()
    }

    fn key(&self, end: End) -> (usize, ElementKey) {
        let Handle { node, key, .. } = self.handles[self.index(end)];
        (node, key)
    }

    /// Posts bytes that the oracle does not check.
    fn post_bytes(&mut self, end: End, bytes: usize) {
        let (node, key) = self.key(end);
        self.router(node).post(key, vec![0; bytes], Vec::new());
        self.act(node);
    }

    fn take_bytes(&mut self, end: End) -> usize {
        let (node, key) = self.key(end);
        let Some(Received::Message { data, .. }) = self.router(node).pop(key) else { panic!("nothing there") };
        self.act(node);
        data.len()
    }

    /// Delivers everything; returns the number of reports that were in transit.
    fn settle_and_count(&mut self) -> usize {
        let reports = self.reports();
        self.settle(|_| 0);
        reports
    }
}

/// A world with a channel between two nodes.
fn pair() -> World {
    World::new(2, 1, &[], None)
}

#[test]
fn a_dialogue_has_no_reports_of_its_own() {
    for bytes in [32, 1 << 20] {
        let mut world = pair();
        let (mut riding, rounds) = (0, 600);
        for _ in 0..rounds {
            for end in [0, 1] {
                world.post_bytes(end, bytes);
                riding += world.settle_and_count();
                world.take_bytes(end ^ 1);
                assert_eq!(world.reports(), 0, "a report that does not ride with a message");
            }
        }
        assert!(bytes > 32 || riding <= 2 * rounds / 128, "{riding} reports in {rounds} round trips");
        world.check_amounts();
    }
}

#[test]
fn a_stream_that_nobody_looks_at_has_a_report_in_256_messages() {
    let mut world = pair();
    let mut reports = 0;
    for _ in 0..256 * 10 {
        world.post_bytes(0, 32);
        world.settle_and_count();
        world.take_bytes(1);
        reports += world.settle_and_count();
    }
    assert_eq!(reports, 10);
    world.check_amounts();
    assert_eq!(world.observe_amount(0), Amount::default());
}

#[test]
fn who_looks_learns_what_was_not_worth_telling() {
    let mut world = pair();
    (0..100).for_each(|_| world.post_bytes(0, 10));
    world.settle(|_| 0);
    (0..60).for_each(|_| assert_eq!(world.take_bytes(1), 10));
    assert_eq!(world.observe_amount(0), Amount { messages: 100, bytes: 1000 }, "nothing has been told yet");
    world.settle(|_| 0);
    assert_eq!(world.observe_amount(0), Amount { messages: 40, bytes: 400 });
    (0..40).for_each(|_| assert_eq!(world.take_bytes(1), 10));
    world.settle(|_| 0);
    assert_eq!(world.observe_amount(0), Amount::default());
    world.check_amounts();
}

#[test]
fn a_long_queue_is_reported_in_proportion() {
    let mut world = pair();
    world.set_mark(0, HighWaterMark::messages(1));
    (0..10_000).for_each(|_| world.post_bytes(0, 1));
    world.settle(|_| 0);
    (0..10_000).for_each(|_| assert_eq!(world.take_bytes(1), 1));
    let reports = world.settle_and_count();
    assert!(reports <= 100, "{reports} reports");
    world.check_amounts();
}

#[test]
fn a_message_larger_than_the_mark_is_told_when_it_is_received() {
    let mut world = pair();
    world.set_mark(0, HighWaterMark { messages: Some(1000), bytes: Some(1 << 20) });
    for bytes in [1 << 20, 40 << 20] {
        let (node, key) = world.key(0);
        world.post_bytes(0, bytes);
        assert_eq!(world.router(node).credit(key), Credit::Blocked);
        world.settle(|_| 0);
        world.take_bytes(1);
        world.settle(|_| 0);
        assert_eq!(world.router(node).credit(key), Credit::Available);
    }
    world.check_amounts();
}

#[test]
fn a_mark_of_nothing_is_a_mark_of_one() {
    let mut world = pair();
    world.set_mark(0, HighWaterMark { messages: Some(0), bytes: Some(0) });
    let (node, key) = world.key(0);
    assert_eq!(world.router(node).credit(key), Credit::Available);
    world.post_bytes(0, 0);
    assert_eq!(world.router(node).credit(key), Credit::Blocked);
}

/// A peer with false amounts: its own channel gets wrong amounts, and nothing else happens.
#[test]
fn a_lie_about_amounts_hurts_nobody_else() {
    let mut world = pair();
    let (node, honest) = world.key(0);
    let (from, to) = (SideName(1), SideName(0));
    let tell = |world: &mut World, event| world.router(node).handle(name(1), Frame { from, to, event });
    world.post_bytes(0, 5);
    let most = Consumed { messages: u32::MAX, bytes: u32::MAX };
    tell(&mut world, Event::Consumed { batch: most, hops: u16::MAX }).unwrap();
    assert_eq!(world.observe_amount(0), Amount::default());
    // The finest policy is one report for each message; the coarsest is the default.
    for (policy, reports) in [
        (CreditPolicy { messages: 0, bytes: 0, drained: true }, 300),
        (CreditPolicy { messages: u32::MAX, bytes: u32::MAX, drained: false }, 4),
    ] {
        for policy in [Some(policy), None, Some(policy)] {
            tell(&mut world, Event::CreditPolicy { policy, hops: 0 }).unwrap();
        }
        world.act(node);
        let before = world.reports();
        for _ in 0..300 {
            let message = Event::Message { data: vec![1; 4096].into(), ports: Vec::new(), hops: 0 };
            tell(&mut world, message).unwrap();
            world.take_bytes(0);
        }
        assert_eq!(world.reports() - before, reports);
    }
    let flow_state = FlowState {
        out_messages: u32::MAX,
        out_bytes: u64::MAX,
        pending: most,
        mark: HighWaterMark { messages: Some(usize::MAX), bytes: Some(0) },
        observed: true,
        policy: Some(CreditPolicy { messages: 0, bytes: u32::MAX, drained: true }),
    };
    let ports = vec![Descriptor { side: SideName(7), neighbour: SideName(8), flow_state }];
    tell(&mut world, Event::Message { data: Vec::new().into(), ports, hops: 0 }).unwrap();
    let Some(Received::Message { ports, .. }) = world.router(node).pop(honest) else { panic!("posted") };
    let port = ports[0];
    for _ in 0..3 {
        world.router(node).post(port, vec![0; 10], Vec::new());
        let message = Event::Message { data: vec![0; 10].into(), ports: Vec::new(), hops: 0 };
        world.router(node).handle(name(1), Frame { from: SideName(8), to: SideName(7), event: message }).unwrap();
        world.router(node).pop(port);
        let batch = Event::Consumed { batch: most, hops: 0 };
        world.router(node).handle(name(1), Frame { from: SideName(8), to: SideName(7), event: batch }).unwrap();
    }
    // The peer has claimed 4 billion messages and reported them as received; of its bytes, enough
    // are left.
    assert_eq!(world.router(node).amount(port).messages, 0);
    assert_eq!(world.router(node).credit(port), Credit::Blocked);
    world.router(node).close(port, CloseReason::Closed);
    assert_eq!(world.router(node).credit(port), Credit::Ended);
    assert_eq!(world.router(node).peer_of(honest), Some(Addr { node: name(1), side: from }));
}

/// A report counts hops as a message does: in a ring of proxies, which only forgers can make, it
/// does not circulate for ever.
#[test]
fn a_report_that_has_gone_too_far_ends_the_channel() {
    for event in [Event::Consumed { batch: Consumed { messages: 1, bytes: 1 }, hops: 50 }, Event::CreditPolicy { policy: None, hops: 50 }] {
        let mut world = World::new(3, 9, &[(1, 2)], None);
        world.limit_hops(50);
        let end = world.channel(1);
        // The broker's proxy cannot leave, because the two ends cannot be introduced.
        let (to_broker, at_broker) = (world.road_from(1, 0).unwrap(), world.road_from(0, 1).unwrap());
        world.post(to_broker, &[end]);
        world.settle(|_| 0);
        world.pop(at_broker);
        world.post(world.road_from(0, 2).unwrap(), &[end]);
        world.settle(|_| 0);
        world.pop(world.road_from(2, 0).unwrap());
        assert_eq!(world.proxies(), 1);
        let (node, key) = world.key(end + 1);
        assert_eq!(node, 1);
        let (from, to) = (world.router(1).name_of(key).unwrap(), world.router(1).peer_of(key).unwrap());
        world.put(1, 0, Parcel::Frame(Frame { from, to: to.side, event }));
        world.settle(|_| 0);
        assert_eq!(world.router(1).credit(key), Credit::Ended);
        assert_eq!(world.proxies(), 0);
    }
}
