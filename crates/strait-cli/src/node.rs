//! Runs a program in Node.js, with Strait loaded into it.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;
use strait_js::Program;

/// The oldest Node whose module hooks give `electron` to ES modules.
const OLDEST: (u32, u32) = (18, 19);
/// The addon's file, beside this program.
const ADDON: &str = "libstrait_node.so";
/// The package's folder, beside this program.
const PACKAGE: &str = "electron";
/// The first script of the package.
const BOOT: &str = "boot.js";

/// Replaces this process by Node; returns only if that fails.
pub(crate) fn run(program: &Program) -> String {
    match command(program) {
        Ok(mut command) => {
            let error = command.exec();
            format!("can't start {}: {error}", command.get_program().to_string_lossy())
        }
        Err(error) => error,
    }
}

fn command(program: &Program) -> Result<Command, String> {
    let executable = env::current_exe().map_err(|error| format!("can't find its own file: {error}"))?;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let (addon, boot) = (addon(folder)?, boot(folder)?);
    let node = node()?;
    let about = json!({
        "addon": addon,
        "root": program.root,
        "main": program.main,
        "name": program.name,
        "version": program.version,
        "args": program.args,
        "noSandbox": program.no_sandbox || program.args.iter().any(|argument| argument == strait_js::NO_SANDBOX),
        "inspectPorts": program.inspect_ports,
    });
    let mut command = Command::new(node);
    if program.expose_gc {
        command.arg("--expose-gc");
    }
    command.arg(boot).env("STRAIT_BOOT", about.to_string());
    if env::var_os("STRAIT_UTILITY").is_none() {
        command.env("STRAIT_UTILITY", folder.join("strait-utility"));
    }
    Ok(command)
}

fn addon(folder: &Path) -> Result<PathBuf, String> {
    let file = folder.join(ADDON);
    if file.is_file() { Ok(file) } else { Err(format!("{} is missing: build it (cargo build -p strait-node)", file.display())) }
}

/// The package beside this program; in a development build, the one of the sources.
fn boot(folder: &Path) -> Result<PathBuf, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages").join(PACKAGE);
    let places = [Some(folder.join(PACKAGE)), cfg!(debug_assertions).then_some(sources)];
    let mut files = places.into_iter().flatten().map(|place| place.join(BOOT));
    files.find(|file| file.is_file()).ok_or_else(|| format!("there is no {PACKAGE}/{BOOT} in {}", folder.display()))
}

/// The Node of `PATH`.
fn node() -> Result<PathBuf, String> {
    const WAY_OUT: &str =
        "install Node.js 18.19 or later (Debian and Ubuntu: apt-get install nodejs); a program whose main is Rust needs none";
    let path = env::var_os("PATH").unwrap_or_default();
    let node = env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file());
    let node = node.ok_or_else(|| format!("there is no Node.js in PATH: {WAY_OUT}"))?;
    let output = Command::new(&node).arg("--version").output().map_err(|error| format!("can't start {}: {error}", node.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(text.trim()) {
        Some(found) if found >= OLDEST => Ok(node),
        _ => Err(format!("{} is {}, which is too old: {WAY_OUT}", node.display(), text.trim())),
    }
}

/// Major and minor of `v20.20.2`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("v20.20.2"), Some((20, 20)));
        assert_eq!(version("v18.19.0"), Some(OLDEST));
        assert_eq!(version("v22"), None);
        assert_eq!(version("node"), None);
    }
}
