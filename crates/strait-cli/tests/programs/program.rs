//! A program under test: its files, its process, its output.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::display::Display;

/// Longest wait for a single thing to happen. A first window takes half a second; the rest is for machines under load.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The binary under test.
pub(crate) fn strait() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_strait"))
}

/// A program that stands under `fixtures/`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/fixtures").join(name)
}

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// A temporary folder with these files in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("create a folder");
        fs::write(&path, text).expect("write a file");
    }
    folder
}

/// `strait run PATH`.
pub(crate) fn run(path: &Path) -> Command {
    let mut command = Command::new(strait());
    command.arg("run").arg(path);
    command
}

/// A program that is running. Dropping it ends it and everything it started.
pub(crate) struct Running {
    child: Child,
    events: Receiver<Event>,
    lines: Vec<String>,
    /// Those of standard output.
    printed: Vec<String>,
    status: Option<ExitStatus>,
    open_streams: u8,
}

enum Event {
    Printed(String),
    Reported(String),
    EndOfStream,
}

impl Running {
    /// Starts `command` on the display of this run.
    pub(crate) fn start(mut command: Command) -> Running {
        Display::give_to(&mut command);
        Running::start_bare(command)
    }

    /// Starts `command` in the environment it has.
    pub(crate) fn start_bare(mut command: Command) -> Running {
        command.stdin(Stdio::null());
        Running::watch(command)
    }

    /// The same with a standard input that can be written.
    pub(crate) fn start_with_input(mut command: Command) -> (Running, ChildStdin) {
        command.stdin(Stdio::piped());
        let mut running = Running::watch(command);
        let input = running.child.stdin.take().expect("piped");
        (running, input)
    }

    fn watch(mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, events) = mpsc::channel();
        read_lines(child.stdout.take(), Event::Printed, sender.clone());
        read_lines(child.stderr.take(), Event::Reported, sender);
        Running { child, events, lines: Vec::new(), printed: Vec::new(), status: None, open_streams: 2 }
    }

    /// The main process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until a line contains `text`; gives the line.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        self.expect_within(text, PATIENCE)
    }

    /// [`Running::expect`] with a limit of its own.
    pub(crate) fn expect_within(&mut self, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        let mut next = 0;
        loop {
            if let Some(line) = self.lines[next..].iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            next = self.lines.len();
            if !self.advance(deadline) {
                panic!("no line with {text:?} within {limit:?}; {}", self.report());
            }
        }
    }

    /// Waits until lines with these texts have come, in this order, other lines between them allowed.
    pub(crate) fn expect_in_order(&mut self, texts: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        let mut next = 0;
        for text in texts {
            loop {
                if let Some(found) = self.lines[next..].iter().position(|line| line.contains(text)) {
                    next += found + 1;
                    break;
                }
                if !self.advance(deadline) {
                    panic!("{text:?} did not come in its turn; {}", self.report());
                }
            }
        }
    }

    /// Waits for the program to end and for the last of its output.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.end_within(PATIENCE)
    }

    /// [`Running::end`] with a limit of its own.
    pub(crate) fn end_within(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        while self.open_streams > 0 {
            if !self.advance(deadline) && self.open_streams > 0 {
                panic!("still running after {limit:?}; {}", self.report());
            }
        }
        // Both streams have ended: the process has too, or is about to.
        *self.status.get_or_insert_with(|| self.child.wait().expect("wait for the program"))
    }

    /// Waits for the end and asserts that it was a good one.
    pub(crate) fn end_well(&mut self) {
        let status = self.end();
        assert!(status.success(), "ended with {status}; {}", self.report());
    }

    /// Has a line that contains `text` come, or does one come within `limit`?
    pub(crate) fn has(&mut self, text: &str, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.count(text) == 0 {
            if !self.advance(deadline) {
                return false;
            }
        }
        true
    }

    /// How many lines so far contain `text`.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.lines.iter().filter(|line| line.contains(text)).count()
    }

    /// Everything printed so far.
    pub(crate) fn output(&self) -> String {
        self.lines.join("\n")
    }

    /// The lines of standard output so far.
    pub(crate) fn printed(&self) -> &[String] {
        &self.printed
    }

    /// What was printed so far, for a failure's message: the beginning and the end of it.
    pub(crate) fn report(&self) -> String {
        const SHOWN: usize = 40;
        let (first, rest) = self.lines.split_at(self.lines.len().min(SHOWN));
        let last = &rest[rest.len().saturating_sub(SHOWN)..];
        let left_out = match rest.len() - last.len() {
            0 => String::new(),
            count => format!("\n    ({count} lines left out)"),
        };
        let shown = |lines: &[String]| lines.iter().map(|line| format!("\n    {line:.300}")).collect::<String>();
        format!("output so far:{}{left_out}{}", shown(first), shown(last))
    }

    /// Takes one event in; false when the deadline has passed or nothing more can come.
    fn advance(&mut self, deadline: Instant) -> bool {
        if self.open_streams == 0 {
            return false;
        }
        match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Printed(line)) => {
                self.printed.push(line.clone());
                self.lines.push(line);
            }
            Ok(Event::Reported(line)) => self.lines.push(line),
            Ok(Event::EndOfStream) => self.open_streams -= 1,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => self.open_streams = 0,
        }
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn read_lines(stream: Option<impl Read + Send + 'static>, line_of: fn(String) -> Event, events: Sender<Event>) {
    let mut stream = BufReader::new(stream.expect("piped"));
    thread::spawn(move || {
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if events.send(line_of(line)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::EndOfStream);
    });
}

/// Waits until no process has this id, or what has it only waits for its parent to take note of its end.
pub(crate) fn wait_for_end(pid: Pid) {
    let deadline = Instant::now() + PATIENCE;
    let lives = || match fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) {
        Ok(stat) => !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')),
        Err(_) => false,
    };
    while lives() {
        assert!(Instant::now() < deadline, "process {} goes on", pid.as_raw_nonzero());
        thread::sleep(Duration::from_millis(5));
    }
}

/// For messages: a status that says what ended the process.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".into(),
    }
}
