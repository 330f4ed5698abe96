//! The programs under `examples/` print what their `expected.txt` says, and end well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Running, run, strait, workspace};
use crate::{Test, test};

pub(crate) fn tests() -> Vec<Test> {
    let examples = workspace().join("examples");
    let scripts = folders(&examples).into_iter().filter(|folder| folder.join("package.json").exists()).map(|folder| {
        test(format!("example: {}", name(&folder)), move || {
            shows(run(&folder), &folder);
            Ok(())
        })
    });
    let programs = folders(&examples.join("rust")).into_iter().map(|folder| {
        test(format!("example in Rust: {}", name(&folder)), move || {
            shows(built(&folder), &folder);
            Ok(())
        })
    });
    scripts.chain(programs).collect()
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Builds the example, which takes a moment when `cargo xtask test` has built everything, and gives its program.
fn built(folder: &Path) -> Command {
    build(&name(folder));
    Command::new(strait().with_file_name(format!("example-{}", name(folder))))
}

/// Builds the programs of an example in Rust. As a part of the workspace: its package alone would have other features, and all it depends on would be
/// built anew.
pub(crate) fn build(name: &str) {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--workspace", "--bin", &format!("example-{name}*")]).current_dir(workspace());
    let status = build.status().expect("cargo build");
    assert!(status.success(), "cargo build of {name}: {status}");
}

fn shows(command: Command, folder: &Path) {
    let expected = fs::read_to_string(folder.join("expected.txt")).expect("expected.txt");
    let mut program = Running::start(command);
    program.end_well();
    // Main and each page speak in order; between them there is none.
    for speaker in ["main: ", "page: "] {
        let lines: Vec<_> = expected.lines().filter(|line| line.starts_with(speaker)).collect();
        program.expect_in_order(&lines);
    }
}
