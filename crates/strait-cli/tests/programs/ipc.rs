//! The conversation between pages and main: its order, who waits for whom, and what is said when an answer will never come.

use std::fs;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::display::Display;
use crate::http::Server;
use crate::program::{Running, fixture, run, wait_for_end};
use crate::x11::X11;
use crate::{Outcome, Skip, Test, test};

/// How long a timer of a page may pause while main is busy for four seconds or more. Windows that waited for main would pause for all of them.
const PAUSE: f64 = 3000.0;

/// What main does not wait for comes much sooner on any machine; main itself is busy for longer than this if need be.
const NOT_FROZEN: Duration = Duration::from_secs(40);

/// Scenes of the `ipc` program, and what they print, in this order.
const SCENES: &[(&str, &[&str])] = &[
    ("order", &["1000 came, all in order", "answers, each counted what was sent before it"]),
    ("forwarded port", &["20 answers came through the port of a page that waited for them"]),
    ("own port", &["20 answers came through channels of a page that waited for them"]),
    (
        "no reply",
        &[
            "dropped: Error invoking remote method 'dropped': Error: reply was never sent",
            "dropped late: Error invoking remote method 'dropped late': Error: reply was never sent",
            "cycle: Error invoking remote method 'cycle': Error: reply was never sent",
            "sync: Error: reply was never sent",
            "between: Error invoking remote method 'dropped': Error: reply was never sent",
            "kept: value kept until now",
        ],
    ),
    ("caller gone", &["the new document: value answer for new", "settled: closed, crashed, reloaded, new"]),
];

/// What the scene of errors prints, in this order.
const TEXTS: &[&str] = &[
    "second handler: Error: Attempted to register a second handler for 'taken'",
    "handler undefined: TypeError: Expected handler to be a function, but found type 'undefined'",
    "handler null: TypeError: Expected handler to be a function, but found type 'object'",
    "handler 1: TypeError: Expected handler to be a function, but found type 'number'",
    "handler text: TypeError: Expected handler to be a function, but found type 'string'",
    "handler [object Object]: TypeError: Expected handler to be a function, but found type 'object'",
    "handleOnce: TypeError: Expected handler to be a function, but found type 'number'",
    "invoke nobody: Error invoking remote method 'nobody': Error: No handler registered for 'nobody'",
    "invoke throws: Error invoking remote method 'throws': TypeError: wrong kind",
    "invoke rejects: Error invoking remote method 'rejects': Error: not now",
    "invoke no error: Error invoking remote method 'no error': a text",
    "invoke uncloneable: Error invoking remote method 'uncloneable': Error: An object could not be cloned.",
    "once: value first, then Error invoking remote method 'once': Error: No handler registered for 'once'",
    "sendSync: returned undefined",
    "page send('x', () => {}): Error: An object could not be cloned.",
    "page send('x', Symbol()): Error: An object could not be cloned.",
    "page send('x', Promise.resolve()): Error: An object could not be cloned.",
    "page send('x', document): Error: An object could not be cloned.",
    "page send('x', new MessageChannel().port1): Error: An object could not be cloned.",
    "page send(): TypeError: Missing required channel argument",
    "page send(1): TypeError: Missing required channel argument",
    "page postMessage('x', null, [1]): TypeError: Invalid value for transfer",
    "page postMessage('x', null, [null]): TypeError: Invalid value for transfer",
    "page postMessage('x', null, {}): TypeError: Invalid value for transfer",
    "page sendSync('x', () => {}): Error: An object could not be cloned.",
    "page sendSync(): TypeError: Missing required channel argument",
    "page invoke: An object could not be cloned.",
    "frame gone post: Error: Render frame was disposed before WebFrameMain could be accessed",
    "frame gone url: Error: Render frame was disposed before WebFrameMain could be accessed",
    "contents gone: TypeError: Object has been destroyed",
];

/// What it prints of `webContents` and of its frame, each in this order.
const TARGET_TEXTS: &[&str] = &[
    "send: TypeError: Missing required channel argument",
    "send number: TypeError: Missing required channel argument",
    "send function: Error: An object could not be cloned.",
    "post: TypeError: Insufficient number of arguments",
    "post channel: TypeError: Insufficient number of arguments",
    "post number: TypeError: Error processing argument at index 0",
    "post function: Error: An object could not be cloned.",
    "post null: TypeError: Invalid value for transfer",
    "post object: TypeError: Invalid value for transfer",
    "post text: TypeError: Invalid value for transfer",
    "post number: TypeError: Invalid value for transfer",
    "post twice: Error: Port at index 2 is a duplicate.",
    "post neutered: Error: Port at index 1 is already neutered.",
    "still usable: returned undefined",
];

pub(crate) fn tests() -> Vec<Test> {
    let scenes = SCENES.iter().map(|(scene, lines)| {
        test(format!("ipc: {scene}"), || {
            let mut program = start(scene);
            program.expect_in_order(lines);
            program.expect("the scene is over");
            program.end_well();
            assert_eq!(program.count("had no turn"), 0, "{}", program.report());
            Ok(())
        })
    });
    let others = [
        test("ipc: errors in their own words", texts),
        test("ipc: main is killed while a page waits for it", killed),
        test("ipc: a busy main freezes no window", busy),
    ];
    scenes.chain(others).collect()
}

fn start(scene: &str) -> Running {
    let mut command = run(&fixture("ipc"));
    command.env("SCENE", scene);
    Running::start(command)
}

fn texts() -> Outcome {
    let mut program = start("texts");
    program.expect("the scene is over");
    program.expect_in_order(TEXTS);
    // On the other stream.
    program.expect("WebContents #1 called ipcRenderer.sendSync() with 'without listeners' channel without listeners.");
    for target in ["contents", "frame"] {
        let lines: Vec<String> = TARGET_TEXTS.iter().map(|text| format!("{target} {text}")).collect();
        program.expect_in_order(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    program.end_well();
    Ok(())
}

/// What waits in `sendSync` ends with main: it gets its error (the agent's own tests see that), and its process does not stay behind.
fn killed() -> Outcome {
    let mut program = start("killed");
    let line = program.expect("waits");
    let pid = line.split(' ').nth(1).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw).expect("the page's process");
    assert!(test_kill_process(pid).is_ok(), "the page's process is there; {}", program.report());
    kill_process(program.pid(), Signal::KILL).expect("kill main");
    let status = program.end();
    assert!(!status.success(), "{}", program.report());
    wait_for_end(pid);
    Ok(())
}

/// Main computes until it is told that this is enough; meanwhile a window is given other sizes and another is asked to close.
fn busy() -> Outcome {
    let Some(mut user) = Display::name().and_then(|display| X11::connect(display).ok()) else {
        return Err(Skip("needs an X server of this machine that asks for no cookie".into()));
    };
    let (sender, sizes) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = Server::start(move |request| {
        if request.path == "/size" {
            let _ = sender.lock().map(|sender| sender.send(request.body));
        }
        Some(("text/plain", String::new()))
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let enough = folder.path().join("enough");
    let mut command = run(&fixture("ipc"));
    command.env("SCENE", "busy").env("TEST_SERVER", server.origin()).env("ENOUGH", &enough);
    let mut program = Running::start(command);
    program.expect("main is busy");
    let mut window = |title: &str| {
        let deadline = Instant::now() + NOT_FROZEN;
        loop {
            if let Some(found) = user.find(title).expect("the X server answers") {
                break found;
            }
            assert!(Instant::now() < deadline, "no window {title:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let (two, three) = (window("busy two"), window("busy three"));
    user.close(three).expect("ask it to close");
    for (width, height) in [(500, 350), (620, 410), (450, 333)] {
        user.resize(two, width, height).expect("resize it");
        let expected = format!("two {width}x{height}");
        // Sizes on the way are reported too, as many as the page was told.
        while sizes.recv_timeout(NOT_FROZEN).unwrap_or_else(|_| panic!("no {expected}; {}", program.report())) != expected {}
    }
    assert!(!program.has("main is free", Duration::ZERO), "all sizes were there before main was free; {}", program.report());
    fs::write(&enough, "").expect("write a file");
    program.expect_in_order(&["main is free", "three is closed"]);
    for name in ["one", "two"] {
        let line = program.expect(&format!("{name}: longest pause"));
        let pauses: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert!(pauses.len() == 2 && pauses.iter().all(|pause| *pause < PAUSE), "{line}");
    }
    program.end_well();
    Ok(())
}
