//! Where WebKit finds the agent: it wants a folder with nothing in it but web process extensions.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::process::getuid;

use crate::StartError;

/// The agent itself, built with this crate.
static AGENT: &[u8] = include_bytes!(env!("STRAIT_AGENT_PATH"));
/// Names the folder for exactly this agent.
const HASH: &str = env!("STRAIT_AGENT_HASH");
/// The file's name; WebKit loads every `.so` in the folder.
const FILE: &str = "libstrait_agent.so";

/// A folder that contains the agent and nothing else.
///
/// `STRAIT_AGENT_SO` names another agent: a file, whose copy gets a folder of its own.
pub(crate) fn install() -> Result<PathBuf, StartError> {
    match env::var_os("STRAIT_AGENT_SO").filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = PathBuf::from(path);
            let bytes = fs::read(&path).map_err(|source| StartError::Agent { path, source })?;
            // Named by its content too, so that a new build is never mixed up with what a running program loads.
            let mut hasher = std::hash::DefaultHasher::new();
            std::hash::Hash::hash(&bytes, &mut hasher);
            place(&bytes, &format!("override-{:016x}", std::hash::Hasher::finish(&hasher)))
        }
        None => place(AGENT, HASH),
    }
}

fn place(bytes: &[u8], name: &str) -> Result<PathBuf, StartError> {
    let mut last = None;
    for base in bases() {
        let folder = base.join("strait").join(name);
        match place_in(&base, &folder, bytes) {
            Ok(()) => return Ok(folder),
            Err(source) => last = Some(StartError::Agent { path: folder, source }),
        }
    }
    Err(last.unwrap_or_else(|| StartError::Agent { path: PathBuf::new(), source: io::ErrorKind::NotFound.into() }))
}

/// Candidates, best first.
fn bases() -> Vec<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let temporary = env::temp_dir().join(format!("strait-cache-{}", getuid().as_raw()));
    [cache, home, runtime, Some(temporary)].into_iter().flatten().filter(|path| path.is_absolute()).collect()
}

fn place_in(base: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(base)?;
    let strait = base.join("strait");
    for private in [strait.as_path(), folder] {
        private_folder(private)?;
    }
    let file = folder.join(FILE);
    // Compared, not trusted: a half-written or changed file is replaced.
    if fs::read(&file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // Beside the folder, as WebKit must not see it in there; by renaming it appears whole.
    let draft = strait.join(format!("draft-{:016x}", u64::from_ne_bytes(random)));
    fs::write(&draft, bytes)?;
    let moved = fs::set_permissions(&draft, fs::Permissions::from_mode(0o500)).and_then(|()| fs::rename(&draft, &file));
    if moved.is_err() {
        let _ = fs::remove_file(&draft);
    }
    moved
}

/// Makes the folder, or checks that an existing one is ours alone: who can write into it decides what our pages run.
fn private_folder(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() || meta.uid() != getuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the folder belongs to somebody else"));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_holds_the_agent_alone_and_is_repaired() {
        let base = env::temp_dir().join(format!("strait-test-agent-{}", std::process::id()));
        let folder = base.join("strait/abc");
        place_in(&base, &folder, b"agent").unwrap();
        fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join(FILE), b"spoilt").unwrap();
        place_in(&base, &folder, b"agent").unwrap();
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let (content, mode) = (fs::read(folder.join(FILE)).unwrap(), fs::metadata(&folder).unwrap().mode() & 0o777);
        fs::remove_dir_all(&base).unwrap();
        assert_eq!((names, content.as_slice(), mode), (vec![FILE.into()], b"agent".as_slice(), 0o700));
    }

    #[test]
    fn a_link_in_the_folders_place_is_refused() {
        let base = env::temp_dir().join(format!("strait-test-link-{}", std::process::id()));
        fs::create_dir_all(base.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(base.join("elsewhere"), base.join("strait")).unwrap();
        let refused = place_in(&base, &base.join("strait/abc"), b"agent").is_err();
        fs::remove_dir_all(&base).unwrap();
        assert!(refused);
    }
}
