//! Does code that handles addresses keep within its memory, and do copies of shared memory race? The compiler's sanitizers, which only a nightly toolchain has.

use std::process::Command;
use std::time::Duration;

use crate::step::{self, seconds};
use crate::workspace;

/// What `--help` says at its end.
pub(crate) const HELP: &str = "\
AddressSanitizer: the unit tests of strait-ports (with its fuzz targets' seeds, without the router's exhaustive
cases, which take an hour under it) and of the agent, and all tests of strait-clone.
ThreadSanitizer: the copies out of and into memory that a peer uses at the same time.

Before each, a fault that is planted must be found (crates/strait-ports/src/link/memory/copy.rs): a sanitizer
that does not find it finds nothing else. Both build into target/sanitize/. They need a nightly toolchain
(rustup toolchain install nightly); without one nothing is done, and that is no failure.";

/// From nothing, on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The variable by which a planted fault comes about.
const PLANTED: &str = "STRAIT_PLANTED";

struct Sanitizer {
    /// As the compiler calls it; its folder too.
    name: &'static str,
    /// Further flags of the compiler.
    flags: &'static str,
    /// The variable with its options, and those.
    options: [&'static str; 2],
    /// What it says of the planted fault.
    finding: &'static str,
    /// Which tests, as arguments of `cargo test`.
    tests: &'static [&'static [&'static str]],
}

const ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    flags: "",
    // Leaks are none of its faults: killed children and memory that is kept for ever on purpose would be many. Tests count memory where it matters.
    options: ["ASAN_OPTIONS", "detect_leaks=0:strict_string_checks=1:detect_stack_use_after_return=1"],
    finding: "AddressSanitizer: heap-buffer-overflow",
    tests: &[
        &["--package", "strait-ports", "--lib", "--", "--skip", "router::tests::cases"],
        &["--package", "strait-clone", "--tests"],
        &["--package", "strait-renderer", "--lib"],
    ],
};

const THREAD: Sanitizer = Sanitizer {
    name: "thread",
    flags: " -Cunsafe-allow-abi-mismatch=sanitizer",
    // A run ends well in spite of reports: those of `EXCUSED` are always there.
    options: ["TSAN_OPTIONS", "exitcode=0"],
    finding: "ThreadSanitizer: data race",
    tests: &[&["--package", "strait-ports", "--lib", RACES]],
};

/// The test that has a peer use memory at the same time, and its planted faults.
const RACES: &str = "link::memory::copy::tests::a_peer_that_writes_meanwhile_is_no_data_race";

/// The standard library is not instrumented: what it does to pass on a test's result looks like a race.
const EXCUSED: &str = "test::event::";

/// The task.
pub(crate) fn run() -> Result<(), String> {
    if let Err(why) = available() {
        println!("sanitize: skipped: {why}");
        return Ok(());
    }
    let folder = workspace::target()?.join("sanitize");
    let mut failed = Vec::new();
    for sanitizer in [ADDRESS, THREAD] {
        let command = |arguments: &[&str], planted: bool| {
            let mut command = nightly("cargo");
            command.arg("test").args(["--target", TARGET, "--target-dir"]).arg(folder.join(sanitizer.name)).args(arguments);
            let flags = format!("-Zsanitizer={}{} --cfg sanitizers", sanitizer.name, sanitizer.flags);
            command.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS").current_dir(workspace::root());
            let [variable, options] = sanitizer.options;
            command.env(variable, options);
            if planted {
                command.env(PLANTED, sanitizer.name);
            }
            command
        };
        println!("\n── {}: the planted fault ──", sanitizer.name);
        let ended = step::run(command(&["--package", "strait-ports", "--lib", RACES], true), BUILD_LIMIT, &[], |_| {});
        let Some(found) = findings(&ended.lines).find(|line| line.contains(sanitizer.finding)) else {
            ended.lines.iter().for_each(|line| println!("{line}"));
            if ended.status.is_none() {
                return Err(format!("the build with the planted fault has not ended: {}", ended.notes.join("; ")));
            }
            return Err(format!("the planted fault was not found: nothing says `{}`", sanitizer.finding));
        };
        println!("found: {found}");
        for tests in sanitizer.tests {
            let name = format!("{}: {}", sanitizer.name, tests.join(" "));
            println!("\n── {name} ──");
            let ended = step::run(command(tests, false), BUILD_LIMIT, &[], |line| println!("{line}"));
            ended.notes.iter().for_each(|note| println!("note: {note}"));
            let ran = ended.lines.iter().any(|line| line.starts_with("test result: ok.") && !line.starts_with("test result: ok. 0 passed"));
            let found: Vec<_> = findings(&ended.lines).collect();
            if !ended.succeeded() || !ran || !found.is_empty() {
                println!("{name}: {} findings", found.len());
                failed.push(name);
            } else {
                println!("{name}: nothing found in {}", seconds(ended.took));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("sanitizers: failed: {}", failed.join("; "))) }
}

/// What the sanitizers have found, a line each.
fn findings(lines: &[String]) -> impl Iterator<Item = &String> {
    lines.iter().filter(|line| line.contains("SUMMARY: ") && line.contains("Sanitizer: ") && !line.contains(EXCUSED))
}

/// A program of the nightly toolchain.
fn nightly(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]);
    // What the present toolchain's cargo says of itself is not true of another.
    ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC"].iter().for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// Whether there is a nightly toolchain with the sanitizers' libraries.
fn available() -> Result<(), String> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
        return Err(format!("only {TARGET} has been tried"));
    }
    let install = "install one with `rustup toolchain install nightly`";
    let output = nightly("rustc").args(["--print", "target-libdir"]).output().map_err(|error| format!("no rustup: {error}"))?;
    if !output.status.success() {
        return Err(format!("no nightly toolchain; {install}"));
    }
    let folder = std::path::PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    for Sanitizer { name, .. } in [ADDRESS, THREAD] {
        let library = folder.join(format!("librustc-nightly_rt.{}san.a", &name[..1]));
        if !library.is_file() {
            return Err(format!("the nightly toolchain has no {}; {install}", library.display()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_library_does_is_no_finding() {
        let lines = [
            "WARNING: ThreadSanitizer: data race (pid=1)",
            "SUMMARY: ThreadSanitizer: data race profiling.rs:29:1 in core::profiling::compiler_copy::<MaybeUninit<test::event::CompletedTest>, 304>",
            "SUMMARY: ThreadSanitizer: data race a.rs in core::sync::atomic::atomic_store::<u64>",
            "SUMMARY: AddressSanitizer: heap-buffer-overflow copy.rs:1 in strait_ports::link",
        ];
        let lines = lines.map(String::from);
        assert_eq!(findings(&lines).collect::<Vec<_>>(), [&lines[2], &lines[3]]);
    }
}
