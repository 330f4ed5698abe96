//! Builds and runs the example programs, and checks that they show what they are there to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::display::Display;
use crate::setup;
use crate::step::{self, seconds};
use crate::workspace::{self, cargo};

/// An example ends by itself, soon.
const LIMIT: Duration = Duration::from_secs(60);

/// Nothing tells another process when a window has been painted.
const PAINT: Duration = Duration::from_millis(600);

/// A program under `examples/`. Its folder says everything about it: the manifest what it shows, `expected.txt` what it prints.
struct Example {
    name: String,
    shows: String,
    program: Program,
    expected: Vec<String>,
}

enum Program {
    /// Run by `strait run`.
    Folder(PathBuf),
    /// A package of the workspace, with a binary of the same name.
    Package(String),
}

/// Every example, JS programs first.
fn examples() -> Result<Vec<Example>, String> {
    let examples = workspace::root().join("examples");
    let mut found = Vec::new();
    for folder in folders(&examples)? {
        let manifest = folder.join("package.json");
        if manifest.exists() {
            let manifest: serde_json::Value =
                serde_json::from_str(&read(&manifest)?).map_err(|error| format!("{}: {error}", manifest.display()))?;
            let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
            let expected = expected(&folder)?;
            found.push(Example { name: text("name"), shows: text("description"), program: Program::Folder(folder), expected });
        }
    }
    for folder in folders(&examples.join("rust"))? {
        let path = folder.join("Cargo.toml");
        let manifest: toml::Table = read(&path)?.parse().map_err(|error| format!("{}: {error}", path.display()))?;
        let text = |key: &str| manifest.get("package").and_then(|package| package.get(key)?.as_str()).unwrap_or_default().to_owned();
        let expected = expected(&folder)?;
        found.push(Example { name: text("name"), shows: text("description"), program: Program::Package(text("name")), expected });
    }
    Ok(found)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn expected(folder: &Path) -> Result<Vec<String>, String> {
    Ok(read(&folder.join("expected.txt"))?.lines().map(str::to_owned).collect())
}

/// What is still expected. Each speaker (`main: `, `page: `) keeps to its order; between speakers there is none.
struct Awaited(Vec<String>);

impl Awaited {
    /// True if `line` holds the next thing expected of a speaker.
    fn take(&mut self, line: &str) -> bool {
        let speaker = |text: &str| text.split(": ").next().map(str::to_owned);
        let Some(at) = self.0.iter().position(|expected| line.contains(expected.as_str())) else { return false };
        let first = self.0[..at].iter().all(|earlier| speaker(earlier) != speaker(&self.0[at]));
        if first {
            self.0.remove(at);
        }
        first
    }
}

/// The task.
pub(crate) fn run(name: Option<&str>, headless: bool, screenshots: Option<&Path>) -> Result<(), String> {
    let all = examples()?;
    let chosen: Vec<_> = all.iter().filter(|example| name.is_none_or(|name| example.name.contains(name))).collect();
    if chosen.is_empty() {
        let names: Vec<_> = all.iter().map(|example| example.name.as_str()).collect();
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
            failed.push(example.name.as_str());
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
        if let Program::Package(package) = &example.program {
            command.args(["--package", package]);
        }
    }
    // On the terminal itself, so that cargo shows its progress.
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the build failed".into()) }
}

fn command(example: &Example) -> Result<Command, String> {
    let binaries = workspace::target()?.join("debug");
    Ok(match &example.program {
        Program::Folder(folder) => {
            let mut command = Command::new(binaries.join("strait"));
            command.arg("run").arg(folder);
            command
        }
        Program::Package(package) => Command::new(binaries.join(package)),
    })
}

/// Runs one example; true if everything expected appeared and it ended well.
fn show(example: &Example, display: &Display, screenshots: Option<&Path>) -> Result<bool, String> {
    let mut command = command(example)?;
    display.give_to(&mut command);
    let mut awaited = Awaited(example.expected.clone());
    let mut path = screenshots.map(|folder| folder.join(format!("{}.png", example.name)));
    let mut picture = None;
    let ended = step::run(command, LIMIT, &display.processes(), |line| {
        println!("{} {line}", if awaited.take(line) { "✓" } else { " " });
        if awaited.0.is_empty()
            && let Some(path) = path.take()
        {
            picture = Some(take_picture(path, display));
        }
    });
    if let Some(Err(error)) = picture.and_then(|picture| picture.join().ok()) {
        println!("note: no picture: {error}");
    }
    for note in &ended.notes {
        println!("✗ {note}");
    }
    for missing in &awaited.0 {
        println!("✗ expected, but not seen: {missing}");
    }
    if let Some(status) = ended.status.filter(|status| !status.success()) {
        println!("✗ ended with {status}");
    }
    let good = awaited.0.is_empty() && ended.succeeded() && ended.notes.is_empty();
    println!("{} {} ({})", if good { "✓" } else { "✗" }, example.name, seconds(ended.took));
    Ok(good)
}

/// The whole display, with ImageMagick, when what was printed last has had time to be painted. The windows are still open then: an
/// example lingers for a second.
fn take_picture(path: PathBuf, display: &Display) -> JoinHandle<Result<(), String>> {
    let mut command = Command::new("import");
    command.args(["-window", "root"]).arg(&path).stdin(Stdio::null());
    display.give_to(&mut command);
    thread::spawn(move || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        thread::sleep(PAINT);
        let status = command.status().map_err(|error| format!("import (of ImageMagick): {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("import ended with {status}")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_says_what_it_shows_and_prints() {
        let all = examples().unwrap();
        assert!(all.len() >= 4);
        for example in all {
            assert!(!example.name.is_empty() && !example.shows.is_empty() && !example.expected.is_empty(), "{}", example.name);
        }
    }

    #[test]
    fn speakers_keep_their_order() {
        let mut awaited = Awaited(["main: a", "page: 1", "main: b"].map(String::from).into());
        assert!(!awaited.take("[x] main: b"));
        assert!(awaited.take("[x] page: 1") && awaited.take("main: a") && !awaited.take("main: a") && awaited.take("main: b"));
        assert!(awaited.0.is_empty());
    }
}
