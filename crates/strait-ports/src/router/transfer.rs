//! Transfer: how events and the ports in them leave the node and enter it.

use std::collections::VecDeque;

use super::element::{Element, Endpoint, Line, LocalEvent, Proxy, Side, SideId, Stage};
use super::event::{Action, Descriptor, Event, Frame};
use super::flow::{Flow, FlowState};
use super::queue::Item;
use super::{ElementKey, Mail, Router, Violation};
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

/// Events to send, in order: a transferred port's queue follows the message that carries the port.
type Backlog = VecDeque<(SideName, Addr, LocalEvent)>;

impl Router {
    /// Sends an event from a side to its neighbour.
    pub(super) fn send(&mut self, from: SideName, to: Addr, event: LocalEvent) {
        if to.node == self.me {
            // Ports that stay in the node stay the same elements.
            self.local.push_back(Mail { from: Addr { node: self.me, side: from }, to: to.side, event });
            return;
        }
        let mut backlog = Backlog::from([(from, to, event)]);
        let mut moved = Vec::new();
        while let Some((from, to, event)) = backlog.pop_front() {
            if !self.linked.contains(&to.node) {
                self.discard(event);
                continue;
            }
            let event = self.take_out(to.node, event, &mut backlog, &mut moved);
            self.actions.push_back(Action::Send { node: to.node, frame: Frame { from, to: to.side, event } });
        }
        moved.into_iter().for_each(|proxy| self.seek(proxy));
    }

    fn take_out(&mut self, node: NodeName, event: LocalEvent, backlog: &mut Backlog, moved: &mut Vec<ElementKey>) -> Event<Descriptor> {
        match event {
            Event::Message { data, ports, hops } => {
                let ports = ports.into_iter().map(|key| self.export(key, node, backlog, moved)).collect();
                Event::Message { data, ports, hops }
            }
            Event::Close(reason) => Event::Close(reason),
            Event::Consumed { batch, hops } => Event::Consumed { batch, hops },
            Event::CreditPolicy { policy, hops } => Event::CreditPolicy { policy, hops },
            Event::Lock => Event::Lock,
            Event::Granted => Event::Granted,
            Event::Unlock => Event::Unlock,
            Event::Expect(next) => Event::Expect(next),
            Event::Expecting => Event::Expecting,
            Event::CannotReach => Event::CannotReach,
            Event::Bypass(next) => Event::Bypass(next),
            Event::Fence => Event::Fence,
        }
    }

    /// Makes the ports of a received event endpoints of this node.
    pub(super) fn take_in(&mut self, node: NodeName, event: Event<Descriptor>) -> Result<LocalEvent, Violation> {
        Ok(match event {
            Event::Message { data, ports, hops } => Event::Message { data, ports: self.import(node, ports)?, hops },
            Event::Close(reason) => Event::Close(reason),
            Event::Consumed { batch, hops } => Event::Consumed { batch, hops },
            Event::CreditPolicy { policy, hops } => Event::CreditPolicy { policy, hops },
            Event::Lock => Event::Lock,
            Event::Granted => Event::Granted,
            Event::Unlock => Event::Unlock,
            Event::Expect(next) => Event::Expect(next),
            Event::Expecting => Event::Expecting,
            Event::CannotReach => Event::CannotReach,
            Event::Bypass(next) => Event::Bypass(next),
            Event::Fence => Event::Fence,
        })
    }

    /// Sends an endpoint to another node. A proxy remains here, unless it is not needed.
    fn export(&mut self, key: ElementKey, node: NodeName, backlog: &mut Backlog, moved: &mut Vec<ElementKey>) -> Descriptor {
        self.name_edge(key);
        let there = SideName(self.names.next());
        let to = Addr { node, side: there };
        let Some(Element::Endpoint(Endpoint { line, queue, bytes, flow, prefetch: _ })) = self.elements.remove(key) else {
            unreachable!("a message carries endpoints and is their only owner")
        };
        self.limits.forget(key);
        self.queued_bytes -= bytes;
        if let Some(trace) = &mut self.trace {
            trace.left(key, there);
        }
        let here = match line {
            Line::Ended { .. } => {
                // The channel has ended, so there is nothing to forward. The close is in the queue,
                // even if the former holder has received it: see `change_hands`.
                let here = SideName(self.names.next());
                backlog.extend(queue.into_iter().map(|item| (here, to, event_of(item))));
                return Descriptor { side: there, neighbour: here, flow_state: FlowState::default() };
            }
            Line::Open(side) => match self.resting_local_neighbour(&side) {
                Some(place) => {
                    // The neighbour is in this node, and no event is in transit between the two:
                    // the neighbour takes over the edge.
                    self.side_table.remove(&side.name);
                    let neighbour = self.elements.get_mut(place.key).and_then(|e| e.side_mut(place.which)).expect("just looked at");
                    neighbour.peer = to;
                    let name = neighbour.name;
                    if self.wake_proxy(place.key) {
                        moved.push(place.key);
                    }
                    name
                }
                None => {
                    let here = SideName(self.names.next());
                    let outer = side.name;
                    let proxy = Proxy { sides: [side, Side::new(here, to)], stage: Stage::Locking };
                    let key = self.elements.insert(Element::Proxy(Box::new(proxy)));
                    self.proxies += 1;
                    self.side_table.insert(outer, SideId { key, which: 0 });
                    self.side_table.insert(here, SideId { key, which: 1 });
                    moved.push(key);
                    here
                }
            },
        };
        let descriptor = Descriptor { side: there, neighbour: here, flow_state: flow.pack() };
        if mutant!(self, TransferForgetsQueue) {
            return descriptor;
        }
        backlog.extend(queue.into_iter().map(|item| (here, to, event_of(item))));
        descriptor
    }

    fn resting_local_neighbour(&self, side: &Side) -> Option<SideId> {
        if side.peer.node != self.me || !side.at_rest() || !self.local.is_empty() {
            return None;
        }
        let place = self.side_table.get(&side.peer.side)?;
        let neighbour = self.elements.get(place.key)?.side(place.which)?;
        neighbour.at_rest().then_some(place)
    }

    fn import(&mut self, node: NodeName, ports: Vec<Descriptor>) -> Result<Vec<ElementKey>, Violation> {
        let mut keys = Vec::with_capacity(ports.len());
        for Descriptor { side, neighbour, flow_state } in ports {
            if side.is_inner() || self.side_table.contains(&side) {
                keys.into_iter().for_each(|key| self.close_element(key, CloseReason::Dropped));
                return Err(Violation::NameTaken);
            }
            let key = self.adopt_with(side, Addr { node, side: neighbour }, Flow::unpack(flow_state));
            if let Some(trace) = &mut self.trace {
                trace.arrived(key, side);
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

fn event_of(item: Item) -> LocalEvent {
    match item.into_message() {
        // A move of a queue counts as one hop.
        Ok((data, ports, hops)) => Event::Message { data, ports, hops: hops.saturating_add(1) },
        Err(reason) => Event::Close(reason),
    }
}
