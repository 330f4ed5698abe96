//! Child processes without a window, in Rust or JavaScript, each with a parent port.

mod builder;
mod children;
mod fatal;
mod limits;
mod script;
mod status;

use std::{
    fmt,
    future::{Future, poll_fn},
    os::fd::OwnedFd,
    process::{ChildStderr, ChildStdout},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use rustix::process::{Signal, pidfd_send_signal};
use strait_ports::Port;

pub use self::{
    builder::UtilityProcessBuilder,
    fatal::FatalError,
    status::{ExitReason, ExitStatus},
};
pub(crate) use self::{children::Children, limits::raise_descriptor_limit};
use crate::{
    ListenerId, MessageEvent, MessagePort, PortRecvError, PostMessageError, Value, handlers::Listener, program, shared::SharedRef,
};

/// The number of a child process, never used again in this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtilityId(u32);

impl UtilityId {
    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// Something that happened to a child process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UtilityEvent {
    /// It runs.
    Spawned {
        /// Its process id.
        pid: u32,
    },
    /// It could not be started. Nothing else comes.
    LaunchFailed {
        /// Why, with the way out.
        message: String,
    },
    /// It has ended. Nothing else comes; what it had posted before may still be in its ports.
    Exited(ExitStatus),
}

/// A child process without a window, and the port to it. Clones are the same child.
///
/// The child need not be waited for, nor the handle kept: it lives until it ends, is killed, or the program ends.
///
/// ```no_run
/// use strait::{App, UtilityProcess};
///
/// async fn index(app: &App) -> Result<(), Box<dyn std::error::Error>> {
///     let worker = UtilityProcess::builder("target/release/indexer").arg("--fast").name("indexer").spawn(app);
///     worker.post_message("begin", vec![])?;
///     println!("it says {:?}", worker.recv().await?.data);
///     println!("it ended: {:?}", worker.exited().await);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct UtilityProcess(Arc<Inner>);

struct Inner {
    id: UtilityId,
    name: String,
    port: MessagePort,
    shared: SharedRef,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// While it runs.
    running: Option<Running>,
    ended: Option<ExitStatus>,
    /// [`UtilityProcess::kill`] was called: how it ends then is no failure.
    killed: bool,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// The bootstrap: as long as it is held, the child knows that this process is there. The list of running children holds this process, too.
    control: Option<Port>,
    waiting: Vec<Waker>,
}

struct Running {
    pid: u32,
    /// Names the process, and never another one that has got its number.
    descriptor: Arc<OwnedFd>,
}

impl UtilityProcess {
    /// A child that runs a program of its own: one that takes its parent port by `strait_child::ParentPort::from_env`.
    ///
    /// A program without a slash is looked for in `PATH`.
    pub fn builder(program: impl Into<std::path::PathBuf>) -> UtilityProcessBuilder {
        UtilityProcessBuilder::program(program.into())
    }

    /// A child that runs a script, which finds its parent port in `process.parentPort`. A relative path is relative to the child's working folder.
    ///
    /// It runs in Node.js: see [`AppConfig::node_js`](crate::AppConfig::node_js) for which one. If that is missing, or what Strait has for it, the process is not
    /// started, and [`UtilityEvent::LaunchFailed`] says what to install.
    pub fn script(module: impl Into<String>) -> UtilityProcessBuilder {
        UtilityProcessBuilder::script(module.into())
    }

    fn new(id: UtilityId, name: String, port: MessagePort, shared: SharedRef) -> Self {
        Self(Arc::new(Inner { id, name, port, shared, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The child's number.
    pub fn id(&self) -> UtilityId {
        self.0.id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The process's id while it runs: not before [`UtilityEvent::Spawned`], nor after [`UtilityEvent::Exited`].
    pub fn pid(&self) -> Option<u32> {
        self.state().running.as_ref().map(|running| running.pid)
    }

    /// This end of the parent port. (Neutered for a child whose port was given by [`UtilityProcessBuilder::parent_port`].)
    pub fn port(&self) -> &MessagePort {
        &self.0.port
    }

    /// Posts a message to the child's parent port. It may do so at once: messages wait until the child listens.
    ///
    /// # Errors
    /// See [`MessagePort::post_message`].
    pub fn post_message(&self, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        self.0.port.post_message(message, ports)
    }

    /// Waits for the child's next message.
    ///
    /// # Errors
    /// See [`MessagePort::recv`]: [`PortRecvError::Closed`] once the child is gone and everything it said has been received.
    pub async fn recv(&self) -> Result<MessageEvent, PortRecvError> {
        self.0.port.recv().await
    }

    /// Calls `handler` with each message of the child, on the program's thread. Messages that cannot be read are skipped.
    ///
    /// # Panics
    /// Outside the program's thread.
    pub fn on_message(&self, mut handler: impl FnMut(MessageEvent) + 'static) {
        let port = self.0.port.clone();
        program::spawn(&self.0.shared, async move {
            loop {
                match port.recv().await {
                    Ok(message) => handler(message),
                    Err(PortRecvError::BadValue(error)) => tracing::warn!(%error, "a child sent something that cannot be read"),
                    Err(_) => return,
                }
            }
        });
    }

    /// Calls `handler` with what happens to the process.
    pub fn on_event(&self, handler: impl FnMut(&UtilityEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.shared.handlers().utility.entry(self.0.id).or_default().push(listener);
        id
    }

    /// Waits until it has ended; [`ExitReason::LaunchFailed`] if it could not even be started.
    pub fn exited(&self) -> impl Future<Output = ExitStatus> + Send + 'static {
        let process = self.clone();
        poll_fn(move |cx| {
            let mut state = process.state();
            match state.ended {
                Some(status) => Poll::Ready(status),
                None => {
                    if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                        state.waiting.push(cx.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
    }

    /// How it has ended; `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.state().ended
    }

    /// Asks the process to end, by SIGTERM; if it is still there five seconds later, it is ended by SIGKILL. False if it does not run.
    pub fn kill(&self) -> bool {
        self.terminate(Signal::TERM)
    }

    fn terminate(&self, signal: Signal) -> bool {
        let mut state = self.state();
        let Some(running) = &state.running else { return false };
        // The descriptor keeps the number from being given to somebody else.
        let sent = pidfd_send_signal(&running.descriptor, signal).is_ok();
        if sent {
            state.killed = true;
            drop(state);
            self.0.shared.children.watch_end_of(self.0.id);
        }
        sent
    }

    /// Why a script's engine could not go on, if that has ended the process: once, and not before [`UtilityEvent::Exited`].
    pub fn take_fatal_error(&self) -> Option<FatalError> {
        self.exit_status()?;
        FatalError::take(&self.0.shared.children.report(self.0.id))
    }

    /// What the process writes to its standard output, if that is piped: once, from [`UtilityEvent::Spawned`] on.
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        self.state().stdout.take()
    }

    /// What the process writes to its standard error, if that is piped: once, from [`UtilityEvent::Spawned`] on.
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        self.state().stderr.take()
    }

    fn spawned(&self, running: Running, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) {
        let pid = running.pid;
        {
            let mut state = self.state();
            (state.running, state.stdout, state.stderr) = (Some(running), stdout, stderr);
        }
        self.report(UtilityEvent::Spawned { pid });
    }

    /// It has ended, or never begun.
    fn ended(&self, status: impl FnOnce(bool) -> ExitStatus, event: impl FnOnce(ExitStatus) -> UtilityEvent) {
        let (status, waiting) = {
            let mut state = self.state();
            let status = status(state.killed);
            (state.running, state.ended) = (None, Some(status));
            (status, std::mem::take(&mut state.waiting))
        };
        self.report(event(status));
        waiting.into_iter().for_each(Waker::wake);
    }

    fn report(&self, event: UtilityEvent) {
        self.0.shared.queue(crate::AppEvent::Utility { process: self.clone(), event });
    }
}

impl PartialEq for UtilityProcess {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for UtilityProcess {}

impl fmt::Debug for UtilityProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtilityProcess").field("id", &self.0.id.0).field("name", &self.0.name).field("pid", &self.pid()).finish()
    }
}
