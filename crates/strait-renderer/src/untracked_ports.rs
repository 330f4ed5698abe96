//! Untracked ports: their DOM objects left a document through a function of WebKit that the glue
//! cannot replace (`js/untracked-ports.js`).
//!
//! > **Architecture Invariant:** no port is matched by elimination. A realm that receives an
//! > unstamped port never gets a handle for it. The realm that has the port's twin relays instead:
//! > WebKit's own channel connects it with the receiver alone.

use std::collections::HashMap;

use strait_protocol::DocumentId;

use crate::agent::Agent;
use crate::ports::Handle;
use crate::realm::Realm;

/// The realm that keeps a port's twin, and the number of the twin in that realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keeper {
    pub(crate) realm: u32,
    pub(crate) key: Handle,
}

/// The keepers of all ports that window messages have taken away from their twins.
#[derive(Default)]
pub(crate) struct Keepers {
    of: HashMap<Handle, Keeper>,
    /// Handles of twins that are pages' ports too, by the port that a window message took away.
    partners: HashMap<Handle, Handle>,
    /// Keepers of ports that are gone, not yet notified.
    released: Vec<(Handle, Keeper)>,
}

impl Keepers {
    /// Records that the twin of the port is the object of the handle `partner`.
    pub(crate) fn pair(&mut self, handle: Handle, partner: Handle) {
        self.partners.insert(handle, partner);
    }

    /// The handle of the port's twin, if `pair` has recorded it.
    pub(crate) fn partner(&self, handle: Handle) -> Option<Handle> {
        self.partners.get(&handle).copied()
    }

    /// The keeper of the port's twin.
    pub(crate) fn get(&self, handle: Handle) -> Option<Keeper> {
        self.of.get(&handle).copied()
    }

    /// From now on the realm keeps the port's twin.
    pub(crate) fn keep(&mut self, handle: Handle, realm: u32) {
        let keeper = Keeper { realm, key: handle };
        if let Some(former) = self.of.insert(handle, keeper)
            && former != keeper
        {
            self.released.push((handle, former));
        }
    }

    /// The port is gone, or has another DOM object now.
    pub(crate) fn release(&mut self, handle: Handle) {
        self.partners.remove(&handle);
        if let Some(keeper) = self.of.remove(&handle) {
            self.released.push((handle, keeper));
        }
    }

    /// Undoes a `release` of which the keeper was not notified.
    pub(crate) fn restore(&mut self, handle: Handle) {
        if let Some(at) = self.released.iter().rposition(|(released, _)| *released == handle) {
            let (_, keeper) = self.released.swap_remove(at);
            self.of.insert(handle, keeper);
        }
    }

    /// Takes the keeper of a port that has left. It no longer keeps the twin for that port.
    pub(crate) fn take(&mut self, handle: Handle) -> Option<Keeper> {
        self.of.remove(&handle)
    }

    /// A keeper that can drop its twin.
    pub(crate) fn next_released(&mut self) -> Option<Keeper> {
        self.released.pop().map(|(_, keeper)| keeper)
    }

    pub(crate) fn has_released(&self) -> bool {
        !self.released.is_empty()
    }
}

impl Agent {
    /// Makes every realm check for ports that have left it untracked. `sender` is the document
    /// whose message has brought one.
    pub(crate) fn look_for_untracked(&self, sender: Option<DocumentId>) {
        let origin = sender.and_then(|sender| self.document(sender)).and_then(|document| document.origin());
        let realms: Vec<_> = self.realms.borrow().values().cloned().collect();
        for realm in realms {
            let document = realm.document.get();
            let same_origin = || origin.is_some() && self.document(document).and_then(|document| document.origin()) == origin;
            realm.look_for_untracked(sender == Some(document) || same_origin());
        }
    }

    /// Makes the keeper of a port that has left this realm untracked relay for it. `first` is a
    /// message that was due for delivery here. False if the port has no keeper any more.
    pub(crate) fn follow(&self, realm: &Realm, handle: Handle, first: Option<(Vec<u8>, Vec<Handle>)>) -> bool {
        let document = realm.document.get();
        let Some(Keeper { realm: keeper, key }) = self.ports.borrow_mut().take_keeper(handle, document) else { return false };
        let Some(keeper) = self.realm(keeper) else { return false };
        let moved = {
            let mut table = self.ports.borrow_mut();
            let mut renew = |handle| {
                let new = table.renew(handle, document, keeper.document.get(), keeper.world)?;
                table.relist(new);
                Some(new)
            };
            let first = first.map(|(payload, handles)| (payload, handles.into_iter().filter_map(&mut renew).collect::<Vec<_>>()));
            renew(handle).map(|handle| (handle, first))
        };
        let Some((handle, first)) = moved else { return false };
        keeper.relay(key, handle, first.as_ref().map(|(payload, handles)| (payload.as_slice(), handles.as_slice())));
        true
    }

    /// Finds the port whose twin is `handle`, a port for which a realm of the document has got an
    /// object. The realm becomes that port's keeper, unless the document's other realm is. Returns
    /// that port's handle.
    pub(crate) fn keep_for_partner(&self, realm: &Realm, handle: Handle) -> Option<Handle> {
        let partner = self.ports.borrow_mut().partner(handle, realm.document.get())?;
        if !self.is_kept_by_document_of(realm, partner) {
            self.ports.borrow_mut().keep_partner(partner, realm.id);
        }
        Some(partner)
    }

    /// Makes the realm the keeper of a twin that it, or its document's other realm, has kept.
    pub(crate) fn keep_instead(&self, realm: &Realm, partner: Handle) {
        if self.is_kept_by_document_of(realm, partner) {
            self.ports.borrow_mut().keep_partner(partner, realm.id);
        }
    }

    fn is_kept_by_document_of(&self, realm: &Realm, handle: Handle) -> bool {
        let keeper = self.ports.borrow().keeper(handle);
        keeper.and_then(|keeper| self.realm(keeper.realm)).is_some_and(|keeper| keeper.document.get() == realm.document.get())
    }

    /// Notifies one keeper that its port is gone; false when there is none.
    pub(crate) fn release_keeper(&self) -> bool {
        let Some(Keeper { realm, key }) = self.ports.borrow_mut().next_released_keeper() else { return false };
        if let Some(realm) = self.realm(realm) {
            realm.forget_twin(key);
        }
        true
    }
}
