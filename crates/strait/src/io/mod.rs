//! The I/O thread: drives the node, admits agents, handles their messages, and closes pages in
//! order.

mod agent;
mod closing;
mod handshake;
mod listener;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    cell::Cell,
    collections::BTreeSet,
    fmt, io,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    io::Errno,
};
use strait_ports::{CloseReason, LimitReached, Limits, Node, Progress};

use self::listener::Listener;
pub(crate) use self::{
    handshake::Tokens,
    turns::{AgentTurns, handle_here, route_here},
};
use crate::{StartError, WindowId, registry::AgentId, runtime_dir::RuntimeDir, shared::SharedRef};

/// How long the node routes before agents' control messages are handled.
const ROUTE_BUDGET: Duration = Duration::from_millis(1);

/// How long the I/O thread leaves messages to the program's own event loop, if that loop routes
/// too. A loop that has not routed them by then is busy with other work. Two threads that route at
/// the same time contend for the node's lock, and one of them takes the processor from the sender.
const STAND_BACK: Timespec = Timespec { tv_sec: 0, tv_nsec: 4_000_000 };

const NO_TIME: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Commands of other threads to the I/O thread.
#[derive(Debug)]
pub(crate) enum IoCommand {
    /// An agent has sent a message, or its quota has space again.
    AgentReady(AgentId),
    /// The link to the agent with this bootstrap port has ended; this number of bytes was waiting
    /// to be read there.
    Unread(u64, usize),
    /// Close this window's page in order, then destroy the window.
    CloseWindow(WindowId),
    /// Leave the network of nodes and end.
    Shutdown,
}

/// Sends commands to the I/O thread.
#[derive(Clone)]
pub(crate) struct IoHandle {
    commands: mpsc::Sender<IoCommand>,
    wake: Arc<OwnedFd>,
}

/// The receiving end of the thread's commands, for [`start`].
pub(crate) struct IoInbox {
    commands: mpsc::Receiver<IoCommand>,
    wake: Arc<OwnedFd>,
}

/// A running I/O thread.
pub(crate) struct IoThread {
    thread: thread::JoinHandle<()>,
}

thread_local! {
    static ON_IO_THREAD: Cell<bool> = const { Cell::new(false) };
    /// The I/O thread has sent itself a command, for which the eventfd is not written.
    static SENT_HERE: Cell<bool> = const { Cell::new(false) };
}

/// A handle for all threads, and the receiving end for the I/O thread.
pub(crate) fn channel() -> io::Result<(IoHandle, IoInbox)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (sender, receiver) = mpsc::channel();
    Ok((IoHandle { commands: sender, wake: wake.clone() }, IoInbox { commands: receiver, wake }))
}

impl IoHandle {
    pub(crate) fn send(&self, command: IoCommand) {
        if self.commands.send(command).is_err() {
            // The thread has ended.
        } else if ON_IO_THREAD.get() {
            SENT_HERE.set(true);
        } else {
            // The write fails only if the counter is full, and a full counter wakes the thread too.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }
}

/// The queued messages at ports that a limit has closed.
#[derive(Default)]
struct Dropped {
    ports: usize,
    messages: usize,
    bytes: usize,
}

impl Dropped {
    /// Counts one more port.
    fn add(&mut self, messages: usize, bytes: usize) {
        self.ports += 1;
        self.messages += messages;
        self.bytes += bytes;
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ports, messages, bytes } = self;
        let ports = if *ports == 1 { "a message port was closed".to_owned() } else { format!("{ports} message ports were closed") };
        write!(f, "{ports}: {messages} messages ({} MiB) waited to be received", bytes >> 20)
    }
}

/// Reports exceeded limits of the node.
pub(crate) fn watch_limits(node: &Node, limits: Limits, io: IoHandle) {
    node.set_limits(limits, move |reached| {
        // A process can have thousands of ports; those that end together are reported in one line.
        let mut peers_ports = Dropped::default();
        for limit in reached {
            match *limit {
                LimitReached::Port { messages, bytes, .. } => {
                    strait_output::report!("strait: {} (AppConfig::port_queue_limit)", Dropped { ports: 1, messages, bytes });
                }
                LimitReached::Peer { messages, bytes, .. } => peers_ports.add(messages, bytes),
                LimitReached::Link { bootstrap, bytes } => {
                    strait_output::report!(
                        "strait: the connection to a process was ended: {} MiB waited to be read there (AppConfig::agent_backlog_limit)",
                        bytes >> 20
                    );
                    if let Some(port) = bootstrap {
                        io.send(IoCommand::Unread(port, bytes));
                    }
                }
                _ => {}
            }
        }
        if peers_ports.ports > 0 {
            strait_output::report!("strait: {peers_ports}, and too much at all ports of the same process (AppConfig::agent_queues_limit)");
        }
    });
}

/// Listens in `folder` and starts the thread, which keeps the folder until it ends.
pub(crate) fn start(shared: SharedRef, inbox: IoInbox, folder: RuntimeDir) -> Result<IoThread, StartError> {
    let listener = Listener::bind(&folder.socket()).map_err(StartError::RuntimeFolder)?;
    let thread = thread::Builder::new()
        .name("strait-io".into())
        .spawn(move || {
            ON_IO_THREAD.set(true);
            let mut io = Io { shared, listener, wake: inbox.wake, commands: inbox.commands, ready: BTreeSet::new() };
            if let Err(error) = io.run() {
                // Without this loop the program cannot continue.
                strait_output::report!("strait: the message loop failed: {error}");
                strait_output::flush(strait_output::FLUSH_LIMIT);
                std::process::abort();
            }
            drop(folder);
        })
        .map_err(StartError::Engine)?;
    Ok(IoThread { thread })
}

impl IoThread {
    /// Waits for its end, after [`IoCommand::Shutdown`].
    pub(crate) fn join(self) {
        let _ = self.thread.join();
    }
}

struct Io {
    shared: SharedRef,
    listener: Listener,
    wake: Arc<OwnedFd>,
    commands: mpsc::Receiver<IoCommand>,
    /// Agents that may have sent messages: each gets one turn in a round, however often it was
    /// named.
    ready: BTreeSet<AgentId>,
}

impl Io {
    fn run(&mut self) -> io::Result<()> {
        loop {
            let progress = self.shared.node.dispatch(ROUTE_BUDGET)?;
            // Only the commands that are queued now; those that they cause are handled in the next
            // round.
            SENT_HERE.set(false);
            let commands: Vec<IoCommand> = self.commands.try_iter().collect();
            for command in commands {
                match command {
                    IoCommand::AgentReady(agent) => drop(self.ready.insert(agent)),
                    IoCommand::Unread(port, bytes) => agent::unread(&self.shared, port, bytes),
                    IoCommand::CloseWindow(window) => self.shared.turns().closings.begin(&self.shared, window),
                    IoCommand::Shutdown => {
                        self.shared.turns().closings.end_stragglers(&self.shared);
                        self.shared.node.leave(CloseReason::Exited);
                        return Ok(());
                    }
                }
            }
            for agent in std::mem::take(&mut self.ready) {
                if self.shared.turns().take(&self.shared, agent) {
                    self.ready.insert(agent);
                }
            }
            let now = Instant::now();
            self.shared.turns().closings.overdue(&self.shared, now);
            self.listener.overdue(now);
            let busy = matches!(progress, Progress::More) || !self.ready.is_empty() || SENT_HERE.take();
            self.sleep(busy, now)?;
        }
    }

    /// Waits until there is work.
    fn sleep(&mut self, busy: bool, now: Instant) -> io::Result<()> {
        let deadline = [self.shared.turns().closings.next_deadline(), self.listener.next_deadline()].into_iter().flatten().min();
        let timeout = if busy { Some(Duration::ZERO) } else { deadline.map(|deadline| deadline.saturating_duration_since(now)) };
        let timeout = timeout.map(|timeout| Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) });
        let ready: Vec<bool> = {
            let own = [self.wake.as_fd()].into_iter().chain(self.listener.descriptors());
            // The node's descriptor is the last one, so that it can be left out.
            let all = own.chain([self.shared.node.as_fd()]);
            let mut fds: Vec<PollFd<'_>> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
            let node = fds.len() - 1;
            let polled = poll(&mut fds, timeout.as_ref()).and_then(|_| {
                let messages_only = fds[..node].iter().all(|fd| fd.revents().is_empty()) && !fds[node].revents().is_empty();
                if messages_only && !busy && self.shared.loop_routes.load(Ordering::Relaxed) {
                    // The same messages have woken the program's loop.
                    poll(&mut fds[..node], Some(&STAND_BACK))?;
                    // If the loop is busy, this thread routes without a pause until the loop has
                    // routed again.
                    if poll(&mut fds[node..], Some(&NO_TIME))? > 0 {
                        self.shared.loop_routes.store(false, Ordering::Relaxed);
                    }
                }
                Ok(())
            });
            match polled {
                Ok(()) => fds.iter().map(|fd| !fd.revents().is_empty()).collect(),
                Err(Errno::INTR) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        };
        let [wake, listener @ .., _node] = &ready[..] else { return Ok(()) };
        if *wake {
            // Only this thread reads it, without blocking, and the count has no meaning.
            let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        }
        self.listener.handle(listener, &self.shared);
        Ok(())
    }
}
