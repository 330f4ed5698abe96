//! Chromium: a page and a frame of another site in it, which are two processes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, process};

use strait_bench::Outcome;

use crate::contestants::{Group, START_LIMIT};
use crate::desk::Desk;

/// The page's name at the desk.
pub(crate) const CHROMIUM: &str = "chromium";

const PROGRAMS: [&str; 2] = ["chromium", "chromium-browser"];

/// Nothing that it does of its own accord; no sandbox, which it refuses to have as root and which costs its messages nothing.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--site-per-process",
];

/// The frame is kept busy for so many milliseconds; the page's timer must not notice.
const BUSY: u32 = 400;

/// The running browser.
pub(crate) struct Chromium {
    _group: Group,
    _profile: Profile,
    /// What it calls itself.
    pub(crate) version: String,
}

/// A folder of its own, removed when it is done.
struct Profile(PathBuf);

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Chromium {
    /// `None`, and a line that says so, where it is not installed.
    pub(crate) fn start(desk: &Desk) -> Outcome<Option<Chromium>> {
        let Some(program) = PROGRAMS.into_iter().find(|name| on_path(name)) else {
            println!("  (chromium is not installed: it is left out. On Debian: sudo apt-get install chromium)");
            return Ok(None);
        };
        let version = Command::new(program).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let profile = Profile(env::temp_dir().join(format!("strait-bench-chromium-{}", process::id())));
        fs::create_dir(&profile.0)?;
        let mut command = Command::new(program);
        command.args(OPTIONS).arg(format!("--user-data-dir={}", profile.0.display()));
        command.arg(format!("{}chromium.html?who={CHROMIUM}", desk.base())).stderr(process::Stdio::null());
        let started = Chromium { _group: Group::start(&mut command)?, _profile: profile, version };
        desk.await_page(CHROMIUM, START_LIMIT)?;
        let gap = desk.order(CHROMIUM, "block", BUSY, START_LIMIT)?;
        if gap > Duration::from_millis(u64::from(BUSY) * 3 / 4) {
            return Err(format!("chromium has page and frame in one process: a timer waited {gap:?} for the other").into());
        }
        Ok(Some(started))
    }
}

fn on_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
