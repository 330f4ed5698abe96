//! Measures the ports of pages against what else a page could use. Run by `cargo xtask bench page`, on a display.
//!
//! The rules are those of `strait-bench`. Every contestant but the socket is a page, in whatever shows it: a Rust program with Strait, a JS program run by
//! `strait`, Chromium, a webview without us. All of them load their scripts from a server of ours ([`desk`]), take their orders from it, and bring their figures
//! there: none needs to be told anything by its browser.

mod chromium;
mod contestants;
mod desk;
mod measure;
mod program;
mod webview;

use std::process::ExitCode;

use rustix::process::{Signal, set_parent_process_death_signal};
use strait_bench::{Choice, Outcome};

use program::Pages;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("strait-page-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [first, role, base] if first == "--window" => {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            match role.as_str() {
                "program" => program::run(base, Pages::Measuring),
                "sandboxes" => program::run(base, Pages::Sandboxes),
                "webview" => webview::run(base),
                unknown => Err(format!("no window {unknown}").into()),
            }
        }
        [first, role @ ..] if first == "--role" => strait_bench::play(role),
        _ => measure::run(&Choice::read("strait-page-bench", arguments.into_iter())?),
    }
}
