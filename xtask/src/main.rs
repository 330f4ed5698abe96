//! Project tasks: everything that is not `cargo build`.
//!
//! Must compile on a machine that has a Rust toolchain and nothing else, because it is what installs the rest.

mod bench;
mod clean_root;
mod compatibility;
mod demo;
mod display;
mod fuzz;
mod node;
mod processes;
mod sanitize;
mod setup;
mod step;
mod tally;
mod test;
mod words;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Strait's project tasks", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find the system packages that are missing and install them
    Setup {
        /// Only say what is missing
        #[arg(long)]
        check: bool,
    },
    /// Build and run the example programs and check what they show
    Demo {
        /// Only the examples whose name contains this
        name: Option<String>,
        /// Never use the present display: start an X server without a screen
        #[arg(long)]
        headless: bool,
        /// Save a picture of each example's windows into this folder
        #[arg(long, value_name = "DIR")]
        screenshot: Option<PathBuf>,
    },
    /// Run every check: format, lints, unit tests, window tests, documentation tests
    Test {
        /// Only tests whose name contains this (skips format and lints)
        filter: Option<String>,
        /// Include the slow ones
        #[arg(long)]
        long: bool,
        /// Include those that need npm's registry: published packages, and other versions of Node.js
        #[arg(long)]
        npm: bool,
        /// Use the present display instead of an X server of our own
        #[arg(long)]
        display: bool,
    },
    /// Look for bytes that break what reads them
    #[command(after_long_help = fuzz::HELP)]
    Fuzz {
        /// Only these targets (fuzz/targets/): wire, socket_link, ring_link, router, node, clone, ...
        targets: Vec<String>,
        /// How long each target is run
        #[arg(long, default_value_t = 60, value_name = "N")]
        seconds: u32,
        /// Run each target for this many inputs, without a time limit
        #[arg(long, value_name = "N", conflicts_with = "seconds")]
        runs: Option<u64>,
        /// How many targets run at a time [default: as many as there are processors]
        #[arg(long, value_name = "N")]
        jobs: Option<usize>,
        /// Run the target once, with what a finding has saved
        #[arg(long, value_name = "FILE", conflicts_with_all = ["seconds", "runs", "jobs"])]
        replay: Option<PathBuf>,
        /// Write fuzz/seeds/ anew from the generators beside the targets, and do nothing else
        #[arg(long, conflicts_with_all = ["seconds", "runs", "jobs", "replay", "targets"])]
        write_seeds: bool,
    },
    /// Run the tests of what has to do with addresses under AddressSanitizer, and the copies of shared memory under ThreadSanitizer
    #[command(after_long_help = sanitize::HELP)]
    Sanitize,
    /// Run setup and the first programs in a root file system without Node.js; a part of test --long
    #[command(hide = true)]
    CleanRoot { programs: PathBuf },
    /// Write docs/electron-compatibility.md anew from the tables in packages/electron/compatibility/
    Compatibility,
    /// Check the wording of comments, error texts and documents
    #[command(after_long_help = words::HELP)]
    Words {
        /// Only files whose paths start with one of these
        paths: Vec<String>,
        /// Print every finding, those that exceptions.txt allows included
        #[arg(long)]
        all: bool,
        /// Lower the allowances in exceptions.txt to the present findings
        #[arg(long)]
        update: bool,
        /// Raise and add allowances too
        #[arg(long, requires = "update")]
        accept: bool,
    },
    /// Measure against what else one could use
    Bench {
        /// Only this suite: ports, page
        suite: Option<String>,
        /// Only the measurements whose titles contain one of these
        names: Vec<String>,
        /// Few and short rounds: shows that everything works, gives no figures to keep
        #[arg(long)]
        quick: bool,
        /// Only name the measurements
        #[arg(long)]
        list: bool,
        /// After a full run, write the suite's page and plot into docs/
        #[arg(long, conflicts_with_all = ["quick", "list", "names"])]
        page: bool,
    },
}

fn main() -> ExitCode {
    processes::end_everything_on_signals();
    let done = match Arguments::parse().task {
        Task::Setup { check } => setup::run(check),
        Task::Demo { name, headless, screenshot } => demo::run(name.as_deref(), headless, screenshot.as_deref()),
        Task::Test { filter, long, npm, display } => test::run(&test::Choice { filter, long, npm }, display),
        Task::Fuzz { write_seeds: true, .. } => fuzz::write_seeds(),
        Task::Fuzz { targets, replay: Some(file), .. } => fuzz::replay(&targets, &file),
        Task::Fuzz { targets, seconds, runs, jobs, .. } => {
            fuzz::run(&targets, runs.map_or(fuzz::Bound::Seconds(seconds), fuzz::Bound::Runs), jobs)
        }
        Task::Sanitize => sanitize::run(),
        Task::CleanRoot { programs } => clean_root::run(&programs),
        Task::Compatibility => compatibility::run(),
        Task::Words { paths, all, update, accept } => words::run(&words::Options { paths, all, update, accept }),
        Task::Bench { suite, names, quick, list, page } => bench::run(suite.as_deref(), &bench::Choice { names, quick, list, page }),
    };
    processes::end_descendants(&[]);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                eprintln!("error: {message}");
            }
            ExitCode::FAILURE
        }
    }
}
