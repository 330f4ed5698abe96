//! What goes through, unchanged, on every path; and that a post which fails consumes nothing.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

/// Every line of the `values` program that says how something went.
const EXPECTED: &[&str] = &[
    "invoke: 20 of 20 values came back",
    "sendSync: 20 of 20 values came back",
    "port: 20 of 20 values came back",
    "20 MB came back whole",
    "page's buffer after its transfer: 0",
    "main's buffer after its transfer: 0",
    "the buffer came back: sum 10, 4 bytes",
    "main, a function: An object could not be cloned.",
    "main, no list: transferables must be an array of MessagePorts",
    "main, null: Port at index 1 is not a valid port",
    "main, a string: Port at index 1 is not a valid port",
    "main, itself: Port at index 1 contains the source port.",
    "main, a duplicate: Port at index 1 is a duplicate.",
    "main, contents, a function: An object could not be cloned.",
    "main, contents, null: Invalid value for transfer",
    "main, contents, a duplicate: Port at index 1 is a duplicate.",
    "main, contents, no message: Insufficient number of arguments",
    "main, contents, a number: Error processing argument at index 0",
    "main, send, a port: An object could not be cloned.",
    "main, send, no channel: Missing required channel argument",
    "main, after all that: the port still works",
    "main, a neutered port: Port at index 0 is already neutered.",
    "page, a function: DataCloneError: ",
    "page, a symbol: DataCloneError: ",
    "page, a node: DataCloneError: ",
    "page, itself: DataCloneError: ",
    "page, a duplicate: DataCloneError: ",
    "page, a detached buffer: DataCloneError: ",
    "page, no port: DataCloneError: ",
    "page, ipc, a function: An object could not be cloned.",
    "page, ipc, no port: TypeError: Invalid value for transfer",
    "page, ipc, a duplicate: ",
    "page, send, a port: An object could not be cloned.",
    "page, send, a function: An object could not be cloned.",
    "page, invoke with a port: An object could not be cloned.",
    "page, invoke of nothing: Error invoking remote method 'nothing': Error: No handler registered for 'nothing'",
    "page, after all that: the port still works",
];

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("values come back, failed posts consume nothing", values_and_failed_posts),
        test("generated values go both ways between a page and main", generated_values),
        test("values come back that are nested as deep as they may be", deepest_values),
    ]
}

fn values_and_failed_posts() -> Outcome {
    let mut program = Running::start(run(&fixture("values")));
    let status = program.end();
    let missing: Vec<_> = EXPECTED.iter().filter(|line| program.count(line) != 1).collect();
    assert!(missing.is_empty(), "not exactly once: {missing:#?}\n{}", program.report());
    assert_eq!(program.count("nothing thrown"), 0, "{}", program.report());
    assert!(status.success(), "ended with {status}; {}", program.report());
    Ok(())
}

fn generated_values() -> Outcome {
    let mut program = Running::start(run(&fixture("generated")));
    let status = program.end();
    for line in ["main has 500 values, wrong: 0", "the page has 500 values, wrong: 0"] {
        assert_eq!(program.count(line), 1, "{line}: {}", program.report());
    }
    assert!(status.success(), "ended with {status}; {}", program.report());
    Ok(())
}

fn deepest_values() -> Outcome {
    let mut program = Running::start(run(&fixture("deepest")));
    let status = program.end();
    for kind in ["object", "array", "map", "error"] {
        for way in ["invoke", "port", "child"] {
            let line = format!("{way}, {kind}: 1999 levels, innermost");
            assert_eq!(program.count(&line), 1, "{line}: {}", program.report());
        }
    }
    assert!(status.success(), "ended with {status}; {}", program.report());
    Ok(())
}
