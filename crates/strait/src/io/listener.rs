//! Admission of agents: a socket in a private folder, the right user, a token that is valid once.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recv, socket_with,
        sockopt::socket_peercred,
    },
    process::getuid,
};
use strait_ports::Message;
use strait_protocol::{Nonce, ToAgent};

use super::handle_here;
use super::handshake::{PACKET, Tokens};
use crate::{sandbox, shared::SharedRef};

/// The limit of connections that have not shown their token yet. A further one replaces the oldest:
/// an agent shows its token at once.
const MAX_WAITING: usize = 64;
/// The limit of a connection's time to show its token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long no connection is accepted after the system lacked a descriptor or memory for one. The
/// connection stays in the socket's queue.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Tokens {
    /// Issues a new token.
    pub(crate) fn issue(&mut self) -> Result<Nonce, getrandom::Error> {
        let mut token = Nonce::default();
        getrandom::fill(&mut token)?;
        self.add(token);
        Ok(token)
    }
}

/// The listening socket and the connections without a token.
pub(crate) struct Listener {
    socket: OwnedFd,
    waiting: Vec<Waiting>,
    /// No connection is accepted before this time.
    paused: Option<Instant>,
}

struct Waiting {
    socket: OwnedFd,
    pid: i32,
    until: Instant,
}

impl Listener {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        listen(&socket, 128)?;
        Ok(Self { socket, waiting: Vec::new(), paused: None })
    }

    /// The descriptors to poll: the waiting connections, then the listening socket unless accepting
    /// is paused.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let listening = self.paused.is_none().then(|| self.socket.as_fd());
        self.waiting.iter().map(|waiting| waiting.socket.as_fd()).chain(listening)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).chain(self.paused).min()
    }

    /// Closes connections that took too long, and ends a pause.
    pub(crate) fn overdue(&mut self, now: Instant) {
        self.waiting.retain(|waiting| waiting.until > now);
        self.paused = self.paused.filter(|until| *until > now);
    }

    /// Handles the ready connections; `ready` has the order of [`Listener::descriptors`].
    pub(crate) fn handle(&mut self, ready: &[bool], shared: &SharedRef) {
        let mut ready = ready.iter().copied();
        let mut still = Vec::with_capacity(self.waiting.len());
        for waiting in self.waiting.drain(..) {
            if !ready.next().unwrap_or(false) {
                still.push(waiting);
            } else if let Some(waiting) = examine(waiting, shared) {
                still.push(waiting);
            }
        }
        self.waiting = still;
        // The listening socket, if it was polled.
        if ready.next().unwrap_or(false) {
            self.accept(shared);
        }
    }

    fn accept(&mut self, shared: &SharedRef) {
        // Bounded, so that a flood of connections does not delay the messages.
        for _ in 0..MAX_WAITING {
            let socket = match accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => socket,
                Err(error) if is_shortage(error) => {
                    // The socket stays readable, so polling it now would keep the thread busy.
                    tracing::warn!(%error, "a web process has to wait: close descriptors, or raise the limit (ulimit -n)");
                    self.paused = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
                // The queue is empty, or a connection ended before it was accepted; poll reports
                // the next one.
                Err(_) => return,
            };
            let Ok(peer) = socket_peercred(&socket) else { continue };
            let pid = peer.pid.as_raw_nonzero().get();
            if peer.uid != getuid() {
                tracing::warn!(pid, "another user's connection to the agents' socket was turned away");
                continue;
            }
            let waiting = Waiting { socket, pid, until: Instant::now() + TOKEN_TIMEOUT };
            if let Some(waiting) = examine(waiting, shared) {
                if self.waiting.len() == MAX_WAITING {
                    self.waiting.remove(0);
                }
                self.waiting.push(waiting);
            }
        }
    }
}

/// Whether the process or the system lacks a resource that it may have again later.
fn is_shortage(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)
}

/// Reads the token; returns the connection if there is nothing to read yet.
fn examine(waiting: Waiting, shared: &SharedRef) -> Option<Waiting> {
    let mut packet = [0; PACKET];
    match recv(&waiting.socket, &mut packet[..], RecvFlags::empty()) {
        Ok((length, _)) => {
            if shared.state().tokens.redeem(&packet[..length]) {
                admit(waiting, shared);
            } else {
                tracing::warn!(pid = waiting.pid, "a process without a valid token was turned away");
            }
            None
        }
        Err(Errno::AGAIN | Errno::INTR) => Some(waiting),
        Err(_) => None,
    }
}

fn admit(waiting: Waiting, shared: &SharedRef) {
    let Waiting { socket, pid, .. } = waiting;
    let bootstrap = match shared.node.invite(socket) {
        Ok(bootstrap) => Arc::new(bootstrap),
        Err(error) => {
            tracing::error!(pid, %error, "a web process could not be connected");
            return;
        }
    };
    let confined = sandbox::is_confined(pid).unwrap_or_else(|error| {
        tracing::warn!(pid, %error, "nothing can be read of a web process, which counts as unsandboxed");
        false
    });
    // The first message: inside a sandbox the process cannot find out its own number.
    let admitted = strait_protocol::encode(&ToAgent::Admitted { pid: pid.unsigned_abs() });
    if let Err(error) = bootstrap.post(Message::from(admitted)) {
        tracing::error!(pid, %error, "a web process could not be told its number");
        return;
    }
    let agent = {
        let mut state = shared.state();
        let agent = state.registry.add_agent(pid, confined);
        state.agents.insert(agent, bootstrap.clone());
        agent
    };
    // The messages in this port have limits of their own: see `quota`.
    bootstrap.set_queue_limit(None);
    // Weak, because the shared state owns the port.
    let shared = shared.downgrade();
    bootstrap.on_ready(move || {
        if let Some(shared) = shared.upgrade() {
            handle_here(&shared, agent);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_are_issued_differ_and_are_redeemed() {
        let mut tokens = Tokens::default();
        let (one, two) = (tokens.issue().unwrap(), tokens.issue().unwrap());
        assert_ne!(one, two);
        assert!(tokens.redeem(&two) && tokens.redeem(&one) && !tokens.redeem(&one));
    }
}
