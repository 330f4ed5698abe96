//! The agent of compromised renderers.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Names the agent that the program's windows get.
const VARIABLE: &str = "STRAIT_AGENT_SO";

/// Builds the agent and runs this program again with it, unless that has happened.
pub(super) fn rerun_with_hostile_agent() -> Option<ExitCode> {
    if env::var_os(VARIABLE).is_some() {
        return None;
    }
    let agent = match build() {
        Ok(agent) => agent,
        Err(why) => {
            eprintln!("the hostile agent does not build: {why}");
            return Some(ExitCode::FAILURE);
        }
    };
    let status = Command::new(env::current_exe().expect("own path")).args(env::args_os().skip(1)).env(VARIABLE, agent).status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the test does not start again: {error}");
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
