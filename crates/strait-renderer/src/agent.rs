//! The agent's state, and the start: how a web process joins main's node.

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

/// How long the agent waits for main's first message.
const ADMISSION_TIMEOUT: Duration = Duration::from_secs(10);

/// The agent's state of one page.
#[derive(Default)]
pub(crate) struct PageState {
    /// Present once the view has claimed the page; a page without it is unclaimed.
    pub(crate) config: Option<Rc<ViewConfig>>,
}

/// A control message that waits to be handled.
pub(crate) struct Control {
    pub(crate) message: ToAgent,
    pub(crate) ports: Vec<Port>,
}

/// An emit that may be delivered now.
pub(crate) struct Emit {
    pub(crate) document: DocumentId,
    pub(crate) channel: String,
    pub(crate) kind: EmitKind,
    pub(crate) payload: Vec<u8>,
    pub(crate) ports: Vec<Port>,
}

/// The state of the process: one, on the page's thread, until the process ends. No borrow of its
/// cells is held while JavaScript runs.
pub(crate) struct Agent {
    pub(crate) node: Node,
    /// The operating system's number of the process.
    pub(crate) pid: u32,
    /// The port of all control messages; `None` once main is gone.
    pub(crate) bootstrap: RefCell<Option<Port>>,
    pub(crate) ready: Arc<ReadyHandles>,
    pub(crate) ports: RefCell<PortTable>,
    pub(crate) pages: RefCell<HashMap<PageId, PageState>>,
    pub(crate) documents: RefCell<HashMap<DocumentId, Rc<Document>>>,
    pub(crate) realms: RefCell<HashMap<u32, Rc<Realm>>>,
    /// Control messages taken from the bootstrap port while a page was blocked in `sendSync`.
    pub(crate) control: RefCell<VecDeque<Control>>,
    pub(crate) emits: RefCell<VecDeque<Emit>>,
    /// Ended documents that are not yet reported to main.
    pub(crate) departed: RefCell<VecDeque<Rc<Document>>>,
    /// Documents after their `pagehide`; they end in the next turn.
    pub(crate) leaving: RefCell<Vec<DocumentId>>,
    /// The last document of each frame that has no other yet. WebKit may pass its window to the
    /// frame's next document, even long after its `pagehide`.
    pub(crate) vacated: RefCell<HashMap<FrameId, Rc<Document>>>,
    /// The node has more to route than fitted into its share of the last turn.
    pub(crate) routing: Cell<bool>,
    /// A turn executes tasks now.
    pub(crate) in_turn: Cell<bool>,
    pub(crate) buffer_pool: BufferPool,
    pub(crate) message_writers: RefCell<MessageWriters>,
    /// Threads for operations of the system that a page does not wait for.
    pub(crate) pool: Pool<Done>,
    /// The `window.open` call that a page is making.
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

/// The process exits in order: its documents' ports close as after an unload.
pub(crate) fn process_ends() {
    if let Some(agent) = current() {
        agent.node.leave(CloseReason::Unloaded);
    }
}

/// Why a process could not join the program.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The initialization data is not an `AgentInit`.
    BadInit(strait_protocol::DecodeError),
    /// Main's socket cannot be reached.
    Connect(std::path::PathBuf, std::io::Error),
    /// The events of ports cannot be written.
    Inspect(std::io::Error),
    /// Main's node did not admit this process.
    Join(strait_ports::JoinError),
    /// Main's first message is not `Admitted`.
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

/// Replies for an agent that could not start: each view of the process gets the reason, so that no
/// page runs without an agent.
struct Failed(String);

/// Sends each view of this process the reason why the agent could not start.
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
        // With this variable of main's, WebKit gives a sandboxed process no folder for GStreamer's
        // list of plugins. This process is not sandboxed and uses the user's list.
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

/// Waits for main's first message, which follows its welcome. Returns the process's number.
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

/// Connects to main and sends the token.
fn dial(init: &AgentInit) -> rustix::io::Result<std::os::fd::OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(&init.socket)?)?;
    send(&socket, &init.token, SendFlags::NOSIGNAL)?;
    Ok(socket)
}

impl Agent {
    /// A number that no document of this process has had.
    pub(crate) fn new_document_id(&self) -> DocumentId {
        let id = self.next_document.get();
        self.next_document.set(id + 1);
        id
    }

    /// A number that no realm of this process has had, up to four billion realms.
    pub(crate) fn new_realm_id(&self) -> u32 {
        let id = self.next_realm.get();
        // Natives carry the realm in 48 bits beside their index, so any u32 fits.
        self.next_realm.set(id.wrapping_add(1));
        id
    }

    /// Sends main a message; false when main is gone.
    pub(crate) fn tell(&self, message: &ToMain, ports: Vec<Port>) -> bool {
        let bootstrap = self.bootstrap.borrow();
        let Some(port) = bootstrap.as_ref() else { return false };
        port.post(Message::with_ports(encode(message), ports)).is_ok()
    }

    /// Whether messages can be sent to main.
    pub(crate) fn has_main(&self) -> bool {
        self.bootstrap.borrow().is_some()
    }

    /// The realm from which a native was called.
    pub(crate) fn realm(&self, id: u32) -> Option<Rc<Realm>> {
        self.realms.borrow().get(&id).cloned()
    }

    /// A document that has not ended.
    pub(crate) fn document(&self, id: DocumentId) -> Option<Rc<Document>> {
        self.documents.borrow().get(&id).cloned()
    }

    /// The configuration that the page's view has sent.
    pub(crate) fn config(&self, page: PageId) -> Option<Rc<ViewConfig>> {
        self.pages.borrow().get(&page).and_then(|page| page.config.clone())
    }

    pub(crate) fn bind(&self, page: PageId, config: ViewConfig) {
        let nonce = config.nonce;
        self.pages.borrow_mut().entry(page).or_default().config = Some(Rc::new(config));
        self.tell(&ToMain::PageBound { nonce, page }, Vec::new());
        // These documents began before the view claimed their page.
        let documents: Vec<_> = self.documents.borrow().values().filter(|document| document.page == page).cloned().collect();
        for document in documents {
            self.announce(&document);
        }
    }

    /// Reports a document to main.
    pub(crate) fn announce(&self, document: &Document) {
        if let (Some(config), Some(message)) = (self.config(document.page), document.announcement()) {
            self.ports.borrow_mut().describe(document, &config);
            if document.is_main_frame {
                // This goes through WebKit, after its notice of the commit, so that the view can
                // match the notice's URL with this document.
                let binding = DocumentBinding { nonce: config.nonce, document: document.id };
                self.extension.send_to_view(document.page, DOCUMENT_MESSAGE, &encode(&binding));
            }
            self.tell(&message, Vec::new());
        }
    }

    /// Main is gone: every channel to it has closed, and nothing more is reported.
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
