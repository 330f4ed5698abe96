//! The end of channels that led to, or through, a lost node.

use super::element::{Change, Side, SideId};
use super::{ElementKey, Router};
use crate::message::CloseReason;
use crate::name::NodeName;

/// The effect of a node's loss on a side.
enum LossEffect {
    /// None.
    Unharmed,
    /// The present source of events is gone: no further event will arrive.
    Cut,
    /// The next source is gone; the present one has not finished yet.
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
    /// The link to `node` is gone, and all events that arrived over it have been handled.
    pub(crate) fn lose_node(&mut self, node: NodeName, reason: CloseReason) {
        self.linked.remove(&node);
        self.unreachable(node);
        let keys: Vec<ElementKey> = self.elements.keys().collect();
        for key in keys {
            self.lose_neighbours(key, node, reason);
        }
        self.run();
    }

    /// A proxy that has passed on L's fence needs no further handling: R no longer accepts its
    /// events.
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
