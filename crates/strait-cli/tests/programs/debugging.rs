//! Main in a debugger, and the places of errors in the sources that it was compiled from.

use std::io::Write;
use std::process::Command;

use rustix::process::{Signal, kill_process};

use crate::program::{Running, folder, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("inspect-brk: a debugger stops before the program's first line", first_line),
        test("inspect: SIGUSR1 opens the inspector beside an open window", by_signal),
        test("source maps: errors show the lines of the sources", source_maps),
    ]
}

const MAIN: &str = "console.log('first line')
const { app, BrowserWindow } = require('electron')
app.whenReady().then(async () => {
  await new BrowserWindow({ show: false }).loadFile('page.html')
  console.log('loaded')
})
";

/// Where the inspector listens: `127.0.0.1:PORT` of Node's line.
fn address(program: &mut Running) -> String {
    let line = program.expect("Debugger listening on ws://");
    let address = line.split("ws://").nth(1).and_then(|rest| rest.split('/').next());
    address.expect("an address").to_owned()
}

fn first_line() -> Outcome {
    for (main, entry) in [
        ("main.js", MAIN.to_owned()),
        (
            "main.mjs",
            format!(
                "import 'electron'\n{}",
                MAIN.replace("const { app, BrowserWindow } = require('electron')", "import { app, BrowserWindow } from 'electron'")
            ),
        ),
    ] {
        let files = folder(&[(main, &entry), ("page.html", "<title>page</title>")]);
        let mut command = run(&files.path().join(main));
        command.arg("--inspect-brk=0");
        let mut program = Running::start(command);
        let address = address(&mut program);
        // Node's own debugger for the terminal.
        let mut command = Command::new("node");
        command.args(["inspect", &address]);
        let (mut debugger, mut input) = Running::start_with_input(command);
        debugger.expect(&format!("{main}:"));
        assert_eq!(program.count("first line"), 0, "{}", program.report());
        input.write_all(b"cont\n").expect("it reads");
        program.expect_in_order(&["first line", "loaded"]);
    }
    Ok(())
}

fn by_signal() -> Outcome {
    let files = folder(&[("main.js", MAIN), ("page.html", "<title>page</title>")]);
    let mut program = Running::start(run(files.path()));
    program.expect("loaded");
    kill_process(program.pid(), Signal::USR1).expect("it runs");
    address(&mut program);
    kill_process(program.pid(), Signal::TERM).expect("it runs");
    program.end_well();
    Ok(())
}

fn source_maps() -> Outcome {
    // `AAyCA`: column 0 of the script is in source 0, 41 lines further, in column 0.
    let map = r#"{"version":3,"sources":["main.ts"],"names":[],"mappings":"AAyCA"}"#;
    let main = "throw new Error('from a source')\n//# sourceMappingURL=main.js.map\n";
    let files = folder(&[("main.js", main), ("main.js.map", map)]);
    let mut command = run(files.path());
    command.arg("--enable-source-maps");
    let mut program = Running::start(command);
    program.expect("main.ts:42");
    assert_eq!(program.end().code(), Some(1));
    Ok(())
}
