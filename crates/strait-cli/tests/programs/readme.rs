//! The README's first program does what the README says; its Rust version in a cargo project of its own.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::program::{Running, folder, run, strait, workspace};
use crate::{Outcome, Test, test};

/// Building what changed for another project; with `STRAIT_LONG` everything.
const BUILD_LIMIT: Duration = Duration::from_secs(12 * 60);

/// Tells what the page shows.
const OBSERVER: &str = "<script>\n\
    new MutationObserver(() => console.log('shown:', document.querySelector('h1').textContent))\n\
    .observe(document.querySelector('h1'), { childList: true })\n\
    </script>\n";

pub(crate) fn tests() -> Vec<Test> {
    vec![test("readme: the first program", in_javascript), test("readme: the first program in Rust, in a separate cargo project", in_rust)]
}

/// The README's code block that starts with ` ```LANGUAGE ` and contains `text`.
fn block(language: &str, text: &str) -> String {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README");
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.contains(text)).unwrap_or_else(|| panic!("no {language} block with {text:?}")).to_owned()
}

fn page() -> String {
    block("html", "index.html") + OBSERVER
}

fn in_javascript() -> Outcome {
    let folder =
        folder(&[("package.json", &block("json", "main.js")), ("main.js", &block("js", "hello/main.js")), ("index.html", &page())]);
    let mut program = Running::start(run(folder.path()));
    program.expect("shown: HELLO");
    Ok(())
}

/// The project knows `strait` by its path alone.
///
/// To save the minutes that a second build of all dependencies takes, it shares the workspace's lock file, profile and target folder;
/// with `STRAIT_LONG` it has its own.
fn in_rust() -> Outcome {
    let mut manifest = format!(
        "[package]\nname = \"foreign\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nstrait = {{ path = {:?} }}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n",
        workspace().join("crates/strait")
    );
    let project = folder(&[("src/main.rs", &block("rust", "App::run")), ("pages/index.html", &page())]);
    let target: PathBuf;
    if env::var_os("STRAIT_LONG").is_some() {
        target = project.path().join("target");
    } else {
        // …/target/debug/strait
        target = strait().ancestors().nth(2).expect("the target folder").to_owned();
        manifest += "\n[profile.dev]\ndebug = \"line-tables-only\"\n\n[profile.dev.package.\"*\"]\ndebug = false\n";
        fs::copy(workspace().join("Cargo.lock"), project.path().join("Cargo.lock")).expect("copy the lock file");
    }
    fs::write(project.path().join("Cargo.toml"), manifest).expect("write the manifest");

    let mut command = Command::new(env!("CARGO"));
    command.arg("run").current_dir(project.path()).env("CARGO_TARGET_DIR", target);
    let mut program = Running::start(command);
    program.expect_within("shown: HELLO", BUILD_LIMIT);
    Ok(())
}
