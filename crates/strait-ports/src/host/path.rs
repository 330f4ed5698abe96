//! The path of an endpoint. It is bound without a moment in which others could connect, it is freed
//! if its process is dead, and it is never taken from a live process.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, socket_with};
use rustix::process::geteuid;

use super::BindError;

/// How often a path is tried that other processes keep taking and freeing.
const TRIES: usize = 8;
/// How often, and at which interval, the folder's lock is tried. A file lock cannot be awaited with
/// a time limit.
const LOCK_TRIES: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A path with a socket of this process. Dropping it removes the path, if the socket there is still
/// the same.
#[derive(Debug)]
pub(super) struct BoundPath {
    path: PathBuf,
    /// Device and inode. They belong to this socket as long as it is open, whatever happens to the
    /// path.
    identity: (u64, u64),
}

impl BoundPath {
    /// Binds `socket`, which is not listening yet, to `path`.
    pub(super) fn bind(socket: &OwnedFd, path: &Path, mode: u32) -> Result<Self, BindError> {
        let failed = |error: io::Error| BindError::Io { path: path.to_owned(), error };
        let address = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
        // The file at the path is made with the socket's mode, reduced by the umask: it never has
        // more permissions than that.
        fchmod(socket, Mode::from_raw_mode(mode)).map_err(|error| failed(error.into()))?;
        for _ in 0..TRIES {
            match bind(socket, &address) {
                Ok(()) => {
                    let found = fs::symlink_metadata(path).map_err(failed)?;
                    let bound = Self { path: path.to_owned(), identity: (found.dev(), found.ino()) };
                    bound.widen(found.mode(), mode).map_err(failed)?;
                    return Ok(bound);
                }
                Err(Errno::ADDRINUSE) => clear(path)?,
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(BindError::InUse { path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the permissions that the umask has removed. It uses a descriptor, so that no other file
    /// can take the path meanwhile.
    fn widen(&self, is: u32, wanted: u32) -> io::Result<()> {
        if is & 0o777 == wanted {
            return Ok(());
        }
        let file = open(&self.path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        let file = fs::File::from(file);
        let found = file.metadata()?;
        if (found.dev(), found.ino()) != self.identity || !found.file_type().is_socket() {
            return Err(io::Error::other("somebody has replaced the socket"));
        }
        fs::set_permissions(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()), fs::Permissions::from_mode(wanted))
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        // The socket is still open, so no other process can have replaced it as a dead one.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Frees a path at which a dead process of this user has left a socket.
fn clear(path: &Path) -> Result<(), BindError> {
    let failed = |error: io::Error| BindError::Io { path: path.to_owned(), error };
    if !is_dead(path)? {
        return Ok(());
    }
    // A process that removes a socket holds the folder's lock and checks again. A dead socket stays
    // dead, and only the holder of the lock removes it. So the removed socket is the checked one.
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|error| failed(error.into()))?;
    lock(&folder).map_err(failed)?;
    if is_dead(path)? {
        tracing::debug!(?path, "a dead process's socket is replaced");
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}

fn lock(folder: &OwnedFd) -> io::Result<()> {
    for _ in 0..LOCK_TRIES {
        match flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN | Errno::INTR) => thread::sleep(LOCK_PAUSE),
            other => return Ok(other?),
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "somebody keeps the folder locked"))
}

/// Whether the path has a socket of this user that no process holds; false if the path is free. A
/// live socket, or one of another user, is an error.
fn is_dead(path: &Path) -> Result<bool, BindError> {
    let failed = |error: io::Error| BindError::Io { path: path.to_owned(), error };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() || found.uid() != geteuid().as_raw() => {
            return Err(BindError::NotOurs { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    // A datagram socket probes without disturbing the server: it cannot be connected to a socket of
    // another type, and the error shows whether one is there.
    let probe = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None);
    let address = SocketAddrUnix::new(path);
    match probe.and_then(|probe| connect(&probe, &address?)) {
        Err(Errno::CONNREFUSED) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Ok(()) | Err(Errno::PROTOTYPE | Errno::AGAIN) => Err(BindError::InUse { path: path.to_owned() }),
        Err(error) => Err(failed(error.into())),
    }
}
