//! Finds Node.js, which runs programs and utility processes in JavaScript, and Strait's files for
//! it.
//!
//! The `strait` command and programs with a Rust main use it. It links no libraries for windows.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Resource, getrlimit};

/// KiB of stack for scripts. The codec needs 1,200 for a value of the greatest permitted depth.
const STACK: u64 = 2000;
/// The same where the stack limit is too low for that: Node's own default.
const SMALL_STACK: u64 = 984;
/// The oldest Node with module hooks that can provide `electron` to ES modules.
const OLDEST: (u32, u32) = (18, 19);
/// The folder of Strait's scripts for Node.
const PACKAGE: &str = "electron";

/// The kind of process that runs in Node.js.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    /// A main process, with windows.
    Main,
    /// A utility process.
    Child,
}

impl NodeRole {
    /// The addon's file.
    fn addon(self) -> &'static str {
        match self {
            Self::Main => "libstrait_node.so",
            Self::Child => "libstrait_node_child.so",
        }
    }

    /// The crate that builds it.
    fn addon_crate(self) -> &'static str {
        match self {
            Self::Main => "strait-node",
            Self::Child => "strait-node-child",
        }
    }

    /// The package's script that Node runs first.
    fn boot(self) -> &'static str {
        match self {
            Self::Main => "boot.js",
            Self::Child => "child.js",
        }
    }

    /// The part of an error text about the need of Node.
    fn needs(self) -> &'static str {
        match self {
            Self::Main => "a program whose main is Rust needs none",
            Self::Child => "utility processes in JavaScript run in it, those in Rust need none",
        }
    }
}

/// Node.js, and Strait's files that it loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeJs {
    /// Node's executable.
    pub program: PathBuf,
    /// The script that it runs first, from the package `@strait/electron`.
    pub boot: PathBuf,
    /// The addon that this script loads.
    pub addon: PathBuf,
}

/// The reason why a process in JavaScript cannot be started, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoNodeJs(String);

impl fmt::Display for NoNodeJs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoNodeJs {}

impl NodeJs {
    /// Finds Node in `PATH`, and the package and the addon beside this program. Runs Node once, for
    /// its version.
    ///
    /// # Errors
    /// If a part is missing, or Node is too old.
    pub fn find(role: NodeRole) -> Result<Self, NoNodeJs> {
        let executable = env::current_exe().map_err(|error| NoNodeJs(format!("can't find this program's own file: {error}")))?;
        // Cargo puts tests and examples into folders beneath the folder of programs.
        let folders: Vec<&Path> = executable.ancestors().skip(1).take(2).collect();
        let path = env::var_os("PATH").unwrap_or_default();
        let found = Self::find_in(role, &folders, env::split_paths(&path));
        found.map_err(NoNodeJs)
    }

    /// The option that gives scripts the stack for reading the deepest values.
    pub fn stack_option() -> String {
        let limit = getrlimit(Resource::Stack).current;
        format!("--stack-size={}", stack(limit))
    }

    /// Checks that the addon's file exists.
    ///
    /// # Errors
    /// If it is missing.
    pub fn check(&self, role: NodeRole) -> Result<(), NoNodeJs> {
        if self.addon.is_file() { Ok(()) } else { Err(NoNodeJs(no_addon(role, &self.addon))) }
    }

    fn find_in(role: NodeRole, folders: &[&Path], path: impl Iterator<Item = PathBuf>) -> Result<Self, String> {
        let addon = addon(role, folders)?;
        let boot = boot(role, folders)?;
        Ok(Self { program: node(role, path)?, boot, addon })
    }
}

/// KiB for scripts in a main thread with a stack limit of `limit` bytes. Native code needs stack
/// too, and Node does not check that there is some left.
fn stack(limit: Option<u64>) -> u64 {
    if limit.is_none_or(|bytes| bytes / 1024 >= STACK * 2) { STACK } else { SMALL_STACK }
}

fn addon(role: NodeRole, folders: &[&Path]) -> Result<PathBuf, String> {
    let mut files = folders.iter().map(|folder| folder.join(role.addon()));
    let first = files.clone().next().unwrap_or_default();
    files.find(|file| file.is_file()).ok_or_else(|| no_addon(role, &first))
}

fn no_addon(role: NodeRole, file: &Path) -> String {
    format!("{} is missing: build it (cargo build -p {})", file.display(), role.addon_crate())
}

/// The package beside this program; in a development build, the one in the source tree.
fn boot(role: NodeRole, folders: &[&Path]) -> Result<PathBuf, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages").join(PACKAGE);
    let beside = folders.iter().map(|folder| folder.join(PACKAGE));
    let mut files = beside.chain(cfg!(debug_assertions).then_some(sources)).map(|package| package.join(role.boot()));
    files.find(|file| file.is_file()).ok_or_else(|| {
        let folder = folders.first().copied().unwrap_or(Path::new("/"));
        format!("there is no {PACKAGE}/{} in {}", role.boot(), folder.display())
    })
}

fn node(role: NodeRole, path: impl Iterator<Item = PathBuf>) -> Result<PathBuf, String> {
    let way_out = format!("install Node.js 18.19 or later (Debian and Ubuntu: apt-get install nodejs); {}", role.needs());
    let node = path.filter(|folder| folder.is_absolute()).map(|folder| folder.join("node")).find(|file| file.is_file());
    let node = node.ok_or_else(|| format!("there is no Node.js in PATH: {way_out}"))?;
    let output = Command::new(&node).arg("--version").output().map_err(|error| format!("can't start {}: {error}", node.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(text.trim()) {
        Some(found) if found >= OLDEST => Ok(node),
        _ => Err(format!("{} is {}, which is too old: {way_out}", node.display(), text.trim())),
    }
}

/// Major and minor of `v20.20.2`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("v20.20.2"), Some((20, 20)));
        assert_eq!(version("v18.19.0"), Some(OLDEST));
        assert_eq!(version("v22"), None);
        assert_eq!(version("node"), None);
    }

    #[test]
    fn half_of_the_stack_is_left_to_native_code() {
        assert_eq!(stack(None), STACK);
        assert_eq!(stack(Some(8 << 20)), STACK);
        assert_eq!(stack(Some(2 << 20)), SMALL_STACK);
    }

    /// Each error names the missing part and the remedy.
    #[test]
    fn what_is_missing_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        let (beside, bin) = (root.path().join("program"), root.path().join("bin"));
        fs::create_dir_all(beside.join(PACKAGE)).expect("a folder");
        fs::create_dir_all(&bin).expect("a folder");
        let find = || NodeJs::find_in(NodeRole::Child, &[&beside], std::iter::once(bin.clone()));
        let error = find().expect_err("no addon");
        assert_eq!(error, format!("{}/libstrait_node_child.so is missing: build it (cargo build -p strait-node-child)", beside.display()));
        fs::write(beside.join("libstrait_node_child.so"), "").expect("a file");
        fs::write(beside.join("electron/child.js"), "").expect("a file");
        let error = find().expect_err("no Node");
        assert!(error.starts_with("there is no Node.js in PATH: install Node.js 18.19 or later"), "{error}");
        assert!(error.ends_with("; utility processes in JavaScript run in it, those in Rust need none"), "{error}");
        let node = bin.join("node");
        let write = |version: &str| {
            fs::write(&node, format!("#!/bin/sh\necho {version}\n")).expect("a file");
            fs::set_permissions(&node, fs::Permissions::from_mode(0o755)).expect("its mode");
        };
        write("v18.18.2");
        let error = find().expect_err("an old Node");
        assert!(error.starts_with(&format!("{} is v18.18.2, which is too old: install Node.js 18.19", node.display())), "{error}");
        write("v18.19.0");
        let found = find().expect("everything is there");
        assert_eq!(found.program, node);
        assert_eq!(found.boot, beside.join("electron/child.js"));
    }
}
