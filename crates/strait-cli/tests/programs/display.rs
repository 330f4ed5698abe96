//! The X server the programs under test show their windows on.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Ends Xvfb when its own standard input ends, which is when this process does.
const WATCHDOG: &str = r#"Xvfb "$@" & server=$!; exec >/dev/null; cat; kill $server; wait $server"#;

static NAME: OnceLock<String> = OnceLock::new();

/// The display of the programs under test.
pub(crate) struct Display {
    name: String,
    watchdog: Option<Child>,
}

impl Display {
    /// The one this process was given (`cargo xtask test` starts one), or an own one.
    pub(crate) fn present_or_own() -> Display {
        if let Some(name) = env::var("DISPLAY").ok().filter(|name| !name.is_empty()) {
            return Display { name, watchdog: None };
        }
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let mut number = String::new();
        // Ends when Xvfb has written its number, and also when it could not start.
        BufReader::new(watchdog.stdout.take().expect("piped")).read_line(&mut number).expect("read Xvfb's display number");
        assert!(!number.is_empty(), "Xvfb did not start");
        Display { name: format!(":{}", number.trim()), watchdog: Some(watchdog) }
    }

    /// From now on programs start here.
    pub(crate) fn take_part(&self) {
        let _ = NAME.set(self.name.clone());
    }

    /// What programs start on.
    pub(crate) fn name() -> Option<&'static str> {
        NAME.get().map(String::as_str)
    }

    /// Puts `command` on the display of this run.
    pub(crate) fn give_to(command: &mut Command) {
        if let Some(name) = NAME.get() {
            command.env("DISPLAY", name).env("GDK_BACKEND", "x11").env("NO_AT_BRIDGE", "1").env_remove("WAYLAND_DISPLAY");
        }
    }

    /// Leaves `command` without any display.
    pub(crate) fn take_from(command: &mut Command) {
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("GDK_BACKEND");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
    }
}
