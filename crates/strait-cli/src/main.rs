//! The `strait` command: runs programs written for Electron's IPC.

mod new;
mod node;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use strait_inspect::STDERR;
use strait_js::Program;

/// Runs programs written for Electron's IPC: windows, preload scripts and message ports, on the system's web view.
#[derive(Debug, Parser)]
#[command(name = "strait", version, after_help = EXAMPLE, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the program in a folder or file.
    #[command(after_help = RUN_HELP)]
    Run {
        /// A folder with a package.json (its `main`, otherwise main.js or index.js), or a .js, .mjs or .cjs file.
        path: PathBuf,
        /// Write every event of every port to FILE, or to standard error: who, where, bytes, the reason of a close.
        #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = STDERR)]
        inspect_ports: Option<PathBuf>,
        /// Give main and the pages a function `gc`, which collects garbage at once: to test what is let go of.
        #[arg(long)]
        expose_gc: bool,
        /// Run all windows without the operating system's sandbox, for machines where it is not available.
        #[arg(long)]
        no_sandbox: bool,
        /// Run the program's main script in Node.js. It will be the only way; until then the tests ask for it.
        #[arg(long, hide = true, env = "STRAIT_RUN_IN_NODE", value_parser = clap::builder::FalseyValueParser::new())]
        in_node: bool,
        /// What the program finds in `process.argv` after its own path; put it behind `--`.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Create a program to start from.
    #[command(after_help = NEW_HELP)]
    New(new::NewArguments),
}

const EXAMPLE: &str = r#"Example: a folder `hello` with two files

  main.js     const { app, BrowserWindow, ipcMain } = require('electron')
              ipcMain.handle('add', (event, a, b) => a + b)
              app.whenReady().then(() =>
                new BrowserWindow({ webPreferences: { nodeIntegration: true } }).loadFile('index.html'))

  index.html  <script>
                require('electron').ipcRenderer.invoke('add', 2, 3).then(sum => document.write(sum))
              </script>

is run by

  strait run hello"#;

const RUN_HELP: &str =
    "Exit code: the program's own (app.exit, process.exit; 0 when it quits); 1 if there is no program at PATH, no display, or
an error in the program that nobody caught; 2 if the command line is wrong.

Without a desktop, run it under a virtual display:  xvfb-run -a strait run PATH

Examples:
  strait run .
  strait run examples/worker-window
  strait run main.js -- --verbose input.txt
  strait run --inspect-ports=ports.jsonl . ; jq 'select(.reason == \"crashed\")' ports.jsonl";

const NEW_HELP: &str = "Exit code: 0; 1 if the program can't be created; 2 if the command line is wrong.

Examples:
  strait new hello && strait run hello
  strait new hello --template worker
  strait new hello --template stream --rust && cd hello && cargo run";

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Run { path, inspect_ports, expose_gc, no_sandbox, in_node, args } => {
            located(&path, args).and_then(|program| run(Program { expose_gc, no_sandbox, inspect_ports, ..program }, in_node))
        }
        Command::New(arguments) => match new::create(&arguments) {
            Ok(told) => {
                println!("{told}");
                Ok(0)
            }
            Err(error) => Err(error.to_string()),
        },
    };
    match ended {
        Ok(code) => ExitCode::from((code & 0xff) as u8),
        Err(message) => {
            eprintln!("strait: {message}");
            ExitCode::from(1)
        }
    }
}

fn located(path: &Path, args: Vec<String>) -> Result<Program, String> {
    Program::locate(path, args).map_err(|error| error.to_string())
}

fn run(program: Program, in_node: bool) -> Result<i32, String> {
    if let Some(file) = program.inspect_ports.as_ref().filter(|file| file.as_path() != Path::new(STDERR)) {
        // Only what this run adds is wanted.
        File::create(file).map_err(|error| format!("can't write the events of ports to {}: {error}", file.display()))?;
    }
    if in_node {
        return Err(node::run(&program));
    }
    strait_js::run(program).map_err(|error| error.to_string())
}
