//! Runs a program in Node.js with Strait loaded into it.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use clap::Args;
use serde_json::json;
use strait_inspect::STDERR;
use strait_nodejs::{NodeJs, NodeRole};

use crate::program::Program;

/// The options of `strait run`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Let a debugger attach to main; Node's default is 127.0.0.1:9229.
    #[arg(long, value_name = "[HOST:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    inspect: Option<String>,
    /// Like --inspect, and wait for the debugger before the program's first line.
    #[arg(long, value_name = "[HOST:]PORT", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "inspect")]
    inspect_brk: Option<String>,
    /// Show the positions of errors in the sources from which main was compiled.
    #[arg(long)]
    enable_source_maps: bool,
    /// Write every event of every port to FILE, or to standard error: process, port, bytes, the
    /// reason of a close.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDERR)]
    pub(crate) inspect_ports: Option<PathBuf>,
    /// Give main and the pages a function `gc`, which collects garbage at once, for tests of
    /// memory.
    #[arg(long)]
    expose_gc: bool,
    /// Run all windows without the operating system's sandbox, for machines where it is not
    /// available.
    #[arg(long)]
    no_sandbox: bool,
}

impl Options {
    /// The options to pass to Node.
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

/// Replaces this process by Node with the program in it; returns only if that fails.
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
    let node = NodeJs::find(NodeRole::Main).map_err(|error| error.to_string())?;
    let about = json!({
        "addon": node.addon,
        "root": program.root,
        "name": program.name,
        "version": program.version,
        "noSandbox": options.no_sandbox,
        "inspectPorts": options.inspect_ports,
    });
    let mut command = Command::new(node.program);
    // Strait's own options. `packages/electron/boot.js` hides this number of options, three, from
    // the program.
    command.args(options.of_node()).arg(NodeJs::stack_option()).arg("--require").arg(node.boot);
    command.arg(&program.main).args(args).env("STRAIT_BOOT", about.to_string());
    Ok(command)
}
