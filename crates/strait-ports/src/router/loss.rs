//! What happens to channels that led to, or through, a node that is gone.

use super::element::{Change, Side, SideId};
use super::{ElementKey, Router};
use crate::message::CloseReason;
use crate::name::NodeName;

/// What the loss of a node means to a side.
enum LossEffect {
    /// Nothing.
    Unharmed,
    /// The sending neighbour is gone: nothing more will come.
    Cut,
    /// The next sending neighbour is gone; the present one has not finished yet.
    Later,
}

fn loss_effect(side: &Side, node: NodeName) -> LossEffect {
    let (speaker, next) = match side.change.as_deref() {
        None | Some(Change::Preparing { .. }) => (side.peer, None),
        Some(Change::Expecting { next, .. }) => (side.peer, Some(*next)),
        Some(Change::Crossing { former, .. }) => (*former, Some(side.peer)),
    };
    if speaker.node == node {
        LossEffect::Cut
    } else if next.is_some_and(|n| n.node == node) {
        LossEffect::Later
    } else {
        LossEffect::Unharmed
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
            match loss_effect(side, node) {
                LossEffect::Unharmed if mutant!(self, LossCutsAll) => return self.cut(SideId { key, which }, reason),
                LossEffect::Unharmed => {}
                LossEffect::Cut if mutant!(self, LossDoesNotCut) => {}
                LossEffect::Cut => return self.cut(SideId { key, which }, reason),
                LossEffect::Later => {
                    if let Some(Change::Expecting { lost, .. } | Change::Crossing { lost, .. }) = side.change.as_deref_mut() {
                        *lost = Some(reason);
                    }
                }
            }
        }
    }
}
