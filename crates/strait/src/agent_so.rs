//! Installs the agent where WebKit finds it: in a folder that contains only web process extensions.

use std::{
    env,
    ffi::OsString,
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
    process::getuid,
};

use crate::{StartError, ffi};

/// The agent itself, built with this crate.
static AGENT: &[u8] = include_bytes!(env!("STRAIT_AGENT_PATH"));
/// Identifies exactly this agent; part of the folder's name.
const HASH: &str = env!("STRAIT_AGENT_HASH");
/// The file's name; WebKit loads every `.so` in the folder.
const FILE: &str = "libstrait_agent.so";

/// The age from which a draft of the file counts as left by a process that died.
const DRAFT_GRACE: Duration = Duration::from_secs(600);

/// The agent's folder, in use until this is dropped: another program removes only unused folders.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Contains only the agent.
    pub(crate) folder: PathBuf,
    /// The reason why no web process can load the agent, if that has been detected: each folder
    /// that was tried, with its reason.
    pub(crate) problem: Option<String>,
    _in_use: Option<fs::File>,
}

/// Installs the agent in a folder from which web processes can load it.
///
/// In a development build `STRAIT_AGENT_SO` names the file of another agent, whose copy gets a
/// folder of its own. A shipped program ignores the variable, because its value would choose the
/// code that runs in the program's pages.
pub(crate) fn install() -> Result<Installed, StartError> {
    match replacement(cfg!(debug_assertions), env::var_os("STRAIT_AGENT_SO")) {
        Some(path) => {
            let bytes = fs::read(&path).map_err(|source| StartError::Agent { path, source })?;
            // The name contains a hash of the content too, so that a new build never replaces the
            // file that a running program loads.
            let mut hasher = std::hash::DefaultHasher::new();
            std::hash::Hash::hash(&bytes, &mut hasher);
            Ok(place(&bases(), &bytes, &format!("override-{:016x}", std::hash::Hasher::finish(&hasher))))
        }
        None => Ok(place(&bases(), AGENT, HASH)),
    }
}

/// The agent that the variable names, in a development build.
fn replacement(development: bool, variable: Option<OsString>) -> Option<PathBuf> {
    variable.filter(|path| development && !path.is_empty()).map(PathBuf::from)
}

fn place(bases: &[Base], bytes: &[u8], name: &str) -> Installed {
    let mut reasons = Vec::new();
    for base in bases {
        let folder = base.path.join("strait").join(name);
        match place_in(base, &folder, bytes).and_then(|in_use| check_loadable(&folder.join(FILE)).map(|()| in_use)) {
            Ok(in_use) => {
                remove_unused(&base.path.join("strait"), name);
                return Installed { folder, problem: None, _in_use: Some(in_use) };
            }
            Err(error) => reasons.push(format!("{}: {error}", folder.display())),
        }
    }
    let problem = format!(
        "no folder can hold the web process agent ({}); set XDG_CACHE_HOME to a folder that is writable and not mounted noexec",
        reasons.join("; ")
    );
    tracing::error!("{problem}");
    Installed { folder: PathBuf::new(), problem: Some(problem), _in_use: None }
}

/// Checks that the file's code can be mapped, as the web process's linker will map it.
fn check_loadable(file: &Path) -> io::Result<()> {
    match ffi::map_code(&fs::File::open(file)?) {
        Ok(()) => Ok(()),
        Err(Errno::PERM | Errno::ACCESS) => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "code cannot be loaded from there: the file system is mounted noexec"))
        }
        Err(error) => Err(error.into()),
    }
}

/// A place where a folder for the agent may be made.
struct Base {
    path: PathBuf,
    /// Every user may make folders there, so this one must belong to this user alone.
    exposed: bool,
}

/// Candidates, best first.
fn bases() -> Vec<Base> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let [temporary, lasting] = [env::temp_dir(), "/var/tmp".into()].map(|base| base.join(format!("strait-cache-{}", getuid().as_raw())));
    let candidates = [(cache, false), (home, false), (runtime, false), (Some(temporary), true), (Some(lasting), true)];
    let bases = candidates.into_iter().filter_map(|(path, exposed)| Some(Base { path: path?, exposed }));
    bases.filter(|base| base.path.is_absolute()).collect()
}

/// Puts the agent into the folder; returns the lock that keeps the folder in use.
fn place_in(base: &Base, folder: &Path, bytes: &[u8]) -> io::Result<fs::File> {
    if base.exposed {
        private_folder(&base.path)?;
    } else {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&base.path)?;
        unshared_folder(&base.path)?;
    }
    let strait = base.path.join("strait");
    private_folder(&strait)?;
    let in_use = use_folder(folder)?;
    let file = folder.join(FILE);
    // Compared, not trusted: a file that is incomplete or changed is replaced.
    if fs::read(&file).is_ok_and(|present| present == bytes) {
        return Ok(in_use);
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // Beside the folder, because WebKit must not load the draft from it; the rename makes the file
    // appear whole.
    let draft = strait.join(format!("draft-{:016x}", u64::from_ne_bytes(random)));
    fs::write(&draft, bytes)?;
    let moved = fs::set_permissions(&draft, fs::Permissions::from_mode(0o500)).and_then(|()| fs::rename(&draft, &file));
    if moved.is_err() {
        let _ = fs::remove_file(&draft);
    }
    moved.map(|()| in_use)
}

/// Makes the folder if there is none, and marks it as in use by a shared lock on the folder itself.
fn use_folder(folder: &Path) -> io::Result<fs::File> {
    loop {
        let open = match private_folder(folder).and_then(|()| fs::File::open(folder)) {
            // Another process removed it as soon as it was made.
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.parent().is_some_and(Path::is_dir) => continue,
            opened => opened?,
        };
        // On a file system without locks, no other process can lock it for removal either.
        let _ = flock(&open, FlockOperation::LockShared);
        // It may have been removed before it was locked; then another folder has replaced it, or
        // none.
        let (locked, present) = (open.metadata()?, fs::symlink_metadata(folder));
        if present.is_ok_and(|present| (present.dev(), present.ino()) == (locked.dev(), locked.ino())) {
            return Ok(open);
        }
    }
}

/// Removes the agents in `strait` that no program uses, except the one called `keep`. A folder that
/// cannot be removed is left for the next program.
fn remove_unused(strait: &Path, keep: &str) {
    for entry in fs::read_dir(strait).into_iter().flatten().flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let Ok(meta) = entry.metadata() else { continue };
        if name.starts_with("draft-") {
            let age = meta.modified().ok().and_then(|made| made.elapsed().ok());
            if meta.is_file() && age.is_some_and(|age| age > DRAFT_GRACE) {
                let _ = fs::remove_file(entry.path());
            }
        } else if name != keep && meta.is_dir() && meta.uid() == getuid().as_raw() && is_agent(&name) {
            let _ = remove_if_unused(strait, &entry.path());
        }
    }
}

/// Whether a folder of this name was made by this module.
fn is_agent(name: &str) -> bool {
    let hex = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.split_once('-') {
        Some(("override" | "removed", hash)) => hex(hash),
        Some((hash, length)) => hex(hash) && !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()),
        None => false,
    }
}

fn remove_if_unused(strait: &Path, folder: &Path) -> io::Result<()> {
    let open = fs::File::open(folder)?;
    flock(&open, FlockOperation::NonBlockingLockExclusive)?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    // Renamed first: a program that waits for the lock then finds another folder there, or none,
    // and makes its own.
    let removed = strait.join(format!("removed-{:016x}", u64::from_ne_bytes(random)));
    fs::rename(folder, &removed)?;
    match fs::remove_file(removed.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(&removed)
}

/// Makes the folder, or checks that an existing one belongs to this user alone: any user who can
/// write into it decides which code the pages run.
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

/// Checks that no other user can replace one of this user's folders in it. It must belong to this
/// user or to root. Other users with write access must not be able to rename folders that are not
/// theirs.
fn unshared_folder(path: &Path) -> io::Result<()> {
    // The link is followed: a user's own `.cache` may be one.
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
        // The mode of the base, whether all users can write beside it, whether it is accepted, and
        // its mode afterwards.
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
        // Another user may have put a link at the path of this user's folder.
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
            // Only root can change a folder's owner; without root, another user's folder is already
            // present.
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

    #[test]
    fn agents_that_nobody_uses_are_removed() {
        let path = env::temp_dir().join(format!("strait-test-unused-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let base = private(&path);
        let [old, used, present] = [1, 2, 3].map(|number| format!("{number:016x}-5"));
        let folder = |name: &str| path.join("strait").join(name);
        drop(place_in(&base, &folder(&old), b"agent").unwrap());
        let in_use = place_in(&base, &folder(&used), b"agent").unwrap();
        // A folder that this module did not make.
        fs::create_dir_all(folder("something-else")).unwrap();
        let bases = [base];
        let installed = place(&bases, b"agent", &present);
        let names = || {
            let mut names: Vec<_> = fs::read_dir(path.join("strait")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names.into_iter().map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
        };
        let first = names();
        drop((in_use, installed));
        place(&bases, b"agent", &old);
        let second = names();
        fs::remove_dir_all(&path).unwrap();
        assert_eq!(first, [used.clone(), present, "something-else".into()]);
        assert_eq!(second, [old, "something-else".into()]);
    }

    #[test]
    fn a_folder_that_is_removed_while_it_is_taken_is_made_again() {
        let path = env::temp_dir().join(format!("strait-test-race-{}", std::process::id()));
        let strait = path.join("strait");
        fs::create_dir_all(&path).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let (taken, removed) = std::thread::scope(|scope| {
            let remover = scope.spawn(|| {
                let mut removed = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_unused(&strait, "other");
                    removed += 1;
                }
                removed
            });
            let base = private(&path);
            let name = format!("{:016x}-5", 1);
            let mut taken = 0;
            for _ in 0..2000 {
                let installed = place(std::slice::from_ref(&base), b"agent", &name);
                // The file exists as long as it is in use.
                taken +=
                    usize::from(installed.problem.is_none() && fs::read(installed.folder.join(FILE)).is_ok_and(|found| found == b"agent"));
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            (taken, remover.join().unwrap())
        });
        fs::remove_dir_all(&path).unwrap();
        assert_eq!(taken, 2000);
        assert!(removed > 0);
    }

    #[test]
    fn a_shipped_program_has_its_own_agent() {
        assert_eq!(replacement(true, Some("/x.so".into())), Some("/x.so".into()));
        assert_eq!(replacement(true, Some("".into())), None);
        assert_eq!(replacement(false, Some("/x.so".into())), None);
    }

    #[test]
    fn folders_that_cannot_be_used_are_named_with_their_reasons() {
        let path = env::temp_dir().join(format!("strait-test-problem-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("file"), b"").unwrap();
        fs::create_dir(path.join("good")).unwrap();
        let bases = [private(&path.join("file")), private(&path.join("good"))];
        let name = format!("{:016x}-5", 1);
        let [installed, failed] = [&bases[..], &bases[..1]].map(|bases| place(bases, b"agent", &name));
        fs::remove_dir_all(&path).unwrap();
        assert_eq!((installed.folder, installed.problem), (bases[1].path.join("strait").join(&name), None));
        let problem = failed.problem.unwrap();
        assert!(problem.contains(&format!("{}", bases[0].path.join("strait").join(&name).display())), "{problem}");
        assert!(problem.contains("File exists") || problem.contains("Not a directory"), "{problem}");
    }
}
