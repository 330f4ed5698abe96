//! Documents: a document is the content of a frame between two navigations.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use strait_inspect::PortLocation;
use strait_ports::Port;
use strait_protocol::{DocumentId, EmitKind, FrameId, PageId, ToMain, ViewConfig, World};

use crate::agent::{Agent, Emit};
use crate::ffi::{Context, Page, WebFrame};
use crate::realm::{Privileges, Realm};

/// The main realm's report of a new document.
pub(crate) struct Birth {
    pub(crate) url: String,
    pub(crate) origin: String,
    pub(crate) name: String,
    pub(crate) parent: Option<FrameId>,
}

/// An emit that waits until its document has a listener for it.
struct PendingEmit {
    channel: String,
    kind: EmitKind,
    payload: Vec<u8>,
    ports: Vec<Port>,
}

/// A document with its two realms.
pub(crate) struct Document {
    pub(crate) id: DocumentId,
    pub(crate) page: PageId,
    pub(crate) frame: FrameId,
    pub(crate) is_main_frame: bool,
    birth: OnceCell<Birth>,
    main: RefCell<Option<Rc<Realm>>>,
    isolated: RefCell<Option<Rc<Realm>>>,
    /// `DOMContentLoaded` has fired.
    ready: Cell<bool>,
    /// The `load` event has fired.
    loaded: Cell<bool>,
    listening: RefCell<HashSet<String>>,
    pending: RefCell<VecDeque<PendingEmit>>,
}

impl Document {
    /// The message that announces the document to main; `None` before its main realm has reported.
    pub(crate) fn announcement(&self) -> Option<ToMain> {
        let birth = self.birth.get()?;
        Some(ToMain::DocumentCreated {
            page: self.page,
            document: self.id,
            frame: self.frame,
            parent: birth.parent,
            url: birth.url.clone(),
            origin: birth.origin.clone(),
            name: birth.name.clone(),
        })
    }

    /// The document's location, for the inspector of its ports.
    pub(crate) fn place(&self, config: &ViewConfig) -> Option<PortLocation> {
        Some(PortLocation::new(config.window, self.frame, &self.birth.get()?.url))
    }

    /// The document's origin; `None` before its main realm has reported.
    pub(crate) fn origin(&self) -> Option<String> {
        self.birth.get().map(|birth| birth.origin.clone())
    }

    /// The document's realm in a world.
    pub(crate) fn realm(&self, world: World) -> Option<Rc<Realm>> {
        match world {
            World::Main => self.main.borrow().clone(),
            World::Isolated => self.isolated.borrow().clone(),
        }
    }

    /// The realm with `ipcRenderer`, if there is one.
    pub(crate) fn ipc_realm(&self) -> Option<Rc<Realm>> {
        [World::Main, World::Isolated].into_iter().filter_map(|world| self.realm(world)).find(|realm| realm.privileges.ipc)
    }

    /// Whether the frame went with the document; valid after its `pagehide`.
    fn is_frame_gone(&self) -> bool {
        let witness = self.realm(World::Isolated).or_else(|| self.realm(World::Main));
        witness.is_some_and(|realm| realm.is_frame_gone())
    }

    /// Whether an emit on this channel can be delivered now. Window messages wait for
    /// `DOMContentLoaded`, because the listeners of a window cannot be inspected.
    fn hears(&self, kind: EmitKind, channel: &str) -> bool {
        self.ready.get() || kind != EmitKind::Window && self.listening.borrow().contains(channel)
    }
}

impl Agent {
    /// The page's own window object was cleared: a new document, none of whose scripts has run.
    pub(crate) fn document_begins(&self, page: &Page, frame: &WebFrame) {
        let Some(context) = frame.context(&self.main_world) else { return };
        self.end_leaving();
        if let Some(former) = self.document_with(frame.id(), &context) {
            return self.document_continues(&former);
        }
        let document = self.new_document(page, frame);
        // The isolated realm's listeners must run before the page's, and before those that a parent
        // adds to a new frame. If WebKit would create that realm later, asking for its context
        // creates it now.
        if let Some(isolated) = frame.context(&self.isolated_world) {
            self.install_once(&document, World::Isolated, isolated);
        }
        self.install_once(&document, World::Main, context);
        for realm in [World::Isolated, World::Main].into_iter().filter_map(|world| document.realm(world)) {
            realm.run_preload();
        }
    }

    /// The isolated world's window object was cleared: within
    /// [`document_begins`](Self::document_begins), or after it.
    pub(crate) fn isolated_realm_begins(&self, frame: &WebFrame) {
        let Some(context) = frame.context(&self.isolated_world) else { return };
        let frame_id = frame.id();
        let present = self.documents.borrow().values().find(|document| document.frame == frame_id).cloned();
        // Without a document, the realm belongs to the former document. Or its document's main
        // realm begins next, and then requests this realm.
        let Some(document) = present else { return };
        let begun = document.realm(World::Main).is_some();
        if self.install_once(&document, World::Isolated, context)
            && begun
            && let Some(realm) = document.realm(World::Isolated)
        {
            realm.run_preload();
        }
    }

    /// Restores the glue's listeners in every document, because any document's may have been
    /// erased.
    pub(crate) fn arm_documents(&self) {
        let documents: Vec<_> = self.documents.borrow().values().cloned().collect();
        for document in documents {
            for realm in [World::Isolated, World::Main].into_iter().filter_map(|world| document.realm(world)) {
                realm.arm();
            }
        }
    }

    /// A document of the frame, present or gone, that already has this global object.
    fn document_with(&self, frame: FrameId, context: &Context) -> Option<Rc<Document>> {
        let has = |document: &&Rc<Document>| {
            document.frame == frame && document.realm(World::Main).is_some_and(|realm| realm.context.is_same(context))
        };
        let present = self.documents.borrow().values().find(has).cloned();
        let departed = || self.departed.borrow().iter().find(has).cloned();
        present.or_else(departed).or_else(|| self.vacated.borrow().get(&frame).filter(has).cloned())
    }

    /// The frame's first, empty document passes its window to the document that is loaded (HTML,
    /// "initial about:blank"). Main gets a new document; the realms, their glue and the ports stay.
    fn document_continues(&self, former: &Document) {
        let next = Rc::new(Document {
            id: self.new_document_id(),
            page: former.page,
            frame: former.frame,
            is_main_frame: former.is_main_frame,
            birth: OnceCell::new(),
            main: former.main.clone(),
            isolated: former.isolated.clone(),
            ready: Cell::new(false),
            loaded: Cell::new(false),
            listening: former.listening.clone(),
            pending: RefCell::default(),
        });
        if let Some(former) = self.documents.borrow_mut().remove(&former.id) {
            self.departed.borrow_mut().push_back(former);
        }
        while self.report_departure() {}
        self.vacated.borrow_mut().remove(&next.frame);
        self.ports.borrow_mut().move_document(former.id, next.id);
        self.documents.borrow_mut().insert(next.id, Rc::clone(&next));
        let realms = [World::Isolated, World::Main].map(|world| next.realm(world));
        for realm in realms.iter().flatten() {
            realm.document.set(next.id);
            self.realms.borrow_mut().insert(realm.id, Rc::clone(realm));
        }
        for realm in realms.iter().flatten() {
            realm.renew();
        }
    }

    fn new_document(&self, page: &Page, frame: &WebFrame) -> Rc<Document> {
        let frame_id = frame.id();
        // Normally `pagehide` has already ended the previous document.
        let previous: Vec<_> = self.documents.borrow().values().filter(|document| document.frame == frame_id).cloned().collect();
        for document in previous {
            self.document_ends(&document);
        }
        // Main must get the frame's departures before its new document.
        while self.report_departure() {}
        self.vacated.borrow_mut().remove(&frame_id);
        let document = Rc::new(Document {
            id: self.new_document_id(),
            page: page.id(),
            frame: frame_id,
            is_main_frame: frame.is_main(),
            birth: OnceCell::new(),
            main: RefCell::default(),
            isolated: RefCell::default(),
            ready: Cell::new(false),
            loaded: Cell::new(false),
            listening: RefCell::default(),
            pending: RefCell::default(),
        });
        self.documents.borrow_mut().insert(document.id, Rc::clone(&document));
        document
    }

    /// Puts the glue into one of the document's realms; false if it is already there.
    fn install_once(&self, document: &Rc<Document>, world: World, context: Context) -> bool {
        if document.realm(world).is_some_and(|realm| realm.context.is_same(&context)) {
            return false;
        }
        let config = self.config(document.page).filter(|config| document.is_main_frame || config.sub_frames);
        let privileges = config.as_ref().map_or_else(Privileges::default, |config| {
            let home = if config.context_isolation { World::Isolated } else { World::Main };
            Privileges {
                ipc: world == home,
                context_isolated: config.context_isolation,
                preload: config.preload.clone().filter(|_| world == home),
                require: config.node_integration && !config.sandbox && world == World::Main && home == World::Main,
                app_path: config.app_path.clone(),
                main_frame: document.is_main_frame,
                sandboxed: config.sandbox,
                system: world == home && !config.sandbox,
                arguments: config.arguments.clone(),
            }
        });
        let realm = Realm::new(self.new_realm_id(), document.id, world, context, privileges);
        self.realms.borrow_mut().insert(realm.id, Rc::clone(&realm));
        let place = if world == World::Main { &document.main } else { &document.isolated };
        place.replace(Some(Rc::clone(&realm)));
        if let Err(error) = realm.install() {
            strait_output::report!("strait agent: the glue failed in a document: {error}");
        }
        true
    }

    /// Records the main realm's report of the document and announces it.
    pub(crate) fn document_created(&self, document: &Document, birth: Birth) {
        if document.birth.set(birth).is_ok() {
            self.announce(document);
        }
    }

    /// The frame whose window (in the main world) is this object.
    pub(crate) fn frame_of_window(&self, identity: usize) -> Option<FrameId> {
        let documents = self.documents.borrow();
        let owner = documents
            .values()
            .find(|document| document.main.borrow().as_ref().is_some_and(|realm| realm.context.global_identity() == identity));
        owner.map(|document| document.frame)
    }

    /// The present document whose window, in that world, is this object.
    pub(crate) fn document_of_window(&self, world: World, identity: usize) -> Option<DocumentId> {
        let documents = self.documents.borrow();
        let shows = |document: &&Rc<Document>| document.realm(world).is_some_and(|realm| realm.context.global_identity() == identity);
        documents.values().filter(shows).map(|document| document.id).max()
    }

    /// `DOMContentLoaded`: releases all held emits, with or without a listener.
    pub(crate) fn document_ready(&self, document: &Document) {
        if !document.ready.replace(true) {
            self.tell(&ToMain::DocumentReady { document: document.id }, Vec::new());
            self.emit_pending(document, |_| true);
        }
    }

    /// The `load` event: the document's resources are loaded.
    pub(crate) fn document_loaded(&self, document: &Document) {
        if !document.loaded.replace(true) {
            self.tell(&ToMain::DocumentLoaded { document: document.id }, Vec::new());
        }
    }

    /// The document has a listener for the channel.
    pub(crate) fn document_listens(&self, document: &Document, channel: String) {
        if !document.ready.get() && document.listening.borrow_mut().insert(channel.clone()) {
            self.emit_pending(document, |held| held.kind != EmitKind::Window && held.channel == channel);
        }
    }

    fn emit_pending(&self, document: &Document, matches: impl Fn(&PendingEmit) -> bool) {
        let mut emits = self.emits.borrow_mut();
        let mut held = document.pending.borrow_mut();
        for entry in std::mem::take(&mut *held) {
            if matches(&entry) {
                let PendingEmit { channel, kind, payload, ports } = entry;
                emits.push_back(Emit { document: document.id, channel, kind, payload, ports });
            } else {
                held.push_back(entry);
            }
        }
    }

    /// Takes an emit from main and delivers it now, or holds it until the document has a listener.
    pub(crate) fn accept_emit(&self, emit: Emit) {
        let Some(document) = self.document(emit.document) else { return };
        if document.hears(emit.kind, &emit.channel) {
            self.emits.borrow_mut().push_back(emit);
        } else {
            let Emit { channel, kind, payload, ports, .. } = emit;
            document.pending.borrow_mut().push_back(PendingEmit { channel, kind, payload, ports });
        }
    }

    /// `pagehide`: the document ends in the next turn, because its later listeners (`unload`) may
    /// still post messages.
    pub(crate) fn document_leaves(&self, document: DocumentId) {
        self.leaving.borrow_mut().push(document);
        self.tell(&ToMain::DocumentLeaving { document }, Vec::new());
    }

    /// Ends the documents whose `pagehide` has fired; false when there are none.
    pub(crate) fn end_leaving(&self) -> bool {
        let leaving = self.leaving.take();
        for document in leaving.iter().filter_map(|&id| self.document(id)) {
            self.document_ends(&document);
        }
        !leaving.is_empty()
    }

    /// Closes everything that the document has. Main gets the report in the next turn, when it is
    /// certain whether the frame went too.
    pub(crate) fn document_ends(&self, document: &Document) {
        let Some(document) = self.documents.borrow_mut().remove(&document.id) else { return };
        self.ports.borrow_mut().close_document(document.id);
        self.send_due_ipc();
        document.pending.borrow_mut().clear();
        let mut realms = self.realms.borrow_mut();
        for realm in [World::Main, World::Isolated].into_iter().filter_map(|world| document.realm(world)) {
            realms.remove(&realm.id);
            self.message_writers.borrow_mut().forget(realm.id);
        }
        self.departed.borrow_mut().push_back(document);
    }

    /// Reports one ended document to main; false when there is none.
    pub(crate) fn report_departure(&self) -> bool {
        let Some(document) = self.departed.borrow_mut().pop_front() else { return false };
        let frame_gone = document.is_frame_gone();
        // A first, empty document may still pass on its window, with the messages under way to it.
        if frame_gone || document.birth.get().is_some_and(|birth| birth.url != "about:blank") {
            self.ports.borrow_mut().close_on_the_way(document.id);
        }
        if self.config(document.page).is_some() {
            self.tell(&ToMain::DocumentGone { document: document.id, frame_gone }, Vec::new());
        }
        // Frames that went while they had no document made no report.
        let vacated: Vec<_> = self.vacated.borrow().values().cloned().collect();
        for former in vacated.iter().filter(|former| former.is_frame_gone()) {
            self.vacated.borrow_mut().remove(&former.frame);
        }
        if !frame_gone {
            self.vacated.borrow_mut().insert(document.frame, document);
        }
        true
    }

    /// Ends every document of a page.
    pub(crate) fn close_page(&self, page: PageId) {
        let documents: Vec<_> = self.documents.borrow().values().filter(|document| document.page == page).cloned().collect();
        for document in documents {
            self.document_ends(&document);
        }
        while self.report_departure() {}
        self.vacated.borrow_mut().retain(|_, document| document.page != page);
        self.pages.borrow_mut().remove(&page);
        self.tell(&ToMain::PageClosed { page }, Vec::new());
    }
}
