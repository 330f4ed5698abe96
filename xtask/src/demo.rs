//! Builds and runs the example programs, and checks that they show what they are there to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::display::Display;
use crate::setup;
use crate::step::{self, seconds};
use crate::workspace::{self, cargo};

/// An example ends by itself, soon.
const LIMIT: Duration = Duration::from_secs(60);

struct Example {
    name: &'static str,
    shows: &'static str,
    program: Program,
    /// Lines of its output, in this order, other lines between them allowed.
    expected: &'static [&'static str],
}

enum Program {
    /// A folder under `examples/`, run by `strait run`.
    Folder(&'static str),
    /// A package under `examples/rust/`.
    Package(&'static str),
}

const EXAMPLES: &[Example] = &[
    Example {
        name: "port-basics",
        shows: "A page posts into a channel nobody listens on yet and gives the other end to main.",
        program: Program::Folder("port-basics"),
        expected: &[
            r#"main: got a port for "fruit""#,
            "main: starting the port now",
            r#"main: message 1 is {"fruit":"apple"}"#,
            r#"main: message 2 is {"fruit":"pear","ripe":true}"#,
            r#"main: message 3 is {"fruit":"plum","last":true}"#,
            "page: main received 3 messages",
            "main: the page's end is gone (closed)",
        ],
    },
    Example {
        name: "worker-window",
        shows: "A hidden window counts primes for a visible one; main introduces them and sees none of the work.",
        program: Program::Folder("worker-window"),
        expected: WORKER_WINDOW,
    },
    Example {
        name: "reply-stream",
        shows: "One request carries a port; the answers stream back through it until it closes.",
        program: Program::Folder("reply-stream"),
        expected: REPLY_STREAM,
    },
    Example {
        name: "isolated-main-world",
        shows: "A page without any access to Strait gets a port to main from its preload script.",
        program: Program::Folder("isolated-main-world"),
        expected: &[
            "page: require is undefined, ipcRenderer is undefined",
            r#"main: the page read "level" backwards as "level""#,
            r#"main: the page read "strait" backwards as "tiarts""#,
        ],
    },
];

const WORKER_WINDOW: &[&str] = &[
    "main: introduced the page to the worker",
    "page: 25 primes below 100",
    "page: 1229 primes below 10000",
    "page: 78498 primes below 1000000",
    "main: saw 1 request and none of the work",
];

const REPLY_STREAM: &[&str] =
    &["page: 5", "page: 4", "page: 3", "page: 2", "page: 1", "page: lift-off", "page: the stream has ended (closed)"];


/// The task.
pub(crate) fn run(name: Option<&str>, headless: bool, screenshots: Option<&Path>) -> Result<(), String> {
    let chosen: Vec<_> = EXAMPLES.iter().filter(|example| name.is_none_or(|name| example.name.contains(name))).collect();
    if chosen.is_empty() {
        let names: Vec<_> = EXAMPLES.iter().map(|example| example.name).collect();
        return Err(format!("no example has `{}` in its name; there are: {}", name.unwrap_or_default(), names.join(", ")));
    }
    setup::ensure()?;
    build(&chosen)?;
    let display = if headless { Display::own()? } else { Display::present_or_own()? };
    if let Display::Own { name, .. } = &display {
        println!("the windows open on an X server without a screen, {name}");
    }
    let mut failed = Vec::new();
    for example in &chosen {
        println!("\n━━ {} ━━\n{}\n", example.name, example.shows);
        if !show(example, &display, screenshots)? {
            failed.push(example.name);
        }
    }
    println!();
    if failed.is_empty() {
        println!("all {} examples showed what they should", chosen.len());
        Ok(())
    } else {
        Err(format!("not as expected: {}", failed.join(", ")))
    }
}

fn build(examples: &[&Example]) -> Result<(), String> {
    println!("building (the first time takes some minutes) …");
    let mut command = cargo(&["build", "--package", "strait-cli"]);
    for example in examples {
        if let Program::Package(package) = example.program {
            command.args(["--package", package]);
        }
    }
    // On the terminal itself, so that cargo shows its progress.
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the build failed".into()) }
}

fn command(example: &Example) -> Result<Command, String> {
    let binaries = workspace::target()?.join("debug");
    Ok(match example.program {
        Program::Folder(folder) => {
            let mut command = Command::new(binaries.join("strait"));
            command.arg("run").arg(workspace::root().join("examples").join(folder));
            command
        }
        Program::Package(package) => Command::new(binaries.join(package)),
    })
}

/// Runs one example; true if everything expected appeared and it ended well.
fn show(example: &Example, display: &Display, screenshots: Option<&Path>) -> Result<bool, String> {
    let mut command = command(example)?;
    display.give_to(&mut command);
    let mut awaited = example.expected.iter().peekable();
    let mut picture = screenshots.map(|folder| folder.join(format!("{}.png", example.name)));
    let ended = step::run(command, LIMIT, &display.processes(), |line| {
        let expected = awaited.next_if(|expected| line.contains(*expected)).is_some();
        println!("{} {line}", if expected { "✓" } else { " " });
        if awaited.peek().is_none()
            && let Some(path) = picture.take()
        {
            // Its windows are still open: an example lingers for a moment.
            if let Err(error) = take_picture(&path, display) {
                println!("note: no picture: {error}");
            }
        }
    });
    for note in &ended.notes {
        println!("✗ {note}");
    }
    for missing in awaited.clone() {
        println!("✗ expected, but not seen: {missing}");
    }
    if let Some(status) = ended.status.filter(|status| !status.success()) {
        println!("✗ ended with {status}");
    }
    let good = awaited.peek().is_none() && ended.succeeded() && ended.notes.is_empty();
    println!("{} {} ({})", if good { "✓" } else { "✗" }, example.name, seconds(ended.took));
    Ok(good)
}

/// The whole display, with ImageMagick.
fn take_picture(path: &PathBuf, display: &Display) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut command = Command::new("import");
    command.args(["-window", "root"]).arg(path).stdin(Stdio::null());
    display.give_to(&mut command);
    let status = command.status().map_err(|error| format!("import (of ImageMagick): {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("import ended with {status}")) }
}
