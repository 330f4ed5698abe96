//! Children: a parent starts a program and gives it a port.
//!
//! The child's end of a socket pair stays open through `exec` under its number, and an environment variable tells the number. A path or a name to connect to would need no
//! `unsafe`, but it would have to be guarded, and sandboxes let descriptors through that let nothing else. `command-fds` does the parent's part too; it keeps
//! the descriptor open in the parent for as long as the `Command` lives, which would hide the child's end, and its counterpart for the child is `unsafe` for every user.

use std::env;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};

use crate::link::{Inherited, PassedOn, take_inherited};
use crate::node::{JoinError, Node};
use crate::port::Port;

/// The environment variable by which [`Node::spawn`] tells a child the number of the descriptor that its port is to come through: `STRAIT_PORT_FD`.
pub const PORT_FD_VARIABLE: &str = "STRAIT_PORT_FD";

/// Why [`Node::spawn`] started nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The process has no descriptors left, or this node is not the broker.
    #[error("no connection for the child")]
    Connect(#[source] io::Error),
    /// The program cannot be run.
    #[error("cannot start `{program}`")]
    Start {
        /// What was to be run.
        program: String,
        /// Why it was not.
        #[source]
        error: io::Error,
    },
}

/// Why [`Node::from_env`] has no node to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FromEnvError {
    /// There is no variable.
    #[error("{PORT_FD_VARIABLE} is not set: this program expects to be started by Node::spawn")]
    NotSet,
    /// The variable holds something else.
    #[error("{PORT_FD_VARIABLE} is `{value}`, which is not the number of a descriptor: leave the variable to Node::spawn")]
    NotANumber {
        /// What it holds.
        value: String,
    },
    /// Nothing is open under the number.
    #[error(
        "descriptor {number} of {PORT_FD_VARIABLE} is not open: the port was for the process that started this one, or somebody on the way closed it; start this program by Node::spawn"
    )]
    NotOpen {
        /// Its number.
        number: i32,
    },
    /// This program has opened the descriptor itself.
    #[error(
        "descriptor {number} of {PORT_FD_VARIABLE} was not inherited, this program has opened it: the port was for the process that started this one; start this program by Node::spawn"
    )]
    NotInherited {
        /// Its number.
        number: i32,
    },
    /// Something else than the socket is open under the number. It is left alone.
    #[error("descriptor {number} of {PORT_FD_VARIABLE} is not a connected Unix SOCK_SEQPACKET socket: leave the variable to Node::spawn")]
    NotASocket {
        /// Its number.
        number: i32,
    },
    /// A call before this one has taken the socket.
    #[error("the port of {PORT_FD_VARIABLE} has been taken before in this process: call Node::from_env once and clone the node")]
    Taken,
    /// The system does not tell about the descriptor.
    #[error("the descriptor of {PORT_FD_VARIABLE} cannot be used")]
    Io(#[from] io::Error),
    /// The parent is gone, or no Strait node.
    #[error("the parent does not let this process join")]
    Join(#[from] JoinError),
}

impl Node {
    /// Starts a program and gives it a port, which it takes by [`Node::from_env`]; the port here is the other end. This node must be the broker.
    ///
    /// The child gets the one descriptor, under a number that the variable [`PORT_FD_VARIABLE`] tells it, and nobody else gets it: everything here is close-on-exec.
    /// A program that lies between (a shell, a sandbox) must hand the variable and the descriptor on.
    ///
    /// The [`Child`] is the standard library's: dropping it neither ends the child nor reaps it. A child that is to end with its parent watches its port for the
    /// close; a parent that is to know of its child's end does the same, and learns it a few milliseconds after a crash.
    ///
    /// ```no_run
    /// use std::process::Command;
    /// use strait_ports::{Event, Node};
    ///
    /// let node = Node::broker()?;
    /// let (mut child, port) = node.spawn(Command::new("worker").arg("--quiet"))?;
    /// port.post(b"work".to_vec())?;
    /// while let Event::Message(done) = port.recv_blocking(None)? {
    ///     println!("{} bytes came back", done.data.len());
    /// }
    /// child.wait()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SpawnError`]; nothing has been started then.
    pub fn spawn(&self, command: &mut Command) -> Result<(Child, Port), SpawnError> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| SpawnError::Connect(error.into()))?;
        // First: who is no broker starts nothing. If nothing can be started, the other end of the socket goes, and all of this with it.
        let port = self.invite(ours).map_err(SpawnError::Connect)?;
        let passed_on = PassedOn::by(command, theirs);
        command.env(PORT_FD_VARIABLE, passed_on.number().to_string());
        let child = command.spawn();
        // Should the command be run again, it hands no port on, not even this process's own.
        command.env_remove(PORT_FD_VARIABLE);
        match child {
            Ok(child) => Ok((child, port)),
            Err(error) => Err(SpawnError::Start { program: command.get_program().to_string_lossy().into_owned(), error }),
        }
    }

    /// Joins the network of the process that started this one by [`Node::spawn`]. The port is this end of the channel to it.
    ///
    /// Call it once, early. The descriptor becomes close-on-exec, so children of this process do not get it; the variable stays (there is no safe way to
    /// remove it in a process with threads) and leads them to a clear error if they call this too. Waits for the parent's welcome, ten seconds at most.
    ///
    /// # Errors
    /// See [`FromEnvError`]: each says the way out. What the variable names is left alone unless it is the socket.
    pub fn from_env() -> Result<(Self, Port), FromEnvError> {
        static TAKEN: Mutex<bool> = Mutex::new(false);
        let value = env::var_os(PORT_FD_VARIABLE).ok_or(FromEnvError::NotSet)?;
        let number = parse(&value.to_string_lossy())?;
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken {
            return Err(FromEnvError::Taken);
        }
        let is_ours = |fd: std::os::fd::BorrowedFd<'_>| {
            let unix = sockopt::socket_domain(fd) == Ok(AddressFamily::UNIX);
            unix && sockopt::socket_type(fd) == Ok(SocketType::SEQPACKET) && sockopt::socket_acceptconn(fd) == Ok(false)
        };
        let socket = match take_inherited(number, is_ours)? {
            Some(Inherited::Descriptor(socket)) => socket,
            Some(Inherited::Closed) => return Err(FromEnvError::NotOpen { number }),
            Some(Inherited::Own) => return Err(FromEnvError::NotInherited { number }),
            None => return Err(FromEnvError::NotASocket { number }),
        };
        *taken = true;
        drop(taken);
        Ok(Self::join(socket)?)
    }
}

/// The number that the variable holds. The standard streams are not accepted.
pub(crate) fn parse(value: &str) -> Result<i32, FromEnvError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten().filter(|number| *number > 2);
    number.ok_or_else(|| FromEnvError::NotANumber { value: value.chars().take(40).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_descriptors_are_taken() {
        for bad in ["", " 3", "3 ", "-1", "+3", "3x", "0", "1", "2", "99999999999", "0x3", "３"] {
            assert!(matches!(parse(bad), Err(FromEnvError::NotANumber { .. })), "{bad:?}");
        }
        assert_eq!(parse("3").unwrap(), 3);
        assert_eq!(parse("1023").unwrap(), 1023);
    }
}
