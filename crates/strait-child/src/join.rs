//! How a child joins its parent, and ends after it.

use std::{env, io, path::Path, process, thread, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{PidfdFlags, Signal, getpid, getppid, kill_process, pidfd_open},
};
use strait_inspect::Inspector;
use strait_ports::{Event, FromEnvError, Node, Port, RecvError};
use strait_protocol::child::{INSPECT_VARIABLE, Start, ToChild};

/// The limit of the parent's time to send [`Start`].
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a child continues after its parent has ended: time to finish writing a file.
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
    /// The file for the events of ports could not be opened.
    #[error("the file for the events of ports cannot be opened")]
    Inspect(#[source] io::Error),
    /// The parent sent no message: it has ended, or is not a program of Strait.
    #[error("the parent has not begun to talk")]
    Silent(#[source] Option<RecvError>),
    /// The parent sent another message.
    #[error("the parent is of another version of Strait")]
    Unknown,
}

/// The state of a child that has joined.
#[derive(Debug)]
pub struct Joined {
    /// Its node, driven by a thread.
    pub node: Node,
    /// The bootstrap port, which closes when the parent has ended.
    pub control: Port,
    /// The child's name and arguments.
    pub start: Start,
    /// The port to the parent's program.
    pub parent_port: Port,
}

/// Joins the parent. If `follow`, this process is ended [`ORPHAN_GRACE`] after the parent has
/// ended, whatever it does then.
///
/// # Errors
/// See [`ParentPortError`].
pub fn join(follow: bool) -> Result<Joined, ParentPortError> {
    if follow {
        follow_parent().map_err(ParentPortError::Thread)?;
    }
    let (node, control) = Node::from_env()?;
    // Before any port can arrive.
    if let Some(file) = env::var_os(INSPECT_VARIABLE).filter(|file| !file.is_empty()) {
        Inspector::attach(&node, ("utility", std::process::id()), Path::new(&file)).map_err(ParentPortError::Inspect)?;
    }
    let driver = node.clone();
    let drive = move || {
        if let Err(error) = driver.drive() {
            // No message can arrive or leave any more.
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

/// Watches the parent in a thread of its own, which needs none of the others: they may be in an
/// endless loop.
///
/// It watches the parent's process rather than the link, because the link belongs to the node.
/// (`PR_SET_PDEATHSIG` would report the end of the parent's *thread*.)
fn follow_parent() -> io::Result<()> {
    // An orphan's parent does not answer, so joining fails. On a system without these descriptors
    // such children end only when they receive.
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
        // By a signal, because `exit` runs destructors while other threads (such as a JavaScript
        // engine's) use the destroyed objects. It can only fail for another process.
        let _ = kill_process(getpid(), Signal::KILL);
    };
    thread::Builder::new().name("strait-parent".into()).stack_size(64 << 10).spawn(watch).map(drop)
}
