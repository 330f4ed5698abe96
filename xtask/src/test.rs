//! Every check there is, one after another, each with a time limit.

use std::io::IsTerminal;
use std::process::Command;
use std::time::Duration;

use crate::display::Display;
use crate::setup;
use crate::step::{self, seconds};
use crate::tally::Tally;
use crate::workspace::{self, TestTarget, cargo};

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
}

/// The task.
pub(crate) fn run(filter: Option<&str>, long: bool, present_display: bool) -> Result<(), String> {
    setup::ensure()?;
    let display = if present_display { Display::Present } else { Display::own()? };
    let spared = display.processes();

    let mut reports = Vec::new();
    let mut total = Tally::default();
    let mut built = true;
    for mut planned in plan(filter, long)? {
        if !built {
            break;
        }
        println!("\n── {} ──", planned.name);
        display.give_to(&mut planned.command);
        if long {
            planned.command.env("STRAIT_LONG", "1");
        }
        if std::io::stdout().is_terminal() {
            planned.command.env("CARGO_TERM_COLOR", "always");
        }
        let ended = step::run(planned.command, planned.limit, &spared, |line| println!("{line}"));
        for note in &ended.notes {
            println!("note: {note}");
        }
        let mut tally = if planned.kind == Kind::Tests { Tally::of(&ended.lines) } else { Tally::default() };
        // A filter leaves tests out on purpose.
        if filter.is_some() {
            tally.skipped = 0;
        }
        if !ended.succeeded() && tally.failed == 0 {
            tally.failed = 1;
        }
        built = planned.kind != Kind::Build || ended.succeeded();
        let mut detail = if planned.kind == Kind::Tests { tally.to_string() } else { String::new() };
        if let Some(note) = ended.notes.first() {
            detail = format!("{detail} ({note})");
        }
        reports.push(Report { name: planned.name, ok: tally.failed == 0, took: ended.took, detail });
        total = [total, tally].into_iter().sum();
    }
    drop(display);

    println!("\n── summary ──");
    for Report { name, ok, took, detail } in &reports {
        println!("{} {name:<34} {:>12}  {detail}", if *ok { "✓" } else { "✗" }, seconds(*took));
    }
    let nothing_ran = total.passed == 0 && total.failed == 0;
    if nothing_ran {
        eprintln!("error: no test ran{}", filter.map(|filter| format!(": none has `{filter}` in its name")).unwrap_or_default());
    }
    println!("\n{total}");
    if total.failed > 0 || nothing_ran { Err(String::new()) } else { Ok(()) }
}

/// Cheap checks first, so that a slip is seen early; documentation tests last, because each is linked by itself.
fn plan(filter: Option<&str>, long: bool) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut add = |name: &str, kind, limit, command| steps.push(Step { name: name.into(), kind, limit, command });
    if filter.is_none() {
        if workspace::has_subcommand("fmt") {
            add("format", Kind::Check, 2 * MINUTE, cargo(&["fmt", "--all", "--check"]));
        } else {
            println!("note: no cargo fmt here (rustup component add rustfmt): format is not checked");
        }
        if workspace::has_subcommand("clippy") {
            let command = cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
            add("lints", Kind::Check, BUILD_LIMIT, command);
        } else {
            println!("note: no cargo clippy here (rustup component add clippy): lints are not checked");
        }
    }
    let factor = if long { 4 } else { 1 };
    let targets = workspace::test_targets()?;
    let (plain, windows): (Vec<_>, Vec<_>) = targets.iter().partition(|target| target.harness);
    add("build", Kind::Build, BUILD_LIMIT, cargo(&["build", "--workspace"]));
    add("build tests", Kind::Build, BUILD_LIMIT, cargo(&["test", "--workspace", "--no-run"]));
    if workspace::has_subcommand("nextest") {
        add("tests", Kind::Tests, 15 * MINUTE * factor, nextest(&windows, filter));
    } else {
        let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
        command.args(filter.into_iter().flat_map(|filter| ["--", filter]));
        add("unit tests", Kind::Tests, 15 * MINUTE * factor, command);
        for target in plain {
            add(&format!("{} {}", target.package, target.name), Kind::Tests, 15 * MINUTE * factor, test_program(target, filter));
        }
    }
    for target in windows {
        add(&format!("{} {}", target.package, target.name), Kind::Tests, 15 * MINUTE * factor, test_program(target, filter));
    }
    let mut documentation = cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]);
    documentation.args(filter.into_iter().flat_map(|filter| ["--", filter]));
    add("documentation tests", Kind::Tests, 15 * MINUTE, documentation);
    Ok(steps)
}

/// nextest cannot even list what is in a test program with a `main` of its own.
fn nextest(excluded: &[&TestTarget], filter: Option<&str>) -> Command {
    let mut command = cargo(&["nextest", "run", "--workspace", "--no-tests", "pass"]);
    if !excluded.is_empty() {
        let ids: Vec<_> = excluded.iter().map(|target| format!("binary_id(={}::{})", target.package, target.name)).collect();
        command.args(["-E", &format!("not ({})", ids.join(" + "))]);
    }
    command.args(filter);
    command
}

fn test_program(target: &TestTarget, filter: Option<&str>) -> Command {
    let mut command = cargo(&["test", "--quiet", "--package", &target.package, "--test", &target.name]);
    command.args(filter.into_iter().flat_map(|filter| ["--", filter]));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_is_kept_from_programs_with_windows() {
        let target = TestTarget { package: "strait".into(), name: "windows".into(), harness: false };
        let text = format!("{:?}", nextest(&[&target], Some("close")));
        assert!(text.contains("not (binary_id(=strait::windows))") && text.ends_with("\"close\""), "{text}");
    }
}
