//! The credentials of the process at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

/// A process and its user at the time when it connected, or, for the client, when the server began
/// to listen. They come from the kernel, not from the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// Its process id; 0 if it is in another pid namespace. Use it for logs only, because ids are
    /// reused.
    pub pid: u32,
    /// Its effective user id.
    pub uid: u32,
    /// Its effective group id.
    pub gid: u32,
}

impl Credentials {
    pub(super) fn of_peer(socket: impl AsFd) -> io::Result<Self> {
        let peer = socket_peercred(socket)?;
        Ok(Self { pid: peer.pid.as_raw_nonzero().get().unsigned_abs(), uid: peer.uid.as_raw(), gid: peer.gid.as_raw() })
    }

    /// Whether it runs as the same user as this process.
    pub fn is_same_user(&self) -> bool {
        self.uid == geteuid().as_raw()
    }
}
