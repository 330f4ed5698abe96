//! An isolated page gets nothing it was not given, whatever it does to its own world; and what is not the page's goes on working.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

/// What the page patches, under the names the `isolation` program knows them by.
const ATTACKS: &[&str] = &[
    "nothing",
    "accessors on Object.prototype",
    "accessors on Array.prototype",
    "WeakMap",
    "Map",
    "Set",
    "call and apply",
    "Array",
    "array iterator",
    "Promise",
    "MessagePort",
    "MessageEvent",
    "Event",
    "EventTarget",
    "typed arrays",
    "text coders",
    "constructors",
    "Object",
];

pub(crate) fn tests() -> Vec<Test> {
    ATTACKS.iter().map(|attack| test(format!("hostile page: {attack}"), || hostile_page(attack))).collect()
}

fn hostile_page(attack: &str) -> Outcome {
    let mut command = run(&fixture("isolation"));
    command.env("ATTACK", attack);
    let mut program = Running::start(command);
    program.expect("page: leaks: ");
    program.end_well();
    let report = program.report();
    for (line, why) in [
        ("page: globals:", "the page was asked for its globals"),
        ("page: other realm: undefinedundefined", "the page's Function gives the page's realm"),
        (
            "page: bridge: 5 5 7 later thrown An object could not be cloned. rejected An object could not be cloned.",
            "the page can use what the preload has exposed",
        ),
        ("preload's invoke: answered", "the preload's invoke works"),
        ("preload's port: 10 pings, 10 received", "the preload's port works"),
        ("page: leaks: none; caught something", "the patches saw things, and nothing that is not the page's"),
    ] {
        assert_eq!(program.count(line), 1, "{why} ({line:?}); {report}");
    }
    assert!(!report.contains("page: globals: r") && report.lines().any(|line| line.trim_end().ends_with("page: globals:")), "{report}");
    assert_eq!(program.count("preload's port closed: crashed"), 0, "{report}");
    Ok(())
}
