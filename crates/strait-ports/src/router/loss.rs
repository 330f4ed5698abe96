//! What happens to channels that led to, or through, a node that is gone.

use super::element::{Change, Place, Side};
use super::{ElementKey, Router};
use crate::message::CloseReason;
use crate::name::NodeName;

/// What a lost node means to a side.
enum Fate {
    /// Nothing.
    Unharmed,
    /// Who spoke to us is gone: everything that will ever come has come.
    Cut,
    /// Who is going to speak to us is gone; the one before it has not finished yet.
    Later,
}

fn fate(side: &Side, node: NodeName) -> Fate {
    let (speaker, next) = match side.change.as_deref() {
        None | Some(Change::Preparing { .. }) => (side.peer, None),
        Some(Change::Expecting { next, .. }) => (side.peer, Some(*next)),
        Some(Change::Crossing { former, .. }) => (*former, Some(side.peer)),
    };
    if speaker.node == node {
        Fate::Cut
    } else if next.is_some_and(|n| n.node == node) {
        Fate::Later
    } else {
        Fate::Unharmed
    }
}

impl Router {
    /// The link to `node` is gone, and everything that came over it has been handled.
    pub(crate) fn lose_node(&mut self, node: NodeName, reason: CloseReason) {
        self.linked.remove(&node);
        self.unreachable(node);
        let keys: Vec<ElementKey> = self.elements.keys().collect();
        for key in keys {
            self.lose_neighbours(key, node, reason);
        }
        self.run();
    }

    /// A proxy that has passed L's fence on needs no care of its own: what it may still say to R is no longer heard there.
    fn lose_neighbours(&mut self, key: ElementKey, node: NodeName, reason: CloseReason) {
        for which in 0..2 {
            let Some(side) = self.elements.get_mut(key).and_then(|e| e.side_mut(which)) else { return };
            match fate(side, node) {
                Fate::Unharmed if mutant!(self, LossCutsAll) => return self.cut(Place { key, which }, reason),
                Fate::Unharmed => {}
                Fate::Cut if mutant!(self, LossDoesNotCut) => {}
                Fate::Cut => return self.cut(Place { key, which }, reason),
                Fate::Later => {
                    if let Some(Change::Expecting { lost, .. } | Change::Crossing { lost, .. }) = side.change.as_deref_mut() {
                        *lost = Some(reason);
                    }
                }
            }
        }
    }
}
