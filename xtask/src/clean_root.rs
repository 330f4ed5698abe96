//! A root file system without Node.js: does setup bring what programs need?
//!
//! debootstrap makes a minimal Debian of this machine's release, from the mirror that this machine's apt uses. In mount and process
//! namespaces of its own, with the workspace and the Rust toolchain mounted where they are, `cargo xtask setup` runs there, and then the
//! programs of the founding document.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::workspace;

/// Only these programs: they are the document's.
const PROGRAMS: &str = "seed:";

/// Mounts what the new root shares with this machine, and goes there. Arguments: the root, then the folders to mount, an empty argument, and a command.
const ENTER: &str = r#"
set -e
root=$1; shift
while [ -n "$1" ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done
shift
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" /usr/bin/env -i "$@"
"#;

/// The task. `programs` is the test program with the programs of the document.
pub(crate) fn run(programs: &Path) -> Result<(), String> {
    if !geteuid().is_root() {
        println!("skipped: only root can make a root file system");
        println!("0 passed, 0 failed");
        return Ok(());
    }
    let root = workspace::target()?.join("clean-root");
    if root.exists() {
        fs::remove_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    }
    bootstrap(&root)?;
    if root.join("usr/bin/node").exists() {
        return Err("the new root has Node.js before setup".into());
    }
    let workspace = workspace::root();
    enter(&root, &workspace, &["cargo", "xtask", "setup"])?;
    enter(&root, &workspace, &["node", "--version"])?;
    let programs = programs.to_string_lossy();
    enter(&root, &workspace.join("crates/strait-cli"), &[&programs, PROGRAMS])?;
    fs::remove_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))
}

/// A minimal system with this machine's apt sources of the distribution itself.
fn bootstrap(root: &Path) -> Result<(), String> {
    if !Command::new("debootstrap").arg("--version").output().is_ok_and(|output| output.status.success()) {
        done(Command::new("apt-get").args(["install", "-y", "debootstrap"]))?;
    }
    let (release, mirror) = (release()?, mirror()?);
    done(Command::new("debootstrap").args(["--variant=minbase", &release]).arg(root).arg(mirror))?;
    let apt = Path::new("etc/apt");
    fs::write(root.join(apt).join("sources.list"), "").map_err(|error| format!("sources.list: {error}"))?;
    let own = ["sources.list.d/debian.sources", "sources.list"].map(|name| apt.join(name));
    let settings = fs::read_dir("/etc/apt/apt.conf.d").into_iter().flatten().flatten().map(|entry| entry.path());
    // Of the settings only those for fetching: the others call programs that are not there.
    let fetching =
        settings.filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("Acquire::") && !text.contains("Invoke")));
    for file in own.into_iter().map(|file| Path::new("/").join(file)).chain(fetching).chain([PathBuf::from("/etc/resolv.conf")]) {
        if file.is_file() {
            let copy = root.join(file.strip_prefix("/").unwrap_or(&file));
            fs::copy(&file, &copy).map_err(|error| format!("{}: {error}", copy.display()))?;
        }
    }
    Ok(())
}

/// The name of this machine's release.
fn release() -> Result<String, String> {
    let text = fs::read_to_string("/etc/os-release").map_err(|error| format!("/etc/os-release: {error}"))?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    name.map(|name| name.trim_matches('"').to_owned()).ok_or_else(|| "/etc/os-release names no release".into())
}

/// The address from which this machine's apt gets its distribution.
fn mirror() -> Result<String, String> {
    let read = |name: &str| fs::read_to_string(Path::new("/etc/apt").join(name)).unwrap_or_default();
    let (newer, older) = (read("sources.list.d/debian.sources"), read("sources.list"));
    let found = newer.lines().find_map(|line| line.strip_prefix("URIs:")?.split_whitespace().next());
    let found = found.or_else(|| older.lines().filter(|line| line.starts_with("deb ")).find_map(|line| line.split_whitespace().nth(1)));
    found.map(str::to_owned).ok_or_else(|| "apt's sources name no mirror".into())
}

/// Runs a command in the new root.
fn enter(root: &Path, folder: &Path, command: &[&str]) -> Result<(), String> {
    let home = PathBuf::from(env::var_os("HOME").ok_or("HOME is not set")?);
    let [cargo, rustup] = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .map(|(variable, name)| env::var_os(variable).map_or_else(|| home.join(name), PathBuf::from));
    // The document lies beside the workspace.
    let shared = workspace::root().join("../shared").canonicalize().ok();
    let mounted = [workspace::root(), workspace::target()?, cargo.clone(), rustup.clone()].into_iter().chain(shared);
    let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", cargo.join("bin").display());
    println!("\nin the new root: {}", command.join(" "));
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--fork", "sh", "-c", ENTER, "sh"]).arg(root).args(mounted.filter(|folder| folder.exists()));
    unshare.arg("").arg("-C").arg(folder).arg(format!("PATH={path}")).arg(format!("HOME={}", home.display()));
    unshare.arg(format!("CARGO_HOME={}", cargo.display())).arg(format!("RUSTUP_HOME={}", rustup.display()));
    done(unshare.args(command))
}

fn done(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("can't start {name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}
