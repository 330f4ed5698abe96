//! Where do windows go: the present display, or an X server of our own without a screen.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::Pid;

/// Xvfb is up in well under a second; a machine under load gets more.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Ends Xvfb when its own standard input ends. As that is a pipe from us, Xvfb goes when we go, however that happens.
const WATCHDOG: &str = r#"Xvfb "$@" & server=$!; exec >/dev/null; cat; kill $server; wait $server"#;

/// A display that child processes can be given.
pub(crate) enum Display {
    /// The one this process was started under.
    Present,
    /// An Xvfb that lives as long as this value.
    Own {
        /// `:N`
        name: String,
        watchdog: Child,
    },
}

impl Display {
    /// The present display, or an own one where there is none.
    pub(crate) fn present_or_own() -> Result<Display, String> {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("DISPLAY") || set("WAYLAND_DISPLAY") { Ok(Display::Present) } else { Display::own() }
    }

    /// Starts Xvfb on a free display.
    pub(crate) fn own() -> Result<Display, String> {
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let (number, inbox) = mpsc::channel();
        let output = watchdog.stdout.take();
        thread::spawn(move || {
            let mut line = String::new();
            if let Some(output) = output {
                let _ = BufReader::new(output).read_line(&mut line);
            }
            let _ = number.send(line.trim().to_owned());
        });
        match inbox.recv_timeout(START_LIMIT) {
            Ok(number) if !number.is_empty() => Ok(Display::Own { name: format!(":{number}"), watchdog }),
            _ => {
                end(&mut watchdog);
                Err("Xvfb did not start; to see why, type: Xvfb -displayfd 1".into())
            }
        }
    }

    /// Puts `command` on this display.
    pub(crate) fn give_to(&self, command: &mut Command) {
        if let Display::Own { name, .. } = self {
            command.env("DISPLAY", name).env("GDK_BACKEND", "x11").env_remove("WAYLAND_DISPLAY");
            // No screen, so no graphics card; and no accessibility bus to ask for.
            command.env("LIBGL_ALWAYS_SOFTWARE", "1").env("NO_AT_BRIDGE", "1");
        }
    }

    /// The root of the process tree that holds this display up.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        match self {
            Display::Present => Vec::new(),
            Display::Own { watchdog, .. } => vec![Pid::from_child(watchdog)],
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Display::Own { watchdog, .. } = self {
            end(watchdog);
        }
    }
}

fn end(watchdog: &mut Child) {
    drop(watchdog.stdin.take());
    let _ = watchdog.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xvfb_comes_and_goes() {
        let display = Display::own().unwrap();
        let Display::Own { name, .. } = &display else { panic!("an own display") };
        let socket = format!("/tmp/.X11-unix/X{}", &name[1..]);
        assert!(std::path::Path::new(&socket).exists(), "{socket}");
        drop(display);
        assert!(!std::path::Path::new(&socket).exists(), "{socket}");
    }
}
