//! Runs a program in Node.js, with Strait loaded into it.

use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use serde_json::json;
use strait_inspect::STDERR;

use crate::program::Program;

/// The oldest Node whose module hooks give `electron` to ES modules.
const OLDEST: (u32, u32) = (18, 19);
/// The addon's file, beside this program.
const ADDON: &str = "libstrait_node.so";
/// The package's folder, beside this program.
const PACKAGE: &str = "electron";
/// The package's script that Node runs before the program's.
const BOOT: &str = "boot.js";

/// How a program is run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Let a debugger attach to main; Node's default is 127.0.0.1:9229.
    #[arg(long, value_name = "[HOST:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    inspect: Option<String>,
    /// The same, and wait for the debugger before the program's first line.
    #[arg(long, value_name = "[HOST:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "inspect")]
    inspect_brk: Option<String>,
    /// Show the places of errors in the sources that main was compiled from.
    #[arg(long)]
    enable_source_maps: bool,
    /// Write every event of every port to FILE, or to standard error: who, where, bytes, the reason of a close.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDERR)]
    pub(crate) inspect_ports: Option<PathBuf>,
    /// Give main and the pages a function `gc`, which collects garbage at once: to test what is let go of.
    #[arg(long)]
    expose_gc: bool,
    /// Run all windows without the operating system's sandbox, for machines where it is not available.
    #[arg(long)]
    no_sandbox: bool,
}

impl Options {
    /// Node's own.
    fn of_node(&self) -> impl Iterator<Item = String> {
        let address = |switch: &str, value: &Option<String>| {
            value.as_ref().map(|value| if value.is_empty() { switch.to_owned() } else { format!("{switch}={value}") })
        };
        let plain = |switch: &str, is_given: bool| is_given.then(|| switch.to_owned());
        let options = [
            address("--inspect", &self.inspect),
            address("--inspect-brk", &self.inspect_brk),
            plain("--enable-source-maps", self.enable_source_maps),
            plain("--expose-gc", self.expose_gc),
        ];
        options.into_iter().flatten()
    }
}

/// Replaces this process by Node, with the program in it; returns only if that fails.
pub(crate) fn run(program: &Program, options: &Options, args: &[String]) -> String {
    match command(program, options, args) {
        Ok(mut command) => {
            let error = command.exec();
            format!("can't start {}: {error}", command.get_program().to_string_lossy())
        }
        Err(error) => error,
    }
}

fn command(program: &Program, options: &Options, args: &[String]) -> Result<Command, String> {
    let executable = env::current_exe().map_err(|error| format!("can't find its own file: {error}"))?;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let (addon, boot) = (addon(folder)?, boot(folder)?);
    let about = json!({
        "addon": addon,
        "root": program.root,
        "name": program.name,
        "version": program.version,
        "noSandbox": options.no_sandbox,
        "inspectPorts": options.inspect_ports,
    });
    let mut command = Command::new(node()?);
    command.args(options.of_node()).arg("--require").arg(boot).arg(&program.main).args(args).env("STRAIT_BOOT", about.to_string());
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
