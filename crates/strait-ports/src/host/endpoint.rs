//! Endpoints: paths in the file system at which processes join that this process has not started.

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

/// The most connections that wait to be accepted. The kernel makes further ones wait in `connect`.
const BACKLOG: i32 = 128;
/// The most guests that are refused before other work has its turn.
const REFUSALS_A_TURN: usize = 64;
/// How long [`Node::connect`] waits for room in the endpoint's backlog.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Policy = dyn Fn(&Credentials) -> bool + Send + Sync;

/// The reasons for which an endpoint cannot be bound to a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another endpoint, or another socket, is at the path and alive.
    #[error("{} is in use by a running process: choose another path", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// The path is not a socket, or belongs to another user. It stays as it is.
    #[error("{} exists and is not a socket of this user's: remove it, or choose another path", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// A system call failed, for instance because the path is longer than 107 bytes or its folder
    /// does not exist.
    #[error("cannot bind an endpoint at {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
}

/// The reasons for which no guest was accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No process connected in time.
    #[error("no process connected within the time limit")]
    TimedOut,
    /// This process has no descriptor for a guest, or this node is not the broker. The guest was
    /// refused, so that the endpoint does not stay readable.
    #[error("a guest was refused")]
    Guest(#[source] io::Error),
    /// The endpoint or the node cannot be used.
    #[error("the endpoint or its node failed")]
    Io(#[from] io::Error),
}

/// The reasons for which a node cannot join at a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The path does not exist, or its socket is left over from a dead process.
    #[error("no process listens at {}: start its server first", path.display())]
    NobodyListens {
        /// The path.
        path: PathBuf,
    },
    /// The permissions of the path or of one of its folders exclude this user.
    #[error("this user may not connect to {}", path.display())]
    NotAllowed {
        /// The path.
        path: PathBuf,
    },
    /// The trust policy rejects the listening process.
    #[error("{} is served by process {} of user {}, which the trust policy rejects", path.display(), server.pid, server.uid)]
    Untrusted {
        /// The path.
        path: PathBuf,
        /// The listening process.
        server: Credentials,
    },
    /// A system call failed.
    #[error("cannot connect to {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The listening process did not admit this one: [`JoinError::Closed`] if its policy refused
    /// it.
    #[error("the server did not admit this process")]
    Join(#[from] JoinError),
}

/// Options for a new [`Endpoint`], from [`Endpoint::options`].
pub struct EndpointOptions {
    mode: u32,
    admit: Box<Policy>,
}

impl EndpointOptions {
    /// The permissions of the path, as for `chmod` (default `0o600`); users with write permission
    /// may connect. The umask does not apply.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o777;
        self
    }

    /// The policy that admits processes, among those that the path's permissions let connect
    /// (default: [`Credentials::is_same_user`]).
    pub fn admit(mut self, policy: impl Fn(&Credentials) -> bool + Send + Sync + 'static) -> Self {
        self.admit = Box::new(policy);
        self
    }

    /// Binds the endpoint to `path`.
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
/// By default only processes of the same user can connect: the path's permissions exclude others,
/// and the process's credentials are checked with the kernel. [`Endpoint::options`] can change
/// that. The endpoint is readable (`AsFd`) when a process waits to join; [`Endpoint::incoming`]
/// makes a node watch it. The path is removed with the endpoint.
///
/// Accepting never waits for a guest. A guest that sends nothing costs a descriptor and about 1
/// KiB, until its port is closed or the guest ends.
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
    /// Dropped before the socket, because the open socket prevents other processes from removing
    /// the path as a dead one's.
    path: BoundPath,
    socket: OwnedFd,
    admit: Box<Policy>,
    /// Closed for a moment to refuse a guest when there is no descriptor left.
    spare: Mutex<Option<OwnedFd>>,
}

/// A process that has joined at an endpoint.
#[derive(Debug)]
#[non_exhaustive]
pub struct Guest {
    /// This end of the channel to the guest; [`Node::connect`] has returned the other end there.
    pub port: Port,
    /// The guest's process and user.
    pub credentials: Credentials,
}

impl Endpoint {
    /// Binds an endpoint to `path`, for processes of this user. A socket that a dead process of
    /// this user has left there is replaced.
    ///
    /// # Errors
    /// See [`BindError`]. Any other file at the path stays as it is.
    pub fn bind(path: impl AsRef<Path>) -> Result<Self, BindError> {
        Self::options().bind(path)
    }

    /// Options for an endpoint for other users too.
    ///
    /// ```
    /// use strait_ports::Endpoint;
    /// # let path = std::env::temp_dir().join(format!("strait-doc-options-{}", std::process::id()));
    /// // All users may connect; members of one group are admitted.
    /// let endpoint = Endpoint::options().mode(0o666).admit(|who| who.is_same_user() || who.gid == 1000).bind(&path)?;
    /// # Ok::<(), strait_ports::BindError>(())
    /// ```
    pub fn options() -> EndpointOptions {
        EndpointOptions { mode: 0o600, admit: Box::new(Credentials::is_same_user) }
    }

    /// The endpoint's path.
    pub fn path(&self) -> &Path {
        self.path.path()
    }

    /// Admits the next waiting process; `None` if there is none. `node` must be the broker. Never
    /// waits.
    ///
    /// A process that the policy rejects is refused silently; it gets [`JoinError::Closed`].
    ///
    /// # Errors
    /// [`AcceptError`], except `TimedOut`. Later calls may accept other guests.
    pub fn accept(&self, node: &Node) -> Result<Option<Guest>, AcceptError> {
        for _ in 0..REFUSALS_A_TURN {
            let socket = match accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                // The kernel reports this before it checks whether a connection waits.
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

    /// Refuses the first waiting connection, for which there is no descriptor: it would keep the
    /// endpoint readable. False if no connection waits.
    fn turn_away(&self) -> bool {
        let mut place = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        // Makes room for the guest's descriptor.
        drop(place.take());
        let guest = accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK);
        let there_was_one = !matches!(guest, Err(Errno::AGAIN));
        drop(guest);
        *place = spare(&self.socket);
        there_was_one
    }

    /// Makes `node`, which must be the broker, watch the endpoint. Guests are then awaited like
    /// messages of a port.
    ///
    /// # Errors
    /// When `epoll` fails.
    pub fn incoming(self, node: &Node) -> io::Result<Incoming> {
        let watched = node.watch_source(self.socket.as_fd())?;
        Ok(Incoming { node: node.clone(), watched, endpoint: self })
    }
}

/// A spare descriptor of any kind.
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

/// The processes that join at an endpoint, in the order of their connection.
///
/// Guests that are not taken out wait in the kernel, inside [`Node::connect`]. With the feature
/// `futures` it is also a `Stream`.
#[derive(Debug)]
pub struct Incoming {
    node: Node,
    watched: u32,
    endpoint: Endpoint,
}

impl Incoming {
    /// Waits for the next guest. Dropping the future loses no guest. A thread must drive the node
    /// meanwhile.
    ///
    /// # Errors
    /// As [`Endpoint::accept`]; later calls may return other guests.
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

    /// Returns the next guest, if one waits.
    ///
    /// # Errors
    /// As [`Endpoint::accept`].
    pub fn try_recv(&mut self) -> Result<Option<Guest>, AcceptError> {
        self.endpoint.accept(&self.node)
    }

    /// The endpoint's path.
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
        // If a guest has connected meanwhile, the descriptor is readable at once.
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
    /// Joins the network of the process that listens at `path` by [`Endpoint::bind`], if it runs as
    /// the same user. The returned port is this end of the channel to it.
    ///
    /// Waits for room in the endpoint's backlog and for the welcome, ten seconds at most each.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect(path: impl AsRef<Path>) -> Result<(Self, Port), ConnectError> {
        Self::connect_if(path, Credentials::is_same_user)
    }

    /// As [`Node::connect`], with the caller's own trust policy.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub fn connect_if(path: impl AsRef<Path>, trust: impl FnOnce(&Credentials) -> bool) -> Result<(Self, Port), ConnectError> {
        let path = path.as_ref();
        let failed = |error: io::Error| ConnectError::Io { path: path.to_owned(), error };
        let address = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(|error| failed(error.into()))?;
        // The timeout also applies to `connect`.
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
