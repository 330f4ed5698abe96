//! Every way to end a program, many times: the code is right, nothing crashes or hangs, and nothing is left: no process, no folder.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Running, folder, run, wait_for_end};
use crate::{Outcome, Test, test};

/// How often each way is taken; with `STRAIT_LONG` the second number.
const EXITS: [usize; 2] = [8, 500];
/// How many programs end at the same time: more than there are processors, so that some are delayed.
const SIDE_BY_SIDE: usize = 4;
/// In the environment of a program, and of all that it starts.
const MARK: &str = "STRAIT_TEST_EXIT";

/// A way: what the program does once its window is there and its child runs, the signals it is sent, each when it has printed a text, and its exit code.
struct Way {
    name: &'static str,
    does: &'static str,
    signals: &'static [(&'static str, Signal)],
    code: i32,
}

const WAYS: &[Way] = &[
    Way { name: "app.quit", does: "app.quit()", signals: &[], code: 0 },
    Way { name: "app.exit", does: "app.exit(7)", signals: &[], code: 7 },
    Way { name: "process.exit", does: "process.exit(7)", signals: &[], code: 7 },
    Way { name: "the last window closes", does: "window.close()", signals: &[], code: 0 },
    Way { name: "an error that nobody catches", does: "setTimeout(() => { throw new Error('on purpose') })", signals: &[], code: 1 },
    Way { name: "a rejection that nobody handles", does: "Promise.reject(new Error('on purpose'))", signals: &[], code: 1 },
    Way { name: "SIGTERM", does: "", signals: &[("here", Signal::TERM)], code: 0 },
    Way { name: "SIGINT", does: "", signals: &[("here", Signal::INT)], code: 0 },
    Way {
        name: "SIGTERM twice, refused once",
        does: "app.on('before-quit', (event) => { event.preventDefault(); console.log('refused') })",
        signals: &[("here", Signal::TERM), ("refused", Signal::TERM)],
        code: 128 + 15,
    },
    Way { name: "app.exit before windows can be made", does: "early app.exit(7)", signals: &[], code: 7 },
    Way { name: "process.exit before windows can be made", does: "early process.exit(7)", signals: &[], code: 7 },
];

pub(crate) fn tests() -> Vec<Test> {
    WAYS.iter().map(|way| test(format!("exits: {}", way.name), || exits(way))).collect()
}

fn exits(way: &'static Way) -> Outcome {
    let main = match way.does.strip_prefix("early ") {
        Some(does) => format!("const {{ app }} = require('electron')\n{does}\n"),
        None => format!(
            "const {{ app, BrowserWindow, utilityProcess }} = require('electron')
            app.whenReady().then(async () => {{
              const child = utilityProcess.fork(__dirname + '/child.js')
              child.on('message', () => {{ }})
              const window = new BrowserWindow({{ show: false }})
              await Promise.all([window.loadFile('page.html'), new Promise((resolve) => child.once('message', resolve))])
              {}
              console.log('here')
            }})",
            way.does
        ),
    };
    let child = "process.parentPort.on('message', () => {})\nprocess.parentPort.postMessage('here')";
    let program = folder(&[("main.js", &main), ("child.js", child), ("page.html", "<title>page</title>")]);
    let exits = EXITS[usize::from(env::var_os("STRAIT_LONG").is_some())];
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < exits {
                    exit(way, program.path());
                }
            });
        }
    });
    Ok(())
}

fn exit(way: &Way, program: &Path) {
    let runtime = folder(&[]);
    let mark = runtime.path().to_string_lossy().into_owned();
    let mut command = run(&program.join("main.js"));
    command.env(MARK, &mark).env("XDG_RUNTIME_DIR", runtime.path());
    let mut running = Running::start(command);
    for (text, signal) in way.signals {
        running.expect(text);
        kill_process(running.pid(), *signal).expect("it runs");
    }
    let status = running.end();
    assert_eq!(status.code(), Some(way.code), "{status}; {}", running.report());
    // What the program has killed at its end may be on its way out.
    for process in marked(&mark) {
        wait_for_end(process);
    }
    let folders: Vec<_> = fs::read_dir(runtime.path()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(!folders.iter().any(|name| name.to_string_lossy().starts_with("strait-")), "left behind: {folders:?}");
}

/// The processes that the program has started, and that have not ended.
fn marked(mark: &str) -> Vec<Pid> {
    let wanted = format!("{MARK}={mark}").into_bytes();
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let marked = processes.filter(|process| {
        fs::read(process.join("environ")).is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == wanted))
    });
    marked.filter_map(|process| process.file_name()?.to_str()?.parse().ok().and_then(Pid::from_raw)).collect()
}
