//! The agent of compromised renderers.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use super::display::run_again;

/// Names the agent that the program's windows get.
const VARIABLE: &str = "STRAIT_AGENT_SO";

/// Builds the agent and runs this program again with it, unless that has happened.
pub(super) fn rerun_with_hostile_agent() -> Option<ExitCode> {
    if env::var_os(VARIABLE).is_some() {
        return None;
    }
    Some(match build() {
        Ok(agent) => run_again(VARIABLE, agent),
        Err(why) => {
            eprintln!("the hostile agent does not build: {why}");
            ExitCode::FAILURE
        }
    })
}

/// Builds it in a target folder of its own: its features are not those of other builds.
fn build() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-agent");
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--lib", "--features", "hostile", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../strait-renderer/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(target.join("debug/libstrait_renderer.so"))
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
