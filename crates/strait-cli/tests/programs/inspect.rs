//! `strait run --inspect-ports`: what the lines say, and that the books balance.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::{Running, folder, run, strait, workspace};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("inspect ports: two pages that main introduces", introduced),
        test("inspect ports: a page that is killed, on standard error", killed),
        test("inspect ports: a file that can't be written", unwritable),
    ]
}

fn inspected(program: &Path, option: &str) -> Command {
    let mut command = Command::new(strait());
    command.args(["run", option]).arg(program);
    command
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn text<'a>(line: &'a Value, member: &str) -> &'a str {
    line[member].as_str().unwrap_or_else(|| panic!("no {member}: {line}"))
}

/// Lines in the order in which things happened.
fn sorted(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by(|one, other| one["at"].as_f64().partial_cmp(&other["at"].as_f64()).expect("numbers"));
    lines
}

/// Every port begins once and ends once, and what leaves arrives; but for the ports of a process that was killed.
fn check_books(lines: &[Value], killed: Option<u64>) {
    let (mut alive, mut left, mut arrived) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    for line in lines {
        let pid = line["pid"].as_u64().expect("a pid");
        let port = (pid, line["port"].as_u64().expect("a port"));
        match text(line, "event") {
            "created" | "arrived" => assert_eq!(alive.insert(port, true), None, "{line}"),
            "left" | "closed" => assert_eq!(alive.insert(port, false), Some(true), "{line}"),
            "placed" | "posted" | "received" => assert_eq!(alive.get(&port), Some(&true), "{line}"),
            other => panic!("an event {other}"),
        }
        match text(line, "event") {
            "left" => assert!(left.insert(text(line, "ticket"))),
            "arrived" => assert!(arrived.insert(text(line, "ticket"))),
            _ => {}
        }
    }
    alive.retain(|(pid, _), alive| *alive && Some(*pid) != killed);
    assert!(alive.is_empty(), "never ended: {alive:?}");
    assert_eq!(left, arrived);
}

fn introduced() -> Outcome {
    let output = tempfile::tempdir().expect("a temporary folder");
    let file = output.path().join("ports.jsonl");
    // An earlier run's lines do not stay.
    fs::write(&file, "old\n").expect("write");
    let mut program =
        Running::start(inspected(&workspace().join("examples/worker-window"), &format!("--inspect-ports={}", file.display())));
    program.end_well();
    let lines = sorted(fs::read_to_string(&file).expect("the lines").lines().map(parse).collect());
    check_books(&lines, None);

    let of = |who: &str, event: &str| lines.iter().filter(|line| line["who"] == who && line["event"] == event).collect::<Vec<_>>();
    assert_eq!((of("main", "created").len(), of("main", "left").len()), (2, 2), "{lines:#?}");
    assert_eq!((of("main", "posted").len(), of("main", "received").len()), (0, 0), "main saw nothing of the conversation");
    // Three questions and three answers.
    assert_eq!((of("renderer", "posted").len(), of("renderer", "received").len()), (6, 6));
    for line in of("renderer", "posted").into_iter().chain(of("renderer", "received")) {
        let page = text(&line["where"], "url");
        assert!(page.ends_with("/page.html") || page.ends_with("/worker.html"), "{line}");
        assert_eq!(line["where"]["window"], if page.ends_with("/page.html") { 2 } else { 1 }, "{line}");
        assert!(line["bytes"].as_u64().is_some_and(|bytes| (4..40).contains(&bytes)), "{line}");
    }
    for line in of("renderer", "closed") {
        assert!(["unloaded", "crashed"].contains(&text(line, "reason")), "{line}");
    }
    Ok(())
}

fn killed() -> Outcome {
    let program = folder(&[
        (
            "main.js",
            "const { app, BrowserWindow, MessageChannelMain } = require('electron')
            app.whenReady().then(async () => {
              const window = new BrowserWindow({ webPreferences: { nodeIntegration: true } })
              await window.loadFile('page.html')
              const { port1, port2 } = new MessageChannelMain()
              window.webContents.postMessage('port', null, [port1])
              port2.on('message', () => console.log('pid', window.webContents.getOSProcessId()))
              port2.on('close', ({ reason }) => { console.log('heard', reason); app.quit() })
              port2.start()
            })",
        ),
        (
            "page.html",
            "<script>require('electron').ipcRenderer.on('port', ({ ports: [port] }) => { window.kept = port; port.postMessage('here') })</script>",
        ),
    ]);
    let mut running = Running::start(inspected(program.path(), "--inspect-ports"));
    let line = running.expect("pid ");
    let pid: i32 = line.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("it runs");
    running.expect("heard crashed");
    running.end_well();
    let output = running.output();
    let lines: Vec<_> = output.lines().filter(|line| line.starts_with("{\"at\"")).map(parse).collect();
    let lines = sorted(lines);
    let page = lines.iter().find(|line| line["who"] == "renderer").expect("the page's lines")["pid"].as_u64();
    check_books(&lines, page);
    let last = lines.last().expect("lines");
    assert_eq!(
        (text(last, "who"), text(last, "event"), text(last, "reason"), text(last, "by")),
        ("main", "closed", "crashed", "other end")
    );
    Ok(())
}

fn unwritable() -> Outcome {
    let mut command = run(&workspace().join("examples/port-basics"));
    command.arg("--inspect-ports=/nowhere/ports.jsonl");
    let mut program = Running::start(command);
    program.expect("strait: can't write the events of ports to /nowhere/ports.jsonl: No such file or directory");
    assert_eq!(program.end().code(), Some(1));
    Ok(())
}
