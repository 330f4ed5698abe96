//! A member that sends forged events, made of all names that it has received.

use super::world::{Parcel, World, name, number};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};
use crate::router::{Descriptor, Event, FlowState, Frame};

/// One forged event that an honest node would not send in this state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forgery {
    /// The index in [`Known`]; one past the end: to the last pair's neighbour, from a side that does not exist.
    pair: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    /// Removes the forger's own last event to this node from the link.
    Silence,
    Message,
    /// A port under a new name, or under the name that the pair's other side has already.
    Port {
        taken: bool,
    },
    Close,
    Lock,
    Granted,
    Unlock,
    Expecting,
    CannotReach,
    Fence,
    /// With the neighbour of the pair of this index; one past the end: a side that does not exist.
    Expect(usize),
    Bypass(usize),
}

/// Pairs of a side of the forger's and the neighbour that accepts its events.
pub(super) type Known = Vec<(SideName, Addr)>;

impl World {
    /// Adds the pairs of the forger's present elements.
    pub(super) fn learn(&self, known: &mut Known) {
        let Some(router) = self.forger.and_then(|forger| self.routers[forger].as_ref()) else { return };
        let mut keys: Vec<_> = router.elements.keys().collect();
        keys.sort();
        for side in keys.into_iter().filter_map(|key| router.elements.get(key)).flat_map(|e| [e.side(0), e.side(1)]).flatten() {
            let pair = (side.name, side.peer);
            if side.peer.node != router.me && !known.contains(&pair) {
                known.push(pair);
            }
        }
    }

    /// All forgeries that are possible now.
    pub(super) fn forgeries(&self, known: &Known) -> Vec<Forgery> {
        let mut forgeries = Vec::new();
        let Some(forger) = self.forger.filter(|forger| self.lives(*forger)) else { return forgeries };
        let simple = [
            What::Message,
            What::Port { taken: false },
            What::Port { taken: true },
            What::Close,
            What::Lock,
            What::Granted,
            What::Unlock,
            What::Expecting,
            What::CannotReach,
            What::Fence,
        ];
        for (pair, (_, to)) in known.iter().enumerate() {
            if !self.linked.contains(&(forger, number(to.node))) {
                continue;
            }
            forgeries.extend(simple.map(|what| Forgery { pair, what }));
            forgeries.extend((0..=known.len()).flat_map(|n| [What::Expect(n), What::Bypass(n)]).map(|what| Forgery { pair, what }));
            let says = self.queues.get(&(forger, number(to.node))).is_some_and(|q| matches!(q.back(), Some(Parcel::Frame(_))));
            if says && known.iter().position(|(_, other)| other.node == to.node) == Some(pair) {
                forgeries.push(Forgery { pair, what: What::Silence });
            }
        }
        // From an unknown side, fewer events are of interest.
        if let Some(last) = known.len().checked_sub(1).filter(|last| self.linked.contains(&(forger, number(known[*last].1.node)))) {
            forgeries.extend([What::Message, What::Close, What::Fence].map(|what| Forgery { pair: last + 1, what }));
        }
        forgeries
    }

    /// Sends a forged event. From now on the model guarantees nothing for the forger's own
    /// channels.
    pub(super) fn tell(&mut self, forgery: Forgery, known: &Known) {
        let forger = self.forger.expect("a node forges events");
        self.note_spared(Some(forger));
        self.books.iter_mut().for_each(|book| book.tainted |= !book.spared);
        self.crashes += 1;
        let fresh = self.fresh_name();
        let (from, to) = known.get(forgery.pair).copied().unwrap_or_else(|| (fresh, known[forgery.pair - 1].1));
        let nowhere = Addr { node: to.node, side: fresh };
        let there = |n: usize| known.get(n).map_or(nowhere, |(_, there)| *there);
        let port = |side| Event::Message {
            data: Vec::new().into(),
            ports: vec![Descriptor { side, neighbour: from, flow_state: FlowState::default() }],
            hops: 0,
        };
        let event = match forgery.what {
            What::Silence => {
                self.queues.get_mut(&(forger, number(to.node))).and_then(std::collections::VecDeque::pop_back);
                return;
            }
            What::Message => Event::Message { data: Vec::new().into(), ports: Vec::new(), hops: 0 },
            What::Port { taken: false } => port(fresh),
            What::Port { taken: true } => port(to.side),
            What::Close => Event::Close(CloseReason::Closed),
            What::Lock => Event::Lock,
            What::Granted => Event::Granted,
            What::Unlock => Event::Unlock,
            What::Expecting => Event::Expecting,
            What::CannotReach => Event::CannotReach,
            What::Fence => Event::Fence,
            What::Expect(n) => Event::Expect(there(n)),
            What::Bypass(n) => Event::Bypass(there(n)),
        };
        debug_assert_ne!(to.node, name(forger));
        self.put(forger, number(to.node), Parcel::Frame(Frame { from, to: to.side, event }));
    }
}
