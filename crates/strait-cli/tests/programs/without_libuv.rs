//! Programs without libuv's functions, which some builds of Node do not export. A threadsafe function
//! wakes the loop. `STRAIT_WITHOUT_LIBUV` makes the addon of a debug build ignore the functions.

use crate::program::{Running, folder, run, workspace};
use crate::{Outcome, Test, test};

/// In a development build the addon does without the functions.
const VARIABLE: &str = "STRAIT_WITHOUT_LIBUV";

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("without libuv's functions: windows, ports and children", everything),
        test("without libuv's functions: an exit at once", exit),
    ]
}

fn everything() -> Outcome {
    for example in ["port-basics", "worker-window", "reply-stream", "workshop"] {
        let program = workspace().join("examples").join(example);
        let mut command = run(&program);
        command.env(VARIABLE, "1");
        let mut running = Running::start(command);
        running.end_well();
        let expected = std::fs::read_to_string(program.join("expected.txt")).expect("expected.txt");
        for speaker in ["main: ", "page: "] {
            running.expect_in_order(&expected.lines().filter(|line| line.starts_with(speaker)).collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn exit() -> Outcome {
    let files = folder(&[("main.js", "require('electron').app.exit(7)\n")]);
    let mut command = run(files.path());
    command.env(VARIABLE, "1");
    assert_eq!(Running::start(command).end().code(), Some(7));
    Ok(())
}
