//! The thread that starts children and waits for their ends.
//!
//! Starting a child takes some milliseconds, because this process is large and must be forked. That
//! is too long for the program's thread and for the thread that routes. This thread is started with
//! the first child.

use std::{
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{EventfdFlags, Timespec, epoll, eventfd},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};
use strait_ports::Port;
use strait_protocol::child::{Start, ToChild};

use super::{ExitStatus, Running, UtilityEvent, UtilityId, UtilityProcess};
use crate::{NodeJs, NodeRole};

/// The limit of a child's time to end after a request; then it is killed.
const KILL_AFTER: Duration = Duration::from_secs(5);
/// The same limit when the program itself ends.
const END_WITHIN: Duration = Duration::from_secs(1);
/// The epoll key of the eventfd that wakes the thread; children have their numbers, from 1.
const BELL: u64 = 0;

/// A child to be started.
pub(super) struct Launch {
    pub(super) process: UtilityProcess,
    /// Returns the command to run, or the reason why there is none.
    pub(super) command: Box<dyn FnOnce() -> Result<Command, String> + Send>,
    pub(super) start: Start,
    pub(super) parent_port: Port,
}

enum Job {
    Launch(Box<Launch>),
    /// This child was requested to end.
    WatchEnd(UtilityId),
    /// The program ends.
    EndAll,
}

/// All children of the program.
pub(crate) struct Children {
    last: AtomicU32,
    thread: Mutex<Option<Handle>>,
    /// The Node that runs scripts: set by the program, or found at its first use.
    node_js: OnceLock<NodeJs>,
    /// The folder for reports of engines that ended fatally.
    reports: PathBuf,
}

struct Handle {
    jobs: mpsc::Sender<Job>,
    bell: Arc<OwnedFd>,
    thread: thread::JoinHandle<()>,
}

impl Children {
    pub(crate) fn new(node_js: Option<NodeJs>, reports: PathBuf) -> Self {
        let node_js = node_js.map_or_else(OnceLock::new, OnceLock::from);
        Self { last: AtomicU32::new(0), thread: Mutex::default(), node_js, reports }
    }

    /// The Node that runs scripts. The first call may run Node, to get its version.
    pub(super) fn node_js(&self) -> Result<&NodeJs, String> {
        let node = match self.node_js.get() {
            Some(node) => node,
            None => {
                let found = NodeJs::find(NodeRole::Child).map_err(|error| error.to_string())?;
                self.node_js.get_or_init(|| found)
            }
        };
        node.check(NodeRole::Child).map(|()| node).map_err(|error| error.to_string())
    }

    /// The file for the report of this child's engine.
    pub(super) fn report(&self, id: UtilityId) -> PathBuf {
        self.reports.join(format!("{}.json", id.get()))
    }

    pub(super) fn next_id(&self) -> u32 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn launch(&self, launch: Launch) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            match Handle::start() {
                Ok(handle) => *thread = Some(handle),
                Err(error) => return failed(&launch.process, format!("no thread for child processes: {error}")),
            }
        }
        if let Some(handle) = &*thread {
            handle.send(Job::Launch(Box::new(launch)));
        }
    }

    pub(super) fn watch_end_of(&self, id: UtilityId) {
        if let Some(handle) = &*self.thread.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.send(Job::WatchEnd(id));
        }
    }

    /// Ends all remaining children; no child is started afterwards.
    pub(crate) fn end_all(&self) {
        let handle = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            handle.send(Job::EndAll);
            let _ = handle.thread.join();
        }
    }
}

impl Handle {
    fn start() -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel();
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let events = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&events, &bell, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        let supervisor = ChildSupervisor { inbox, bell: bell.clone(), events, children: HashMap::new(), deadlines: HashMap::new() };
        let thread = thread::Builder::new().name("strait-children".into()).spawn(move || supervisor.run())?;
        Ok(Self { jobs, bell, thread })
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_ok() {
            // The write fails only if the counter is full, and a full counter wakes the thread too.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }
}

/// A running child.
struct Alive {
    process: UtilityProcess,
    child: Child,
    descriptor: Arc<OwnedFd>,
}

struct ChildSupervisor {
    inbox: mpsc::Receiver<Job>,
    bell: Arc<OwnedFd>,
    events: OwnedFd,
    children: HashMap<UtilityId, Alive>,
    /// The times at which children that were requested to end are killed.
    deadlines: HashMap<UtilityId, Instant>,
}

impl ChildSupervisor {
    fn run(mut self) {
        let mut ready = Vec::with_capacity(64);
        let mut ending = false;
        loop {
            let jobs: Vec<Job> = self.inbox.try_iter().collect();
            for job in jobs {
                match job {
                    Job::Launch(launch) if ending => failed(&launch.process, "the program ends".into()),
                    Job::Launch(launch) => self.launch(*launch),
                    Job::WatchEnd(id) => drop(self.deadlines.entry(id).or_insert_with(|| Instant::now() + KILL_AFTER)),
                    Job::EndAll => {
                        ending = true;
                        self.end_all();
                    }
                }
            }
            if ending && self.children.is_empty() {
                return;
            }
            self.overdue();
            ready.clear();
            let timeout = self.deadlines.values().min().map(|at| at.saturating_duration_since(Instant::now()));
            let timeout = timeout.map(|timeout| Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) });
            match epoll::wait(&self.events, spare_capacity(&mut ready), timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return tracing::error!(%error, "child processes are not watched any more"),
            }
            for event in &ready {
                match event.data.u64() {
                    BELL => drop(rustix::io::read(&self.bell, &mut [0; 8])),
                    id => self.look(UtilityId(id as u32)),
                }
            }
        }
    }

    fn launch(&mut self, Launch { process, command, start, parent_port }: Launch) {
        let mut command = match command() {
            Ok(command) => command,
            Err(why) => return failed(&process, why),
        };
        let (mut child, control) = match process.0.shared.node.spawn(&mut command) {
            Ok(spawned) => spawned,
            Err(error) => {
                let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
                return failed(&process, format!("{error}{why}"));
            }
        };
        let pid = Pid::from_child(&child);
        let descriptor = pidfd_open(pid, PidfdFlags::empty()).and_then(|descriptor| {
            epoll::add(&self.events, &descriptor, epoll::EventData::new_u64(u64::from(process.id().get())), epoll::EventFlags::IN)?;
            Ok(Arc::new(descriptor))
        });
        let descriptor = match descriptor {
            Ok(descriptor) => descriptor,
            // A child without a descriptor to watch is ended.
            Err(error) => {
                let _ = child.kill().and_then(|()| child.wait());
                return failed(&process, format!("the child cannot be watched: {error}"));
            }
        };
        let message = strait_protocol::encode(&ToChild::Start(start));
        // Fails if the child has ended already, which its descriptor reports.
        let _ = control.post(strait_ports::Message::with_ports(message, vec![parent_port]));
        process.state().control = Some(control);
        let running = Running { pid: child.id(), descriptor: descriptor.clone() };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        self.children.insert(process.id(), Alive { process: process.clone(), child, descriptor });
        process.spawned(running, stdout, stderr);
    }

    /// A child's descriptor has reported its end.
    fn look(&mut self, id: UtilityId) {
        let Some(alive) = self.children.get_mut(&id) else { return };
        let status = match alive.child.try_wait() {
            Ok(None) => return,
            Ok(Some(status)) => Some(status),
            // Another part of the process has reaped it and has its status.
            Err(_) => None,
        };
        self.deadlines.remove(&id);
        let Some(Alive { process, descriptor, .. }) = self.children.remove(&id) else { return };
        let _ = epoll::delete(&self.events, &descriptor);
        let status = |killed| status.map_or_else(ExitStatus::unknown, |status| ExitStatus::of(status, killed));
        process.ended(status, UtilityEvent::Exited);
    }

    /// Kills the children that were requested to end and did not.
    fn overdue(&mut self) {
        let now = Instant::now();
        let late: Vec<UtilityId> = self.deadlines.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in late {
            self.deadlines.remove(&id);
            if let Some(alive) = self.children.get(&id) {
                let _ = pidfd_send_signal(&alive.descriptor, Signal::KILL);
            }
        }
    }

    fn end_all(&mut self) {
        let at = Instant::now() + END_WITHIN;
        for (id, alive) in &self.children {
            let _ = pidfd_send_signal(&alive.descriptor, Signal::TERM);
            self.deadlines.insert(*id, at);
        }
    }
}

fn failed(process: &UtilityProcess, message: String) {
    process.ended(|_| ExitStatus::never_ran(), |_| UtilityEvent::LaunchFailed { message });
}
