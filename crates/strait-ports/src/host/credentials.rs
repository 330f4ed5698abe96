//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

/// Who a process was when it connected (or, seen by a client, when it began to listen). The kernel says so, not the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// Its number; 0 if it cannot be seen from here (another pid namespace). Numbers are used again: say things to a log with it, decide nothing by it.
    pub pid: u32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

impl Credentials {
    pub(super) fn of_peer(socket: impl AsFd) -> io::Result<Self> {
        let peer = socket_peercred(socket)?;
        Ok(Self { pid: peer.pid.as_raw_nonzero().get().unsigned_abs(), uid: peer.uid.as_raw(), gid: peer.gid.as_raw() })
    }

    /// Whether it runs as the user that this process runs as.
    pub fn is_same_user(&self) -> bool {
        self.uid == geteuid().as_raw()
    }
}
