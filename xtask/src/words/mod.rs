//! Checks the wording of comments, error texts and documents against the rules for prose.

mod check;
mod columns;
mod lists;
mod markup;
mod passage;
mod patterns;
mod prose;
mod rust;
mod script;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal, Write as _};
use std::process::Command;

use crate::workspace;
use check::{Difference, Finding, Rule};
use lists::{Counts, EXCEPTIONS, Lists};

/// The end of the text of `--help`.
pub(crate) const HELP: &str = "\
Rule `words`: no pattern of xtask/words/list.txt matches in comments (.rs, .js, .mjs, .cjs, .ts), in the texts of
#[error(\"...\")] attributes, and in the prose of .md files. Code, inline code, link targets and other strings are
not checked. Rule `columns`: prose in docs/, README.md, SECURITY.md and CONTRIBUTING.md has at most 100 columns.
Tables, headings, code blocks and lines whose excess is one link are exempt.

  cargo xtask words                            check all files that git tracks
  cargo xtask words --all crates/strait-clone  print every finding in a folder
  cargo xtask words --update                   lower the allowances after a rewrite
  cargo xtask words --update --accept PATH     set the allowances of a path, for example after a rename

A finding looks like this:  src/a.rs:3:12: \"told\": name the actor and the report
To fix it, rewrite the sentence: subject, verb, object; the thing that acts is the subject.

xtask/words/list.txt         patterns with advice; its first lines explain the syntax
xtask/words/exceptions.txt   the number of findings that each file may still have; it only shrinks
xtask/words/allowed.txt      permanent exceptions: terms of Electron or HTML, quotations

A file with more findings than its allowance fails, and so does a file with fewer: then run --update.";

/// The options of the task.
pub(crate) struct Options {
    /// Only files whose paths start with one of these; empty: all files.
    pub(crate) paths: Vec<String>,
    /// Print every finding.
    pub(crate) all: bool,
    /// Lower the allowances to the present findings.
    pub(crate) update: bool,
    /// Raise allowances too.
    pub(crate) accept: bool,
}

impl Options {
    fn select(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|start| path.starts_with(start.trim_start_matches("./")))
    }
}

/// The findings of each file that has some.
type Files = BTreeMap<String, Vec<Finding>>;

/// Whether the check can run: it reads the files that git tracks.
pub(crate) fn is_available() -> bool {
    tracked_files().is_ok()
}

/// Runs the task.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let lists = Lists::read()?;
    let paths: Vec<_> = tracked_files()?.into_iter().filter(|path| check::applies_to(path) && options.select(path)).collect();
    let mut allowed = lists::exceptions()?;
    if paths.is_empty() && !allowed.keys().any(|(path, _)| options.select(path)) {
        return Err(format!("git tracks no file to check under {}", options.paths.join(", ")));
    }
    let files = find(&paths, &lists)?;
    let found = counts(&files);
    if options.update {
        let former = allowed.clone();
        check::update(&mut allowed, &found, |path| options.select(path), options.accept);
        if former != allowed {
            lists::write_exceptions(&allowed)?;
            println!("wrote {EXCEPTIONS}");
        }
    }
    let mut differences = check::compare(&found, &allowed);
    differences.retain(|difference| options.select(&difference.path));
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = report(&files, &differences, options.all, colour);
    let _ = writeln!(text, "{}", summary(paths.len(), &found));
    // A closed pipe (`cargo xtask words --all | head`) does not count as a failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if differences.is_empty() { Ok(()) } else { Err(failure(&differences)) }
}

fn tracked_files() -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z"]).current_dir(workspace::root());
    let output = command.output().map_err(|error| format!("git ls-files: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect())
}

fn find(paths: &[String], lists: &Lists) -> Result<Files, String> {
    let mut files = Files::new();
    for path in paths {
        let file = workspace::root().join(path);
        // A deleted file stays in git's index until the deletion is staged.
        if !file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let bytes = fs::read(&file).map_err(|error| format!("{path}: {error}"))?;
        let findings = check::find(path, &String::from_utf8_lossy(&bytes), lists);
        if !findings.is_empty() {
            files.insert(path.clone(), findings);
        }
    }
    Ok(files)
}

fn counts(files: &Files) -> Counts {
    let mut counts = Counts::new();
    for (path, findings) in files {
        for finding in findings {
            *counts.entry((path.clone(), finding.rule)).or_insert(0) += 1;
        }
    }
    counts
}

/// Returns the findings of the files that have too many, or of all files, and a line for each difference.
fn report(files: &Files, differences: &[Difference], all: bool, colour: bool) -> String {
    let mut text = String::new();
    let has_excess = |path: &str, rule| differences.iter().any(|one| one.path == path && one.rule == rule && one.found > one.allowed);
    let [bold, red, plain] = if colour { ["\x1b[1m", "\x1b[31m", "\x1b[0m"] } else { [""; 3] };
    for (path, findings) in files {
        for Finding { rule, line, column, phrase, advice } in findings {
            if all || has_excess(path, *rule) {
                let _ = writeln!(text, "{bold}{path}:{line}:{column}:{plain} {red}\"{phrase}\"{plain}: {advice}");
            }
        }
    }
    for Difference { path, rule, found, allowed } in differences {
        let action = if found > allowed { "rewrite the new ones" } else { "run `cargo xtask words --update`" };
        let _ = writeln!(text, "{bold}{path}:{plain} rule `{}`: found {found}, allowed {allowed}: {action}", rule.name());
    }
    text
}

fn summary(files: usize, found: &Counts) -> String {
    let total = |rule: Rule| found.iter().filter(|((_, other), _)| *other == rule).map(|(_, count)| count).sum::<usize>();
    let rules: Vec<_> = Rule::ALL.into_iter().map(|rule| format!("{} of rule `{}`", total(rule), rule.name())).collect();
    format!("checked files: {files}; findings: {}", rules.join(", "))
}

/// One line, because `cargo xtask test` repeats it in its summary.
fn failure(differences: &[Difference]) -> String {
    let (more, fewer): (Vec<_>, Vec<_>) = differences.iter().partition(|difference| difference.found > difference.allowed);
    let part = |differences: &[&Difference], text: &str, action: &str| {
        let first = differences.first()?;
        let others = if differences.len() > 1 { format!(" and {} other files", differences.len() - 1) } else { String::new() };
        Some(format!("{text} findings than allowed in {}{others}: {action}", first.path))
    };
    let parts = [
        part(&more, "more", "rewrite the sentences, see `cargo xtask words --help`"),
        part(&fewer, "fewer", "run `cargo xtask words --update`"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: Rule, line: usize) -> Finding {
        Finding { rule, line, column: 7, phrase: "told".into(), advice: "name the actor".into() }
    }

    #[test]
    fn files_with_more_findings_than_allowed_are_reported() {
        let files = Files::from([
            ("a.rs".into(), vec![finding(Rule::Words, 1), finding(Rule::Words, 2), finding(Rule::Columns, 3)]),
            ("b.rs".into(), vec![finding(Rule::Words, 1)]),
        ]);
        let found = counts(&files);
        let mut allowed = found.clone();
        allowed.insert(("a.rs".into(), Rule::Words), 1);
        allowed.insert(("c.rs".into(), Rule::Words), 1);
        let differences = check::compare(&found, &allowed);
        let expected = "a.rs:1:7: \"told\": name the actor\na.rs:2:7: \"told\": name the actor\n\
            a.rs: rule `words`: found 2, allowed 1: rewrite the new ones\n\
            c.rs: rule `words`: found 0, allowed 1: run `cargo xtask words --update`\n";
        assert_eq!(report(&files, &differences, false, false), expected);
        assert_eq!(report(&files, &differences, true, false).lines().count(), 6);
        assert!(report(&files, &differences, false, true).starts_with("\x1b[1ma.rs:1:7:\x1b[0m \x1b[31m\"told\"\x1b[0m: name"));
        assert_eq!(summary(2, &found), "checked files: 2; findings: 3 of rule `words`, 1 of rule `columns`");
        let failure = failure(&differences);
        assert!(failure.starts_with("more findings than allowed in a.rs: rewrite"), "{failure}");
        assert!(failure.contains("; fewer findings than allowed in c.rs: run"), "{failure}");
    }

    #[test]
    fn paths_select_files_by_their_start() {
        let options = |path: &str| Options { paths: vec![path.into()], all: false, update: false, accept: false };
        assert!(options("./docs").select("docs/a.md") && !options("docs/").select("README.md"));
    }
}
