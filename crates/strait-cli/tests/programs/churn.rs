//! Windows that come and go in a main process in Node leave nothing behind: 60 windows, or 1,000 with `STRAIT_LONG`, after 20 for warming up.

use std::env;

use serde_json::Value;

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

/// What main may have more of after a pair of windows, in KiB: as in the crate `strait`.
const GROWTH_PER_PAIR: u64 = 64;
/// What it may have more of in any case: V8's heap is not returned in full.
const GROWTH: u64 = 12 << 10;
/// What JavaScript may have more of for a pair, in KiB.
const HEAP_PER_PAIR: u64 = 4;

/// Descriptors, threads and processes that may exist for a moment. A leak of one for each pair is larger.
const PASSING: u64 = 4;

pub(crate) fn tests() -> Vec<Test> {
    vec![test("churn: sixty windows leave nothing behind in Node", churn)]
}

fn churn() -> Outcome {
    let pairs: u64 = if env::var_os("STRAIT_LONG").is_some() { 500 } else { 30 };
    let mut command = run(&fixture("churn"));
    command.args(["--expose-gc", "--", "10", &pairs.to_string()]);
    let mut program = Running::start(command);
    let mut read = |name: &str| -> Value {
        let line = program.expect_within(&format!("{name} {{"), crate::program::PATIENCE * 10);
        println!("        {line}");
        serde_json::from_str(&line[name.len()..]).expect("an object")
    };
    let (before, after) = (read("before"), read("after"));
    program.end_well();
    let of = |holdings: &Value, name: &str| holdings[name].as_u64().expect("a number");
    for name in ["descriptors", "threads", "processes"] {
        assert!(of(&after, name) <= of(&before, name) + PASSING, "{name}: {before} became {after}");
    }
    let grown = of(&after, "memory").saturating_sub(of(&before, "memory"));
    assert!(grown <= GROWTH + pairs * GROWTH_PER_PAIR, "{before} became {after}");
    let grown = of(&after, "heap").saturating_sub(of(&before, "heap"));
    assert!(grown <= 512 + pairs * HEAP_PER_PAIR, "{before} became {after}");
    Ok(())
}
