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

/// The number of a child process, never reused in this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtilityId(u32);

impl UtilityId {
    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// An event of a child process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UtilityEvent {
    /// It was started.
    Spawned {
        /// Its process id.
        pid: u32,
    },
    /// It could not be started. No further event follows.
    LaunchFailed {
        /// The reason, with the remedy.
        message: String,
    },
    /// It has ended. No further event follows. Messages that it had posted may still be queued in
    /// its ports.
    Exited(ExitStatus),
}

/// A child process without a window, and the port to it. Clones are the same child.
///
/// Neither awaiting the child nor keeping the handle is necessary: the child runs until it ends, is
/// killed, or the program ends.
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
    /// [`UtilityProcess::kill`] was called, so its end is not a failure.
    killed: bool,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// The bootstrap port. While it is held, the child detects that this process is alive. The list
    /// of running children holds this state, too.
    control: Option<Port>,
    waiting: Vec<Waker>,
}

struct Running {
    pid: u32,
    /// Identifies the process, and never another one with the same number.
    descriptor: Arc<OwnedFd>,
}

impl UtilityProcess {
    /// A child that runs a program of its own, which takes its parent port by
    /// `strait_child::ParentPort::from_env`.
    ///
    /// A program without a slash is searched in `PATH`.
    pub fn builder(program: impl Into<std::path::PathBuf>) -> UtilityProcessBuilder {
        UtilityProcessBuilder::program(program.into())
    }

    /// A child that runs a script, which finds its parent port in `process.parentPort`. A relative
    /// path is relative to the child's working folder.
    ///
    /// It runs in Node.js; [`AppConfig::node_js`](crate::AppConfig::node_js) sets which one. If
    /// Node or Strait's part for it is missing, the process is not started, and
    /// [`UtilityEvent::LaunchFailed`] names the package to install.
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

    /// The process's id while it runs: not before [`UtilityEvent::Spawned`], nor after
    /// [`UtilityEvent::Exited`].
    pub fn pid(&self) -> Option<u32> {
        self.state().running.as_ref().map(|running| running.pid)
    }

    /// This process's end of the parent port. (Neutered for a child with
    /// [`UtilityProcessBuilder::parent_port`].)
    pub fn port(&self) -> &MessagePort {
        &self.0.port
    }

    /// Posts a message to the child's parent port. This is possible at once: messages wait until
    /// the child receives them.
    ///
    /// # Errors
    /// See [`MessagePort::post_message`].
    pub fn post_message(&self, message: impl Into<Value>, ports: Vec<MessagePort>) -> Result<(), PostMessageError> {
        self.0.port.post_message(message, ports)
    }

    /// Waits for the child's next message.
    ///
    /// # Errors
    /// See [`MessagePort::recv`]: [`PortRecvError::Closed`] once the child has ended and all its
    /// messages have been received.
    pub async fn recv(&self) -> Result<MessageEvent, PortRecvError> {
        self.0.port.recv().await
    }

    /// Calls `handler` with each message of the child, on the program's thread. Messages that
    /// cannot be read are skipped.
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

    /// Calls `handler` with each event of the process.
    pub fn on_event(&self, handler: impl FnMut(&UtilityEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.shared.handlers().utility.entry(self.0.id).or_default().push(listener);
        id
    }

    /// Waits until the process has ended; [`ExitReason::LaunchFailed`] if it could not be started.
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

    /// The exit status; `None` while the process runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.state().ended
    }

    /// Requests the process to end, by SIGTERM. If it still runs five seconds later, it is ended by
    /// SIGKILL. False if it does not run.
    pub fn kill(&self) -> bool {
        self.terminate(Signal::TERM)
    }

    fn terminate(&self, signal: Signal) -> bool {
        let mut state = self.state();
        let Some(running) = &state.running else { return false };
        // The descriptor keeps the system from giving the number to another process.
        let sent = pidfd_send_signal(&running.descriptor, signal).is_ok();
        if sent {
            state.killed = true;
            drop(state);
            self.0.shared.children.watch_end_of(self.0.id);
        }
        sent
    }

    /// The fatal error of a script's engine, if that has ended the process. Returned once, and not
    /// before [`UtilityEvent::Exited`].
    pub fn take_fatal_error(&self) -> Option<FatalError> {
        self.exit_status()?;
        FatalError::take(&self.0.shared.children.report(self.0.id))
    }

    /// The process's standard output, if that is piped. Returned once, from
    /// [`UtilityEvent::Spawned`] on.
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        self.state().stdout.take()
    }

    /// The process's standard error, if that is piped. Returned once, from
    /// [`UtilityEvent::Spawned`] on.
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

    /// The process has ended, or could not be started.
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
