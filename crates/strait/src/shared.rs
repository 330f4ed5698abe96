//! State that the three threads share: [`Shared`] and, under one lock, [`State`].

use std::{
    collections::HashMap,
    fmt,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak, atomic::AtomicBool},
};

use strait_ports::{Node, Port};
use strait_protocol::{EmitKind, Nonce, RequestId, ToAgent, World};
use tokio::sync::oneshot;

use crate::{
    AppEvent, ScriptError, WebPreferences,
    agent_so::Installed,
    commits::Commits,
    handlers::Handlers,
    instance::InstanceLock,
    io::{AgentTurns, IoHandle, Tokens},
    loading::Loads,
    metrics,
    outbox::Outbox,
    popup::Popup,
    queue::Queue,
    quit::Quit,
    registry::{AgentId, ContentsId, FrameKey, Registry, WindowId},
    sandbox::Sandbox,
    ui::{UiCommand, UiHandle},
    utility::Children,
    window::WindowMirror,
};

/// Shared ownership of [`Shared`], with a `Debug` that omits its content.
#[derive(Clone)]
pub(crate) struct SharedRef(Arc<Shared>);

impl SharedRef {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub(crate) fn downgrade(&self) -> WeakShared {
        WeakShared(Arc::downgrade(&self.0))
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A weak [`SharedRef`].
pub(crate) struct WeakShared(Weak<Shared>);

impl WeakShared {
    pub(crate) fn upgrade(&self) -> Option<SharedRef> {
        self.0.upgrade().map(SharedRef)
    }
}

impl Deref for SharedRef {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for SharedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// One running program.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) app_path: PathBuf,
    /// The program's arguments, if they differ from the process's.
    pub(crate) arguments: Option<Vec<String>>,
    /// The file for events of ports.
    pub(crate) inspect: Option<PathBuf>,
    /// Whether pages have `gc()`.
    pub(crate) expose_gc: bool,
    pub(crate) sandbox: Sandbox,
    /// Whether console messages are printed on the terminal.
    pub(crate) console: bool,
    pub(crate) node: Node,
    pub(crate) ui: UiHandle,
    pub(crate) io: IoHandle,
    /// The program's one queue.
    pub(crate) queue: Queue,
    pub(crate) handlers: Mutex<Handlers>,
    pub(crate) children: Children,
    /// The web process agent.
    pub(crate) agent: OnceLock<Installed>,
    /// The folder for the program's data.
    user_data: Mutex<PathBuf>,
    /// The single-instance lock, if this instance holds it.
    instance: Mutex<Option<InstanceLock>>,
    /// The processes' CPU use at the last query.
    pub(crate) processes: Mutex<metrics::Seen>,
    /// Taken before `state`, never after it.
    turns: Mutex<AgentTurns>,
    /// The program's own event loop routes too and is not busy, so the I/O thread leaves messages
    /// to it for a moment.
    pub(crate) loop_routes: AtomicBool,
    state: Mutex<State>,
}

/// All state that changes.
///
/// Its lock is never held while a handler or the program's code runs.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) registry: Registry,
    pub(crate) agents: HashMap<AgentId, Arc<Port>>,
    pub(crate) windows: HashMap<WindowId, WindowRecord>,
    pub(crate) contents: HashMap<ContentsId, ContentsRecord>,
    /// Pages that pages have opened, until the program has decided about them.
    pub(crate) popups: HashMap<WindowId, Popup>,
    pub(crate) evals: HashMap<RequestId, PendingEval>,
    /// Tokens that new web processes show to be admitted.
    pub(crate) tokens: Tokens,
    /// Nonces that pages show to be bound to a view; each is valid once.
    pub(crate) view_nonces: HashMap<Nonce, Claim>,
    pub(crate) quit: Quit,
    pub(crate) last_window: u32,
    pub(crate) last_request: u64,
    pub(crate) last_style: u64,
}

/// The view that a nonce stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) contents: ContentsId,
    /// The number of the process within its view.
    pub(crate) epoch: u64,
}

/// A window.
pub(crate) struct WindowRecord {
    pub(crate) contents: ContentsId,
    /// The window closes with this one.
    pub(crate) parent: Option<WindowId>,
    /// The window whose page opened it. It closes with that one, unless it outlives its opener.
    pub(crate) opener: Option<WindowId>,
    /// The window of the program's own from which it descends, through any number of pages that
    /// opened pages.
    pub(crate) root: Option<WindowId>,
    pub(crate) preferences: WebPreferences,
    pub(crate) mirror: WindowMirror,
    /// The window is closing: `destroy` was called.
    pub(crate) closing: bool,
}

/// A page.
pub(crate) struct ContentsRecord {
    pub(crate) window: WindowId,
    pub(crate) main_frame: FrameKey,
    /// The URLs that the view has committed, and the documents they belong to.
    pub(crate) commits: Commits,
    pub(crate) title: String,
    pub(crate) loads: Loads,
    pub(crate) outbox: Outbox<PendingMessage>,
    /// The number of main-frame documents that have become ready.
    pub(crate) documents_ready: u64,
    /// The view waits for the next ready document before it reports the end of its load.
    pub(crate) awaits_ready: bool,
    /// A load is under way, the program's or the page's own.
    pub(crate) loading: bool,
    /// Scripts to run once the page shows a document and no load is under way.
    pub(crate) scripts: Vec<PendingScript>,
    /// The program decides about the windows that the page opens.
    pub(crate) asks_open: bool,
    /// The number of the process that shows it, within its view.
    pub(crate) epoch: u64,
    /// Its process died, and nothing has been loaded since.
    pub(crate) crashed: bool,
    /// Its inspector is open.
    pub(crate) devtools: bool,
    /// A download of it was cancelled, and a warning was printed.
    pub(crate) download_refused: bool,
}

/// A message that waits for its document.
pub(crate) struct PendingMessage {
    pub(crate) channel: String,
    pub(crate) kind: EmitKind,
    pub(crate) payload: Vec<u8>,
    pub(crate) ports: Vec<Port>,
}

/// A script that waits for its document.
pub(crate) struct PendingScript {
    pub(crate) world: World,
    pub(crate) source: String,
    pub(crate) answer: oneshot::Sender<Result<Vec<u8>, ScriptError>>,
}

/// A script that runs in a page.
pub(crate) struct PendingEval {
    pub(crate) agent: AgentId,
    pub(crate) document: crate::DocumentId,
    pub(crate) contents: ContentsId,
    pub(crate) answer: Answer,
}

/// The receiver of a script's outcome.
pub(crate) enum Answer {
    /// The program.
    Program(oneshot::Sender<Result<Vec<u8>, ScriptError>>),
    /// Waits until the agent has reported the page's frames.
    Frames { contents: ContentsId },
    /// A load that only moves within the document, to this URL; the script ends when that has
    /// happened.
    Move { contents: ContentsId, load: u64, url: String },
}

impl Shared {
    pub(crate) fn assemble(config: crate::AppConfig, node: Node, ui: UiHandle, io: IoHandle, queue: Queue, reports: PathBuf) -> Self {
        let user_data = Mutex::new(config.user_data_folder());
        Self {
            name: config.name,
            version: config.version,
            app_path: config.app_path,
            arguments: config.arguments,
            inspect: config.inspect,
            expose_gc: config.expose_gc,
            sandbox: Sandbox::new(config.no_sandbox),
            console: config.console,
            node,
            ui,
            io,
            queue,
            handlers: Mutex::default(),
            children: Children::new(config.node_js, reports),
            agent: OnceLock::new(),
            user_data,
            instance: Mutex::default(),
            processes: Mutex::default(),
            turns: Mutex::default(),
            loop_routes: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The state, locked. A poisoned lock is used: continuing to the end matters more than what a
    /// panicked thread left incomplete.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agents' turns, locked.
    pub(crate) fn turns(&self) -> MutexGuard<'_, AgentTurns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agents' turns, unless a thread (which may be this one) holds the lock.
    pub(crate) fn try_turns(&self) -> Option<MutexGuard<'_, AgentTurns>> {
        match self.turns.try_lock() {
            Ok(turns) => Some(turns),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn instance(&self) -> MutexGuard<'_, Option<InstanceLock>> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn user_data(&self) -> MutexGuard<'_, PathBuf> {
        self.user_data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn handlers(&self) -> MutexGuard<'_, Handlers> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event to the program's queue. After the program's end it is dropped.
    pub(crate) fn queue(&self, event: AppEvent) {
        self.queue.event(event);
    }

    pub(crate) fn ui(&self, command: UiCommand) {
        self.ui.send(command);
    }
}

impl State {
    /// Posts a control message to an agent; returns the ports if the agent is gone.
    pub(crate) fn post(&self, agent: AgentId, message: &ToAgent, ports: Vec<Port>) -> Result<(), Vec<Port>> {
        self.post_encoded(agent, strait_protocol::encode(message), ports)
    }

    /// [`State::post`] for an encoded message.
    pub(crate) fn post_encoded(&self, agent: AgentId, data: Vec<u8>, ports: Vec<Port>) -> Result<(), Vec<Port>> {
        let Some(port) = self.agents.get(&agent) else { return Err(ports) };
        port.post(strait_ports::Message::with_ports(data, ports)).map_err(|error| error.message.ports)
    }

    pub(crate) fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        self.last_request
    }
}
