//! Three origins in one process, one of which tries to get the others' ports.
//!
//! Main sends ports to page A through its preload; A posts each to B, which is of another origin: the message leaves by WebKit's own function. C, of a third
//! origin, posts native ports to itself from every source that it has and listens on each. C must receive none of B's messages, and B all of them,
//! in order. A route is a way from main to the document or worker that serves the port at B, and runs in a process of its own. An argument filters routes by name.
//!
//! With the feature `planted-elimination` the agent matches ports by elimination, and a route passes if that turns it red.
//!
//! 1,000 ports a route (200 where each gets a document of its own), or 100,000 (2,000) with `STRAIT_LONG`; `STRAIT_TRANSFERS` sets another number.

#[path = "../agent/display.rs"]
mod display;
#[allow(dead_code, reason = "tests/agent uses the rest")]
#[path = "../agent/host.rs"]
mod host;
#[path = "../agent/server.rs"]
mod server;
#[allow(dead_code, reason = "tests/agent uses the rest")]
#[path = "../agent/wire.rs"]
mod wire;

mod routes;
mod transfers;

use std::num::NonZero;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use host::{Check, Host};
use routes::{ROUTES, Route};

/// The outcome of a route with the planted fault in the agent.
fn found(outcome: Check<String>) -> Check<String> {
    match outcome {
        Ok(text) => Err(format!("the planted match by elimination was not found: {text}")),
        Err(text) => Ok(format!("red with the planted match by elimination: {text}")),
    }
}

/// The argument before the name of the one route that a process is to run.
const ROUTE: &str = "--route";

/// Runs one route in this process; true if it passed.
fn run(route: &Route) -> bool {
    gtk::init().expect("a display");
    let host = Host::start().expect("the host starts");
    let began = Instant::now();
    let outcome = transfers::run(&host, route);
    let outcome = if cfg!(feature = "planted-elimination") { found(outcome) } else { outcome };
    let took = began.elapsed().as_secs_f64();
    match &outcome {
        Ok(text) => println!("ok      {}: {text} ({took:.1} s)", route.name),
        Err(text) => println!("FAILED  {}: {text} ({took:.1} s)", route.name),
    }
    outcome.is_ok()
}

/// Runs each route in a process of its own, as many at a time as there are processors; how many passed.
fn run_all(routes: &[&Route]) -> usize {
    let program = std::env::current_exe().expect("the test knows its own path");
    let processes = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (next, passed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..processes {
            scope.spawn(|| {
                while let Some(route) = routes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match Command::new(&program).args([ROUTE, route.name]).status() {
                        Ok(status) if status.success() => drop(passed.fetch_add(1, Ordering::Relaxed)),
                        Ok(status) if status.code() == Some(1) => {}
                        other => println!("FAILED  {}: its process ended with {other:?}", route.name),
                    }
                }
            });
        }
    });
    passed.into_inner()
}

fn main() {
    display::or_run_again_under_xvfb();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [first, name] = &arguments[..]
        && first == ROUTE
    {
        let route = ROUTES.iter().find(|route| route.name == name).expect("the name of a route");
        std::process::exit(i32::from(!run(route)));
    }
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    let routes: Vec<_> = ROUTES.iter().filter(|route| filter.is_none_or(|filter| route.name.contains(filter.as_str()))).collect();
    let passed = run_all(&routes);
    let failed = routes.len() - passed;
    println!("{passed} passed, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}
