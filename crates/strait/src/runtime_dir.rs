//! The folder of this process that only its user can enter: the agents' socket lies in it.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::process::{Pid, getuid, test_kill_process};

/// The socket's name in the folder.
const SOCKET: &str = "agents";

/// Made with the process, removed with it.
#[derive(Debug)]
pub(crate) struct RuntimeDir(PathBuf);

impl RuntimeDir {
    /// Makes the folder, in `$XDG_RUNTIME_DIR` or the folder for temporary files, and removes those that dead processes left.
    pub(crate) fn create() -> io::Result<Self> {
        let base = base();
        let prefix = format!("strait-{}-", getuid().as_raw());
        remove_stale(&base, &prefix);
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let path = base.join(format!("{prefix}{}-{:016x}", std::process::id(), u64::from_ne_bytes(random)));
        // Fails if it exists: nobody can have prepared it.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where the agents' socket goes.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn base() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == getuid().as_raw()));
    runtime.unwrap_or_else(env::temp_dir)
}

/// Only what such a folder contains: never a whole tree.
fn remove(folder: &Path) {
    let _ = fs::remove_file(folder.join(SOCKET));
    let _ = fs::remove_dir(folder);
}

fn remove_stale(base: &Path, prefix: &str) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == getuid().as_raw());
        let pid = name.to_str().and_then(|name| name.strip_prefix(prefix)).and_then(|rest| rest.split_once('-')?.0.parse().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw)
            && ours
            && test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
        {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_goes_with_its_owner() {
        let folder = RuntimeDir::create().unwrap();
        let meta = fs::metadata(&folder.0).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o700);
        fs::write(folder.socket(), b"").unwrap();
        let path = folder.0.clone();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn leftovers_of_dead_processes_go_and_others_stay() {
        let base = env::temp_dir().join(format!("strait-test-stale-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let names =
            [format!("strait-x-{dead}-1"), format!("strait-x-{}-2", std::process::id()), "strait-x-junk".into(), format!("other-{dead}-1")];
        for name in &names {
            fs::create_dir(base.join(name)).unwrap();
        }
        remove_stale(&base, "strait-x-");
        let left: Vec<bool> = names.iter().map(|name| base.join(name).exists()).collect();
        fs::remove_dir_all(&base).unwrap();
        assert_eq!(left, [false, true, true, true]);
    }
}
