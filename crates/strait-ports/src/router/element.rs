//! The elements of a channel's chain and what they remember.

use std::sync::Arc;

use super::event::Event;
use super::flow::Flow;
use super::limits::FencedEvents;
use super::prefetch::Prefetch;
use super::queue::Queue;
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};

/// Which element: stable while it lives, never reused for another (the generation sees to that).
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

/// Who may change an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lock {
    /// Nobody has asked.
    Free,
    /// We have asked.
    Asked,
    /// We own it.
    Mine,
    /// The neighbour owns it.
    Theirs,
}

/// An event inside the node: ports are elements.
pub(super) type LocalEvent = Event<ElementKey>;

/// One side of an element and its edge to the neighbour.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Side {
    pub(super) name: SideName,
    /// Where this side speaks to. Unless `change` says otherwise it is also who may speak to it.
    pub(super) peer: Addr,
    pub(super) lock: Lock,
    /// Set while the neighbour is being bypassed; rare, therefore boxed.
    pub(super) change: Option<Box<Change>>,
}

/// How far this side's neighbour is on its way out.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Change {
    /// `Expect` has come. `peer` is the leaving proxy, in and out, until its fence; `next` may speak already and is held.
    Expecting {
        next: Addr,
        /// Set while there is no link to `next` yet: `Expecting` has not been answered.
        unlinked: bool,
        held: FencedEvents,
        /// The next neighbour's node is gone: nothing will follow what is held.
        lost: Option<CloseReason>,
    },
    /// `Bypass` has come but there is no link to `next` yet: everything still goes through the proxy.
    Preparing { next: Addr },
    /// We speak to `peer` directly; `former`, the leaving proxy, speaks to us until its fence, and what `peer` says is held.
    Crossing { former: Addr, held: FencedEvents, lost: Option<CloseReason> },
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Speaker {
    /// The present neighbour.
    Current,
    /// The next one: to be held until the fence.
    Next,
    /// Somebody who has no say here.
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

    /// What waits here for a fence.
    pub(super) fn held(&mut self) -> Option<&mut FencedEvents> {
        match self.change.as_deref_mut() {
            Some(Change::Expecting { held, .. } | Change::Crossing { held, .. }) => Some(held),
            _ => None,
        }
    }

    /// The cost of what waits here for a fence.
    pub(super) fn held_cost(&self) -> usize {
        match self.change.as_deref() {
            Some(Change::Expecting { held, .. } | Change::Crossing { held, .. }) => held.cost(),
            _ => 0,
        }
    }

    /// The edge is in nobody's hands and the neighbour stays: it can be moved without asking anyone.
    pub(super) fn at_rest(&self) -> bool {
        self.lock == Lock::Free && self.change.is_none()
    }
}

/// Where an endpoint's channel stands.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Line {
    Open(Side),
    /// The other end is gone; the close is queued or has been received. What waits in the queue came from `source`.
    Ended {
        reason: CloseReason,
        source: NodeName,
    },
}

/// An end of a channel: what a `Port` is a handle to.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Endpoint {
    pub(super) line: Line,
    pub(super) queue: Queue,
    /// Payload bytes in `queue` and in `prefetch`.
    pub(super) bytes: usize,
    /// What the other end has not received of what was posted here, and the like.
    pub(super) flow: Flow,
    /// What the program has been given ahead of its asking. It counts in `bytes` until it is known to be taken.
    pub(super) prefetch: Option<Arc<Prefetch>>,
}

impl Endpoint {
    pub(super) fn new(name: SideName, peer: Addr) -> Self {
        Self { line: Line::Open(Side::new(name, peer)), queue: Queue::default(), bytes: 0, flow: Flow::default(), prefetch: None }
    }
}

/// How far a proxy is with removing itself. `sides[1]` plays R, `sides[0]` plays L (see `docs/architecture/ports.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Collecting the locks of both edges.
    Locking,
    /// `Expect` is sent.
    Asking,
    /// `Bypass` is sent; `fenced`: L's fence has been passed on to R.
    Leaving { fenced: bool },
    /// The neighbours can't reach each other: stays until one of them changes.
    Stuck,
}

/// A former endpoint that passes on what was addressed to it.
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

/// A side's place: its element and which of the element's sides it is.
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
        // A slot whose generations are used up is retired: a key never means two elements.
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

/// Bytes an element and a side take.
#[cfg(test)]
pub(super) fn sizes() -> (usize, usize) {
    (size_of::<Slot>(), size_of::<Side>())
}
