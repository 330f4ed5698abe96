//! The `strait` command: runs programs written for Electron's IPC.

mod new;
mod node;
mod program;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use strait_inspect::STDERR;

use crate::{node::Options, program::Program};

/// Runs programs written for Electron's IPC: windows, preload scripts and message ports, on the
/// system's web view.
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
        /// A folder with a package.json (its `main`, otherwise main.js or index.js), or a .js, .mjs
        /// or .cjs file.
        path: PathBuf,
        #[command(flatten)]
        options: Options,
        /// Arguments for the program, in `process.argv` after its own path; put them behind `--`.
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

The program runs in the Node.js of PATH, 18.19 or later. Debuggers attach with --inspect: chrome://inspect in Chromium, or \"type\": \"node\",
\"request\": \"attach\" in Visual Studio Code.

Without a desktop, run it under a virtual display:  xvfb-run -a strait run PATH

Examples:
  strait run .
  strait run examples/worker-window
  strait run main.js -- --verbose input.txt
  strait run --inspect-brk .
  strait run --inspect-ports=ports.jsonl . ; jq 'select(.reason == \"crashed\")' ports.jsonl";

const NEW_HELP: &str = "Exit code: 0; 1 if the program can't be created; 2 if the command line is wrong.

Examples:
  strait new hello && strait run hello
  strait new hello --template worker
  strait new hello --template stream --rust && cd hello && cargo run";

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Run { path, options, args } => run(&path, &options, &args),
        Command::New(arguments) => match new::create(&arguments) {
            Ok(told) => {
                println!("{told}");
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("strait: {message}");
            ExitCode::from(1)
        }
    }
}

/// Replaces this process by the program's; returns only if that fails.
fn run(path: &Path, options: &Options, args: &[String]) -> Result<(), String> {
    let program = Program::locate(path).map_err(|error| error.to_string())?;
    if let Some(file) = options.inspect_ports.as_ref().filter(|file| file.as_path() != Path::new(STDERR)) {
        // Empties the file, so that it contains the events of this run only.
        File::create(file).map_err(|error| format!("can't write the events of ports to {}: {error}", file.display()))?;
    }
    Err(node::run(&program, options, args))
}
