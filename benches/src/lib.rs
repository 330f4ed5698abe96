//! Measures the port engine against what else one could use. Run by `cargo xtask bench ports`.
//!
//! Each question is a module of `measure`; what is measured against is a module of `peers`, the engine itself is in `ours`. A measurement starts its
//! contestants (other processes are this program again, in a role), lets them run in turns, round by round, so that whatever else the machine
//! does hits all of them, and takes the medians.
//!
//! A library for the sake of `strait-page-bench`, which measures pages by the same rules.

mod measure;
mod ours;
mod peers;
pub mod placement;
pub mod process;
pub mod report;
mod roles;
pub mod rounds;
mod system;

use std::error::Error;
use std::path::PathBuf;

pub use measure::{Echo, round_trips};
pub use peers::seqpacket;
pub use roles::play;

use rounds::Effort;

/// What a step of a measurement gives. Threads hand it on, so it is `Send`.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What both benchmarks are asked for: the target folder, how thoroughly, only the titles, and of which measurements.
#[derive(Debug)]
pub struct Choice {
    /// Where `bench/` is, into which the figures go.
    pub target: PathBuf,
    /// How thoroughly.
    pub effort: Effort,
    /// Only name the measurements.
    pub list: bool,
    /// Those whose titles contain one of these, in small letters; all if there are none.
    pub names: Vec<String>,
}

impl Choice {
    /// Reads the arguments of `program`.
    ///
    /// # Errors
    /// What is wrong with them, and how the program is used.
    pub fn read(program: &str, mut arguments: impl Iterator<Item = String>) -> Outcome<Choice> {
        let usage = format!("usage: {program} TARGET-FOLDER [--quick] [--list] [NAME...]");
        let target = arguments.next().filter(|target| !target.starts_with('-')).ok_or_else(|| usage.clone())?;
        let mut choice = Choice { target: target.into(), effort: Effort::Full, list: false, names: Vec::new() };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => choice.effort = Effort::Quick,
                "--list" => choice.list = true,
                name if !name.starts_with('-') => choice.names.push(name.to_lowercase()),
                unknown => return Err(format!("{unknown}: {usage}").into()),
            }
        }
        Ok(choice)
    }

    /// Is it asked for?
    pub fn includes(&self, title: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| title.to_lowercase().contains(name))
    }
}

/// Measures the port engine.
///
/// # Errors
/// A measurement failed. (A bar that is not met is a figure.)
pub fn measure(choice: &Choice) -> Outcome<()> {
    if choice.list { measure::list() } else { measure::run(choice) }
}
