//! Imports in every syntactic position, in a page as in Node: a sample of the modules that `strait-modules` generates for its own test.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::{Running, fixture, run, workspace};
use crate::{Outcome, Test, test};

/// One in how many of the generated modules.
const EVERY: &str = "7";

pub(crate) fn tests() -> Vec<Test> {
    vec![test("imports mean the same in every position in a page as in Node", in_a_page)]
}

fn node(arguments: &[&Path]) -> Vec<u8> {
    let node = Command::new("node").args(arguments).output().expect("node is in PATH (`cargo xtask setup` installs it)");
    assert!(node.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&node.stderr));
    node.stdout
}

fn in_a_page() -> Outcome {
    let scripts = workspace().join("crates/strait-modules/tests/positions");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in fs::read_dir(fixture("module-positions")).expect("list the fixture") {
        let file = file.expect("list the fixture");
        fs::copy(file.path(), folder.path().join(file.file_name())).expect("copy a file");
    }
    node(&[&scripts.join("generate.cjs"), folder.path(), Path::new(EVERY)]);
    let expected: Vec<String> = serde_json::from_slice(&node(&[&scripts.join("native.cjs"), folder.path()])).expect("a list of texts");
    let cases: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(folder.path().join("cases.json")).expect("read the cases")).expect("a list");

    let mut program = Running::start(run(folder.path()));
    program.end_well();
    let output = program.output();
    let line_of = |number: usize| output.lines().find_map(|line| line.strip_prefix(&format!("case {number}: ")));
    let wrong: String = expected
        .iter()
        .zip(&cases)
        .enumerate()
        .filter(|(number, (expected, _))| line_of(*number) != Some(expected))
        .map(|(number, (expected, case))| format!("\n{}\n  in Node:   {expected}\n  in a page: {:?}", case["text"], line_of(number)))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
    assert!(expected.len() > 500, "{} cases", expected.len());
    Ok(())
}
