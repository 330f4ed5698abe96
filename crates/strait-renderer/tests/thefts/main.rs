//! Three origins in one process, one of which tries to get the others' ports.
//!
//! Main sends ports to page A through its preload; A posts each to B, which is of another origin: the message leaves by WebKit's own function. C, of a third
//! origin, posts native ports to itself from every source that it has and listens on each. C must receive none of B's messages, and B all of them,
//! in order. A route is a way from main to the document or worker that serves the port at B. An argument filters routes by name.
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

use std::time::Instant;

use host::{Check, Host};
use routes::ROUTES;

/// The outcome of a route with the planted fault in the agent.
fn found(outcome: Check<String>) -> Check<String> {
    match outcome {
        Ok(text) => Err(format!("the planted match by elimination was not found: {text}")),
        Err(text) => Ok(format!("red with the planted match by elimination: {text}")),
    }
}

fn main() {
    display::or_run_again_under_xvfb();
    gtk::init().expect("a display");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let host = Host::start().expect("the host starts");
    let (mut passed, mut failed) = (0, 0);
    for route in ROUTES.iter().filter(|route| filter.as_ref().is_none_or(|filter| route.name.contains(filter.as_str()))) {
        let began = Instant::now();
        let outcome = transfers::run(&host, route);
        let outcome = if cfg!(feature = "planted-elimination") { found(outcome) } else { outcome };
        let took = began.elapsed().as_secs_f64();
        match outcome {
            Ok(text) => {
                passed += 1;
                println!("ok      {}: {text} ({took:.1} s)", route.name);
            }
            Err(text) => {
                failed += 1;
                println!("FAILED  {}: {text} ({took:.1} s)", route.name);
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    drop(host);
    std::process::exit(i32::from(failed > 0));
}
