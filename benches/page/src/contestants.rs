//! The pages that take part, and the processes that show them.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use strait_bench::Outcome;

use crate::chromium::Chromium;
use crate::desk::Desk;

/// A program opens its windows in a second or two; Chromium's first start on a machine under load takes longer.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(60);

/// A program with its process group, ended with this value.
pub(crate) struct Group(Child);

impl Group {
    pub(crate) fn start(command: &mut Command) -> Outcome<Group> {
        Ok(Group(command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn()?))
    }
}

impl Group {
    /// The process that was started.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// All that was started. Each page has a name at the desk.
pub(crate) struct Contestants {
    pub(crate) desk: Desk,
    /// `chromium`, where it is installed.
    pub(crate) chromium: Option<Chromium>,
    _windows: [Group; 2],
}

/// Names of pages of one kind.
macro_rules! pages {
    ($kind:literal) => {
        pages!($kind, 1 2 3 4 5 6 7 8)
    };
    ($kind:literal, $($number:literal)*) => {
        [$(concat!($kind, $number)),*]
    };
}

/// The page of a Rust program; its measuring page is the one that talks to another page too.
pub(crate) const RUST: &str = "rust";
/// Other pages of the Rust program, in the operating system's sandbox, each in a process of its own.
pub(crate) const SANDBOXED: [&str; 8] = pages!("sandboxed");
/// The same pages without the sandbox.
pub(crate) const UNSANDBOXED: [&str; 8] = pages!("unsandboxed");
/// A JavaScript program.
pub(crate) const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/program");
/// The page of a webview without us.
pub(crate) const WEBVIEW: &str = "webview";

impl Contestants {
    /// Starts all, and waits until they are there.
    pub(crate) fn start() -> Outcome<Contestants> {
        let desk = Desk::open()?;
        let window = |role: &str| window(&desk, role);
        let windows = [window("program")?, window("webview")?];
        for who in [RUST, WEBVIEW] {
            desk.await_page(who, START_LIMIT)?;
        }
        let chromium = Chromium::start(&desk)?;
        Ok(Contestants { desk, chromium, _windows: windows })
    }

    /// Starts the pages [`SANDBOXED`] and [`UNSANDBOXED`], for the row that compares them: they would slow others down.
    pub(crate) fn start_sandboxes(&self) -> Outcome<Group> {
        let group = window(&self.desk, "sandboxes")?;
        for who in SANDBOXED.into_iter().chain(UNSANDBOXED) {
            self.desk.await_page(who, START_LIMIT)?;
        }
        Ok(group)
    }
}

/// Starts a program of this executable.
fn window(desk: &Desk, role: &str) -> Outcome<Group> {
    Group::start(Command::new(env::current_exe()?).args(["--window", role, desk.base()]))
}
