//! What the three threads share.

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

/// Shared ownership of [`Shared`], with a `Debug` that says nothing of its inside.
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

/// A [`SharedRef`] that keeps nothing alive.
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
    /// The program's arguments, where they are not the process's.
    pub(crate) arguments: Option<Vec<String>>,
    /// Where events of ports are told.
    pub(crate) inspect: Option<PathBuf>,
    /// Pages have `gc()`.
    pub(crate) expose_gc: bool,
    pub(crate) sandbox: Sandbox,
    /// Console messages go to the terminal.
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
    /// Where the program keeps its data.
    user_data: Mutex<PathBuf>,
    /// It is the first instance of the program.
    instance: Mutex<Option<InstanceLock>>,
    /// What the program's processes had used when it last asked.
    pub(crate) processes: Mutex<metrics::Seen>,
    /// Taken before `state`, never after it.
    turns: Mutex<AgentTurns>,
    /// The program's own event loop routes too, and is not busy: the I/O thread leaves messages to it for a moment.
    pub(crate) loop_routes: AtomicBool,
    state: Mutex<State>,
}

/// Everything that changes.
///
/// Its lock is never held while a handler or the program's code runs.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) registry: Registry,
    pub(crate) agents: HashMap<AgentId, Arc<Port>>,
    pub(crate) windows: HashMap<WindowId, WindowRecord>,
    pub(crate) contents: HashMap<ContentsId, ContentsRecord>,
    /// Pages that pages have opened, until the program has decided.
    pub(crate) popups: HashMap<WindowId, Popup>,
    pub(crate) evals: HashMap<RequestId, PendingEval>,
    /// What new web processes show to be admitted.
    pub(crate) tokens: Tokens,
    /// What pages show to be bound to a view; each is good once.
    pub(crate) view_nonces: HashMap<Nonce, Claim>,
    pub(crate) quit: Quit,
    pub(crate) last_window: u32,
    pub(crate) last_request: u64,
    pub(crate) last_style: u64,
}

/// What a view's nonce is good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) contents: ContentsId,
    /// The view's processes are counted.
    pub(crate) epoch: u64,
}

/// A window.
pub(crate) struct WindowRecord {
    pub(crate) contents: ContentsId,
    /// It goes with this one.
    pub(crate) parent: Option<WindowId>,
    /// The window whose page opened it, and with which it goes; not if it is to outlive that.
    pub(crate) opener: Option<WindowId>,
    /// The window of the program's own from whose page it comes, through any number of pages that opened pages.
    pub(crate) root: Option<WindowId>,
    pub(crate) preferences: WebPreferences,
    pub(crate) mirror: WindowMirror,
    /// It is on its way out: `destroy` was called.
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
    /// How many main-frame documents have become ready.
    pub(crate) documents_ready: u64,
    /// The view waits for the next of them before it says that it has loaded.
    pub(crate) awaits_ready: bool,
    /// A load is under way, the program's or the page's own.
    pub(crate) loading: bool,
    /// What is to be run once the page shows a document and loads nothing.
    pub(crate) scripts: Vec<PendingScript>,
    /// The program decides what its pages may open.
    pub(crate) asks_open: bool,
    /// Which of its view's processes shows it.
    pub(crate) epoch: u64,
    /// Its process died and nothing has been loaded since.
    pub(crate) crashed: bool,
    /// Its inspector is open.
    pub(crate) devtools: bool,
    /// A download of it was cancelled, and the terminal says so.
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

/// Who waits for a script.
pub(crate) enum Answer {
    /// The program.
    Program(oneshot::Sender<Result<Vec<u8>, ScriptError>>),
    /// A load that only moves within the document, to this URL; the script ends when it has.
    /// Whoever waits for the page's frames to be known.
    Frames {
        contents: ContentsId,
    },
    Move {
        contents: ContentsId,
        load: u64,
        url: String,
    },
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

    /// The state, locked. A thread that panicked with the lock left nothing half-done that matters more than going on to the end.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agents' turns, locked.
    pub(crate) fn turns(&self) -> MutexGuard<'_, AgentTurns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agents' turns, unless a thread, perhaps this one, is at them.
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
    /// Posts a control message to an agent; the ports come back if it is gone.
    pub(crate) fn post(&self, agent: AgentId, message: &ToAgent, ports: Vec<Port>) -> Result<(), Vec<Port>> {
        self.post_encoded(agent, strait_protocol::encode(message), ports)
    }

    /// [`State::post`] for one that is encoded already.
    pub(crate) fn post_encoded(&self, agent: AgentId, data: Vec<u8>, ports: Vec<Port>) -> Result<(), Vec<Port>> {
        let Some(port) = self.agents.get(&agent) else { return Err(ports) };
        port.post(strait_ports::Message::with_ports(data, ports)).map_err(|error| error.message.ports)
    }

    pub(crate) fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        self.last_request
    }
}
