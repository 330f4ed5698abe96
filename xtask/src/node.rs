//! Other versions of Node.js, from npm, which programs are tested in.

use std::env::{self, consts::ARCH};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// The oldest that Strait supports (Debian 12 and Ubuntu 24.04 have it), and a later major version.
pub(crate) const VERSIONS: [&str; 2] = ["18.19.1", "22.22.3"];

/// A `PATH` on which `node` is this version.
pub(crate) fn path_with(version: &str) -> Result<OsString, String> {
    let folder = installed(version)?;
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder].into_iter().chain(env::split_paths(&path))).map_err(|error| format!("PATH: {error}"))
}

/// The folder of this version's `node`, fetched if it is not in the target folder yet.
fn installed(version: &str) -> Result<PathBuf, String> {
    let folder = workspace::target()?.join("nodes").join(version);
    let binaries = folder.join("package/bin");
    if says(&binaries.join("node"), version) {
        return Ok(binaries);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let arch = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(format!("npm has no Node.js for {other}")),
    };
    println!("fetching Node.js {version}");
    let package = format!("node-linux-{arch}@{version}");
    run(Command::new("npm").args(["pack", "--silent", &package]).current_dir(&folder))?;
    run(Command::new("tar").args(["-xzf", &format!("node-linux-{arch}-{version}.tgz")]).current_dir(&folder))?;
    if says(&binaries.join("node"), version) { Ok(binaries) } else { Err(format!("{package} holds no node {version}")) }
}

fn says(node: &Path, version: &str) -> bool {
    let output = Command::new(node).arg("--version").output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == format!("v{version}"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("can't start {name}: {error}"))?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}\n{}", output.status, said())) }
}
