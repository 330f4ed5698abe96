//! Children: a parent starts a program and passes it a port.
//!
//! The child's end of a socket pair stays open through `exec` under its number, and an environment
//! variable contains the number. A path or a name would need no `unsafe` code. But it would have to
//! be protected, and some sandboxes permit inherited descriptors and nothing else. The crate
//! `command-fds` does the parent's part too. But it keeps the descriptor open in the parent for as
//! long as the `Command` lives, which would hide the end of the child, and its counterpart for the
//! child is `unsafe` for every user.

use std::env;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};

use crate::link::{Inherited, PassedOn, take_inherited};
use crate::node::{JoinError, Node};
use crate::port::Port;

/// The environment variable in which [`Node::spawn`] passes the number of the port's descriptor to
/// a child: `STRAIT_PORT_FD`.
pub const PORT_FD_VARIABLE: &str = "STRAIT_PORT_FD";

/// The reasons for which [`Node::spawn`] has started nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The process has no descriptors left, or this node is not the broker.
    #[error("cannot make a connection for the child")]
    Connect(#[source] io::Error),
    /// The program cannot be run.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// The reason of the failure.
        #[source]
        error: io::Error,
    },
}

/// The reasons for which [`Node::from_env`] fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FromEnvError {
    /// The variable is not set.
    #[error("{PORT_FD_VARIABLE} is not set: this program expects to be started by Node::spawn")]
    NotSet,
    /// The variable does not contain a number.
    #[error("{PORT_FD_VARIABLE} is `{value}`, which is not the number of a descriptor: leave the variable to Node::spawn")]
    NotANumber {
        /// Its value.
        value: String,
    },
    /// No descriptor is open under the number.
    #[error(
        "descriptor {number} of {PORT_FD_VARIABLE} is not open: the port was for the process that started this one, or a program in between closed it; start this program by Node::spawn"
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
    /// The descriptor is not the socket. It stays as it is.
    #[error("descriptor {number} of {PORT_FD_VARIABLE} is not a connected Unix SOCK_SEQPACKET socket: leave the variable to Node::spawn")]
    NotASocket {
        /// Its number.
        number: i32,
    },
    /// An earlier call has taken the socket.
    #[error("the port of {PORT_FD_VARIABLE} has been taken before in this process: call Node::from_env once and clone the node")]
    Taken,
    /// A system call about the descriptor failed.
    #[error("a system call on the descriptor of {PORT_FD_VARIABLE} failed")]
    Io(#[from] io::Error),
    /// The parent is gone, or is not a Strait node.
    #[error("the parent does not let this process join")]
    Join(#[from] JoinError),
}

impl Node {
    /// Starts a program and passes it a port, which it takes by [`Node::from_env`]; the returned
    /// port is the other end. This node must be the broker.
    ///
    /// The child inherits one descriptor, whose number is in the variable [`PORT_FD_VARIABLE`]. No
    /// other process inherits it, because it is close-on-exec in this one. A program in between (a
    /// shell, a sandbox) must pass on the variable and the descriptor.
    ///
    /// The [`Child`] is that of the standard library: dropping it neither ends the child nor reaps
    /// it. A child that must end with its parent should wait for the close of its port. A parent
    /// can wait for its child's end in the same way; after a crash the close arrives within a few
    /// milliseconds.
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
    /// [`SpawnError`]; then no program has been started.
    pub fn spawn(&self, command: &mut Command) -> Result<(Child, Port), SpawnError> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(|error| SpawnError::Connect(error.into()))?;
        // Before the program starts, because this fails if the node is not the broker. If the
        // program cannot be started, dropping the other end of the socket removes the new link.
        let port = self.invite(ours).map_err(SpawnError::Connect)?;
        let passed_on = PassedOn::by(command, theirs);
        command.env(PORT_FD_VARIABLE, passed_on.number().to_string());
        let child = command.spawn();
        // If the command is run again, it passes on no port, not even the one of this process.
        command.env_remove(PORT_FD_VARIABLE);
        match child {
            Ok(child) => Ok((child, port)),
            Err(error) => Err(SpawnError::Start { program: command.get_program().to_string_lossy().into_owned(), error }),
        }
    }

    /// Joins the network of the process that started this one by [`Node::spawn`]. The returned port
    /// is this end of the channel to it.
    ///
    /// Call it once and early. The descriptor becomes close-on-exec, so children of this process do
    /// not inherit it. The variable stays, because a process with threads cannot remove it safely.
    /// Children that call this function too get a clear error. The call waits for the parent's
    /// welcome, ten seconds at most.
    ///
    /// # Errors
    /// See [`FromEnvError`]: each text names a solution. A descriptor that is not the socket stays
    /// as it is.
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
