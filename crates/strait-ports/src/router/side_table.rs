//! The sides of a node by their names.
//!
//! A name is a secret: a node that has it can send events to the side. The names of a channel that
//! has never left its node need not be secret, because no other node can send to them. They are
//! derived from the element's key, and need no randomness and no entry in the table. An end that
//! leaves the node gives its edge secret names first ([`Router::name_edge`]).

use std::collections::HashMap;

use super::element::{Element, ElementKey, Endpoint, Line, SideId};
use super::{Mail, Router};
use crate::name::{Addr, RandomKeys, SideName};

/// The upper half of inner names, which are valid only inside this node. A random name has the same
/// upper half with a probability of 2^-64.
const INNER: u64 = 0x1a9e_57a1_7000_0001;

impl SideName {
    pub(super) fn inner(key: ElementKey) -> Self {
        Self(u128::from(INNER) << 64 | u128::from(key.to_bits()))
    }

    /// Whether the name is valid only inside this node. Refused in events of a peer.
    pub(super) fn is_inner(self) -> bool {
        (self.0 >> 64) as u64 == INNER
    }
}

/// The elements of sides with random names.
#[derive(Debug, Default, Clone)]
pub(super) struct SideTable(HashMap<SideName, SideId, RandomKeys>);

impl SideTable {
    /// The location of the side. For an inner name, the element may be gone or may have another
    /// name by now.
    pub(super) fn get(&self, name: &SideName) -> Option<SideId> {
        if name.is_inner() {
            return Some(SideId { key: ElementKey::from_bits(name.0 as u64), which: 0 });
        }
        self.0.get(name).copied()
    }

    pub(super) fn contains(&self, name: &SideName) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn insert(&mut self, name: SideName, place: SideId) {
        self.0.insert(name, place);
    }

    pub(super) fn remove(&mut self, name: &SideName) {
        if !name.is_inner() {
            self.0.remove(name);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Router {
    /// Gives the edge of an endpoint random names, if it has inner ones, before one of its ends
    /// leaves.
    ///
    /// Such an edge joins two endpoints and is not being changed, but events may be in transit on
    /// it.
    pub(super) fn name_edge(&mut self, key: ElementKey) {
        let Some(Element::Endpoint(Endpoint { line: Line::Open(side), .. })) = self.elements.get_mut(key) else { return };
        if !side.name.is_inner() {
            return;
        }
        let (former, former_peer) = (side.name, side.peer.side);
        let (name, peer) = (SideName(self.names.next()), SideName(self.names.next()));
        (side.name, side.peer.side) = (name, peer);
        self.side_table.insert(name, SideId { key, which: 0 });
        if let Some(place) = self.side_table.get(&former_peer)
            && let Some(side) = self.elements.get_mut(place.key).and_then(|e| e.side_mut(place.which))
            && side.name == former_peer
        {
            (side.name, side.peer.side) = (peer, name);
            self.side_table.insert(peer, place);
        }
        let renamed = |side: SideName| match side {
            side if side == former => name,
            side if side == former_peer => peer,
            side => side,
        };
        for Mail { from, to, .. } in &mut self.local {
            *from = Addr { node: from.node, side: renamed(from.side) };
            *to = renamed(*to);
        }
    }
}
