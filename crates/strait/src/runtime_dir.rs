//! The process's folder that only its user can enter. It contains the agents' socket.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    process::getuid,
};

/// The socket's name in the folder.
const SOCKET: &str = "agents";

/// The longest path of a socket, in bytes: an address has 108, and the last one is zero.
const MAX_SOCKET_PATH: usize = 107;

/// The folder for pages' data that are not kept.
const PARTITIONS: &str = "partitions";
/// The folder for diagnostic reports of engines that ended fatally.
const REPORTS: &str = "reports";

/// A file in the folder that is locked while its process lives. Process ids cannot serve for this,
/// because folders are shared between pid namespaces.
const LOCK: &str = "lock";
/// Its name until it is locked.
const LOCK_DRAFT: &str = "lock.new";
/// The age from which a folder without a lock counts as left behind: another program may be about
/// to lock it.
const UNLOCKED_GRACE: Duration = Duration::from_secs(60);

/// The folder; made with the process, removed with it.
#[derive(Debug)]
pub(crate) struct RuntimeDir {
    path: PathBuf,
    /// Unlocked when closed, which the system does for a process that dies.
    _lock: fs::File,
}

impl RuntimeDir {
    /// Makes the folder, in `$XDG_RUNTIME_DIR` or the folder for temporary files, and removes
    /// folders of dead processes.
    pub(crate) fn create() -> io::Result<Self> {
        Self::create_in(bases())
    }

    /// The same in the first of these folders where the socket's path is short enough and a folder
    /// can be made.
    fn create_in(bases: Vec<PathBuf>) -> io::Result<Self> {
        let prefix = format!("strait-{}-", getuid().as_raw());
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("{prefix}{}-{:016x}", std::process::id(), u64::from_ne_bytes(random));
        let mut reasons = Vec::new();
        for base in bases {
            let path = base.join(&name);
            let length = path.join(SOCKET).as_os_str().len();
            if length > MAX_SOCKET_PATH {
                reasons
                    .push(format!("{}: the socket's path would have {length} bytes, and {MAX_SOCKET_PATH} are possible", base.display()));
                continue;
            }
            remove_stale(&base, &prefix);
            match Self::make(path) {
                Ok(folder) => return Ok(folder),
                Err(error) => reasons.push(format!("{}: {error}", base.display())),
            }
        }
        let text =
            format!("no folder can hold it ({}); set XDG_RUNTIME_DIR or TMPDIR to a writable folder with a short path", reasons.join("; "));
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }

    fn make(path: PathBuf) -> io::Result<Self> {
        // Fails if it exists, so no other process can have prepared it.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        match make_lock(&path) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(error) => {
                remove(&path);
                Err(error)
            }
        }
    }

    /// The path of the agents' socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join(SOCKET)
    }

    /// The folder for pages' data that are not kept. Its users make it when they need it.
    pub(crate) fn partitions(&self) -> PathBuf {
        self.path.join(PARTITIONS)
    }

    /// The folder for reports of engines that ended fatally. Its users make it when they need it.
    pub(crate) fn reports(&self) -> PathBuf {
        self.path.join(REPORTS)
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Folders in which the folder may be made, best first.
fn bases() -> Vec<PathBuf> {
    let ours = |path: &PathBuf| path.is_absolute() && fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == getuid().as_raw());
    let variable = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(ours);
    let mut bases: Vec<PathBuf> = variable.into_iter().chain([env::temp_dir()]).collect();
    // The system's default, in case the variables contain a path that is too long.
    bases.extend(Some(PathBuf::from(format!("/run/user/{}", getuid().as_raw()))).filter(ours));
    bases.extend(["/tmp", "/var/tmp"].map(PathBuf::from));
    bases
}

/// Removes only the known contents of such a folder, never the whole tree.
fn remove(folder: &Path) {
    // WebKit may still be writing while it ends; then the next program removes it.
    let _ = fs::remove_dir_all(folder.join(PARTITIONS));
    let _ = fs::remove_dir_all(folder.join(REPORTS));
    for name in [SOCKET, LOCK, LOCK_DRAFT] {
        let _ = fs::remove_file(folder.join(name));
    }
    let _ = fs::remove_dir(folder);
}

fn remove_stale(base: &Path, prefix: &str) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == getuid().as_raw());
        let named =
            name.to_str().and_then(|name| name.strip_prefix(prefix)?.split_once('-')).is_some_and(|(pid, _)| pid.parse::<u32>().is_ok());
        if named && ours && is_stale(&entry.path()) {
            remove(&entry.path());
        }
    }
}

/// Whether the folder's process is gone.
fn is_stale(folder: &Path) -> bool {
    match take_lock(folder) {
        Ok(_) => true,
        // The folder of a process that died before it had a lock.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let age = fs::symlink_metadata(folder).and_then(|meta| meta.modified()).ok().and_then(|made| made.elapsed().ok());
            age.is_some_and(|age| age > UNLOCKED_GRACE)
        }
        Err(_) => false,
    }
}

/// Makes a folder's lock file. It appears locked, so that no other process takes it for a dead
/// process's.
fn make_lock(folder: &Path) -> io::Result<fs::File> {
    let draft = folder.join(LOCK_DRAFT);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(&draft, folder.join(LOCK))?;
    Ok(file)
}

/// Takes the lock of a folder whose process has ended.
fn take_lock(folder: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().write(true).open(folder.join(LOCK))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_owner() {
        let folder = RuntimeDir::create().unwrap();
        let meta = fs::metadata(&folder.path).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o700);
        fs::write(folder.socket(), b"").unwrap();
        let path = folder.path.clone();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_base_with_a_long_path_is_passed_over() {
        let short = env::temp_dir().join(format!("strait-test-rt-{}", std::process::id()));
        let long = short.join("long".repeat(30));
        fs::create_dir_all(&long).unwrap();
        let folder = RuntimeDir::create_in(vec![long.clone(), short.clone()]);
        let parent = folder.as_ref().map(|folder| folder.path.parent().map(Path::to_path_buf)).map_err(ToString::to_string);
        let bound = folder.as_ref().is_ok_and(|folder| std::os::unix::net::UnixListener::bind(folder.socket()).is_ok());
        drop(folder);
        let refused = RuntimeDir::create_in(vec![long.clone()]).unwrap_err().to_string();
        fs::remove_dir_all(&short).unwrap();
        assert_eq!((parent, bound), (Ok(Some(short)), true));
        assert!(refused.contains(&*long.to_string_lossy()) && refused.contains("TMPDIR"), "{refused}");
    }

    #[test]
    fn leftovers_of_dead_processes_go_and_others_stay() {
        let base = env::temp_dir().join(format!("strait-test-stale-{}", std::process::id()));
        // The number of a process that is not visible from here, which does not prove that it has
        // ended.
        let names = ["strait-x-4000000-1", "strait-x-4000000-2", "strait-x-4000000-3", "strait-x-4000000-4", "strait-x-junk", "other-1-1"];
        let folders = names.map(|name| base.join(name));
        for folder in &folders {
            fs::create_dir_all(folder).unwrap();
        }
        let dead = make_lock(&folders[0]).unwrap();
        fs::write(folders[0].join(SOCKET), b"").unwrap();
        drop(dead);
        let _alive = make_lock(&folders[1]).unwrap();
        // Just made; and made long ago, by a process that died before it had a lock.
        let long_ago = std::time::SystemTime::now() - 2 * UNLOCKED_GRACE;
        fs::File::open(&folders[3]).unwrap().set_modified(long_ago).unwrap();
        remove_stale(&base, "strait-x-");
        let left = folders.each_ref().map(|folder| folder.exists());
        fs::remove_dir_all(&base).unwrap();
        assert_eq!(left, [false, true, true, false, true, true]);
    }
}
