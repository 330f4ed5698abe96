//! Ports that travel: inside other ports, and both ends of a channel at the same time.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("both ends wander while 10,000 messages flow each way", both_ends_wander),
        test("ports inside ports three deep", ports_inside_ports),
    ]
}

fn both_ends_wander() -> Outcome {
    let mut program = Running::start(run(&fixture("swap")));
    program.expect("end A: sent 10000, received 10000 in order, 19 hops");
    program.expect("end B: sent 10000, received 10000 in order, 19 hops");
    program.end_well();
    assert_eq!(program.count("expected"), 0, "{}", program.report());
    Ok(())
}

fn ports_inside_ports() -> Outcome {
    let mut program = Running::start(run(&fixture("nested")));
    for opened_by_main in 0..3 {
        program.expect(&format!("main opened {opened_by_main}: an answer came back from the bottom"));
    }
    program.end_well();
    Ok(())
}
