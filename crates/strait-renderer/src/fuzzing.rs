//! The entry point for fuzzing: it accepts any bytes, and asserts the invariants of the port table.
//!
//! It is compiled for tests, which replay `fuzz/seeds/`, and with `--cfg fuzzing` for `cargo xtask
//! fuzz`. It is not part of the crate's interface.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use strait_ports::{CloseReason, Node};
use strait_protocol::{DocumentId, World};

use crate::ports::{Handle, PortTable, ReadyHandles};
use crate::untracked_ports::Keeper;

/// The number of documents; document `n` has the realms `2n` (main world) and `2n + 1`.
const DOCUMENTS: u64 = 4;

/// The place of a port in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Document(DocumentId),
    Message(usize),
}

/// A window message with ports. Only its receiver gets its nonce.
struct Sent {
    nonce: String,
    sender: DocumentId,
    target: Option<DocumentId>,
    handles: Vec<Handle>,
    redeemed: Option<DocumentId>,
    over: bool,
}

/// The expected state of the table.
struct Model {
    owners: HashMap<Handle, Owner>,
    keepers: HashMap<Handle, Keeper>,
    /// Keepers whose ports are gone, and that the table has not yet returned.
    released: Vec<Keeper>,
    sent: Vec<Sent>,
    handles: Vec<Handle>,
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn document(&mut self) -> DocumentId {
        u64::from(self.next().unwrap_or(0)) % DOCUMENTS
    }

    fn world(&mut self) -> World {
        if self.next().unwrap_or(0).is_multiple_of(2) { World::Main } else { World::Isolated }
    }

    /// One of the handles so far, or one that never existed.
    fn handle(&mut self, model: &Model) -> Handle {
        let at = usize::from(self.next().unwrap_or(0));
        model.handles.get(at % (model.handles.len() + 1)).copied().unwrap_or(u32::MAX)
    }
}

impl Model {
    fn owns(&self, handle: Handle, document: DocumentId) -> bool {
        self.owners.get(&handle) == Some(&Owner::Document(document))
    }

    fn add(&mut self, handle: Handle, document: DocumentId) {
        assert!(!self.handles.contains(&handle), "the handle {handle} is used twice");
        self.handles.push(handle);
        self.owners.insert(handle, Owner::Document(document));
    }

    fn end(&mut self, handle: Handle) {
        self.owners.remove(&handle);
        self.released.extend(self.keepers.remove(&handle));
    }

    /// Ends the messages that match, and the unredeemed ports in them.
    fn end_sent(&mut self, matches: impl Fn(&Sent) -> bool) {
        let ended: Vec<usize> = (0..self.sent.len()).filter(|&at| !self.sent[at].over && matches(&self.sent[at])).collect();
        for at in ended {
            self.sent[at].over = true;
            if self.sent[at].redeemed.is_none() {
                for handle in self.sent[at].handles.clone() {
                    self.end(handle);
                }
            }
        }
    }
}

/// Documents create, post, redeem, lose and close ports in any order. A document gets a handle only
/// in one of three ways: by the nonce of a message that it alone received, by a realm that keeps a
/// port's twin, or as the maker of the port.
pub fn untracked_ports(bytes: &[u8]) {
    thread_local! {
        static NODE: Node = Node::broker().expect("a node without neighbours");
    }
    let ready = Arc::new(ReadyHandles::default());
    let mut table = PortTable::new(ready, None);
    let mut model = Model { owners: HashMap::new(), keepers: HashMap::new(), released: Vec::new(), sent: Vec::new(), handles: Vec::new() };
    let mut input = Input(bytes);
    while let Some(operation) = input.next() {
        if model.handles.len() > 64 {
            break;
        }
        step(operation, &mut input, &mut table, &mut model, || NODE.with(Node::channel));
        for &handle in &model.handles {
            for document in 0..DOCUMENTS {
                let has = table.get_mut(handle, document).is_some();
                assert_eq!(has, model.owns(handle, document), "handle {handle}, document {document}: {:?}", model.owners.get(&handle));
            }
        }
    }
}

fn step(
    operation: u8,
    input: &mut Input<'_>,
    table: &mut PortTable,
    model: &mut Model,
    channel: impl Fn() -> (strait_ports::Port, strait_ports::Port),
) {
    let document = input.document();
    match operation % 12 {
        0 => {
            let world = input.world();
            let first = table.add_pair(channel(), document, world).expect("there are handles");
            model.add(first, document);
            model.add(first + 1, document);
        }
        1 => {
            let count = usize::from(input.next().unwrap_or(0)) % 4;
            let handles: Vec<Handle> = (0..count).map(|_| input.handle(model)).collect();
            let target = input.next().filter(|&target| target % 2 == 0).map(|target| u64::from(target / 2) % DOCUMENTS);
            let nonce = format!("{:032}", model.sent.len());
            let distinct: HashSet<_> = handles.iter().collect();
            let sound = distinct.len() == handles.len() && handles.iter().all(|&handle| model.owns(handle, document));
            let staged = table.stage_transfer(nonce.clone(), handles.clone(), document, target);
            assert_eq!(staged, sound, "document {document} sends {handles:?}");
            if staged {
                for &handle in &handles {
                    model.owners.insert(handle, Owner::Message(model.sent.len()));
                }
                model.sent.push(Sent { nonce, sender: document, target, handles, redeemed: None, over: false });
            }
        }
        2 if !model.sent.is_empty() => {
            // In reality only the receiver has the nonce of a message. Here any document tries it,
            // which shows that a nonce serves one document.
            let at = usize::from(input.next().unwrap_or(0)) % model.sent.len();
            let world = input.world();
            let redeemed = table.redeem_transfer(&model.sent[at].nonce, document, world);
            let sent = &mut model.sent[at];
            let expected = !sent.over && sent.redeemed.is_none_or(|first| first == document);
            assert_eq!(redeemed, if expected { sent.handles.clone() } else { Vec::new() }, "document {document} claims message {at}");
            if expected {
                let first = sent.redeemed.replace(document).is_none();
                sent.over = world == World::Main;
                for &handle in redeemed.iter().filter(|_| first) {
                    assert_eq!(model.owners.insert(handle, Owner::Document(document)), Some(Owner::Message(at)));
                }
            }
        }
        3 if !model.sent.is_empty() => {
            let at = usize::from(input.next().unwrap_or(0)) % model.sent.len();
            // The glue aborts a message at once if WebKit did not send it.
            if model.sent[at].redeemed.is_none() {
                table.abort(&model.sent[at].nonce, document);
                let sent = &mut model.sent[at];
                if !sent.over && sent.sender == document {
                    sent.over = true;
                    for &handle in &sent.handles {
                        model.owners.insert(handle, Owner::Document(document));
                    }
                }
            }
        }
        4 => {
            let handle = input.handle(model);
            let realm = document as u32 * 2 + u32::from(input.world() == World::Isolated);
            table.keep_twin(handle, document, realm, 0);
            if model.owns(handle, document) {
                let keeper = Keeper { realm, key: handle };
                model.released.extend(model.keepers.insert(handle, keeper).filter(|former| *former != keeper));
            }
        }
        5 => {
            // The port has left untracked: its keeper gets it.
            let handle = input.handle(model);
            let keeper = table.take_keeper(handle, document);
            let expected = if model.owns(handle, document) { model.keepers.remove(&handle) } else { None };
            assert_eq!(keeper, expected, "the keeper of {handle}, asked by document {document}");
            if let Some(keeper) = keeper {
                let to = u64::from(keeper.realm / 2);
                let moved = table.renew(handle, document, to, World::Main).expect("the document owns it");
                model.end(handle);
                model.add(moved, to);
            }
        }
        6 => {
            let handle = input.handle(model);
            let moved = table.renew(handle, document, document, input.world());
            assert_eq!(moved.is_some(), model.owns(handle, document));
            if let Some(moved) = moved {
                model.end(handle);
                model.add(moved, document);
            }
        }
        7 => {
            let handle = input.handle(model);
            table.close(handle, document, CloseReason::Closed);
            if model.owns(handle, document) {
                model.end(handle);
            }
        }
        8 => {
            let handles = [input.handle(model), input.handle(model)];
            let taken = table.take_all(&handles, 0, document);
            let sound = handles[0] != handles[1] && handles.iter().all(|&handle| model.owns(handle, document));
            assert_eq!(taken.is_some(), sound);
            match taken {
                // The post failed: the table must be as before.
                Some(ports) if input.next().unwrap_or(0).is_multiple_of(2) => table.restore(&handles, ports, document, World::Main),
                Some(_) => handles.iter().for_each(|&handle| model.end(handle)),
                None => {}
            }
        }
        9 => {
            table.close_document(document);
            let owned: Vec<Handle> = model.handles.iter().copied().filter(|&handle| model.owns(handle, document)).collect();
            owned.into_iter().for_each(|handle| model.end(handle));
            model.end_sent(|sent| sent.sender == document);
        }
        10 => {
            table.close_on_the_way(document);
            model.end_sent(|sent| sent.target == Some(document));
        }
        _ => {
            while let Some(keeper) = table.next_released_keeper() {
                let at = model.released.iter().position(|released| *released == keeper);
                let at = at.unwrap_or_else(|| panic!("{keeper:?} is released, and its port has not gone"));
                model.released.swap_remove(at);
            }
            assert!(model.released.is_empty(), "not released: {:?}", model.released);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::untracked_ports;

    /// Sequences that use every operation.
    fn seeds() -> Vec<(String, Vec<u8>)> {
        let seeds: [(&str, &[u8]); 5] = [
            ("claimed", &[0, 1, 0, 1, 1, 1, 0, 4, 2, 2, 0, 1, 2, 2, 0, 0, 2, 3, 0, 0, 11, 0]),
            ("kept", &[0, 1, 0, 4, 1, 0, 0, 1, 1, 1, 0, 4, 2, 2, 0, 1, 2, 2, 0, 0, 5, 2, 0, 11, 0]),
            ("moved", &[0, 1, 0, 4, 1, 0, 0, 6, 1, 0, 0, 11, 0, 4, 1, 1, 0, 8, 1, 1, 2, 0, 8, 1, 1, 2, 1, 11, 0]),
            ("aborted", &[0, 3, 1, 1, 3, 2, 0, 1, 1, 3, 0, 0, 3, 3, 0, 7, 3, 0, 10, 1, 9, 3, 11, 0]),
            ("ended", &[0, 2, 0, 1, 2, 1, 0, 0, 9, 2, 2, 1, 0, 0, 0, 0, 0, 1, 0, 1, 2, 4, 10, 2, 11, 0]),
        ];
        seeds.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
    }

    #[test]
    fn no_document_gets_a_port_that_was_not_given_to_it() {
        strait_fuzz::replay("untracked_ports", &seeds(), 20_000, untracked_ports);
    }
}
