//! Measurements against what else one could use.

mod machine;
mod page;
mod plot;
mod rows;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::display::Display;
use crate::setup;
use crate::step::seconds;
use crate::workspace::{self, cargo};

/// Something to measure: a program that writes `bench/NAME.json`, and the page in `docs/` that is made of that.
struct Suite {
    name: &'static str,
    /// The program, which is a package of the same name.
    program: &'static str,
    /// Packages that it needs beside itself.
    beside: &'static [&'static str],
    /// Whether it opens windows.
    windows: bool,
    page: page::Page,
}

const SUITES: &[Suite] = &[
    // It needs no system package: what it measures does not either.
    Suite { name: "ports", program: "strait-bench", beside: &[], windows: false, page: page::PORTS },
    Suite { name: "page", program: "strait-page-bench", beside: &["strait-cli", "strait-node"], windows: true, page: page::PAGES },
];

/// A run takes two minutes on an idle machine.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What to measure, and what to do with it.
pub(crate) struct Choice {
    pub(crate) names: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) list: bool,
    pub(crate) page: bool,
}

/// The task: one suite, or every one. Figures are never an error; a measurement that fails is.
pub(crate) fn run(suite: Option<&str>, choice: &Choice) -> Result<(), String> {
    let chosen: Vec<_> = SUITES.iter().filter(|known| suite.is_none_or(|suite| suite == known.name)).collect();
    if let (Some(unknown), true) = (suite, chosen.is_empty()) {
        let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
        return Err(format!("no suite `{unknown}`; there is: {}", names.join(", ")));
    }
    chosen.into_iter().try_for_each(|suite| measure(suite, choice))
}

fn measure(suite: &Suite, choice: &Choice) -> Result<(), String> {
    if suite.windows {
        setup::ensure()?;
        setup::offer_for_page_benchmarks();
    }
    let mut arguments = vec!["build", "--release", "--package", suite.program];
    arguments.extend(suite.beside.iter().flat_map(|package| ["--package", package]));
    let build = cargo(&arguments).status().map_err(|error| format!("cargo: {error}"))?;
    if !build.success() {
        return Err(format!("the build ended with {build}"));
    }
    let target = workspace::target()?;
    if suite.windows {
        link_package(&target.join("release"))?;
    }
    let mut command = Command::new(target.join("release").join(suite.program));
    command.arg(&target).args(&choice.names);
    command.args(choice.quick.then_some("--quick")).args(choice.list.then_some("--list"));
    // A screen of our own: nobody's pointer, no window manager that hides a window, the same size everywhere.
    let display = suite.windows.then(Display::own).transpose()?;
    if let Some(display) = &display {
        display.give_to(&mut command);
    }
    wait(command)?;
    if choice.page {
        let figures = target.join("bench").join(suite.name).with_extension("json");
        let text = fs::read_to_string(&figures).map_err(|error| format!("{}: {error}", figures.display()))?;
        suite.page.write(&workspace::root().join("docs"), &rows::read(&text)?, &machine::describe())?;
    }
    Ok(())
}

/// Puts the package `electron` beside the command, where a release build looks for it.
fn link_package(folder: &Path) -> Result<(), String> {
    let link = folder.join("electron");
    if link.exists() {
        return Ok(());
    }
    symlink(workspace::root().join("packages/electron"), &link).map_err(|error| format!("{}: {error}", link.display()))
}

/// It writes to the terminal itself, where it can tell that it is one.
fn wait(mut command: Command) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("the benchmark: {error}"))?;
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    match ended.recv_timeout(LIMIT) {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("the benchmark ended with {status}")),
        Ok(Err(error)) => Err(format!("the benchmark: {error}")),
        // It is ended with everything else that this program has started.
        Err(_) => Err(format!("the benchmark ran longer than {}", seconds(LIMIT))),
    }
}
