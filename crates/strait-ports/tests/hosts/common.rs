//! What all of these tests need.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use strait_ports::{CloseReason, Event, Port};

pub(crate) const ROLE: &str = "STRAIT_TEST_ROLE";
/// Nothing in these tests takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What children say on their standard output begins so: the test harness speaks there, too.
const MARK: &str = "@ ";

pub(crate) fn say(what: impl std::fmt::Display) {
    println!("\n{MARK}{what}");
}

/// An error with all that it was caused by.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// A command that plays a role.
pub(crate) fn role(role: &str) -> Command {
    role_of(&std::env::current_exe().unwrap(), role)
}

pub(crate) fn role_of(program: &Path, role: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// A child that is gone at the latest when this is.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Waits for its end: what it said, and its exit code (`None` if a signal ended it).
    pub(crate) fn ends(&mut self) -> (Vec<String>, Option<i32>) {
        let mut output = String::new();
        let reader = self.0.stdout.take().map(|mut stdout| {
            std::thread::spawn(move || {
                stdout.read_to_string(&mut output).unwrap();
                output
            })
        });
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the child does not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        let output = reader.map(|reader| reader.join().unwrap()).unwrap_or_default();
        (output.lines().filter_map(|line| line.strip_prefix(MARK)).map(str::to_owned).collect(), status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a role says; it must end well.
pub(crate) fn output(command: &mut Command) -> Vec<String> {
    let (said, code) = Process::start(command).ends();
    assert_eq!(code, Some(0), "{said:?}");
    said
}

pub(crate) fn next(port: &Port) -> Event {
    port.recv_blocking(Some(PATIENCE)).unwrap()
}

pub(crate) fn data(port: &Port) -> Vec<u8> {
    match next(port) {
        Event::Message(message) => message.data,
        Event::Close(reason) => panic!("closed: {reason}"),
    }
}

pub(crate) fn close(port: &Port) -> CloseReason {
    match next(port) {
        Event::Message(message) => panic!("not a close: {message:?}"),
        Event::Close(reason) => reason,
    }
}

/// A folder that goes with this.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("strait-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
