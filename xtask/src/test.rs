//! Every check there is, one after another, each with a time limit.

use std::io::IsTerminal;
use std::process::Command;
use std::time::Duration;

use crate::display::Display;
use crate::node;
use crate::setup;
use crate::step::{self, seconds};
use crate::tally::{self, Tally};
use crate::words;
use crate::workspace::{self, TestProgram, cargo};

const MINUTE: Duration = Duration::from_secs(60);
/// From nothing, on a small machine.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// What a step is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Passes or fails as a whole.
    Check,
    /// Without it nothing after it makes sense.
    Build,
    /// Reports how many tests passed.
    Tests,
}

struct Step {
    name: String,
    kind: Kind,
    limit: Duration,
    command: Command,
}

struct Report {
    name: String,
    ok: bool,
    took: Duration,
    detail: String,
    /// Lines of its output that say what failed.
    failures: Vec<String>,
}

/// Which tests are wanted.
pub(crate) struct Choice {
    /// A part of their names.
    pub(crate) filter: Option<String>,
    /// The slow ones too.
    pub(crate) long: bool,
    /// Those that need npm's registry too.
    pub(crate) npm: bool,
}

impl Choice {
    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }
}

/// A test run: where it happens and what has come out so far.
struct Session<'a> {
    display: &'a Display,
    choice: &'a Choice,
    reports: Vec<Report>,
    total: Tally,
}

impl Session<'_> {
    /// Runs one step and notes the result; gives its output if it succeeded.
    fn run(&mut self, mut step: Step) -> Option<Vec<String>> {
        println!("\n── {} ──", step.name);
        self.display.give_to(&mut step.command);
        for (variable, wanted) in [("STRAIT_LONG", self.choice.long), ("STRAIT_NPM", self.choice.npm)] {
            if wanted {
                step.command.env(variable, "1");
            }
        }
        if std::io::stdout().is_terminal() {
            step.command.env("CARGO_TERM_COLOR", "always");
        }
        let ended = step::run(step.command, step.limit, &self.display.processes(), |line| {
            if !line.starts_with(workspace::CARGO_MESSAGE) {
                println!("{line}");
            }
        });
        for note in &ended.notes {
            println!("note: {note}");
        }
        let mut tally = if step.kind == Kind::Tests { Tally::of(&ended.lines) } else { Tally::default() };
        // A filter leaves tests out on purpose, in some programs all of them.
        let nothing_matched =
            self.choice.filter.is_some() && tally == Tally::default() && ended.lines.iter().any(|line| line == "0 passed, 0 failed");
        if self.choice.filter.is_some() {
            tally.skipped = 0;
        }
        let succeeded = ended.succeeded() || nothing_matched;
        if !succeeded && tally.failed == 0 {
            tally.failed = 1;
        }
        let mut detail = if step.kind == Kind::Tests { tally.to_string() } else { String::new() };
        if let Some(note) = ended.notes.first() {
            detail = format!("{detail} ({note})");
        }
        let ok = tally.failed == 0;
        let failures = if ok { Vec::new() } else { tally::failures(&ended.lines) };
        self.reports.push(Report { name: step.name, ok, took: ended.took, detail, failures });
        self.total = [self.total, tally].into_iter().sum();
        succeeded.then_some(ended.lines)
    }
}

/// The task.
pub(crate) fn run(choice: &Choice, present_display: bool) -> Result<(), String> {
    let filter = choice.filter();
    setup::ensure()?;
    let display = if present_display { Display::Present } else { Display::own()? };
    let mut session = Session { display: &display, choice, reports: Vec::new(), total: Tally::default() };
    let mut built = Some(Vec::new());
    for step in checks_and_build(filter)? {
        let is_build = step.kind == Kind::Build;
        let lines = session.run(step);
        if is_build {
            built = lines;
        }
        if built.is_none() {
            break;
        }
    }
    if let Some(lines) = built {
        let programs = workspace::test_programs(&lines)?;
        for step in tests(&programs, choice) {
            session.run(step);
        }
        if choice.npm {
            for version in node::VERSIONS {
                for step in tests_in_node(version, &programs, filter)? {
                    session.run(step);
                }
            }
        }
        if choice.long && filter.is_none() {
            session.run(loom()?);
            session.run(sanitizers()?);
            session.run(clean_root(&programs)?);
        }
    }
    let Session { reports, total, .. } = session;
    drop(display);

    for Report { name, failures, .. } in reports.iter().filter(|report| !report.ok) {
        println!("\n── what failed in {name} ──");
        failures.iter().for_each(|line| println!("{line}"));
    }
    println!("\n── summary ──");
    for Report { name, ok, took, detail, .. } in &reports {
        println!("{} {name:<34} {:>12}  {detail}", if *ok { "✓" } else { "✗" }, seconds(*took));
    }
    let nothing_ran = total.passed == 0 && total.failed == 0;
    if nothing_ran {
        eprintln!("error: no test ran{}", filter.map(|filter| format!(": none has `{filter}` in its name")).unwrap_or_default());
    }
    println!("\n{total}");
    if total.failed > 0 || nothing_ran { Err(String::new()) } else { Ok(()) }
}

/// What can be said before anything is built. Cheap checks first, so that a slip is seen early.
fn checks_and_build(filter: Option<&str>) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut add = |name: &str, kind, limit, command| steps.push(Step { name: name.into(), kind, limit, command });
    if filter.is_none() {
        if workspace::has_subcommand("fmt") {
            add("format", Kind::Check, 2 * MINUTE, cargo(&["fmt", "--all", "--check"]));
        } else {
            println!("note: no cargo fmt here (rustup component add rustfmt): format is not checked");
        }
        if words::is_available() {
            add("words", Kind::Check, 2 * MINUTE, xtask("words")?);
        } else {
            println!("note: git tracks no files here: the wording is not checked");
        }
        if workspace::has_subcommand("clippy") {
            let command = cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
            add("lints", Kind::Check, BUILD_LIMIT, command);
        } else {
            println!("note: no cargo clippy here (rustup component add clippy): lints are not checked");
        }
    }
    add("build", Kind::Build, BUILD_LIMIT, cargo(&["build", "--workspace"]));
    let command = cargo(&["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"]);
    add("build tests", Kind::Build, BUILD_LIMIT, command);
    Ok(steps)
}

/// Another task of this program.
fn xtask(task: &str) -> Result<Command, String> {
    let mut command = Command::new(std::env::current_exe().map_err(|error| format!("xtask's own path: {error}"))?);
    command.arg(task);
    Ok(command)
}

/// The tests. `programs` are the test programs that were built: they are run as they are, because cargo, asked for a single package, would
/// build it anew with other features. Documentation tests last, because each is linked by itself.
fn tests(programs: &[TestProgram], choice: &Choice) -> Vec<Step> {
    let filter = choice.filter();
    let limit = 30 * MINUTE * if choice.long { 4 } else { 1 };
    let mut steps = Vec::new();
    let mut add = |name: &str, limit, command| steps.push(Step { name: name.into(), kind: Kind::Tests, limit, command });
    let (plain, windows): (Vec<_>, Vec<_>) = programs.iter().partition(|program| program.harness);
    if workspace::has_subcommand("nextest") {
        add("tests", limit, nextest(&windows, filter));
    } else {
        for program in plain {
            add(&program.name(), limit, program.command(filter));
        }
    }
    for program in windows.into_iter().filter(|program| choice.npm || program.name() != NPM_TESTS) {
        add(&program.name(), limit, program.command(filter));
    }
    // The examples in files that strait-fuzz takes from other crates name those crates: they are tested there.
    let mut documentation = cargo(&["test", "--workspace", "--exclude", "strait-fuzz", "--doc", "--no-fail-fast"]);
    documentation.args(filter.into_iter().flat_map(|filter| ["--", filter]));
    add("documentation tests", limit, documentation);
    steps
}

/// The tests of published packages.
const NPM_TESTS: &str = "strait-cli npm";

/// The suites of programs in JavaScript, in this version of Node.
fn tests_in_node(version: &str, programs: &[TestProgram], filter: Option<&str>) -> Result<Vec<Step>, String> {
    let path = node::path_with(version)?;
    let chosen = programs.iter().filter(|program| !program.harness && program.package == "strait-cli" && program.name() != NPM_TESTS);
    let step = |program: &TestProgram| {
        let mut command = program.command(filter);
        command.env("PATH", &path);
        Step { name: format!("Node {version}: {}", program.name()), kind: Kind::Tests, limit: 30 * MINUTE, command }
    };
    Ok(chosen.map(step).collect())
}

/// The rings' protocol in every order in which two threads can run, by loom. It is another build of the crate, with other flags for all it depends on:
/// in a folder of its own, so that the ordinary build stays as it is.
fn loom() -> Result<Step, String> {
    let folder = workspace::target()?.join("loom");
    let mut command = cargo(&["test", "--package", "strait-ports", "--release", "--lib", "loom_"]);
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{flags} --cfg loom").trim_start()).env("CARGO_TARGET_DIR", folder);
    Ok(Step { name: "loom".into(), kind: Kind::Tests, limit: BUILD_LIMIT, command })
}

/// Setup and the first programs where there is no Node.js.
fn clean_root(programs: &[TestProgram]) -> Result<Step, String> {
    let mut command = xtask("clean-root")?;
    let program = programs.iter().find(|program| program.name() == "strait-cli programs").ok_or("strait-cli programs was not built")?;
    command.arg(&program.executable);
    Ok(Step { name: "a root file system without Node.js".into(), kind: Kind::Tests, limit: BUILD_LIMIT, command })
}

/// `cargo xtask sanitize`, which skips what it has no compiler for.
fn sanitizers() -> Result<Step, String> {
    Ok(Step { name: "sanitizers".into(), kind: Kind::Check, limit: 3 * BUILD_LIMIT, command: xtask("sanitize")? })
}

/// nextest cannot even list what is in a test program with a `main` of its own.
fn nextest(excluded: &[&TestProgram], filter: Option<&str>) -> Command {
    let mut command = cargo(&["nextest", "run", "--workspace", "--no-tests", "pass"]);
    if !excluded.is_empty() {
        let ids: Vec<_> = excluded.iter().map(|program| format!("binary_id(={}::{})", program.package, program.target)).collect();
        command.args(["-E", &format!("not ({})", ids.join(" + "))]);
    }
    command.args(filter);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_leaves_out_the_check_of_words() {
        let has_words = |filter| checks_and_build(filter).expect("steps").iter().any(|step| step.name == "words");
        assert!(has_words(None) == words::is_available() && !has_words(Some("close")));
    }

    #[test]
    fn nextest_is_kept_from_programs_with_windows() {
        let program = TestProgram {
            package: "strait".into(),
            target: "windows".into(),
            harness: false,
            executable: "windows".into(),
            folder: "/".into(),
        };
        let text = format!("{:?}", nextest(&[&program], Some("close")));
        assert!(text.contains("not (binary_id(=strait::windows))") && text.ends_with("\"close\""), "{text}");
    }
}
