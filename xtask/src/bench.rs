//! Measurements against what else one could use.

use crate::setup;
use crate::workspace::{self, cargo};

const SUITES: &[&str] = &["ports"];

/// The task.
pub(crate) fn run(suite: Option<&str>) -> Result<(), String> {
    if let Some(unknown) = suite.filter(|suite| !SUITES.contains(suite)) {
        return Err(format!("no suite `{unknown}`; there is: {}", SUITES.join(", ")));
    }
    setup::ensure()?;
    let mut command = cargo(&["run", "--release", "--package", "strait-bench", "--"]);
    let status = command.arg(workspace::target()?).status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the benchmark ended with {status}")) }
}
