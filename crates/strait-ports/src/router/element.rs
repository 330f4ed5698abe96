//! The elements of a channel's chain, and their state.

use std::sync::Arc;

use super::event::Event;
use super::flow::Flow;
use super::limits::FencedEvents;
use super::prefetch::Prefetch;
use super::queue::Queue;
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

/// Identifies an element. The generation ensures that a key is never reused for another element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct ElementKey {
    index: u32,
    generation: u32,
}

impl ElementKey {
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// The owner of an edge, as one side stores it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lock {
    /// Unlocked.
    Free,
    /// Requested by this side.
    Asked,
    /// Owned by this side.
    Mine,
    /// Owned by the neighbour.
    Theirs,
}

/// An event inside the node: its ports are elements.
pub(super) type LocalEvent = Event<ElementKey>;

/// One side of an element and its edge to the neighbour.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Side {
    pub(super) name: SideName,
    /// The target of this side's events. Unless `change` is set, also the source of its events.
    pub(super) peer: Addr,
    pub(super) lock: Lock,
    /// Set while the neighbour is being bypassed. Boxed because that is rare.
    pub(super) change: Option<Box<Change>>,
}

/// The progress of a bypass of this side's neighbour.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Change {
    /// `Expect` was received. `peer` is the leaving proxy, for both directions, until its fence.
    /// Events of `next` are held.
    Expecting {
        next: Addr,
        /// There is no link to `next` yet, and `Expecting` has not been sent.
        unlinked: bool,
        held: FencedEvents,
        /// The next neighbour's node is gone: no event follows the held ones.
        lost: Option<CloseReason>,
    },
    /// `Bypass` was received, but there is no link to `next` yet: all events still go through the
    /// proxy.
    Preparing { next: Addr },
    /// Events are sent to `peer` directly. `former`, the leaving proxy, is the source until its
    /// fence; events of `peer` are held.
    Crossing { former: Addr, held: FencedEvents, lost: Option<CloseReason> },
}

/// The relation of an event's sender to a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Speaker {
    /// The present neighbour.
    Current,
    /// The next neighbour: its events are held until the fence.
    Next,
    /// Not a neighbour.
    Stranger,
}

impl Side {
    pub(super) fn new(name: SideName, peer: Addr) -> Self {
        Self { name, peer, lock: Lock::Free, change: None }
    }

    pub(super) fn speaker(&self, from: Addr) -> Speaker {
        let (current, next) = match self.change.as_deref() {
            None | Some(Change::Preparing { .. }) => (self.peer, None),
            Some(Change::Expecting { next, .. }) => (self.peer, Some(*next)),
            Some(Change::Crossing { former, .. }) => (*former, Some(self.peer)),
        };
        if from == current {
            Speaker::Current
        } else if next == Some(from) {
            Speaker::Next
        } else {
            Speaker::Stranger
        }
    }

    /// The events that are held for a fence.
    pub(super) fn held(&mut self) -> Option<&mut FencedEvents> {
        match self.change.as_deref_mut() {
            Some(Change::Expecting { held, .. } | Change::Crossing { held, .. }) => Some(held),
            _ => None,
        }
    }

    /// The cost of the events that are held for a fence.
    pub(super) fn held_cost(&self) -> usize {
        match self.change.as_deref() {
            Some(Change::Expecting { held, .. } | Change::Crossing { held, .. }) => held.cost(),
            _ => 0,
        }
    }

    /// The edge is unlocked and the neighbour stays: the edge can be moved without a lock.
    pub(super) fn at_rest(&self) -> bool {
        self.lock == Lock::Free && self.change.is_none()
    }
}

/// The state of an endpoint's channel.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Line {
    Open(Side),
    /// The other end is gone; the close is queued or was received. The queued messages came from
    /// `source`.
    Ended {
        reason: CloseReason,
        source: NodeName,
    },
}

/// An end of a channel; a `Port` is a handle to it.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Endpoint {
    pub(super) line: Line,
    pub(super) queue: Queue,
    /// Payload bytes in `queue` and in `prefetch`.
    pub(super) bytes: usize,
    /// Counts the outstanding messages and bytes.
    pub(super) flow: Flow,
    /// Messages that were moved out of `queue` ahead of `recv`. They count in `bytes` until the
    /// router has counted them as received.
    pub(super) prefetch: Option<Arc<Prefetch>>,
}

impl Endpoint {
    pub(super) fn new(name: SideName, peer: Addr) -> Self {
        Self { line: Line::Open(Side::new(name, peer)), queue: Queue::default(), bytes: 0, flow: Flow::default(), prefetch: None }
    }
}

/// The progress of a proxy's removal. `sides[1]` is R, `sides[0]` is L (see
/// `docs/architecture/ports.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The locks of both edges are requested.
    Locking,
    /// `Expect` was sent.
    Asking,
    /// `Bypass` was sent; `fenced`: L's fence has been passed on to R.
    Leaving { fenced: bool },
    /// The neighbours cannot reach each other: the proxy stays until one of them changes.
    Stuck,
}

/// A former endpoint that forwards events.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Proxy {
    pub(super) sides: [Side; 2],
    pub(super) stage: Stage,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Element {
    Endpoint(Endpoint),
    Proxy(Box<Proxy>),
}

/// The location of a side: its element, and its index there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SideId {
    pub(super) key: ElementKey,
    pub(super) which: u8,
}

impl Element {
    pub(super) fn side(&self, which: u8) -> Option<&Side> {
        match self {
            Self::Endpoint(Endpoint { line: Line::Open(side), .. }) if which == 0 => Some(side),
            Self::Endpoint(_) => None,
            Self::Proxy(proxy) => proxy.sides.get(usize::from(which)),
        }
    }

    pub(super) fn side_mut(&mut self, which: u8) -> Option<&mut Side> {
        match self {
            Self::Endpoint(Endpoint { line: Line::Open(side), .. }) if which == 0 => Some(side),
            Self::Endpoint(_) => None,
            Self::Proxy(proxy) => proxy.sides.get_mut(usize::from(which)),
        }
    }
}

/// All elements of a node, in one growing array with a free list.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Elements {
    slots: Vec<Slot>,
    free: Vec<u32>,
    live: usize,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Slot {
    generation: u32,
    element: Option<Element>,
}

impl Elements {
    pub(super) fn insert(&mut self, element: Element) -> ElementKey {
        self.live += 1;
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.element = Some(element);
            return ElementKey { index, generation: slot.generation };
        }
        let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 elements fit in memory");
        self.slots.push(Slot { generation: 0, element: Some(element) });
        ElementKey { index, generation: 0 }
    }

    /// The keys that the next two elements will have.
    pub(super) fn next_two(&self) -> [ElementKey; 2] {
        let mut free = self.free.iter().rev();
        let mut fresh = self.slots.len() as u32;
        [(); 2].map(|()| match free.next() {
            Some(index) => ElementKey { index: *index, generation: self.slots[*index as usize].generation },
            None => {
                fresh += 1;
                ElementKey { index: fresh - 1, generation: 0 }
            }
        })
    }

    pub(super) fn get(&self, key: ElementKey) -> Option<&Element> {
        self.slots.get(key.index as usize).filter(|s| s.generation == key.generation)?.element.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: ElementKey) -> Option<&mut Element> {
        self.slots.get_mut(key.index as usize).filter(|s| s.generation == key.generation)?.element.as_mut()
    }

    pub(super) fn remove(&mut self, key: ElementKey) -> Option<Element> {
        let slot = self.slots.get_mut(key.index as usize).filter(|s| s.generation == key.generation)?;
        let element = slot.element.take()?;
        // A slot whose generations are exhausted is not used again, so a key never means two
        // elements.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(key.index);
        }
        self.live -= 1;
        Some(element)
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = ElementKey> + '_ {
        let keys = |(index, slot): (usize, &Slot)| {
            slot.element.is_some().then_some(ElementKey { index: index as u32, generation: slot.generation })
        };
        self.slots.iter().enumerate().filter_map(keys)
    }
}

/// The sizes of an element and of a side, in bytes.
#[cfg(test)]
pub(super) fn sizes() -> (usize, usize) {
    (size_of::<Slot>(), size_of::<Side>())
}
