//! Measurements against what else one could use.

mod machine;
mod page;
mod plot;
mod rows;

use std::fs;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::step::seconds;
use crate::workspace::{self, cargo};

const SUITES: &[&str] = &["ports"];

/// A run takes two minutes on an idle machine.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What to measure, and what to do with it.
pub(crate) struct Choice {
    pub(crate) names: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) list: bool,
    pub(crate) page: bool,
}

/// The task. Figures are never an error; a measurement that fails is.
pub(crate) fn run(suite: Option<&str>, choice: &Choice) -> Result<(), String> {
    if let Some(unknown) = suite.filter(|suite| !SUITES.contains(suite)) {
        return Err(format!("no suite `{unknown}`; there is: {}", SUITES.join(", ")));
    }
    // The suite needs no system package: what it measures does not either.
    let build = cargo(&["build", "--release", "--package", "strait-bench"]).status().map_err(|error| format!("cargo: {error}"))?;
    if !build.success() {
        return Err(format!("the build ended with {build}"));
    }
    let target = workspace::target()?;
    let mut command = Command::new(target.join("release/strait-bench"));
    command.arg(&target).args(&choice.names);
    command.args(choice.quick.then_some("--quick")).args(choice.list.then_some("--list"));
    wait(command)?;
    if choice.page {
        let figures = target.join("bench/ports.json");
        let text = fs::read_to_string(&figures).map_err(|error| format!("{}: {error}", figures.display()))?;
        page::write(&workspace::root().join("docs"), &rows::read(&text)?, &machine::describe())?;
    }
    Ok(())
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
