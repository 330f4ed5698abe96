//! Programs on an event loop of their own: [`Embedded`].
//!
//! Each case runs this program again as a program of its own, named by `STRAIT_TEST_PROGRAM`. Its loop is
//! poll(2) in the process's first thread, as Node's is.

#[path = "windows/display.rs"]
mod display;

use std::{
    env,
    io::Read as _,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    process::{Signal, getpid, kill_process},
};
use strait::{AppConfig, AppEvent, BrowserWindow, ContentsEvent, Delivery, Embedded, IpcEventKind, LoadFuture, StartError, WindowEvent};
use strait_ports::Event;

const PROGRAM: &str = "STRAIT_TEST_PROGRAM";
/// Exits of each kind: one that hangs does so one time in twelve.
const EXITS: usize = 20;
/// How many programs exit at the same time.
const SIDE_BY_SIDE: usize = 6;
/// How often the program is signalled.
const SIGNALS: u32 = 3;
/// Messages that a page and the program exchange over a port.
const ECHOES: u32 = 1000;

fn main() -> ExitCode {
    if let Ok(program) = env::var(PROGRAM) {
        return ExitCode::from(run(&program));
    }
    if env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    let cases: [(&str, fn()); 5] = [
        ("a_page_and_the_program_talk", || {
            let (code, out) = program("talk");
            assert_eq!((code, out.as_str()), (Some(0), "started\nloaded\ninvoked\nechoed 1000\nwill-quit\nquit 0\nended 0\n"));
        }),
        ("it_ends_with_its_windows_open", || {
            for _ in 0..EXITS {
                assert_eq!(program("finish"), (Some(3), "started\nloaded\nfinished\n".into()));
            }
        }),
        ("it_ends_before_windows_can_be_made", || {
            // Side by side: a busy machine delays the threads that the exit must not crash.
            std::thread::scope(|scope| {
                for _ in 0..SIDE_BY_SIDE {
                    scope.spawn(|| {
                        for _ in 0..EXITS {
                            assert_eq!(program("finish-at-once"), (Some(3), "finished\n".into()));
                        }
                    });
                }
            });
        }),
        ("without_a_display_the_program_says_what_to_do", || {
            assert_eq!(program("no-display"), (Some(1), "failed: no display\n".into()));
        }),
        ("the_signal_of_webkits_threads_is_the_programs_too", || {
            assert_eq!(program("signal"), (Some(0), "started\nloaded\nsignals: 3\nquit 0\nended 0\n".into()));
        }),
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

/// Runs this program as one of the programs below; gives its exit code and what it printed.
fn program(name: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env::current_exe().expect("own path"));
    command.env(PROGRAM, name).stdout(Stdio::piped());
    if name == "no-display" {
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    }
    let mut child = command.spawn().expect("it starts");
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
    (child.wait().expect("it ends").code(), out)
}

/// Wakes the loop.
struct Bell(OwnedFd);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        rustix::io::write(&self.0, &1u64.to_ne_bytes()).expect("a counter far from full");
    }
}

/// The program's loop.
struct Loop {
    embedded: Embedded,
    bell: Arc<Bell>,
}

impl Loop {
    fn start() -> Self {
        let bell = Arc::new(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("a descriptor")));
        let config = AppConfig::new(env::temp_dir()).name("embedded");
        let embedded = Embedded::start(config, Waker::from(bell.clone())).expect("it starts");
        Self { embedded, bell }
    }

    /// The next delivery; `None` when messages have been routed, by this thread or another one, and ports may have something.
    fn step(&mut self) -> Option<Delivery> {
        if let Some(delivery) = self.embedded.next_delivery() {
            return Some(delivery);
        }
        if !self.embedded.busy_poll() {
            let node = self.embedded.app().node().clone();
            let mut polled = [PollFd::new(&node, PollFlags::IN), PollFd::from_borrowed_fd(self.bell.0.as_fd(), PollFlags::IN)];
            poll(&mut polled, None).expect("it polls");
            // Its count says nothing that `next` does not.
            let _ = rustix::io::read(&self.bell.0, &mut [0; 8]);
            let _ = self.embedded.dispatch(Duration::from_millis(1)).expect("it routes");
        }
        None
    }

    /// The next delivery, however long it takes.
    fn delivery(&mut self) -> Delivery {
        loop {
            if let Some(delivery) = self.step() {
                return delivery;
            }
        }
    }

    fn until_started(&mut self) -> Result<(), StartError> {
        loop {
            match self.delivery() {
                Delivery::Started => {
                    println!("started");
                    return Ok(());
                }
                Delivery::Failed(error) => return Err(error),
                _ => {}
            }
        }
    }

    /// Waits for the load, which settles behind `did-finish-load`.
    fn until_loaded(&mut self, mut load: LoadFuture) {
        let mut finished = false;
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match self.delivery() {
                Delivery::Event(AppEvent::Contents { event: ContentsEvent::DidFinishLoad, .. }) => finished = true,
                Delivery::Settled => {
                    if let Poll::Ready(loaded) = Pin::new(&mut load).poll(&mut context) {
                        loaded.expect("the page loads");
                        assert!(finished, "the load settled before did-finish-load");
                        println!("loaded");
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    fn until_ended(mut self) -> u8 {
        loop {
            match self.delivery() {
                Delivery::Event(AppEvent::WillQuit(_)) => println!("will-quit"),
                Delivery::Event(AppEvent::Quit { code }) => println!("quit {code}"),
                Delivery::Ended(code) => {
                    println!("ended {code}");
                    self.embedded.finish();
                    return u8::try_from(code).expect("a small code");
                }
                _ => {}
            }
        }
    }

    fn window(&self) -> BrowserWindow {
        BrowserWindow::builder().node_integration(true).show(false).build(self.embedded.app())
    }
}

fn page(script: &str) -> std::path::PathBuf {
    let file = env::temp_dir().join(format!("strait-embedded-{}.html", std::process::id()));
    let html = format!("<!doctype html><script>const {{ ipcRenderer: ipc }} = require('electron'); {script}</script>");
    std::fs::write(&file, html).expect("the page can be written");
    file
}

fn run(name: &str) -> u8 {
    if name == "signal" {
        return signal();
    }
    let mut program = Loop::start();
    match name {
        "no-display" => {
            let Err(StartError::NoDisplay { .. }) = program.until_started() else { panic!("there is a display") };
            println!("failed: no display");
            program.embedded.finish();
            1
        }
        "finish-at-once" => {
            program.embedded.finish();
            println!("finished");
            3
        }
        "finish" => {
            program.until_started().expect("windows can be made");
            let file = page("");
            let load = program.window().load_file(&file);
            program.until_loaded(load);
            program.embedded.finish();
            std::fs::remove_file(file).expect("the page is there");
            println!("finished");
            3
        }
        "talk" => talk(program),
        other => panic!("no program is called {other}"),
    }
}

fn signal() -> u8 {
    // There before WebKit, as Node's handler is.
    let signalled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, signalled.clone()).expect("a handler");
    let mut program = Loop::start();
    program.until_started().expect("windows can be made");
    let file = page("const garbage = []; for (let i = 0; i < 1e6; i++) garbage[i % 1000] = { i };");
    let load = program.window().load_file(&file);
    program.until_loaded(load);
    std::fs::remove_file(file).expect("the page is there");
    for _ in 0..SIGNALS {
        kill_process(getpid(), Signal::USR1).expect("a signal to itself");
        while !signalled.swap(false, Ordering::Relaxed) {
            std::thread::yield_now();
        }
    }
    println!("signals: {SIGNALS}");
    program.embedded.app().exit(0);
    program.until_ended()
}

fn talk(mut program: Loop) -> u8 {
    program.until_started().expect("windows can be made");
    let script = "ipc.once('port', async ({ ports: [port] }) => {
        if (await ipc.invoke('add', 2, 3) !== 'five') return
        port.onmessage = ({ data }) => port.postMessage(data + 1)
        port.postMessage(0)
    })";
    let file = page(script);
    let window = program.window();
    let load = window.load_file(&file);
    program.until_loaded(load);
    std::fs::remove_file(file).expect("the page is there");
    let (port, theirs) = program.embedded.app().node().channel();
    let bell = program.bell.clone();
    port.on_ready(move || bell.clone().wake());
    window.web_contents().post_encoded("port", vec![0xff, 15, b'0'], vec![theirs]).map_err(|_| ()).expect("the page is there");
    let mut echoes = 0;
    loop {
        match program.step() {
            Some(Delivery::Event(AppEvent::Ipc(message))) => {
                let IpcEventKind::Invoke(responder) = message.kind else { panic!("an invoke") };
                println!("invoked");
                responder.resolve(vec![0xff, 15, b'"', 4, b'f', b'i', b'v', b'e']);
            }
            Some(Delivery::Event(AppEvent::Window { event: WindowEvent::Closed, .. })) => panic!("the window stays"),
            _ => {}
        }
        while let Some(event) = port.try_recv() {
            let Event::Message(message) = event else { panic!("the page is there") };
            echoes += 1;
            if echoes == ECHOES {
                println!("echoed {echoes}");
                program.embedded.app().quit();
                return program.until_ended();
            }
            port.post(message.data).expect("the page is there");
        }
    }
}
