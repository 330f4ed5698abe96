//! What happens to channels that led to, or through, a node that is gone.

use super::element::{Change, Element, Place, Side, Stage};
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

    fn lose_neighbours(&mut self, key: ElementKey, node: NodeName, reason: CloseReason) {
        let Some(element) = self.elements.get_mut(key) else { return };
        if let Element::Proxy(proxy) = &*element
            && proxy.stage == (Stage::Leaving { fenced: true })
        {
            // L's last word has been passed on: only R's fence is missing, and only L would want it.
            let gone = proxy
                .sides
                .each_ref()
                .map(|side| side.peer.node == node || !self.linked.contains(&side.peer.node) && side.peer.node != self.me);
            match gone {
                [true, true] => self.vanish(key),
                [false, true] => self.finish(Place { key, which: 1 }, reason),
                [_, false] => {}
            }
            return;
        }
        for which in 0..2 {
            let Some(side) = self.elements.get_mut(key).and_then(|e| e.side_mut(which)) else { return };
            match fate(side, node) {
                Fate::Unharmed => {}
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
