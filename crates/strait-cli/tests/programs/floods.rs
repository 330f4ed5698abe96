//! Neither a flood of messages starves a page, nor a busy page the messages.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

/// How much later a 4 ms timer may be in a flooded page than in a quiet one, in milliseconds. It is 1 ms where nothing else runs; a page that the
/// flood starves is late by more than 300. What lies between is a processor that others want too: the flooded page is busy, the quiet one is not.
const LATEST: f64 = 200.0;

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = vec![test("floods starve nobody", floods_starve_nobody)];
    for kind in ["send", "invoke", "console", "port"] {
        tests.push(test(format!("a flooded main answers others: {kind}"), move || a_flooded_main_answers(kind)));
    }
    tests
}

/// The flood has 4,000 messages; with ten requests one after another, the victim waits for a processor as well.
const MAX_HANDLED: u32 = 2000;

fn a_flooded_main_answers(kind: &str) -> Outcome {
    let mut command = run(&fixture("flooded-main"));
    command.args(["--", kind]);
    let mut program = Running::start(command);
    let line = program.expect("answered after");
    program.end_well();
    let handled: u32 = line.split(' ').nth(2).and_then(|count| count.parse().ok()).expect("a number");
    assert!(handled <= MAX_HANDLED, "{handled} messages of the flood were handled before ten requests were answered");
    Ok(())
}

/// In time at one of five attempts, because a machine that is busy with something else is late for reasons of its own.
fn floods_starve_nobody() -> Outcome {
    let mut late = Vec::new();
    while late.len() < 5 {
        let (quiet, flooded) = flood();
        if flooded - quiet <= LATEST {
            return Ok(());
        }
        late.push((quiet, flooded));
    }
    panic!("a timer came too late, (quiet, flooded) by {late:?} ms");
}

/// Floods a page; gives the milliseconds its timer was late at worst, before and during the flood.
fn flood() -> (f64, f64) {
    let mut program = Running::start(run(&fixture("floods")));
    program.expect("busy page: 100 answers");
    let line = program.expect("100000 messages in order");
    program.end_well();
    let mut times = line.split(" by ").skip(1).map(|rest| rest.split(' ').next().and_then(|time| time.parse().ok()).expect("a time"));
    (times.next().expect("the quiet time"), times.next().expect("the flooded time"))
}
