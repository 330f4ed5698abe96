//! Measures the port engine against what else one could use. Run by `cargo xtask bench ports`.
//!
//! Each question is a module of `measure`; what is measured against is a module of `peers`, the engine itself is in `ours`. A measurement starts its
//! contestants (other processes are this program again, in a role), lets them run in turns, round by round, so that whatever else the machine
//! does hits all of them, and takes the medians.

mod measure;
mod ours;
mod peers;
mod placement;
mod process;
mod report;
mod roles;
mod rounds;
mod system;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use rounds::Effort;

/// What a step of a measurement gives. Threads hand it on, so it is `Send`.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: strait-bench TARGET-FOLDER [--quick] [--list] [NAME...]";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    let done = match first.as_deref() {
        Some("--role") => roles::play(arguments.collect()),
        Some(target) if !target.starts_with('-') => measure(target.into(), arguments),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("strait-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(target: PathBuf, arguments: impl Iterator<Item = String>) -> Outcome<()> {
    let mut effort = Effort::Full;
    let mut names = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--quick" => effort = Effort::Quick,
            "--list" => return measure::list(),
            name if !name.starts_with('-') => names.push(name.to_lowercase()),
            unknown => return Err(format!("{unknown}: {USAGE}").into()),
        }
    }
    measure::run(&target, effort, &names)
}
