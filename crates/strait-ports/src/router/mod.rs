//! The router: all channels of a node as a pure state machine.
//!
//! Events go in, [`Action`]s come out. The router has no I/O and no clock; an injected source gives
//! names. `docs/architecture/ports.md` describes the protocol. Each file does one part of it:
//! [`transfer`] takes ports in and out of the node, [`bypass`] removes proxies, [`loss`] cuts the
//! channels of a lost node, [`flow`] counts outstanding messages.

/// Whether this router plays the named [`tests::Mutant`]: a constant outside tests.
#[cfg(test)]
macro_rules! mutant {
    ($router:expr, $name:ident) => {
        $router.mutant == Some($crate::router::tests::Mutant::$name)
    };
}
#[cfg(not(test))]
macro_rules! mutant {
    ($router:expr, $name:ident) => {
        $crate::router::planted()
    };
}
#[cfg(not(test))]
const fn planted() -> bool {
    false
}

mod bypass;
mod element;
mod event;
mod flow;
mod limits;
mod loss;
mod prefetch;
mod queue;
mod side_table;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

pub(crate) use element::ElementKey;
pub(crate) use event::{Action, Descriptor, Event, Frame, QueueLimit};
pub(crate) use flow::{Consumed, Credit, CreditPolicy, FlowState};
pub(crate) use prefetch::Prefetch;

use crate::body::Body;
use crate::flow::Amount;
use crate::message::CloseReason;
use crate::name::{Addr, NameSource, NodeName, RandomKeys, SideName};
use crate::trace::Trace;
use element::{Change, Element, Elements, Endpoint, Line, LocalEvent, Side, SideId, Speaker, Stage};
use flow::Flow;
use limits::QueueLimits;
use queue::Item;
use side_table::SideTable;

/// A message that has passed this many proxies follows a port that never stops moving: its channel
/// is cut.
///
/// Otherwise two ports that are posted through each other's channels, or a port that is posted to
/// its own other end over a detour, would circulate without end.
pub(crate) const MAX_HOPS: u16 = if cfg!(any(test, fuzzing)) { 512 } else { 16_384 };

/// The most pending introductions; further nodes count as unreachable.
pub(crate) const MAX_AWAITED_NODES: usize = 1024;

/// A protocol violation that costs the peer its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("a port arrived under a side name that is in use or reserved")]
    NameTaken,
    #[error("an event arrived for a reserved side name")]
    InnerName,
}

/// The result of [`Router::pop`].
#[derive(Debug)]
pub(crate) enum Received {
    Message { data: Body, ports: Vec<ElementKey> },
    Close(CloseReason),
}

/// An event between two sides of this node.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Mail {
    from: Addr,
    to: SideName,
    event: LocalEvent,
}

/// The state machine that the module describes.
pub(crate) struct Router {
    me: NodeName,
    names: Box<dyn NameSource + Sync>,
    elements: Elements,
    /// The elements of sides, by side name.
    side_table: SideTable,
    linked: HashSet<NodeName, RandomKeys>,
    /// Sides that wait for a link to a node.
    awaited: HashMap<NodeName, BTreeSet<SideName>>,
    local: VecDeque<Mail>,
    actions: VecDeque<Action>,
    proxies: usize,
    /// Payload bytes that are queued at endpoints or held for fences.
    queued_bytes: usize,
    max_hops: u16,
    limits: QueueLimits,
    /// Recorded events for a tracer.
    pub(crate) trace: Option<Box<Trace>>,
    #[cfg(test)]
    mutant: Option<tests::Mutant>,
}

impl Router {
    pub(crate) fn new(me: NodeName, names: Box<dyn NameSource + Sync>) -> Self {
        Self {
            me,
            names,
            elements: Elements::default(),
            side_table: SideTable::default(),
            linked: HashSet::default(),
            awaited: HashMap::new(),
            local: VecDeque::new(),
            actions: VecDeque::new(),
            proxies: 0,
            queued_bytes: 0,
            max_hops: MAX_HOPS,
            limits: QueueLimits::default(),
            trace: None,
            #[cfg(test)]
            mutant: None,
        }
    }

    /// A random name for a node, or for a side that is made later.
    pub(crate) fn fresh_name(&mut self) -> u128 {
        self.names.next()
    }

    pub(crate) fn me(&self) -> NodeName {
        self.me
    }

    /// The next action, in order.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether there is no action left.
    pub(crate) fn is_settled(&self) -> bool {
        self.actions.is_empty()
    }

    /// Takes all actions.
    #[cfg(test)]
    fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions).into()
    }

    /// The numbers of endpoints and of proxies.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.elements.len() - self.proxies, self.proxies)
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Makes a channel: two endpoints in this node.
    pub(crate) fn channel(&mut self) -> (ElementKey, ElementKey) {
        let [a, b] = self.elements.next_two();
        let at = |key| Addr { node: self.me, side: SideName::inner(key) };
        let endpoint = |one, other| Element::Endpoint(Endpoint::new(SideName::inner(one), at(other)));
        let (one, other) = (endpoint(a, b), endpoint(b, a));
        let keys = (self.elements.insert(one), self.elements.insert(other));
        debug_assert_eq!(keys, (a, b));
        if let Some(trace) = &mut self.trace {
            trace.created(a, b);
        }
        keys
    }

    /// Makes an endpoint with a name that its neighbour has.
    pub(crate) fn adopt(&mut self, name: SideName, peer: Addr) -> ElementKey {
        self.adopt_with(name, peer, Flow::default())
    }

    fn adopt_with(&mut self, name: SideName, peer: Addr, flow: Flow) -> ElementKey {
        let key = self.elements.insert(Element::Endpoint(Endpoint { flow, ..Endpoint::new(name, peer) }));
        self.side_table.insert(name, SideId { key, which: 0 });
        key
    }

    /// Posts on an endpoint. The ports leave their holder at once, even if the message cannot be
    /// received.
    pub(crate) fn post(&mut self, key: ElementKey, data: impl Into<Body>, ports: Vec<ElementKey>) {
        ports.iter().for_each(|port| self.change_hands(*port));
        let data = data.into();
        let bytes = data.len();
        let message = Event::Message { data, ports, hops: 0 };
        let Some(Element::Endpoint(Endpoint { line: Line::Open(side), flow, .. })) = self.elements.get_mut(key) else {
            return self.throw_away(message);
        };
        let (from, to) = (side.name, side.peer);
        flow.post(bytes);
        if let Some(batch) = flow.take_piggyback() {
            self.send(from, to, Event::Consumed { batch, hops: 0 });
            self.run();
        }
        if to.node == self.me {
            // No event is in transit between sides of this node, so the message need not be queued
            // behind others.
            self.receive(Addr { node: self.me, side: from }, to.side, message);
        } else {
            self.send(from, to, message);
        }
        self.run();
    }

    /// The fast path of a message without ports to another node: the side, its neighbour and the
    /// flow. `None` if the other end is in this node or a report has to accompany the message. The
    /// caller must send the message and count it, or post it.
    pub(crate) fn way(&mut self, key: ElementKey) -> Option<(SideName, Addr, &mut Flow)> {
        match self.elements.get_mut(key) {
            Some(Element::Endpoint(Endpoint { line: Line::Open(side), flow, .. }))
                if side.peer.node != self.me && !flow.should_piggyback() =>
            {
                Some((side.name, side.peer, flow))
            }
            _ => None,
        }
    }

    /// Prepares a port for a transfer. The new holder receives the unread messages, and the close
    /// even if the old holder has received it.
    fn change_hands(&mut self, key: ElementKey) {
        self.recall(key);
        if let Some(Element::Endpoint(Endpoint { line: Line::Ended { reason, .. }, queue, .. })) = self.elements.get_mut(key)
            && queue.is_empty()
        {
            queue.push_back(Item::Close(*reason));
        }
    }

    fn throw_away(&mut self, event: LocalEvent) {
        self.discard(event);
        self.run();
    }

    /// Closes an endpoint; its other end receives `reason`.
    pub(crate) fn close(&mut self, key: ElementKey, reason: CloseReason) {
        self.close_element(key, reason);
        self.run();
    }

    /// Closes every endpoint, those inside queued messages included.
    pub(crate) fn close_all(&mut self, reason: CloseReason) {
        let endpoints: Vec<_> = self.elements.keys().filter(|k| matches!(self.elements.get(*k), Some(Element::Endpoint(_)))).collect();
        for key in endpoints {
            self.close(key, reason);
        }
    }

    /// Takes the next event of an endpoint.
    pub(crate) fn pop(&mut self, key: ElementKey) -> Option<Received> {
        self.recall(key);
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return None };
        Some(match endpoint.queue.pop_front()?.into_message() {
            Ok((data, ports, _)) => {
                if let Some(trace) = &mut self.trace {
                    trace.received(key, data.len(), &ports);
                }
                self.received(key, Amount { messages: 1, bytes: data.len() });
                Received::Message { data, ports }
            }
            Err(reason) => {
                if let Some(trace) = &mut self.trace {
                    trace.heard(key, reason);
                }
                Received::Close(reason)
            }
        })
    }

    /// Counts the amount that an endpoint's program has received.
    fn received(&mut self, key: ElementKey, amount: Amount) {
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return };
        endpoint.bytes -= amount.bytes;
        self.queued_bytes -= amount.bytes;
        if let Some(batch) = endpoint.flow.received(amount, endpoint.queue.len(), endpoint.bytes) {
            self.report(key, batch);
            self.run();
        }
    }

    /// Whether an endpoint has an event to take.
    pub(crate) fn receivable(&self, key: ElementKey) -> bool {
        matches!(self.elements.get(key), Some(Element::Endpoint(e)) if e.has_something())
    }

    /// Whether an endpoint has no event to take, now or later.
    pub(crate) fn exhausted(&self, key: ElementKey) -> bool {
        !matches!(self.elements.get(key), Some(Element::Endpoint(e)) if e.has_something() || matches!(e.line, Line::Open(_)))
    }

    /// An endpoint's present neighbour.
    #[cfg(any(test, feature = "hostile"))]
    pub(crate) fn peer_of(&self, key: ElementKey) -> Option<Addr> {
        self.elements.get(key)?.side(0).map(|side| side.peer)
    }

    /// The name of an endpoint's side.
    #[cfg(any(test, feature = "hostile"))]
    pub(crate) fn name_of(&self, key: ElementKey) -> Option<SideName> {
        self.elements.get(key)?.side(0).map(|side| side.name)
    }

    /// The node of an endpoint's neighbour, if it is another node.
    pub(crate) fn remote_neighbour(&self, key: ElementKey) -> Option<NodeName> {
        let node = self.elements.get(key)?.side(0)?.peer.node;
        (node != self.me).then_some(node)
    }

    /// Whether the other end is gone. Its close may still be queued.
    pub(crate) fn ended(&self, key: ElementKey) -> bool {
        !matches!(self.elements.get(key), Some(Element::Endpoint(Endpoint { line: Line::Open(_), .. })))
    }

    /// The messages, and their bytes, that are queued at an endpoint or held for a fence.
    pub(crate) fn queued(&mut self, key: ElementKey) -> (usize, usize) {
        self.recall(key);
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return (0, 0) };
        let mut messages = endpoint.queue.iter().filter(|item| item.is_message()).count();
        let mut bytes = endpoint.bytes;
        if let Line::Open(side) = &mut endpoint.line
            && let Some(held) = side.held()
        {
            messages += held.iter().filter(|e| matches!(e, Event::Message { .. })).count();
            bytes += held.iter().map(Event::bytes).sum::<usize>();
        }
        (messages, bytes)
    }

    /// Handles an event that arrived over the link of `node`.
    pub(crate) fn handle(&mut self, node: NodeName, frame: Frame) -> Result<(), Violation> {
        if frame.to.is_inner() {
            // An inner name is valid only inside this node, and was not sent to others.
            return Err(Violation::InnerName);
        }
        let event = self.take_in(node, frame.event)?;
        self.receive(Addr { node, side: frame.from }, frame.to, event);
        self.run();
        Ok(())
    }

    /// Delivers events between sides of this node until none is left.
    fn run(&mut self) {
        while let Some(Mail { from, to, event }) = self.local.pop_front() {
            self.receive(from, to, event);
        }
    }

    /// Delivers an event to a side if its sender is a neighbour of the side.
    fn receive(&mut self, from: Addr, to: SideName, event: LocalEvent) {
        let Some(place) = self.side_table.get(&to) else { return self.discard(event) };
        let Some(side) = self.elements.get_mut(place.key).and_then(|e| e.side_mut(place.which)).filter(|side| side.name == to) else {
            return self.discard(event);
        };
        match side.speaker(from) {
            Speaker::Current => self.accept(place, event),
            Speaker::Next if mutant!(self, NothingIsHeld) || (mutant!(self, CloseOvertakes) && matches!(event, Event::Close(_))) => {
                self.accept(place, event);
            }
            Speaker::Next => self.hold(place, event),
            Speaker::Stranger if mutant!(self, StrangersAreHeard) => self.accept(place, event),
            // Closes and transfers cross in flight, so this is not a violation.
            Speaker::Stranger => self.discard(event),
        }
    }

    fn accept(&mut self, place: SideId, event: LocalEvent) {
        match event {
            Event::Message { data, ports, hops } => self.message(place, data, ports, hops),
            Event::Close(reason) => self.last_word(place, reason),
            Event::Consumed { batch, hops } => self.consumed(place, batch, hops),
            Event::CreditPolicy { policy, hops } => self.set_policy(place, policy, hops),
            Event::Lock => self.lock(place),
            Event::Granted => self.granted(place),
            Event::Unlock => self.unlock(place),
            Event::Expect(next) => self.expect(place, next),
            Event::Expecting => self.expecting(place),
            Event::CannotReach => self.cannot_reach(place),
            Event::Bypass(next) => self.bypass(place, next),
            Event::Fence => self.fence(place),
        }
    }

    /// The endpoint that can queue a message without further steps, if there is one: the fast path
    /// of [`Router::handle`] for messages without ports.
    pub(crate) fn taker(&mut self, from: Addr, to: SideName) -> Option<ElementKey> {
        if to.is_inner() {
            return None;
        }
        self.taker_of(from, to)
    }

    /// The fast path of [`Router::post`] inside the node. True if the bytes were queued at the
    /// other end.
    pub(crate) fn post_here(&mut self, key: ElementKey, data: &mut Vec<u8>) -> bool {
        let Some(Element::Endpoint(Endpoint { line: Line::Open(side), flow, .. })) = self.elements.get_mut(key) else { return false };
        if side.peer.node != self.me || flow.should_piggyback() {
            return false;
        }
        let (from, to) = (Addr { node: self.me, side: side.name }, side.peer.side);
        let Some(taker) = self.taker_of(from, to) else { return false };
        if let Some(Element::Endpoint(Endpoint { flow, .. })) = self.elements.get_mut(key) {
            flow.post(data.len());
        }
        self.queue_item(taker, Item::posted(std::mem::take(data)));
        true
    }

    /// The endpoint that accepts events from its neighbour `from` at once.
    fn taker_of(&self, from: Addr, to: SideName) -> Option<ElementKey> {
        let key = self.side_table.get(&to)?.key;
        match self.elements.get(key) {
            Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. }))
                if side.change.is_none() && side.name == to && side.peer == from =>
            {
                Some(key)
            }
            _ => None,
        }
    }

    /// Queues a message at an endpoint.
    pub(crate) fn queue(&mut self, key: ElementKey, data: Body, ports: Vec<ElementKey>, hops: u16) {
        self.queue_item(key, Item::message(data, ports, hops));
    }

    fn queue_item(&mut self, key: ElementKey, item: Item) {
        if !self.has_room(SideId { key, which: 0 }, item.cost()) {
            return item.into_ports().into_iter().for_each(|port| self.close_element(port, CloseReason::Dropped));
        }
        let Some(Element::Endpoint(endpoint)) = self.elements.get_mut(key) else { return };
        endpoint.bytes += item.bytes();
        self.queued_bytes += item.bytes();
        endpoint.queue.push_back(item);
        self.ready(key);
    }

    fn message(&mut self, place: SideId, data: Body, ports: Vec<ElementKey>, hops: u16) {
        let message = Event::Message { data, ports, hops };
        match self.elements.get_mut(place.key) {
            Some(Element::Endpoint(_)) => {
                let Event::Message { data, ports, hops } = message else { unreachable!("made above") };
                if ports.contains(&place.key) {
                    // The message carries its own target. It could never be received, and the HTML
                    // standard requires that it is discarded.
                    return self.discard(Event::Message { data, ports, hops });
                }
                self.queue(place.key, data, ports, hops);
            }
            Some(Element::Proxy(proxy)) => {
                if proxy.stage == (Stage::Leaving { fenced: true }) && place.which == 0 {
                    // A neighbour must not send after its fence.
                    self.discard(message);
                    return self.cut(place, CloseReason::Crashed);
                }
                if hops >= self.max_hops {
                    self.discard(message);
                    return self.cut(place, CloseReason::Dropped);
                }
                let out = &proxy.sides[usize::from(1 - place.which)];
                let (from, to) = (out.name, out.peer);
                let Event::Message { data, ports, .. } = message else { unreachable!("made above") };
                self.send(from, to, Event::Message { data, ports, hops: hops + 1 });
            }
            None => self.discard(message),
        }
    }

    /// Handles the close of the present neighbour. If that is a leaving proxy to which this side
    /// has sent its fence, the close is passed on to the next neighbour. The proxy's link to it may
    /// have broken between the two fences, and it has no other source for the close.
    fn last_word(&mut self, place: SideId, reason: CloseReason) {
        let side = self.elements.get(place.key).and_then(|e| e.side(place.which));
        match side.and_then(|side| side.change.as_deref()) {
            Some(Change::Crossing { .. }) if !mutant!(self, EndIsNotPassedOn) => self.cut(place, reason),
            _ => self.finish(place, reason),
        }
    }

    fn ready(&mut self, key: ElementKey) {
        // Consecutive arrivals at one endpoint are announced once.
        if !matches!(self.actions.back(), Some(Action::Ready(last)) if *last == key) {
            self.actions.push_back(Action::Ready(key));
        }
    }

    /// The channel has ended at this side: an endpoint queues the close, a proxy passes it on.
    fn finish(&mut self, place: SideId, reason: CloseReason) {
        let source = self.source(place);
        match self.elements.get_mut(place.key) {
            Some(Element::Endpoint(endpoint)) => {
                let Line::Open(side) = std::mem::replace(&mut endpoint.line, Line::Ended { reason, source }) else { return };
                endpoint.queue.push_back(Item::Close(reason));
                endpoint.flow = Flow::default();
                if mutant!(self, ClosesAreToldTwice) {
                    endpoint.queue.push_back(Item::Close(reason));
                }
                self.ready(place.key);
                self.forget(side);
            }
            Some(Element::Proxy(_)) => {
                let Some(Element::Proxy(proxy)) = self.elements.remove(place.key) else { unreachable!("matched above") };
                self.proxies -= 1;
                let other = &proxy.sides[usize::from(1 - place.which)];
                let (from, to) = (other.name, other.peer);
                proxy.sides.into_iter().for_each(|side| self.forget(side));
                self.send(from, to, Event::Close(reason));
            }
            None => {}
        }
    }

    /// Ends a channel at this edge, in both directions.
    fn cut(&mut self, place: SideId, reason: CloseReason) {
        let Some(side) = self.elements.get(place.key).and_then(|e| e.side(place.which)) else { return };
        let (name, peer) = (side.name, side.peer);
        self.finish(place, reason);
        self.send(name, peer, Event::Close(reason));
    }

    /// Removes a side's name, and drops its held events.
    fn forget(&mut self, side: Side) {
        self.side_table.remove(&side.name);
        self.drop_change(side.name, side.change);
    }

    /// Drops a change in progress: its wait for a link, and its held events.
    fn drop_change(&mut self, name: SideName, change: Option<Box<Change>>) {
        let held = match change.map(|c| *c) {
            None => return,
            Some(Change::Preparing { next }) => {
                self.stop_awaiting(next.node, name);
                return;
            }
            Some(Change::Expecting { next, unlinked, held, .. }) => {
                if unlinked {
                    self.stop_awaiting(next.node, name);
                }
                held
            }
            Some(Change::Crossing { held, .. }) => held,
        };
        for event in held {
            self.queued_bytes -= event.bytes();
            self.discard(event);
        }
    }

    /// Drops an event that cannot be delivered: the ports in it close.
    fn discard(&mut self, event: LocalEvent) {
        if let Event::Message { ports, .. } = event {
            ports.into_iter().for_each(|key| self.close_element(key, CloseReason::Dropped));
        }
    }

    /// Closes an endpoint and, without recursion, the ports in its queue.
    fn close_element(&mut self, key: ElementKey, reason: CloseReason) {
        let mut doomed = vec![(key, reason)];
        while let Some((key, reason)) = doomed.pop() {
            if !matches!(self.elements.get(key), Some(Element::Endpoint(_))) {
                continue;
            }
            let Some(Element::Endpoint(endpoint)) = self.elements.remove(key) else { unreachable!("looked at above") };
            self.limits.forget(key);
            self.queued_bytes -= endpoint.bytes;
            if let Some(trace) = &mut self.trace {
                match endpoint.line {
                    Line::Open(_) => trace.closed(key, reason, true),
                    Line::Ended { reason, .. } => trace.closed(key, reason, false),
                }
            }
            for item in endpoint.queue {
                doomed.extend(item.into_ports().into_iter().map(|port| (port, CloseReason::Dropped)));
            }
            let Line::Open(mut side) = endpoint.line else { continue };
            for event in side.held().map(std::mem::take).unwrap_or_default().into_iter() {
                self.queued_bytes -= event.bytes();
                if let Event::Message { ports, .. } = event {
                    doomed.extend(ports.into_iter().map(|port| (port, CloseReason::Dropped)));
                }
            }
            let (name, peer) = (side.name, side.peer);
            self.forget(side);
            self.send(name, peer, Event::Close(reason));
        }
    }
}
