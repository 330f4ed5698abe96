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
        let folder = base.path.join("strait").join(name);
        match place_in(&base, &folder, bytes) {
            Ok(()) => return Ok(folder),
            Err(source) => last = Some(StartError::Agent { path: folder, source }),
        }
    }
    Err(last.unwrap_or_else(|| StartError::Agent { path: PathBuf::new(), source: io::ErrorKind::NotFound.into() }))
}

/// Where a folder for the agent may be made.
struct Base {
    path: PathBuf,
    /// It lies where everybody may make folders: it must be ours alone.
    exposed: bool,
}

/// Candidates, best first.
fn bases() -> Vec<Base> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let temporary = env::temp_dir().join(format!("strait-cache-{}", getuid().as_raw()));
    let candidates = [(cache, false), (home, false), (runtime, false), (Some(temporary), true)];
    let bases = candidates.into_iter().filter_map(|(path, exposed)| Some(Base { path: path?, exposed }));
    bases.filter(|base| base.path.is_absolute()).collect()
}

fn place_in(base: &Base, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    if base.exposed {
        private_folder(&base.path)?;
    } else {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&base.path)?;
        unshared_folder(&base.path)?;
    }
    let strait = base.path.join("strait");
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

/// Checks that nobody else can put a folder of theirs in the place of one of ours in it: it is ours or root's, and those who may write into it
/// besides cannot rename what is not theirs.
fn unshared_folder(path: &Path) -> io::Result<()> {
    // Followed: a user's own `.cache` may be a link.
    let meta = fs::metadata(path)?;
    let owned = [0, getuid().as_raw()].contains(&meta.uid());
    let shared = meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0;
    if !meta.is_dir() || !owned || shared {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may change what is in the folder"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(path: &Path, exposed: bool) -> Base {
        Base { path: path.into(), exposed }
    }

    fn private(path: &Path) -> Base {
        base(path, false)
    }

    #[test]
    fn a_base_that_others_may_change_is_refused() {
        let parent = env::temp_dir().join(format!("strait-test-base-{}", std::process::id()));
        fs::create_dir_all(&parent).unwrap();
        // How the base is, whether it lies among everybody's folders, whether it is taken, and its mode afterwards.
        let table = [
            (0o700, false, true, 0o700),
            (0o755, false, true, 0o755),
            (0o777, false, false, 0o777),
            (0o770, false, false, 0o770),
            (0o1777, false, true, 0o1777),
            (0o700, true, true, 0o700),
            (0o777, true, true, 0o700),
        ];
        let mut seen = Vec::new();
        for (number, (mode, exposed, ..)) in table.into_iter().enumerate() {
            let path = parent.join(number.to_string());
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let taken = place_in(&base(&path, exposed), &path.join("strait/abc"), b"agent").is_ok();
            seen.push((mode, exposed, taken, fs::metadata(&path).unwrap().mode() & 0o7777));
        }
        // Somebody may have put a link where our own folder is to be.
        let link = parent.join("link");
        std::os::unix::fs::symlink(parent.join("0"), &link).unwrap();
        let linked = place_in(&base(&link, true), &link.join("strait/abc"), b"agent").is_ok();
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!((seen.as_slice(), linked), (table.as_slice(), false));
    }

    #[test]
    fn a_base_of_another_user_is_refused() {
        let path = env::temp_dir().join(format!("strait-test-owner-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        if std::os::unix::fs::chown(&path, Some(12345), None).is_err() {
            // Only root can give folders away; then another user's folder is at hand.
            fs::remove_dir_all(&path).unwrap();
            assert!(private_folder(Path::new("/")).is_err());
            return;
        }
        let refused = [true, false].map(|exposed| place_in(&base(&path, exposed), &path.join("strait/abc"), b"agent").is_err());
        fs::remove_dir_all(&path).unwrap();
        assert_eq!(refused, [true, true]);
    }

    #[test]
    fn the_folder_holds_the_agent_alone_and_is_repaired() {
        let base = env::temp_dir().join(format!("strait-test-agent-{}", std::process::id()));
        let folder = base.join("strait/abc");
        place_in(&private(&base), &folder, b"agent").unwrap();
        fs::set_permissions(folder.join(FILE), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.join(FILE), b"spoilt").unwrap();
        place_in(&private(&base), &folder, b"agent").unwrap();
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
        let refused = place_in(&private(&base), &base.join("strait/abc"), b"agent").is_err();
        fs::remove_dir_all(&base).unwrap();
        assert!(refused);
    }
}
