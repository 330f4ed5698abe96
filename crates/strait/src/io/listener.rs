//! Admission of agents: a socket in a private folder, the right user, a token that is good once.

use std::{
    collections::VecDeque,
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

use super::IoCommand;
use crate::{sandbox, shared::SharedRef};

/// Connections that have not shown their token yet. One more, and the oldest goes: an agent shows its own at once.
const MAX_WAITING: usize = 64;
/// How long a connection may take to show its token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Tokens handed out and not used. More make the oldest worthless: its process never started.
const MAX_TOKENS: usize = 256;

/// Tokens that were handed out and not used yet.
#[derive(Debug, Default)]
pub(crate) struct Tokens(VecDeque<Nonce>);

impl Tokens {
    /// A new one.
    pub(crate) fn issue(&mut self) -> Result<Nonce, getrandom::Error> {
        let mut token = Nonce::default();
        getrandom::fill(&mut token)?;
        if self.0.len() == MAX_TOKENS {
            self.0.pop_front();
        }
        self.0.push_back(token);
        Ok(token)
    }

    /// Whether this is one; it is none any more afterwards.
    fn redeem(&mut self, shown: &[u8]) -> bool {
        let place = self.0.iter().position(|token| token == shown);
        place.is_some_and(|place| self.0.remove(place).is_some())
    }
}

/// The listening socket and who waits at it.
pub(crate) struct Listener {
    socket: OwnedFd,
    waiting: Vec<Waiting>,
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
        Ok(Self { socket, waiting: Vec::new() })
    }

    /// What to poll: the listening socket, then those who wait.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(self.socket.as_fd()).chain(self.waiting.iter().map(|waiting| waiting.socket.as_fd()))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// Turns away who took too long.
    pub(crate) fn overdue(&mut self, now: Instant) {
        self.waiting.retain(|waiting| waiting.until > now);
    }

    /// Goes on with those whose descriptor is ready, in the order of [`Listener::descriptors`].
    pub(crate) fn handle(&mut self, ready: &[bool], shared: &SharedRef) {
        let mut ready = ready.iter().copied();
        let arrivals = ready.next().unwrap_or(false);
        let mut still = Vec::with_capacity(self.waiting.len());
        for waiting in self.waiting.drain(..) {
            if !ready.next().unwrap_or(false) {
                still.push(waiting);
            } else if let Some(waiting) = examine(waiting, shared) {
                still.push(waiting);
            }
        }
        self.waiting = still;
        if arrivals {
            self.accept(shared);
        }
    }

    fn accept(&mut self, shared: &SharedRef) {
        // Bounded, so that a flood of connections does not keep the messages waiting.
        for _ in 0..MAX_WAITING {
            let Ok(socket) = accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) else { return };
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

/// Reads the token; gives the connection back if there is nothing to read yet.
fn examine(waiting: Waiting, shared: &SharedRef) -> Option<Waiting> {
    // One byte more than a token, so that a longer packet shows.
    let mut packet = [0; size_of::<Nonce>() + 1];
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
    // Its first message: inside a sandbox the process cannot find out its number.
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
    let io = shared.io.clone();
    bootstrap.on_ready(move || io.send(IoCommand::AgentReady(agent)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_once() {
        let mut tokens = Tokens::default();
        let (one, two) = (tokens.issue().unwrap(), tokens.issue().unwrap());
        assert_ne!(one, two);
        assert!(!tokens.redeem(&one[..15]));
        assert!(!tokens.redeem(&[]));
        assert!(tokens.redeem(&one));
        assert!(!tokens.redeem(&one));
        assert!(tokens.redeem(&two));
    }

    #[test]
    fn unused_tokens_are_bounded() {
        let mut tokens = Tokens::default();
        let first = tokens.issue().unwrap();
        for _ in 0..MAX_TOKENS {
            tokens.issue().unwrap();
        }
        assert_eq!(tokens.0.len(), MAX_TOKENS);
        assert!(!tokens.redeem(&first));
    }
}
