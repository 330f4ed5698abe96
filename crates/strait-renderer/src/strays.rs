//! Ports whose DOM objects left a document by a way that the glue does not see (`js/strays.js`).

use std::cell::{Cell, RefCell};

use strait_protocol::{DocumentId, World};

use crate::agent::Agent;
use crate::ports::Handle;
use crate::realm::Realm;

/// What is known of them.
#[derive(Default)]
pub(crate) struct Strays {
    /// Ports that realms have lost, while one is looked for.
    pub(crate) lost: RefCell<Vec<(Handle, DocumentId)>>,
    /// One that a document's isolated realm has found; the page's own realm is told of the same event next.
    found: Cell<Option<(DocumentId, Handle)>>,
}

impl Agent {
    /// `count` ports of WebKit's own have come to this realm. Every realm goes after those of its ports that have left. What cannot be followed
    /// is the one that came, if there is one of each; others close.
    pub(crate) fn find_stray(&self, realm: &Realm, count: u32) -> Option<Handle> {
        let document = realm.document.get();
        let found = self.strays.found.take().filter(|(finder, _)| *finder == document && realm.world == World::Main);
        if let Some((_, handle)) = found {
            let mut table = self.ports.borrow_mut();
            return table.share(handle, document, realm.world).then_some(handle);
        }
        let realms: Vec<_> = self.realms.borrow().values().cloned().collect();
        // The same port may be known to both realms of a document, and only one of them have what it takes.
        for all in [false, true] {
            for realm in &realms {
                realm.look_for_strays(all);
            }
        }
        let mut lost = self.strays.lost.take();
        let mut table = self.ports.borrow_mut();
        // Both realms of a document may have had it.
        lost.sort_unstable();
        lost.dedup();
        lost.retain(|(handle, owner)| table.get_mut(*handle, *owner).is_some());
        if lost.len() != 1 || count != 1 {
            for (handle, owner) in lost {
                drop(table.take(handle, owner));
            }
            return None;
        }
        let (lost, owner) = lost.pop()?;
        let handle = table.renew(lost, owner, document, realm.world)?;
        table.relist(handle);
        if realm.world == World::Isolated {
            self.strays.found.set(Some((document, handle)));
        }
        Some(handle)
    }
}
