//! Children of a test: its own binary once more, whose test `child` plays the role that the environment names.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{Node, Port};

/// What names the role.
pub(crate) const ROLE: &str = "STRAIT_TEST_ROLE";

/// A child process that is gone at the latest when this is.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Runs `role` with the other end of the socket that is given back as its standard input, so that nobody else can inherit it.
    pub(crate) fn start(role: &str) -> (Self, OwnedFd) {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null());
        (Self(command.spawn().unwrap()), ours)
    }

    /// Runs `role` as a member of the broker's network.
    pub(crate) fn member(broker: &Node, role: &str) -> (Self, Port) {
        let (process, socket) = Self::start(role);
        (process, broker.invite(socket).unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
