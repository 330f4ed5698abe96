//! Endpoints: a path in the file system at which processes join that this one has not started.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, connect, listen, socket_with};

use super::credentials::Credentials;
use super::path::BoundPath;
use crate::node::{JoinError, Node, Shared, drive_until};
use crate::port::Port;

/// How many may wait to be accepted. The kernel makes more of them wait in `connect`.
const BACKLOG: i32 = 128;
/// How many are turned away before others have their turn.
const REFUSALS_A_TURN: usize = 64;
/// How long [`Node::connect`] waits for room among those who wait to be accepted.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Policy = dyn Fn(&Credentials) -> bool + Send + Sync;

/// Why there is no endpoint at a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another endpoint, or another socket, is there and alive.
    #[error("{} is in use by a living process", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// There is something that is no socket, or another user's. It is left alone.
    #[error("{} exists and is not a socket of this user's: remove it, or choose another path", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses, for instance because the path is longer than a socket's may be (107 bytes) or its folder does not exist.
    #[error("no endpoint at {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's word.
        #[source]
        error: io::Error,
    },
}

/// Why nobody could be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nobody came in time.
    #[error("nobody connected in time")]
    TimedOut,
    /// This process has no descriptor for a guest, or this node is not the broker. The guest was turned away, so that nobody spins on it.
    #[error("a guest was turned away")]
    Guest(#[source] io::Error),
    /// The endpoint or the node cannot be used.
    #[error("the endpoint cannot be used")]
    Io(#[from] io::Error),
}

/// Why a node could not join at a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing is at the path, or what is there is left over from a dead process.
    #[error("nobody listens at {}", path.display())]
    NobodyListens {
        /// The path.
        path: PathBuf,
    },
    /// The permissions of the path, or of a folder on the way, keep this user out.
    #[error("this user may not connect to {}", path.display())]
    NotAllowed {
        /// The path.
        path: PathBuf,
    },
    /// Who listens is not who was expected.
    #[error("{} is served by process {} of user {}, which is not to be trusted", path.display(), server.pid, server.uid)]
    Untrusted {
        /// The path.
        path: PathBuf,
        /// Who listens.
        server: Credentials,
    },
    /// The system refuses.
    #[error("cannot connect to {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's word.
        #[source]
        error: io::Error,
    },
    /// Who listens did not let this process join: [`JoinError::Closed`] is how its policy turns somebody away.
    #[error("not let in")]
    Join(#[from] JoinError),
}

/// How an [`Endpoint`] is to be: [`Endpoint::options`].
pub struct EndpointOptions {
    mode: u32,
    admit: Box<Policy>,
}

impl EndpointOptions {
    /// The permissions of the path, as for `chmod` (default `0o600`); who may write there may connect. What the umask says does not matter.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// Who is let in, of those whom the path's permissions let connect (default: [`Credentials::is_same_user`]).
    pub fn admit(mut self, policy: impl Fn(&Credentials) -> bool + Send + Sync + 'static) -> Self {
        self.admit = Box::new(policy);
        self
    }

    /// Listens at `path`.
    ///
    /// # Errors
    /// As [`Endpoint::bind`].
    pub fn bind(self, path: impl AsRef<Path>) -> Result<Endpoint, BindError> {
        let path = path.as_ref();
        let failed = |error: Errno| BindError::Io { path: path.to_owned(), error: error.into() };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).map_err(failed)?;
        let path_of_ours = BoundPath::bind(&socket, path, self.mode)?;
        listen(&socket, BACKLOG).map_err(failed)?;
        let spare = Mutex::new(spare(&socket));
        Ok(Endpoint { path: path_of_ours, socket, admit: self.admit, spare })
    }
}

impl fmt::Debug for EndpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointOptions").field("mode", &format_args!("{:o}", self.mode)).finish_non_exhaustive()
    }
}

/// A path at which other processes join, by [`Node::connect`].
///
/// It is only for this user, unless [`Endpoint::options`] say otherwise: the path's permissions keep others from connecting, and the kernel's word about who connects is
/// checked. It is readable (`AsFd`) when somebody wants in; [`Endpoint::incoming`] lets a node do the watching. The path goes when this does.
///
/// Accepting never waits for a guest: one who never says a word costs a descriptor and about a kilobyte, until its port is closed or it goes.
///
/// ```
/// use strait_ports::{Endpoint, Event, Node};
///
/// let folder = std::env::temp_dir().join(format!("strait-doc-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let path = folder.join("log");
/// let node = Node::broker()?;
/// let mut incoming = Endpoint::bind(&path)?.incoming(&node)?;
///
/// // Usually another process.
/// let client = std::thread::spawn(move || {
///     let (_node, port) = Node::connect(&path).unwrap();
///     port.post(b"one line".to_vec()).unwrap();
/// });
/// let guest = incoming.recv_blocking(None)?;
/// assert!(guest.credentials.is_same_user());
/// assert!(matches!(guest.port.recv_blocking(None)?, Event::Message(line) if line.data == b"one line"));
/// # client.join().unwrap();
/// # drop(incoming);
/// # std::fs::remove_dir(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Endpoint {
    /// Goes before the socket, which keeps others from taking it for a dead one's.
    path: BoundPath,
    socket: OwnedFd,
    admit: Box<Policy>,
    /// Given up for a moment to turn a guest away when there is no descriptor left.
    spare: Mutex<Option<OwnedFd>>,
}

/// Who has joined at an endpoint.
#[derive(Debug)]
#[non_exhaustive]
pub struct Guest {
    /// This end of the channel to it; the guest got the other one from [`Node::connect`].
    pub port: Port,
    /// Who it is.
    pub credentials: Credentials,
}

impl Endpoint {
    /// Listens at `path`, for processes of this user. A socket that a dead process of this user's has left there is replaced.
    ///
    /// # Errors
    /// See [`BindError`]. Whatever else is at the path is left alone.
    pub fn bind(path: impl AsRef<Path>) -> Result<Self, BindError> {
        Self::options().bind(path)
    }

    /// An endpoint for others too.
    ///
    /// ```
    /// use strait_ports::Endpoint;
    /// # let path = std::env::temp_dir().join(format!("strait-doc-options-{}", std::process::id()));
    /// // Everybody may connect; members of one group are let in.
    /// let endpoint = Endpoint::options().mode(0o666).admit(|who| who.is_same_user() || who.gid == 1000).bind(&path)?;
    /// # Ok::<(), strait_ports::BindError>(())
    /// ```
    pub fn options() -> EndpointOptions {
        EndpointOptions { mode: 0o600, admit: Box::new(Credentials::is_same_user) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.path.path()
    }

    /// Lets the next process join that waits; `None` if none does. `node` must be the broker. Never waits.
    ///
    /// Whom the policy does not admit is turned away silently: what the guest sees is [`JoinError::Closed`].
    ///
    /// # Errors
    /// [`AcceptError`], never `TimedOut`. Others may be accepted afterwards.
    pub fn accept(&self, node: &Node) -> Result<Option<Guest>, AcceptError> {
        for _ in 0..REFUSALS_A_TURN {
            let socket = match accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                // Said before it is looked whether anybody waits.
                Err(error @ (Errno::MFILE | Errno::NFILE)) => {
                    return if self.turn_away() { Err(AcceptError::Guest(error.into())) } else { Ok(None) };
                }
                Err(error) => return Err(AcceptError::Io(error.into())),
            };
            let credentials = Credentials::of_peer(&socket).map_err(AcceptError::Guest)?;
            if !(self.admit)(&credentials) {
                tracing::warn!(pid = credentials.pid, uid = credentials.uid, path = %self.path().display(), "a guest was turned away");
                continue;
            }
            let port = node.invite(socket).map_err(AcceptError::Guest)?;
            return Ok(Some(Guest { port, credentials }));
        }
        Ok(None)
    }

    /// Closes the connection of whoever is first, for which there is no descriptor: it would keep the endpoint readable. False if nobody is.
    fn turn_away(&self) -> bool {
        let mut place = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // One more guest fits where the spare was.
        drop(place.take());
        let guest = accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
        let there_was_one = !matches!(guest, Err(Errno::AGAIN));
        drop(guest);
        *place = spare(&self.socket);
        there_was_one
    }

    /// Has `node`, which must be the broker, watch the endpoint: guests come out of what is given back, to be awaited as messages of a port are.
    ///
    /// # Errors
    /// When `epoll` fails.
    pub fn incoming(self, node: &Node) -> io::Result<Incoming> {
        let watched = node.watch_source(self.socket.as_fd())?;
        Ok(Incoming { node: node.clone(), watched, endpoint: self })
    }
}

/// Any descriptor will do.
fn spare(socket: &OwnedFd) -> Option<OwnedFd> {
    socket.try_clone().ok()
}

impl AsFd for Endpoint {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// Those who join at an endpoint, in the order in which they came.
///
/// Guests who are not taken out wait in the kernel, [`Node::connect`] with them. With the feature `futures` it is a `Stream`, too.
#[derive(Debug)]
pub struct Incoming {
    node: Node,
    watched: u32,
    endpoint: Endpoint,
}

impl Incoming {
    /// The next guest, when it comes. Dropping the future loses nobody. Somebody must drive the node meanwhile.
    ///
    /// # Errors
    /// As [`Endpoint::accept`]; others may come afterwards.
    pub fn recv(&mut self) -> impl Future<Output = Result<Guest, AcceptError>> + '_ {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// Waits for the next guest and drives the node meanwhile, at most for `timeout` (`None`: without limit).
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn recv_blocking(&mut self, timeout: Option<Duration>) -> Result<Guest, AcceptError> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let node = self.node.clone();
        drive_until(&[node.shared()], deadline, |cx| self.poll_recv(cx))?.unwrap_or(Err(AcceptError::TimedOut))
    }

    /// The next guest if one waits.
    ///
    /// # Errors
    /// As [`Endpoint::accept`].
    pub fn try_recv(&mut self) -> Result<Option<Guest>, AcceptError> {
        self.endpoint.accept(&self.node)
    }

    /// Where they come.
    pub fn path(&self) -> &Path {
        self.endpoint.path()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        self.node.shared()
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Guest, AcceptError>> {
        if let Some(guest) = self.endpoint.accept(&self.node).transpose() {
            return Poll::Ready(guest);
        }
        // Who came since then makes the descriptor readable at once.
        match self.node.rearm_source(self.watched, self.endpoint.as_fd(), cx.waker()) {
            Ok(()) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.node.unwatch_source(self.watched, self.endpoint.as_fd());
    }
}

impl Node {
    /// Joins the network of the process that listens at `path`, by [`Endpoint::bind`], if that runs as this user. The port is this end of the channel to it.
    ///
    /// Waits for room and for the welcome, ten seconds at most each.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(path: impl AsRef<Path>) -> Result<(Self, Port), ConnectError> {
        Self::connect_if(path, Credentials::is_same_user)
    }

    /// As [`Node::connect`], with a say of your own in whom to trust.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect_if(path: impl AsRef<Path>, trust: impl FnOnce(&Credentials) -> bool) -> Result<(Self, Port), ConnectError> {
        let path = path.as_ref();
        let failed = |error: io::Error| ConnectError::Io { path: path.to_owned(), error };
        let address = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(|error| failed(error.into()))?;
        // For connect, too.
        set_socket_timeout(&socket, Timeout::Send, Some(CONNECT_TIMEOUT)).map_err(|error| failed(error.into()))?;
        loop {
            match connect(&socket, &address) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(Errno::NOENT | Errno::CONNREFUSED) => return Err(ConnectError::NobodyListens { path: path.to_owned() }),
                Err(Errno::ACCESS | Errno::PERM) => return Err(ConnectError::NotAllowed { path: path.to_owned() }),
                Err(error) => return Err(failed(error.into())),
            }
        }
        let server = Credentials::of_peer(&socket).map_err(failed)?;
        if !trust(&server) {
            return Err(ConnectError::Untrusted { path: path.to_owned(), server });
        }
        Ok(Self::join(socket)?)
    }
}
