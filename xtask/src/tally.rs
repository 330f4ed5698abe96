//! How many tests passed, and which did not? Read from what the test programs print.

use std::fmt;
use std::iter::Sum;

/// How nextest's summary begins.
const NEXTEST: &str = "Summary [";

/// A count of test results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// Adds up every summary line among `lines`. nextest shows what some tests print, their own summaries among it: its own says it all.
    pub(crate) fn of(lines: &[String]) -> Tally {
        let lines: Vec<String> = lines.iter().map(|line| without_colour(line)).collect();
        let nextest: Vec<Tally> =
            lines.iter().filter(|line| line.trim_start().starts_with(NEXTEST)).filter_map(|line| summary(line)).collect();
        if nextest.is_empty() { lines.iter().filter_map(|line| summary(line)).sum() } else { nextest.into_iter().sum() }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(all: I) -> Tally {
        all.fold(Tally::default(), |a, b| Tally {
            passed: a.passed + b.passed,
            failed: a.failed + b.failed,
            skipped: a.skipped + b.skipped,
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// The line without terminal escapes.
pub(crate) fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A colour: ESC [ digits and semicolons, then a letter.
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Lines that [`failures`] gives when no line names a failure: the end of the output.
const LAST: usize = 20;
/// Lines that [`failures`] gives at most.
const MOST_FAILURES: usize = 60;

/// The lines that name a failed test, and where and why it panicked; without one, the compiler's errors.
pub(crate) fn failures(lines: &[String]) -> Vec<String> {
    let lines: Vec<String> = lines.iter().map(|line| without_colour(line)).collect();
    let mut named = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let line = line.trim_start();
        let is_test = line.starts_with("FAIL") || (line.starts_with("test ") && line.contains(" FAILED"));
        let is_panic = line.starts_with("thread '") && line.contains("panicked at");
        if is_test || is_panic {
            named.push(line.to_owned());
        }
        if is_panic {
            named.extend(lines.get(index + 1).cloned());
        }
    }
    if named.is_empty() {
        named = lines.iter().filter(|line| line.starts_with("error")).cloned().collect();
    }
    named.truncate(MOST_FAILURES);
    if named.is_empty() { lines[lines.len().saturating_sub(LAST)..].to_vec() } else { named }
}

/// Three kinds of programs end with a summary: libtest, nextest, and our own test programs with windows.
fn summary(line: &str) -> Option<Tally> {
    let line = line.trim();
    if let Some(counts) = line.strip_prefix("test result: ") {
        let (_, counts) = counts.split_once(". ")?;
        return Some(counted(counts.split(';')));
    }
    if let Some(rest) = line.strip_prefix(NEXTEST) {
        let (_, counts) = rest.split_once(" run: ")?;
        return Some(counted(counts.split(',')));
    }
    let parts: Vec<&str> = line.split(", ").collect();
    let is_count = |part: &str, word: &str| part.strip_suffix(word).is_some_and(|n| n.trim_end().parse::<u32>().is_ok());
    let ours = (2..=3).contains(&parts.len())
        && is_count(parts[0], " passed")
        && is_count(parts[1], " failed")
        && parts.get(2).is_none_or(|part| is_count(part, " skipped"));
    ours.then(|| counted(parts.into_iter()))
}

fn counted<'a>(parts: impl Iterator<Item = &'a str>) -> Tally {
    let mut tally = Tally::default();
    for part in parts {
        // "3 timed out", "2 passed (1 slow, 1 flaky)": a number and the words after it.
        let Some((number, words)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        match words.split(" (").next().unwrap_or(words) {
            "passed" => tally.passed += number,
            "failed" | "timed out" | "exec failed" => tally.failed += number,
            "ignored" | "skipped" => tally.skipped += number,
            _ => {}
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let check = |line: &str, expected: Option<(u32, u32, u32)>| {
            let expected = expected.map(|(passed, failed, skipped)| Tally { passed, failed, skipped });
            assert_eq!(summary(&without_colour(line)), expected, "{line}");
        };
        check("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.01s", Some((3, 0, 1)));
        check("test result: FAILED. 0 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s", Some((0, 2, 0)));
        check("     Summary [   0.012s] 3 tests run: 2 passed, 1 failed, 5 skipped", Some((2, 1, 5)));
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   1.012s] 4 tests run: 2 passed (1 slow), 1 failed, 1 timed out, 0 skipped",
            Some((2, 2, 0)),
        );
        check("     Summary [   0.012s] 1 test run: 1 passed (1 slow, 1 leaky), 0 skipped", Some((1, 0, 0)));
        check("12 passed, 0 failed", Some((12, 0, 0)));
        check("12 passed, 1 failed, 2 skipped", Some((12, 1, 2)));
        check("all 12 passed, 1 failed", None);
        check("2 passed, nothing failed", None);
        check("running 3 tests", None);
        check("", None);
    }

    #[test]
    fn failures_are_named() {
        let lines = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
        let output = "test one ... ok (3 ms)\n\u{1b}[31mthread 'main' panicked at src/a.rs:3:5:\u{1b}[0m\nleft: 1\nnote: a backtrace\n\
            test two ... FAILED: panicked (4 ms)\n  FAIL [ 0.1s] crate::three\nFAILED  four: no answer\n1 passed, 3 failed";
        let expected = [
            "thread 'main' panicked at src/a.rs:3:5:",
            "left: 1",
            "test two ... FAILED: panicked (4 ms)",
            "FAIL [ 0.1s] crate::three",
            "FAILED  four: no answer",
        ];
        assert_eq!(failures(&lines(output)), expected);
        let without_names: Vec<_> = (0..30).map(|line| format!("line {line}")).collect();
        assert_eq!(failures(&without_names), without_names[10..]);
    }

    #[test]
    fn summaries_add_up() {
        let lines = ["1 passed, 0 failed", "noise", "test result: ok. 2 passed; 1 failed; 0 ignored"].map(String::from);
        assert_eq!(Tally::of(&lines).to_string(), "3 passed, 1 failed");
        let lines = ["test result: ok. 1 passed; 0 failed; 0 ignored", "     Summary [   9.012s] 4 tests run: 4 passed, 0 skipped"]
            .map(String::from);
        assert_eq!(Tally::of(&lines).to_string(), "4 passed, 0 failed");
    }
}
