//! What is delivered straight into the page's own world.

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![test("messages of main's come straight into the page's own world", main_world)]
}

fn expect_lines(name: &str, lines: &[&str]) -> Outcome {
    let mut program = Running::start(run(&fixture(name)));
    let status = program.end();
    let missing: Vec<_> = lines.iter().filter(|line| program.count(line) != 1).collect();
    assert!(missing.is_empty(), "not exactly once: {missing:#?}\n{}", program.report());
    assert!(status.success(), "ended with {status}; {}", program.report());
    Ok(())
}

fn main_world() -> Outcome {
    expect_lines(
        "main-world",
        &[
            "page got ping",
            "first early true 1, second late true 0, third late true 0, fourth late true 1",
            "iframe got hello on inner, true",
            "another world: TypeError: Unknown world 'moon': it can only be 'main'",
            "world 5: TypeError: Unknown world number: it can only be 'main'",
            "no object: TypeError: The options of postMessage must be an object",
            "a function: Error: An object could not be cloned.",
            "null in the list: TypeError: Invalid value for transfer",
            "a frame that is gone: Error: Render frame was disposed before WebFrameMain could be accessed",
            "the port still works",
        ],
    )
}
