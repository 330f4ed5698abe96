//! How a child joins the process that has started it, and goes with it.

use std::{env, io, path::Path, process, thread, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{PidfdFlags, Signal, getpid, getppid, kill_process, pidfd_open},
};
use strait_inspect::Inspector;
use strait_ports::{Event, FromEnvError, Node, Port, RecvError};
use strait_protocol::child::{INSPECT_VARIABLE, Start, ToChild};

/// How long the parent may take to say what this process is to be.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a child goes on after its parent is gone: time to finish a file, not to start anything.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(2);

/// A child could not join.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParentPortError {
    /// This process was not started as a child.
    #[error(transparent)]
    Join(#[from] FromEnvError),
    /// A thread could not be started.
    #[error("no thread for the messages")]
    Thread(#[source] io::Error),
    /// Events of ports were to be written to a file that cannot be opened.
    #[error("the file for the events of ports cannot be opened")]
    Inspect(#[source] io::Error),
    /// The parent did not say what to be: it is gone, or no Strait program.
    #[error("the parent has not begun to talk")]
    Silent(#[source] Option<RecvError>),
    /// It said something else.
    #[error("the parent is of another version of Strait")]
    Unknown,
}

/// What a child has once it has joined.
#[derive(Debug)]
pub struct Joined {
    /// Its node, driven by a thread.
    pub node: Node,
    /// The bootstrap: it closes when the parent is gone.
    pub control: Port,
    /// What to be.
    pub start: Start,
    /// The way to the parent program.
    pub parent_port: Port,
}

/// Joins the parent; if `follow`, ends this process [`ORPHAN_GRACE`] after the parent has ended, whatever it does then.
///
/// # Errors
/// See [`ParentPortError`].
pub fn join(follow: bool) -> Result<Joined, ParentPortError> {
    if follow {
        follow_parent().map_err(ParentPortError::Thread)?;
    }
    let (node, control) = Node::from_env()?;
    // Before anything can arrive.
    if let Some(file) = env::var_os(INSPECT_VARIABLE).filter(|file| !file.is_empty()) {
        Inspector::attach(&node, ("utility", std::process::id()), Path::new(&file)).map_err(ParentPortError::Inspect)?;
    }
    let driver = node.clone();
    let drive = move || {
        if let Err(error) = driver.drive() {
            // Nothing arrives any more, nothing leaves.
            eprintln!("strait: the message loop failed: {error}");
            process::abort();
        }
    };
    thread::Builder::new().name("strait-io".into()).stack_size(256 << 10).spawn(drive).map_err(ParentPortError::Thread)?;
    match control.recv_blocking(Some(START_TIMEOUT)) {
        Ok(Event::Message(mut message)) => {
            let Ok(ToChild::Start(start)) = strait_protocol::decode(&message.data) else { return Err(ParentPortError::Unknown) };
            let parent_port = message.ports.pop().ok_or(ParentPortError::Unknown)?;
            Ok(Joined { node, control, start, parent_port })
        }
        Ok(Event::Close(_)) => Err(ParentPortError::Silent(None)),
        Err(error) => Err(ParentPortError::Silent(Some(error))),
    }
}

/// Watches the parent in a thread of its own, which needs nothing of the others: they may be in an endless loop.
///
/// By the parent's process rather than by the link, which says the same but is the node's. (`PR_SET_PDEATHSIG` would tell of the parent's *thread*.)
fn follow_parent() -> io::Result<()> {
    // Who has no parent any more finds that nobody answers; a system without these descriptors ends such children only when they listen.
    let Some(parent) = getppid() else { return Ok(()) };
    let Ok(descriptor) = pidfd_open(parent, PidfdFlags::empty()) else { return Ok(()) };
    let watch = move || {
        loop {
            match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => break,
                Err(_) => return,
            }
        }
        thread::sleep(ORPHAN_GRACE);
        // By a signal: `exit` runs destructors while other threads, of a JavaScript engine for one, use what is destroyed. It can only fail for another process.
        let _ = kill_process(getpid(), Signal::KILL);
    };
    thread::Builder::new().name("strait-parent".into()).stack_size(64 << 10).spawn(watch).map(drop)
}
