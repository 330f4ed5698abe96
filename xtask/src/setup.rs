//! Which system packages are missing, and how do they get here?

use std::env;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

/// A Debian package and how to see that what it brings is there, however it got there.
struct Package {
    name: &'static str,
    why: &'static str,
    proof: Proof,
}

enum Proof {
    /// One of these programs is on the PATH.
    Program(&'static [&'static str]),
    /// pkg-config knows all of these.
    Libraries(&'static [&'static str]),
}

const PACKAGES: &[Package] = &[
    Package { name: "build-essential", why: "the linker that Rust uses, and a C compiler", proof: Proof::Program(&["cc", "gcc", "clang"]) },
    Package { name: "pkg-config", why: "finds the libraries", proof: Proof::Program(&["pkg-config", "pkgconf"]) },
    Package {
        name: "libwebkit2gtk-4.1-dev",
        why: "the system webview",
        proof: Proof::Libraries(&["webkit2gtk-4.1", "webkit2gtk-web-extension-4.1", "javascriptcoregtk-4.1", "gtk+-3.0"]),
    },
    Package { name: "bubblewrap", why: "the sandbox around web pages", proof: Proof::Program(&["bwrap"]) },
    Package { name: "xdg-dbus-proxy", why: "the session bus inside that sandbox", proof: Proof::Program(&["xdg-dbus-proxy"]) },
    Package { name: "nodejs", why: "what programs in JavaScript run in, and are compared with", proof: Proof::Program(&["node"]) },
    Package { name: "xvfb", why: "an X server without a screen, for tests", proof: Proof::Program(&["Xvfb"]) },
];

/// What only `cargo xtask fuzz` needs.
const FOR_FUZZING: &[Package] =
    &[Package { name: "g++", why: "a C++ compiler, for libFuzzer", proof: Proof::Program(&["c++", "g++", "clang++"]) }];

/// What only `cargo xtask bench page` can use; without it some rows are missing there.
const FOR_PAGE_BENCHMARKS: &[Package] =
    &[Package { name: "chromium", why: "the browser to compare pages with", proof: Proof::Program(&["chromium", "chromium-browser"]) }];

/// What setup needs to know of the machine.
trait Machine {
    fn has_program(&self, name: &str) -> bool;
    fn has_libraries(&self, names: &[&str]) -> bool;
}

struct ThisMachine;

impl Machine for ThisMachine {
    fn has_program(&self, name: &str) -> bool {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
    }

    fn has_libraries(&self, names: &[&str]) -> bool {
        let config =
            env::var_os("PKG_CONFIG").unwrap_or_else(|| if self.has_program("pkg-config") { "pkg-config" } else { "pkgconf" }.into());
        quiet(Command::new(config).arg("--exists").args(names))
    }
}

/// Whether the command can be run and succeeds.
fn quiet(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn missing(packages: &'static [Package], machine: &dyn Machine) -> Vec<&'static Package> {
    packages.iter().filter(|package| is_missing(package, machine)).collect()
}

fn is_missing(package: &Package, machine: &dyn Machine) -> bool {
    match package.proof {
        Proof::Program(names) => !names.iter().any(|name| machine.has_program(name)),
        Proof::Libraries(names) => !machine.has_libraries(names),
    }
}

/// The one command a person has to type.
fn command_to_type(packages: &[&Package]) -> String {
    let names: Vec<_> = packages.iter().map(|package| package.name).collect();
    format!("sudo apt-get update && sudo apt-get install -y {}", names.join(" "))
}

fn list(packages: &[&Package]) -> String {
    packages.iter().fold(String::new(), |mut text, package| {
        let _ = write!(text, "\n  {:<24} {}", package.name, package.why);
        text
    })
}

/// The task: says what is there, installs what is not.
pub(crate) fn run(check_only: bool) -> Result<(), String> {
    let packages = missing(PACKAGES, &ThisMachine);
    if packages.is_empty() {
        println!("setup: every system package is here");
        for package in missing(FOR_FUZZING, &ThisMachine) {
            println!("note: {} is not here; cargo xtask fuzz, which alone needs it, will install it", package.why);
        }
        for package in missing(FOR_PAGE_BENCHMARKS, &ThisMachine) {
            println!("note: {} is not here; cargo xtask bench page leaves it out (package {})", package.why, package.name);
        }
        return Ok(());
    }
    if check_only {
        return Err(format!("missing system packages:{}\nto install them, type:\n  {}", list(&packages), command_to_type(&packages)));
    }
    install(&packages)
}

/// What `demo` and `test` do first: silent when nothing is missing.
pub(crate) fn ensure() -> Result<(), String> {
    let packages = missing(PACKAGES, &ThisMachine);
    if packages.is_empty() { Ok(()) } else { install(&packages) }
}

/// What `fuzz` does first.
pub(crate) fn ensure_for_fuzzing() -> Result<(), String> {
    ensure()?;
    let packages = missing(FOR_FUZZING, &ThisMachine);
    if packages.is_empty() { Ok(()) } else { install(&packages) }
}

/// What `bench page` does: names what it could use, and goes on without it. (A browser is not a thing to install without being asked.)
pub(crate) fn offer_for_page_benchmarks() {
    let packages = missing(FOR_PAGE_BENCHMARKS, &ThisMachine);
    if !packages.is_empty() {
        println!("missing, and left out:{}\nto install it, type:\n  {}", list(&packages), command_to_type(&packages));
    }
}

fn install(packages: &[&Package]) -> Result<(), String> {
    println!("setup: missing system packages:{}", list(packages));
    let by_hand =
        |problem: &str| format!("{problem}; missing: {}\nto install them, type:\n  {}", names(packages), command_to_type(packages));
    if !ThisMachine.has_program("apt-get") {
        return Err(format!(
            "this machine has no apt-get; install what these Debian packages hold with its own package manager: {}",
            names(packages)
        ));
    }
    let root = geteuid().is_root();
    if !root && !quiet(Command::new("sudo").args(["-n", "true"])) {
        return Err(by_hand("installing needs root, and sudo wants a password"));
    }
    let apt = |arguments: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if root {
            command.env("DEBIAN_FRONTEND", "noninteractive");
        } else {
            command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        command.args(arguments).stdin(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    println!("setup: apt-get update");
    if !apt(&["update", "-q"]) {
        // Old package lists may still do.
        println!("setup: apt-get update failed; trying to install all the same");
    }
    println!("setup: apt-get install {}", names(packages));
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(packages.iter().map(|package| package.name));
    if !apt(&arguments) {
        return Err(by_hand("apt-get install failed"));
    }
    let left: Vec<_> = packages.iter().copied().filter(|package| is_missing(package, &ThisMachine)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("installed, but still not found: {}", names(&left))) }
}

fn names(packages: &[&Package]) -> String {
    packages.iter().map(|package| package.name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake {
        programs: &'static [&'static str],
        libraries: &'static [&'static str],
    }

    impl Machine for Fake {
        fn has_program(&self, name: &str) -> bool {
            self.programs.contains(&name)
        }
        fn has_libraries(&self, names: &[&str]) -> bool {
            names.iter().all(|name| self.libraries.contains(name))
        }
    }

    #[test]
    fn what_is_missing() {
        let check = |programs, libraries, expected: &str| assert_eq!(names(&missing(PACKAGES, &Fake { programs, libraries })), expected);
        const WEBKIT: &[&str] = &["webkit2gtk-4.1", "webkit2gtk-web-extension-4.1", "javascriptcoregtk-4.1", "gtk+-3.0"];
        check(&["cc", "pkg-config", "bwrap", "xdg-dbus-proxy", "node", "Xvfb"], WEBKIT, "");
        check(&["clang", "pkgconf", "bwrap", "xdg-dbus-proxy", "node", "Xvfb"], WEBKIT, "");
        check(&["cc", "pkg-config", "bwrap", "xdg-dbus-proxy", "node"], WEBKIT, "xvfb");
        check(&["cc", "pkg-config", "Xvfb"], WEBKIT, "bubblewrap xdg-dbus-proxy nodejs");
        check(&["cc", "pkg-config", "bwrap", "xdg-dbus-proxy", "node", "Xvfb"], &["webkit2gtk-4.1", "gtk+-3.0"], "libwebkit2gtk-4.1-dev");
        check(&[], &[], "build-essential pkg-config libwebkit2gtk-4.1-dev bubblewrap xdg-dbus-proxy nodejs xvfb");
    }

    #[test]
    fn what_fuzzing_needs_beside() {
        let check = |programs, expected: &str| assert_eq!(names(&missing(FOR_FUZZING, &Fake { programs, libraries: &[] })), expected);
        check(&["c++"], "");
        check(&["clang++"], "");
        check(&["cc", "gcc"], "g++");
    }

    #[test]
    fn one_command_names_everything() {
        let all: Vec<_> = PACKAGES.iter().collect();
        let command = command_to_type(&all);
        assert!(PACKAGES.iter().all(|package| command.contains(package.name)) && !command.contains('\n'), "{command}");
    }
}
