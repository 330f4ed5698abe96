//! The data files in `xtask/words/`: patterns, permanent exceptions, and the allowances of files that are still to rewrite.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::check::Rule;
use super::patterns::{self, Pattern};
use super::prose::Word;
use crate::workspace;

/// Patterns with advice.
pub(super) const PATTERNS: &str = "xtask/words/list.txt";
/// Permanent exceptions.
pub(super) const ALLOWED: &str = "xtask/words/allowed.txt";
/// The findings that are still allowed.
pub(super) const EXCEPTIONS: &str = "xtask/words/exceptions.txt";

/// The first lines of `exceptions.txt`.
const HEADER: &str = "\
# Findings that are still allowed: path, rule, count. `cargo xtask words --update` writes this file.
";

/// A phrase that is correct where it is used.
struct Allowed {
    /// A path, or the start of a path before `*`.
    path: String,
    phrase: Vec<String>,
}

impl Allowed {
    fn parse(line: &str) -> Result<Allowed, String> {
        let (path, phrase) = patterns::split(line).ok_or("expected `path | phrase`, or `* | phrase`")?;
        let phrase = patterns::phrase(phrase);
        if phrase.is_empty() {
            return Err("the phrase has no words".into());
        }
        Ok(Allowed { path: path.to_owned(), phrase })
    }

    fn applies_to(&self, path: &str) -> bool {
        self.path.strip_suffix('*').map_or(self.path == path, |start| path.starts_with(start))
    }
}

/// Patterns and permanent exceptions.
pub(super) struct Lists {
    pub(super) patterns: Vec<Pattern>,
    allowed: Vec<Allowed>,
}

impl Lists {
    pub(super) fn read() -> Result<Lists, String> {
        Lists::parse(&read(PATTERNS)?, &read(ALLOWED)?)
    }

    pub(super) fn parse(patterns: &str, allowed: &str) -> Result<Lists, String> {
        let patterns = patterns::parse(patterns).map_err(|error| format!("{PATTERNS}:{error}"))?;
        let allowed = patterns::entries(allowed)
            .map(|(number, line)| Allowed::parse(line).map_err(|error| format!("{ALLOWED}:{number}: {error}")))
            .collect::<Result<_, _>>()?;
        Ok(Lists { patterns, allowed })
    }

    /// The words from `start` to `end` are a part of a phrase that is allowed in this file.
    pub(super) fn allow(&self, path: &str, words: &[Word], start: usize, end: usize) -> bool {
        self.allowed.iter().filter(|allowed| allowed.applies_to(path)).any(|Allowed { phrase, .. }| {
            let first = end.saturating_sub(phrase.len());
            (first..=start).any(|first| {
                let part = words.get(first..first + phrase.len());
                part.is_some_and(|part| part.iter().zip(phrase).all(|(word, text)| word.text == *text))
            })
        })
    }
}

/// The number of findings for a path and a rule.
pub(super) type Counts = BTreeMap<(String, Rule), usize>;

/// Reads the allowances.
pub(super) fn exceptions() -> Result<Counts, String> {
    parse_exceptions(&read(EXCEPTIONS)?)
}

fn parse_exceptions(text: &str) -> Result<Counts, String> {
    let mut counts = Counts::new();
    for (number, line) in patterns::entries(text) {
        let entry = || {
            let (rest, count) = line.rsplit_once(char::is_whitespace)?;
            let (path, rule) = rest.trim_end().rsplit_once(char::is_whitespace)?;
            Some(((path.trim_end().to_owned(), Rule::parse(rule)?), count.parse().ok()?))
        };
        let (key, count) = entry().ok_or(format!("{EXCEPTIONS}:{number}: expected `path  rule  count`"))?;
        if counts.insert(key, count).is_some() {
            return Err(format!("{EXCEPTIONS}:{number}: second entry for the same path and rule"));
        }
    }
    Ok(counts)
}

/// Writes the allowances.
pub(super) fn write_exceptions(counts: &Counts) -> Result<(), String> {
    let path = file(EXCEPTIONS);
    fs::write(&path, exceptions_text(counts)).map_err(|error| format!("{}: {error}", path.display()))
}

fn exceptions_text(counts: &Counts) -> String {
    let lines = counts.iter().map(|((path, rule), count)| format!("{path}  {}  {count}\n", rule.name()));
    lines.fold(HEADER.to_owned(), |text, line| text + &line)
}

fn file(path: &str) -> PathBuf {
    workspace::root().join(path)
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(file(path)).map_err(|error| format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::passage::Passage;
    use super::super::prose;
    use super::*;

    #[test]
    fn the_projects_lists_can_be_read() {
        let lists = Lists::read().expect("valid lists");
        assert!(lists.patterns.len() > 50);
        let counts = exceptions().expect("valid allowances");
        assert!(counts.values().all(|count| *count > 0));
    }

    #[test]
    fn allowed_phrases_depend_on_the_path() {
        let lists = Lists::parse("told | a", "* | be told `apart`\ndocs/* | told you\na.rs | told once, twice").expect("lists");
        let allow = |path: &str, text: &str| {
            let words = prose::words(&Passage::of_text(text));
            let index = words.iter().position(|word| word.text == "told").expect("the word");
            lists.allow(path, &words, index, index + 1)
        };
        assert!(allow("b.rs", "can be told `x`") && !allow("b.rs", "be told") && !allow("b.rs", "can be told apart"));
        assert!(allow("docs/b.md", "Told you") && !allow("b.md", "told you"));
        assert!(allow("a.rs", "told once twice") && !allow("docs/a.rs", "told once twice"));
        assert!(Lists::parse("", "a.rs told").is_err() && Lists::parse("", "a.rs | ...").is_err());
    }

    #[test]
    fn exceptions_are_read_as_they_are_written() {
        let counts = Counts::from([(("a b.rs".into(), Rule::Words), 12), (("docs/a.md".into(), Rule::Columns), 3)]);
        let text = exceptions_text(&counts);
        assert!(text.ends_with("\na b.rs  words  12\ndocs/a.md  columns  3\n"), "{text}");
        assert_eq!(parse_exceptions(&text), Ok(counts));
        for text in ["a.rs words", "a.rs  other  1", "a.rs  words  -1", "a  words  1\na  words  2", "words  1"] {
            assert!(parse_exceptions(text).is_err(), "{text}");
        }
    }
}
