//! Runs the cases with the agent of compromised renderers.

use std::{env, process::ExitCode};

use super::{build::build, display::run_again};

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
