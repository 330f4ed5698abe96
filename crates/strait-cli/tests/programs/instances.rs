//! `app.requestSingleInstanceLock`: one instance of a program for each folder of user data.

use std::path::Path;

use rustix::process::{Signal, kill_process};

use crate::program::{Running, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![test("instances: later ones tell the first", later_ones_tell_the_first)]
}

fn start(user_data: &Path, name: &str, argument: &str) -> Running {
    let mut command = run(&fixture("instances/main.js"));
    command.arg("--").arg(argument).env("USER_DATA", user_data).env("NAME", name).current_dir("/");
    Running::start(command)
}

fn later_ones_tell_the_first() -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let user_data = folder.path().join("made when it is needed");
    let mut first = start(&user_data, "one", "begin");
    first.expect_in_order(&["one lock: true true ready: false", "uncloneable: An object could not be cloned.", "one waits true"]);

    let mut second = start(&user_data, "two", "an argument");
    second.expect("two lock: false false ready: false");
    second.end_well();
    first.expect("second-instance true an argument / { from: 'two', bytes: Uint8Array(3) [ 1, 2, 3 ], missing: undefined }");

    // Another folder, another program.
    let mut other = start(&folder.path().join("other"), "other", "begin");
    other.expect("other lock: true true");

    // Who is killed leaves no lock behind.
    kill_process(other.pid(), Signal::KILL).expect("it runs");
    let _ = other.end();
    let mut heir = start(&folder.path().join("other"), "heir", "begin");
    heir.expect("heir lock: true true");

    // Who lets go of it makes room.
    let mut third = start(&user_data, "three", "release");
    third.end_well();
    first.expect("released false");
    let mut fourth = start(&user_data, "four", "begin");
    fourth.expect("four lock: true true");
    for program in [&mut first, &mut heir, &mut fourth] {
        kill_process(program.pid(), Signal::TERM).expect("it runs");
        program.end_well();
    }
    Ok(())
}
