//! One instance of a program for each user: a lock in the program's data folder, and a socket
//! beside it. Later instances send the first one their arguments over it.

use std::{
    env, fs,
    fs::File,
    io::{self, Read, Write},
    net::Shutdown,
    os::{
        fd::AsRawFd,
        unix::{
            fs::{DirBuilderExt, OpenOptionsExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    net::sockopt::socket_peercred,
    process::getuid,
};
use serde::{Deserialize, Serialize};

/// Locked by the first instance while it lives: the system unlocks it for a process that dies.
const LOCK: &str = "strait-instance.lock";
/// The socket of the first instance.
const SOCKET: &str = "strait-instance.socket";
/// The longest message of a later instance, in bytes.
const MAX_MESSAGE: usize = 16 << 20;
/// The limit of waiting for the other side's next bytes.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a later instance searches for the first one, which may be about to listen, or to end.
const SEARCH: Duration = Duration::from_secs(5);
const SEARCH_STEP: Duration = Duration::from_millis(10);
/// The first instance's answer: the message was accepted.
const TAKEN: u8 = 1;

/// The arguments with which a later instance was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SecondInstance {
    /// Its command line, its executable first.
    pub args: Vec<String>,
    /// Its working folder.
    pub working_directory: PathBuf,
    /// Additional data from it: a structured clone.
    pub data: Vec<u8>,
}

/// Holds the single-instance lock; dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    /// The open folder: its path may be longer than a socket's address can be.
    folder: File,
    listener: UnixListener,
    thread: Option<thread::JoinHandle<()>>,
    _lock: File,
}

impl SecondInstance {
    /// This process, with additional data. Its arguments are the process's unless others are given.
    pub(crate) fn this(data: Vec<u8>, args: Option<Vec<String>>) -> Self {
        let args = args.unwrap_or_else(|| env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect());
        Self { args, working_directory: env::current_dir().unwrap_or_default(), data }
    }
}

/// Becomes the first instance in `folder`, which is made if necessary. `heard` is then called, on a
/// thread of its own, with the messages of later instances. `None` if there is a first instance
/// already; it has received `me`.
pub(crate) fn acquire(
    folder: &Path,
    me: &SecondInstance,
    heard: impl FnMut(SecondInstance) + Send + 'static,
) -> io::Result<Option<InstanceLock>> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let open = File::open(folder)?;
    let until = Instant::now() + SEARCH;
    loop {
        let lock = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return listen(open, lock, heard).map(Some),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(error) => return Err(error.into()),
        }
        match tell(&address(&open), me) {
            Ok(()) => return Ok(None),
            // It is about to listen, or has just ended; in that case the lock is free at the next
            // attempt.
            Err(_) if Instant::now() < until => thread::sleep(SEARCH_STEP),
            Err(error) => {
                strait_output::report!("strait: another instance of this program runs, but can't be told of this one: {error}");
                return Ok(None);
            }
        }
    }
}

/// The path of the socket, by way of the open folder.
fn address(folder: &File) -> PathBuf {
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()).into()
}

fn listen(folder: File, lock: File, mut heard: impl FnMut(SecondInstance) + Send + 'static) -> io::Result<InstanceLock> {
    let address = address(&folder);
    // The process that left the file has ended, because this one has the lock.
    let _ = fs::remove_file(&address);
    let listener = UnixListener::bind(&address)?;
    let own = listener.try_clone()?;
    let thread = thread::Builder::new().name("strait-instance".into()).spawn(move || {
        while let Ok((stream, _)) = own.accept() {
            match hear(&stream) {
                Ok(second) => {
                    heard(second);
                    let _ = (&stream).write_all(&[TAKEN]);
                }
                Err(error) => tracing::warn!(%error, "what another instance said could not be read"),
            }
        }
    })?;
    Ok(InstanceLock { folder, listener, thread: Some(thread), _lock: lock })
}

impl Drop for InstanceLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(address(&self.folder));
        // Wakes the thread: no further connection is accepted.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether the other end belongs to the same user.
fn check_peer(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let ours = socket_peercred(stream)?.uid == getuid();
    if ours { Ok(()) } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, "the other process belongs to another user")) }
}

fn tell(address: &Path, me: &SecondInstance) -> io::Result<()> {
    let mut stream = UnixStream::connect(address)?;
    check_peer(&stream)?;
    stream.write_all(&strait_protocol::encode(me))?;
    stream.shutdown(Shutdown::Write)?;
    let mut taken = [0];
    stream.read_exact(&mut taken)?;
    if taken == [TAKEN] { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "an answer that makes no sense")) }
}

fn hear(stream: &UnixStream) -> io::Result<SecondInstance> {
    check_peer(stream)?;
    let mut bytes = Vec::new();
    stream.take(MAX_MESSAGE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_MESSAGE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
    }
    strait_protocol::decode(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A folder whose path is longer than a socket's address may be.
    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("strait-test-{name}-{}", std::process::id())).join("long".repeat(40));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn the_first_one_hears_of_the_others_until_it_ends() {
        let folder = folder("instances");
        let (sender, heard) = mpsc::channel();
        let me = |data: &[u8]| SecondInstance::this(data.to_vec(), None);
        let first = acquire(&folder, &me(b"first"), move |second| sender.send(second).unwrap()).unwrap();
        assert!(first.is_some());
        for data in [&b"second"[..], &[7; 100_000]] {
            assert!(acquire(&folder, &me(data), |_| panic!("it is not the first")).unwrap().is_none());
            assert_eq!(heard.recv_timeout(SILENCE).unwrap(), me(data));
        }
        // Malformed input has no effect.
        let _ = UnixStream::connect(address(&File::open(&folder).unwrap())).unwrap().write_all(b"nonsense");
        assert!(acquire(&folder, &me(b"third"), |_| ()).unwrap().is_none());
        assert_eq!(heard.recv_timeout(SILENCE).unwrap().data, b"third");
        drop(first);
        assert!(!folder.join(SOCKET).exists());
        assert!(acquire(&folder, &me(b"fourth"), |_| ()).unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_a_dead_process_left_is_no_obstacle() {
        let folder = folder("dead-instance");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(LOCK), b"").unwrap();
        drop(UnixListener::bind(address(&File::open(&folder).unwrap())).unwrap());
        assert!(folder.join(SOCKET).exists());
        assert!(acquire(&folder, &SecondInstance::this(Vec::new(), None), |_| ()).unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
    }
}
