//! The agent's state, and how a process becomes part of the program.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with};
use strait_inspect::Inspector;
use strait_ports::{CloseReason, Event, Message, Node, Port};
use strait_protocol::{
    AgentInit, ConsoleLevel, DOCUMENT_MESSAGE, DocumentBinding, DocumentId, EmitKind, FrameId, PageId, ToAgent, ToMain, VIEW_MESSAGE,
    ViewConfig, ViewReply, decode, encode,
};
use strait_system::Pool;

use crate::buffer_pool::BufferPool;
use crate::document::Document;
use crate::ffi::{self, ConsoleMessage, Extension, Page, PageEvents, Source};
use crate::message_writers::MessageWriters;
use crate::popup::Opening;
use crate::ports::{PortTable, ReadyHandles};
use crate::realm::Realm;
use crate::system::Done;
use crate::{natives, pump};

/// How long main may take for its first message.
const ADMISSION_TIMEOUT: Duration = Duration::from_secs(10);

/// What the agent knows of a page.
#[derive(Default)]
pub(crate) struct PageState {
    /// Present once the view has claimed the page; a page without is nobody's.
    pub(crate) config: Option<Rc<ViewConfig>>,
}

/// A control message that waits for its turn.
pub(crate) struct Control {
    pub(crate) message: ToAgent,
    pub(crate) ports: Vec<Port>,
}

/// An emit that may now be delivered.
pub(crate) struct Emit {
    pub(crate) document: DocumentId,
    pub(crate) channel: String,
    pub(crate) kind: EmitKind,
    pub(crate) payload: Vec<u8>,
    pub(crate) ports: Vec<Port>,
}

/// One per process, on the page's thread, for ever. No borrow of its cells is held while JS runs.
pub(crate) struct Agent {
    pub(crate) node: Node,
    /// The process's number as the system has it.
    pub(crate) pid: u32,
    /// Carries all control messages; `None` once main is gone.
    pub(crate) bootstrap: RefCell<Option<Port>>,
    pub(crate) ready: Arc<ReadyHandles>,
    pub(crate) ports: RefCell<PortTable>,
    pub(crate) pages: RefCell<HashMap<PageId, PageState>>,
    pub(crate) documents: RefCell<HashMap<DocumentId, Rc<Document>>>,
    pub(crate) realms: RefCell<HashMap<u32, Rc<Realm>>>,
    /// Control messages taken from the bootstrap port while a page was blocked in `sendSync`.
    pub(crate) control: RefCell<VecDeque<Control>>,
    pub(crate) emits: RefCell<VecDeque<Emit>>,
    /// Documents that have gone and of which main has not been told.
    pub(crate) departed: RefCell<VecDeque<Rc<Document>>>,
    /// Documents whose `pagehide` has been and that end on the next turn.
    pub(crate) leaving: RefCell<Vec<DocumentId>>,
    /// The last document of each frame that stays and has no other yet: its window may be handed on to the next one (long after its `pagehide`).
    pub(crate) vacated: RefCell<HashMap<FrameId, Rc<Document>>>,
    /// The node had more to route than fitted into its share of a dispatch.
    pub(crate) routing: Cell<bool>,
    /// Tasks are being done.
    pub(crate) in_turn: Cell<bool>,
    pub(crate) buffer_pool: BufferPool,
    pub(crate) message_writers: RefCell<MessageWriters>,
    /// Where operations of the system's are done that a page does not wait for.
    pub(crate) pool: Pool<Done>,
    /// What the `window.open` that is being called opens.
    pub(crate) opening: Opening,
    /// Pages have `gc()`.
    pub(crate) expose_gc: bool,
    pub(crate) main_world: ffi::World,
    pub(crate) isolated_world: ffi::World,
    pub(crate) extension: Extension,
    next_document: Cell<DocumentId>,
    next_realm: Cell<u32>,
}

thread_local! {
    static AGENT: OnceCell<&'static Agent> = const { OnceCell::new() };
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// The process's agent; `None` before [`start`] and on other threads.
pub(crate) fn current() -> Option<&'static Agent> {
    AGENT.with(|agent| agent.get().copied())
}

/// The process exits in order: what its documents held closes as after an unload.
pub(crate) fn process_ends() {
    if let Some(agent) = current() {
        agent.node.leave(CloseReason::Unloaded);
    }
}

/// Why a process could not become part of a program.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The initialization data is not an `AgentInit`.
    BadInit(strait_protocol::DecodeError),
    /// Main's socket cannot be reached.
    Connect(std::path::PathBuf, std::io::Error),
    /// The events of ports have no place to go.
    Inspect(std::io::Error),
    /// Main did not welcome us.
    Join(strait_ports::JoinError),
    /// Main's first message is not the one that admits us.
    Admission(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BadInit(error) => write!(f, "bad initialization data: {error}"),
            Self::Connect(path, error) => write!(f, "cannot reach the main process at {}: {error}", path.display()),
            Self::Inspect(error) => write!(f, "cannot write the events of ports: {error}"),
            Self::Join(error) => write!(f, "cannot join the main process: {error}"),
            Self::Admission(problem) => write!(f, "the main process does not admit this one: {problem}"),
        }
    }
}

/// Answers for an agent that could not start: each view of the process gets the reason instead of a page without an agent.
struct Failed(String);

/// Sends the views of this process the reason why there is no agent.
pub(crate) fn report_failure(extension: &Extension, error: &StartError) {
    let failed: &'static Failed = Box::leak(Box::new(Failed(error.to_string())));
    extension.on_page_created(failed);
}

impl PageEvents for Failed {
    fn created(&self, _page: Page) {}

    fn message(&self, _page: &Page, name: &str, _bytes: Vec<u8>) -> Option<Vec<u8>> {
        (name == VIEW_MESSAGE).then(|| encode(&ViewReply::Failed(self.0.clone())))
    }

    fn console(&self, _page: &Page, _message: ConsoleMessage) {}
}

/// Joins main's node and starts to watch pages.
pub(crate) fn start(extension: &Extension, data: &[u8]) -> Result<(), StartError> {
    let init: AgentInit = decode(data).map_err(StartError::BadInit)?;
    if !init.sandboxed {
        // Main keeps sandboxed processes from a list of plugins that they share. This one has the user's.
        ffi::forget_variable("GST_REGISTRY");
    }
    let socket = dial(&init).map_err(|error| StartError::Connect(init.socket.clone(), error.into()))?;
    let (node, bootstrap) = Node::join(socket).map_err(StartError::Join)?;
    let pid = admission(&node, &bootstrap).map_err(StartError::Admission)?;

    let inspector =
        init.inspect.as_deref().map(|file| Inspector::attach(&node, ("renderer", pid), file)).transpose().map_err(StartError::Inspect)?;

    let ready = Arc::new(ReadyHandles::default());
    let agent: &'static Agent = Box::leak(Box::new(Agent {
        node,
        pid,
        bootstrap: RefCell::new(None),
        ports: RefCell::new(PortTable::new(Arc::clone(&ready), inspector)),
        ready,
        pages: RefCell::default(),
        documents: RefCell::default(),
        realms: RefCell::default(),
        control: RefCell::default(),
        emits: RefCell::default(),
        departed: RefCell::default(),
        leaving: RefCell::default(),
        vacated: RefCell::default(),
        routing: Cell::new(false),
        in_turn: Cell::new(false),
        buffer_pool: BufferPool::default(),
        message_writers: RefCell::default(),
        pool: Pool::new(ffi::wake_loop),
        expose_gc: init.expose_gc,
        opening: Opening::default(),
        main_world: ffi::main_world(),
        isolated_world: ffi::isolated_world(c"strait"),
        extension: extension.clone(),
        next_document: Cell::new(1),
        next_realm: Cell::new(1),
    }));
    let list = Arc::clone(&agent.ready);
    bootstrap.on_ready(move || list.push(0));
    agent.bootstrap.replace(Some(bootstrap));
    AGENT.with(|cell| cell.set(agent)).unwrap_or_else(|_| unreachable!("WebKit initialises an extension once"));

    ffi::install_native_handler(natives::call);
    ffi::watch_exit();
    extension.on_page_created(agent);
    ffi::on_window_object_cleared(&agent.main_world, |page, frame| agent.document_begins(&page, &frame));
    ffi::on_window_object_cleared(&agent.isolated_world, |_, frame| agent.isolated_realm_begins(&frame));
    SOURCE.with(|source| source.replace(Some(ffi::attach_source(agent.node.as_fd(), pump::PRIORITY, agent))));
    Ok(())
}

/// Waits for main's first message, which is sent together with its welcome; the process's number.
fn admission(node: &Node, bootstrap: &Port) -> Result<u32, String> {
    let end = Instant::now() + ADMISSION_TIMEOUT;
    loop {
        match bootstrap.try_recv() {
            Some(Event::Message(message)) => {
                return match decode(&message.data) {
                    Ok(ToAgent::Admitted { pid }) => Ok(pid),
                    Ok(_) => Err("its first message is another one".to_owned()),
                    Err(error) => Err(error.to_string()),
                };
            }
            Some(Event::Close(reason)) => return Err(format!("the connection closed ({reason})")),
            None => {}
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("nothing came within {ADMISSION_TIMEOUT:?}"));
        }
        let _ = node.wait(Some(left)).map_err(|error| error.to_string())?;
    }
}

/// A connection to main, with the token sent.
fn dial(init: &AgentInit) -> rustix::io::Result<std::os::fd::OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(&init.socket)?)?;
    send(&socket, &init.token, SendFlags::NOSIGNAL)?;
    Ok(socket)
}

impl Agent {
    /// A number no document of this process has had.
    pub(crate) fn new_document_id(&self) -> DocumentId {
        let id = self.next_document.get();
        self.next_document.set(id + 1);
        id
    }

    /// A number no realm of this process has had (short of four billion realms).
    pub(crate) fn new_realm_id(&self) -> u32 {
        let id = self.next_realm.get();
        // Natives carry the realm in 48 bits beside their index: any u32 will do.
        self.next_realm.set(id.wrapping_add(1));
        id
    }

    /// Sends main a message; false when main is gone.
    pub(crate) fn tell(&self, message: &ToMain, ports: Vec<Port>) -> bool {
        let bootstrap = self.bootstrap.borrow();
        let Some(port) = bootstrap.as_ref() else { return false };
        port.post(Message::with_ports(encode(message), ports)).is_ok()
    }

    /// Can main be told anything?
    pub(crate) fn has_main(&self) -> bool {
        self.bootstrap.borrow().is_some()
    }

    /// The realm a native was called from.
    pub(crate) fn realm(&self, id: u32) -> Option<Rc<Realm>> {
        self.realms.borrow().get(&id).cloned()
    }

    /// A document that has not gone.
    pub(crate) fn document(&self, id: DocumentId) -> Option<Rc<Document>> {
        self.documents.borrow().get(&id).cloned()
    }

    /// What the page's view told us.
    pub(crate) fn config(&self, page: PageId) -> Option<Rc<ViewConfig>> {
        self.pages.borrow().get(&page).and_then(|page| page.config.clone())
    }

    pub(crate) fn bind(&self, page: PageId, config: ViewConfig) {
        let nonce = config.nonce;
        self.pages.borrow_mut().entry(page).or_default().config = Some(Rc::new(config));
        self.tell(&ToMain::PageBound { nonce, page }, Vec::new());
        // Documents that were there before their page had an owner.
        let documents: Vec<_> = self.documents.borrow().values().filter(|document| document.page == page).cloned().collect();
        for document in documents {
            self.announce(&document);
        }
    }

    /// Tells main of a document.
    pub(crate) fn announce(&self, document: &Document) {
        if let (Some(config), Some(message)) = (self.config(document.page), document.announcement()) {
            self.ports.borrow_mut().describe(document, &config);
            if document.is_main_frame {
                // By WebKit's own way, behind its notice of the commit: the view then knows which URL is this document's.
                let binding = DocumentBinding { nonce: config.nonce, document: document.id };
                self.extension.send_to_view(document.page, DOCUMENT_MESSAGE, &encode(&binding));
            }
            self.tell(&message, Vec::new());
        }
    }

    /// Main is gone: every channel to it has closed by itself, nothing more is to be told.
    pub(crate) fn main_is_gone(&self, _reason: CloseReason) {
        self.bootstrap.replace(None);
    }
}

impl PageEvents for Agent {
    fn created(&self, page: Page) {
        let first = {
            let mut pages = self.pages.borrow_mut();
            pages.entry(page.id()).or_default();
            pages.len() == 1
        };
        if !first {
            self.page_opened(page.id());
        }
    }

    fn message(&self, page: &Page, name: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if name != VIEW_MESSAGE {
            return None;
        }
        let reply = match decode::<ViewConfig>(&bytes) {
            Ok(_) if !self.has_main() => ViewReply::Failed("the agent's connection to the main process is closed".to_owned()),
            Ok(config) => {
                self.bind(page.id(), config);
                ViewReply::Bound
            }
            Err(error) => ViewReply::Failed(format!("unreadable view configuration: {error}")),
        };
        Some(encode(&reply))
    }

    fn console(&self, page: &Page, message: ConsoleMessage) {
        let level = match message.level {
            0 => ConsoleLevel::Info,
            2 => ConsoleLevel::Warning,
            3 => ConsoleLevel::Error,
            4 => ConsoleLevel::Debug,
            _ => ConsoleLevel::Log,
        };
        let ConsoleMessage { text, source, line, .. } = message;
        self.tell(&ToMain::Console { page: page.id(), level, text, source, line }, Vec::new());
    }
}
