//! Neither a flood of messages starves a page, nor a busy page the messages.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

/// How late a flooded page's 4 ms timer may be.
const LATEST: f64 = 20.0;

pub(crate) fn tests() -> Vec<Test> {
    vec![test("floods starve nobody", floods_starve_nobody)]
}

fn floods_starve_nobody() -> Outcome {
    let mut program = Running::start(run(&fixture("floods")));
    program.expect("busy page: 100 answers");
    let line = program.expect("flooded page: 100000 messages in order");
    program.end_well();
    let late: f64 = line.rsplit(' ').nth(1).and_then(|number| number.parse().ok()).expect("a time");
    assert!(late <= LATEST, "{line}");
    Ok(())
}
