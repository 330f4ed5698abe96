//! How programs begin and end: exit codes, who is asked in which order, a missing display, two programs at once.
//!
//! Each case runs this program again as a program of its own, told by `STRAIT_TEST_PROGRAM` what to be.

#[path = "windows/display.rs"]
mod display;

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use strait::{App, AppConfig, AppEvent, BrowserWindow, WindowEvent};

/// How long one program may run.
const TIMEOUT: Duration = Duration::from_secs(120);

const PAGE: &str = "data:text/html,<title>page</title>";

fn main() -> ExitCode {
    if let Ok(program) = env::var("STRAIT_TEST_PROGRAM") {
        return run_program(&program);
    }
    if env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    let cases: [(&str, fn()); 9] = [
        ("without_a_display_there_is_a_hint", no_display),
        ("the_last_window_ends_the_program", last_window),
        ("quit_asks_in_order", quit_order),
        ("a_prevented_close_stops_quitting", prevented),
        ("exit_ends_at_once_with_its_code", exit_code),
        ("a_page_that_loops_ends_with_the_program", endless_page),
        ("an_error_of_the_program_ends_it_with_1", error_code),
        ("panics_end_it_with_101", panic_code),
        ("two_programs_do_not_disturb_each_other", two_at_once),
    ];
    let mut failed = 0;
    for (name, case) in cases {
        let outcome = std::panic::catch_unwind(case);
        println!("test {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        failed += usize::from(outcome.is_err());
    }
    println!("{} passed, {failed} failed", cases.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn spawn(program: &str) -> Child {
    Command::new(env::current_exe().expect("own path"))
        .env("STRAIT_TEST_PROGRAM", program)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Its exit code and what it wrote.
fn finish(mut child: Child) -> (Option<i32>, String, String) {
    let started = Instant::now();
    let code = loop {
        match child.try_wait().expect("it can be waited for") {
            Some(status) => break status.code(),
            None if started.elapsed() > TIMEOUT => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("it does not end");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    (code, out, err)
}

fn no_display() {
    let child = Command::new(env::current_exe().expect("own path"))
        .env("STRAIT_TEST_PROGRAM", "last-window")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (code, _, err) = finish(child);
    assert_eq!(code, Some(1));
    assert!(err.contains("neither DISPLAY nor WAYLAND_DISPLAY is set") && err.contains("xvfb-run"), "{err}");
}

fn last_window() {
    let (code, out, err) = finish(spawn("last-window"));
    assert_eq!((code, out.as_str()), (Some(0), "quit 0\n"), "{err}");
}

fn quit_order() {
    let (code, out, err) = finish(spawn("quit-order"));
    let expected = "before-quit\nclose 1\nclose 2\nclosed\nclosed\nwill-quit\nquit 0\n";
    assert_eq!((code, out.as_str()), (Some(0), expected), "{err}");
}

fn prevented() {
    let (code, out, err) = finish(spawn("prevented"));
    assert_eq!((code, out.as_str()), (Some(0), "kept\nquitting: false\nquit 0\n"), "{err}");
}

fn exit_code() {
    let (code, out, err) = finish(spawn("exit"));
    assert_eq!((code, out.as_str()), (Some(7), "quit 7\n"), "{err}");
}

fn endless_page() {
    let mut program = spawn("endless");
    let mut pid = String::new();
    let mut out = BufReader::new(program.stdout.take().expect("piped"));
    out.read_line(&mut pid).expect("a line");
    let pid = pid.trim();
    // Not by the end of its output, which the page's process holds too.
    assert_eq!(program.wait().expect("it ends").code(), Some(0));
    let ended = Instant::now();
    while runs(pid) {
        assert!(ended.elapsed() < Duration::from_secs(30), "process {pid} goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether there is a process of this number that is more than an entry for its parent to read.
fn runs(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X'])))
}

fn error_code() {
    let (code, _, err) = finish(spawn("error"));
    assert_eq!(code, Some(1));
    assert!(err.contains("Error: no such thing"), "{err}");
}

fn panic_code() {
    for (program, text) in [("panic", "in main"), ("panic-handler", "in a handler"), ("panic-answer", "in an answer")] {
        let (code, _, err) = finish(spawn(program));
        assert_eq!(code, Some(101), "{program}: {err}");
        assert!(err.contains(text), "{program}: {err}");
    }
}

fn two_at_once() {
    let mut programs = [spawn("waits"), spawn("waits")];
    for program in &mut programs {
        let mut line = String::new();
        let out = program.stdout.as_mut().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert_eq!(line, "loaded\n");
    }
    // The first ends while the second goes on.
    for mut program in programs {
        program.stdin.take().expect("piped").write_all(b"go on\n").expect("it reads");
        let (code, out, err) = finish(program);
        assert_eq!((code, out.as_str()), (Some(0), "2\nquit 0\n"), "{err}");
    }
}

fn run_program(program: &str) -> ExitCode {
    let program = program.to_owned();
    let config = AppConfig::new(env::temp_dir()).name("ends test");
    let code = App::run(config, move |app| async move {
        app.on_quit(|code| println!("quit {code}"));
        let window = BrowserWindow::builder().show(false).node_integration(true).build(&app);
        window.load_url(PAGE).await.expect("it loads");
        match program.as_str() {
            "last-window" => window.close(),
            "quit-order" => quit_order_program(&app, &window),
            "prevented" => prevented_program(&app, &window),
            "exit" => {
                window.on_close(|_| println!("asked"));
                app.on_before_quit(|_| println!("asked"));
                app.exit(7);
            }
            "endless" => {
                println!("{}", window.web_contents().os_process_id().expect("it has a process"));
                let (told, begun) = tokio::sync::oneshot::channel();
                let mut told = Some(told);
                app.ipc_main().on("begun", move |_, _| {
                    if let Some(told) = told.take() {
                        told.send(()).expect("somebody waits");
                    }
                });
                let script = "require('electron').ipcRenderer.send('begun'); while (true);";
                drop(window.web_contents().execute_javascript(script));
                begun.await.expect("it begins");
                app.exit(0);
            }
            "error" => return Err("no such thing"),
            "panic" => panic!("in main"),
            "panic-handler" => {
                window.on_close(|_| panic!("in a handler"));
                window.close();
            }
            "panic-answer" => {
                app.ipc_main().handle("ask", |_, _| async { panic!("in an answer") as Result<_, String> }).expect("the first");
                let _ = window.web_contents().execute_javascript("require('electron').ipcRenderer.invoke('ask')").await;
            }
            "waits" => {
                println!("loaded");
                tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.expect("read").expect("a line");
                let two = window.web_contents().execute_javascript("1 + 1").await.expect("it runs");
                println!("{}", two.as_f64().expect("a number"));
                window.close();
            }
            other => panic!("no program {other}"),
        }
        Ok(())
    });
    match code {
        Ok(code) => ExitCode::from(u8::try_from(code).expect("a small code")),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything through the sink.
fn quit_order_program(app: &App, window: &BrowserWindow) {
    BrowserWindow::builder().show(false).build(app);
    app.set_event_sink(|event| match event {
        AppEvent::BeforeQuit(_) => println!("before-quit"),
        AppEvent::WindowClose { window, .. } => println!("close {}", window.id().get()),
        AppEvent::Window { event: WindowEvent::Closed, .. } => println!("closed"),
        AppEvent::WindowAllClosed(_) => println!("all closed: not to be told while quitting"),
        AppEvent::WillQuit(_) => println!("will-quit"),
        AppEvent::Quit { code } => println!("quit {code}"),
        _ => {}
    });
    window.app().quit();
    window.app().quit();
}

/// The first attempt is prevented, the second succeeds.
fn prevented_program(app: &App, window: &BrowserWindow) {
    let (again, mut kept) = (app.clone(), false);
    window.on_close(move |event| {
        if !std::mem::replace(&mut kept, true) {
            event.prevent_default();
            println!("kept");
            let app = again.clone();
            tokio::task::spawn_local(async move {
                println!("quitting: {}", app.is_quitting());
                app.quit();
            });
        }
    });
    app.quit();
}
