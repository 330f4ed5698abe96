//! The operating system's sandbox around web processes: whether it works on this machine, which
//! windows use it, and whether a process is in it.
//!
//! WebKit starts a sandboxed web process through bubblewrap. A bubblewrap that fails ends this
//! process. In some environments (containers, Snap) WebKit starts an unsandboxed process without an
//! error. So bubblewrap is tried before the first window, and each process that connects is checked
//! in `/proc`.

use std::{
    env, fs, io,
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{LoadError, WebPreferences, ffi, printable, shared::SharedRef};

/// The program that WebKit starts, independent of `PATH`.
const BWRAP: &str = "/usr/bin/bwrap";
/// The program that WebKit starts beside it where there is a session bus, independent of `PATH`.
const DBUS_PROXY: &str = "/usr/bin/xdg-dbus-proxy";
/// The folder of X servers' sockets: the only ones that a sandboxed process can reach.
const X_SOCKETS: &str = "/tmp/.X11-unix";
/// WebKit lets a sandboxed process write into the folder of the file in this variable, GStreamer's
/// list of plugins. Without the variable that is the user's whole cache folder.
const PLUGIN_LIST: &str = "GST_REGISTRY";
/// A file in a folder that cannot exist. So there is no folder to write into, and each process
/// finds the plugins by itself.
const NO_PLUGIN_LIST: &str = "/proc/strait/registry.bin";
/// Arguments for the trial: the namespaces that WebKit requests. The trial ends with this process.
const TRIAL: [&str; 12] = [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "/bin/true",
];
/// The variable that makes WebKit omit its sandbox.
const DISABLING: &str = "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS";

/// The command-line switch that turns the sandbox off: Electron's.
pub const NO_SANDBOX: &str = "--no-sandbox";

/// [`LoadError::description`] of a load that requires the sandbox where it is not available.
pub(crate) const UNAVAILABLE: &str = "ERR_SANDBOX_UNAVAILABLE";

/// The state of sandboxing in this program and on this machine.
#[derive(Debug, Default)]
pub(crate) struct Sandbox {
    /// The program was started with [`NO_SANDBOX`].
    off: bool,
    /// The X display of the windows, if they are on one.
    display: OnceLock<String>,
    /// Whether bubblewrap works, once that was tried.
    trial: OnceLock<Result<(), String>>,
    warned: AtomicBool,
}

/// How a window's web process is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Confinement {
    /// In WebKit's sandbox.
    Sandboxed,
    /// As any other process of the user.
    Unsandboxed,
    /// The same, although the window would be sandboxed on another machine.
    Exposed {
        /// Why it cannot be sandboxed here.
        reason: String,
    },
    /// Not started: the window's loads fail.
    Refused {
        /// Why it cannot be sandboxed here.
        reason: String,
    },
}

/// How a window's process runs. `available` is called only for windows that need a sandbox.
fn decide(preferences: &WebPreferences, off: bool, available: impl FnOnce() -> Result<(), String>) -> Confinement {
    if off || !preferences.sandboxed() {
        return Confinement::Unsandboxed;
    }
    match available() {
        Ok(()) => Confinement::Sandboxed,
        Err(reason) if preferences.sandbox == Some(true) => Confinement::Refused { reason },
        Err(reason) => Confinement::Exposed { reason },
    }
}

impl Sandbox {
    pub(crate) fn new(off: bool) -> Self {
        Self { off, ..Self::default() }
    }

    /// Checks on another thread, before the first window needs it, whether sandboxes work for
    /// windows on this display (if it is an X display).
    pub(crate) fn prepare(shared: &SharedRef, display: Option<String>) {
        let shared = shared.clone();
        if let Some(display) = display {
            let _ = shared.sandbox.display.set(display);
        }
        // If no thread can be started, the first window makes the check.
        let _ = thread::Builder::new().name("strait-bwrap".into()).spawn(move || drop(shared.sandbox.available()));
    }

    fn available(&self) -> Result<(), String> {
        if self.off {
            return Ok(());
        }
        self.trial.get_or_init(|| try_out().and_then(|()| self.display.get().map_or(Ok(()), |display| try_display(display)))).clone()
    }

    /// How the process of a window with these preferences starts. Warns once if it should be
    /// sandboxed and cannot be.
    pub(crate) fn confine(&self, preferences: &WebPreferences) -> Confinement {
        let confinement = decide(preferences, self.off, || self.available());
        if let Confinement::Exposed { reason } = &confinement {
            self.warn(reason);
        }
        confinement
    }

    /// Warns, once, that windows run without a sandbox.
    pub(crate) fn warn(&self, reason: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            strait_output::report!(
                "strait: windows run without the operating system's sandbox: {}; make it available, or start the program with {NO_SANDBOX} \
                 to run without it and without this warning",
                printable(reason)
            );
        }
    }

    /// How to treat a window whose process is `confined` or not.
    pub(crate) fn judge(&self, preferences: &WebPreferences, confined: bool) -> Confinement {
        let found = || if confined { Ok(()) } else { Err(format!("WebKit has started a web process without it, although {BWRAP} works")) };
        // The decision of the window's creation stays.
        match decide(preferences, self.off, || self.available()) {
            Confinement::Sandboxed => decide(preferences, self.off, found),
            decided => decided,
        }
    }
}

impl LoadError {
    /// The load requires a sandbox, and none is available.
    pub(crate) fn no_sandbox(url: &str, reason: &str) -> Self {
        let detail = format!(
            "webPreferences.sandbox is true, and the operating system's sandbox is not available: {reason}; make it available, or start the \
             program with {NO_SANDBOX} to run all windows without it"
        );
        Self { url: url.into(), code: -2, description: UNAVAILABLE.into(), detail }
    }
}

/// Whether WebKit can start sandboxed processes here.
fn try_out() -> Result<(), String> {
    if env::var_os(DISABLING).is_some_and(|value| value == "1") {
        return Err(format!("the environment variable {DISABLING} is 1"));
    }
    try_program(BWRAP, &TRIAL, "bubblewrap")?;
    try_program(DBUS_PROXY, &["--version"], "xdg-dbus-proxy")
}

/// Whether a program of a Debian package can be run and succeeds.
fn try_program(program: &str, arguments: &[&str], package: &str) -> Result<(), String> {
    let tried = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).output();
    let output = tried.map_err(|error| format!("{program} (package {package}) cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    match said.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Err(format!("{program} failed: {line}")),
        None => Err(format!("{program} failed: {}", output.status)),
    }
}

/// Whether a sandboxed process can reach the X server of a display. One that cannot ends at once,
/// and WebKit ends this process with it.
fn try_display(display: &str) -> Result<(), String> {
    let number = display.strip_prefix(':').map(|rest| rest.split('.').next().unwrap_or(rest));
    let Some(number) = number.filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) else {
        return Err(format!("the X display {display} is not on this machine, and a sandboxed process has no network"));
    };
    let socket = format!("{X_SOCKETS}/X{number}");
    UnixStream::connect(&socket).map(drop).map_err(|error| format!("the X server's socket {socket} cannot be reached: {error}"))
}

/// Keeps sandboxed processes out of the user's cache folder, which WebKit would give them. Must be
/// called before there are other threads.
pub(crate) fn withhold_caches() {
    ffi::set_variable(PLUGIN_LIST, NO_PLUGIN_LIST);
}

/// Whether a process is in WebKit's sandbox, by the system's report.
///
/// # Errors
/// The process's state cannot be read: it has ended.
pub(crate) fn is_confined(pid: i32) -> io::Result<bool> {
    let status = |process: &str| fs::read_to_string(format!("/proc/{process}/status"));
    Ok(shows_confinement(&status(&pid.to_string())?, &status("self")?))
}

/// Whether `status` is of a sandboxed process: it has a filter for system calls, cannot gain
/// privileges, and is in a pid namespace below that of `own`. (A filter alone is not enough:
/// containers have one for all their processes.)
fn shows_confinement(status: &str, own: &str) -> bool {
    fn field<'a>(status: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().split_ascii_whitespace()
    }
    let is = |name, value| field(status, name).eq([value]);
    is("Seccomp", "2") && is("NoNewPrivs", "1") && field(status, "NSpid").count() > field(own, "NSpid").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_sandboxed_by_electrons_rule() {
        let preferences =
            |sandbox: Option<bool>, node_integration| WebPreferences { sandbox, node_integration, ..WebPreferences::default() };
        let exposed = || Confinement::Exposed { reason: "why".into() };
        let refused = || Confinement::Refused { reason: "why".into() };
        let (inside, outside) = (|| Confinement::Sandboxed, || Confinement::Unsandboxed);
        type Make = fn() -> Confinement;
        // `sandbox`, `nodeIntegration`; then the result where the sandbox works, where it does not,
        // and with `--no-sandbox`.
        let table: [(Option<bool>, bool, Make, Make, Make); 6] = [
            (None, false, inside, exposed, outside),
            (None, true, outside, outside, outside),
            (Some(true), false, inside, refused, outside),
            (Some(true), true, inside, refused, outside),
            (Some(false), false, outside, outside, outside),
            (Some(false), true, outside, outside, outside),
        ];
        for (sandbox, node, works, fails, off) in table {
            let preferences = preferences(sandbox, node);
            let fail = || Err("why".to_owned());
            assert_eq!(decide(&preferences, false, || Ok(())), works(), "{preferences:?}");
            assert_eq!(decide(&preferences, false, fail), fails(), "{preferences:?}");
            assert_eq!(decide(&preferences, true, fail), off(), "{preferences:?}");
        }
    }

    #[test]
    fn a_window_is_judged_by_what_its_process_is() {
        let works = Sandbox { trial: OnceLock::from(Ok(())), ..Sandbox::default() };
        let fails = Sandbox { trial: OnceLock::from(Err("why".into())), ..Sandbox::default() };
        let explicit = WebPreferences { sandbox: Some(true), ..WebPreferences::default() };
        let default = WebPreferences::default();
        let open = WebPreferences { sandbox: Some(false), ..WebPreferences::default() };
        assert_eq!(works.judge(&explicit, true), Confinement::Sandboxed);
        assert!(matches!(works.judge(&explicit, false), Confinement::Refused { reason } if reason.contains("without it")));
        assert!(matches!(works.judge(&default, false), Confinement::Exposed { reason } if reason.contains("without it")));
        assert_eq!(works.judge(&open, false), Confinement::Unsandboxed);
        assert_eq!(fails.judge(&default, false), Confinement::Exposed { reason: "why".into() });
        assert_eq!(Sandbox::new(true).judge(&explicit, false), Confinement::Unsandboxed);
    }

    #[test]
    fn only_x_servers_with_a_socket_are_reached() {
        for display in ["localhost:10.0", "unix:0", "", ":", ":x"] {
            assert!(try_display(display).unwrap_err().contains("is not on this machine"), "{display}");
        }
        assert!(try_display(":4294967295.0").unwrap_err().contains("/tmp/.X11-unix/X4294967295 cannot be reached"));
    }

    #[test]
    fn confinement_is_read_from_the_status() {
        let own = "Name:\tmain\nNSpid:\t7\nNoNewPrivs:\t0\nSeccomp:\t0\n";
        let contained = "Name:\tmain\nNSpid:\t900\t7\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let inside = "Name:\tWebKitWebProces\nNSpid:\t12\t2\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert!(shows_confinement(inside, own));
        assert!(!shows_confinement(own, own));
        // A container's filter applies to main as well.
        assert!(!shows_confinement(contained, contained));
        for (there, instead) in
            [("Seccomp:\t2", "Seccomp:\t0"), ("NoNewPrivs:\t1", "NoNewPrivs:\t0"), ("NSpid:\t12\t2", "NSpid:\t12"), (inside, "")]
        {
            assert!(!shows_confinement(&inside.replace(there, instead), own), "{instead}");
        }
    }
}
