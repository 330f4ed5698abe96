//! The conformance suite: what the HTML standard says of ports, asked of every kind of realm in real windows.
//!
//! `cases/*.js` are joined with `harness.js` into one script, which runs in a page, a preload, an iframe, a sandboxed frame, a popup and a
//! worker.
//! `expected.txt` lists the cases that are known to fail; one of those that passes fails the suite. A first argument filters cases by
//! `section: name`; `TEXT@PLACE` runs them in one place only.

#[path = "../agent/display.rs"]
mod display;
#[allow(dead_code, reason = "tests/agent uses the rest")]
#[path = "../agent/host.rs"]
mod host;
mod places;
mod services;
mod verdict;
#[allow(dead_code, reason = "tests/agent uses the rest")]
#[path = "../agent/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use host::{Check, Host, View};
use places::{PLACES, Place, open};
use services::Services;
use verdict::{Expectations, Tally};

/// How long all contexts together may take.
const LIMIT: Duration = Duration::from_secs(400);

/// A place where the suite runs, and what it has reported.
struct Running {
    place: &'static Place,
    view: View,
    report: Option<String>,
}

/// Starts the suite everywhere at once and turns the loop until every place has reported.
fn run(host: &Host, filter: &str, only: &str, expectations: &Expectations) -> Check<Vec<(&'static Place, String)>> {
    // From the first place on: those that run ask while others are still being opened.
    let mut services = Services::default();
    host.after_turn.replace(Some(Box::new(move |host| services.serve(host))));
    let mut running = Vec::new();
    for place in PLACES.iter().filter(|place| only.is_empty() || place.name == only) {
        let view = open(host, place, filter, &expectations.names(place.name)).map_err(|text| format!("{}: {text}", place.name))?;
        running.push(Running { place, view, report: None });
    }
    let end = Instant::now() + LIMIT;
    while running.iter().any(|running| running.report.is_none()) {
        host.turn();
        for running in running.iter_mut().filter(|running| running.report.is_none()) {
            let report = host
                .eval_raw(&running.view, running.place.world, "globalThis.webResults ?? ''")
                .map_err(|text| format!("{}: {text}", running.place.name))?;
            running.report = Some(report).filter(|report| !report.is_empty());
        }
        if Instant::now() > end {
            break;
        }
    }
    Ok(running.into_iter().map(|running| (running.place, running.report.unwrap_or_default())).collect())
}

fn main() {
    display::or_run_again_under_xvfb();
    gtk::init().expect("a display");
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let (filter, only) = argument.split_once('@').unwrap_or((&argument, ""));
    let host = Host::start().expect("the host starts");
    let mut tally = Tally::default();
    let expectations = Expectations::read();
    match run(&host, filter, only, &expectations) {
        Ok(reports) => {
            for (place, report) in &reports {
                tally.judge(place, report, &expectations, argument.is_empty());
            }
            if argument.is_empty() {
                tally.unused(&expectations, &reports);
            }
        }
        Err(text) => tally.fail(&text),
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    drop(host);
    std::process::exit(i32::from(tally.failed > 0));
}
