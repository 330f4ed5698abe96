//! Other processes: this program again, in a role.

use std::env;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;
use crate::placement::{Placement, Side};

/// A process that is gone at the latest when this is.
pub struct Process(Child);

impl Process {
    /// Starts this program as `role`, with `stdin` as its standard input and `arguments` after its own.
    pub fn start(role: &str, stdin: impl Into<Stdio>, place: (Placement, Side), arguments: &[String]) -> Outcome<Process> {
        // It binds itself, and must know all processors for that.
        Placement::Free.pin(Side::Near)?;
        let mut command = Command::new(env::current_exe()?);
        command.args(["--role", role, &place.0.argument(place.1)]).args(arguments).stdin(stdin);
        Ok(Process(command.spawn()?))
    }

    /// A role that talks over a `SOCK_SEQPACKET` socket; ours is given back, theirs is its standard input.
    pub fn start_with_socket(role: &str, place: (Placement, Side)) -> Outcome<(Process, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self::start(role, theirs, place, &[])?, ours))
    }

    /// The system's number of it.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> Outcome<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Most end by themselves when the other end of what they read is gone; some are dropped before it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs this program in a role of its own accord, and gives what it prints.
pub fn output(role: &str, place: (Placement, Side), arguments: &[String]) -> Outcome<serde_json::Value> {
    Placement::Free.pin(Side::Near)?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["--role", role, &place.0.argument(place.1)]).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("the role {role} ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The socket (or memory) that a role was given: a copy, for standard input stays with the standard library.
pub fn given() -> Outcome<OwnedFd> {
    let given = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3)?;
    // Or the other side would never see the end of us.
    rustix::stdio::dup2_stdin(rustix::fs::open("/dev/null", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty())?)?;
    Ok(given)
}
