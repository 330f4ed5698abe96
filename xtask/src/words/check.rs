//! The findings in one file, and their comparison with the allowances.

use super::lists::{Counts, Lists};
use super::passage::{Kind, Passage};
use super::{columns, patterns, prose, rust, script};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// No pattern of the list matches.
    Words,
    /// Prose in documents has at most [`columns::LIMIT`] columns.
    Columns,
}

impl Rule {
    pub(super) const ALL: [Rule; 2] = [Rule::Words, Rule::Columns];

    pub(super) fn name(self) -> &'static str {
        match self {
            Rule::Words => "words",
            Rule::Columns => "columns",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// A place in a file that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    pub(super) line: usize,
    pub(super) column: usize,
    /// The matched words, or the width.
    pub(super) phrase: String,
    pub(super) advice: String,
}

/// Returns the passages of prose in a file. Its extension decides how it is read; `None`: it is not checked.
fn passages(path: &str, text: &str) -> Option<Vec<Passage>> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "rs" => Some(rust::passages(text)),
        "js" | "mjs" | "cjs" | "ts" => Some(script::passages(text)),
        "md" => Some(vec![Passage::of_document(text)]),
        _ => None,
    }
}

/// The file has a type that the check can read.
pub(super) fn applies_to(path: &str) -> bool {
    passages(path, "").is_some()
}

/// Returns the findings in a file in the order of their positions.
pub(super) fn find(path: &str, text: &str, lists: &Lists) -> Vec<Finding> {
    let mut findings = Vec::new();
    for passage in passages(path, text).unwrap_or_default() {
        let words = prose::words(&passage);
        for found in patterns::matches(&lists.patterns, &words) {
            if lists.allow(path, &words, found.start, found.end) {
                continue;
            }
            let matched = &words[found.start..found.end];
            let phrase = matched.iter().map(|word| word.source.as_str()).collect::<Vec<_>>().join(" ");
            let (line, column) = (matched[0].line, matched[0].column);
            findings.push(Finding { rule: Rule::Words, line, column, phrase, advice: found.advice.to_owned() });
        }
        if passage.kind == Kind::Document && columns::applies_to(path) {
            let advice = format!("wrap prose at {} columns", columns::LIMIT);
            findings.extend(columns::find(&passage).into_iter().map(|(line, width)| Finding {
                rule: Rule::Columns,
                line,
                column: columns::LIMIT + 1,
                phrase: format!("{width} columns"),
                advice: advice.clone(),
            }));
        }
    }
    findings.sort_by_key(|finding| (finding.line, finding.column));
    findings
}

/// A count that differs from its allowance.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) rule: Rule,
    pub(super) found: usize,
    pub(super) allowed: usize,
}

/// Returns the differences between the findings and the allowances.
pub(super) fn compare(found: &Counts, allowed: &Counts) -> Vec<Difference> {
    let mut keys: Vec<_> = found.keys().chain(allowed.keys()).collect();
    keys.sort();
    keys.dedup();
    let count = |counts: &Counts, key| counts.get(key).copied().unwrap_or(0);
    let differences = keys.into_iter().map(|key| {
        let (path, rule) = key.clone();
        Difference { path, rule, found: count(found, key), allowed: count(allowed, key) }
    });
    differences.filter(|difference| difference.found != difference.allowed).collect()
}

/// Changes the allowances to the counts of the findings. Without `accept`, no allowance is added or raised.
pub(super) fn update(allowed: &mut Counts, found: &Counts, selected: impl Fn(&str) -> bool, accept: bool) {
    for Difference { path, rule, found, allowed: limit } in compare(found, allowed) {
        if selected(&path) && (accept || found < limit) {
            allowed.insert((path, rule), found);
        }
    }
    allowed.retain(|_, count| *count > 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let lists = Lists::parse("whoever | name the actor\ntold | name the report\n^ what | begin with a noun", "").expect("lists");
        find(path, text, &lists).into_iter().map(|finding| format!("{}:{} {}", finding.line, finding.column, finding.phrase)).collect()
    }

    #[test]
    fn comments_and_error_texts_are_checked() {
        let expected = ["1:4 whoever", "1:15 told"];
        assert_eq!(found("a.rs", "// whoever is told"), expected);
        assert_eq!(found("a.js", "/* whoever is told */"), expected);
        assert_eq!(found("a.rs", "/// Sends it to\n/// whoever\n#[error(\"not told: {told}\")]"), ["2:5 whoever", "3:14 told"]);
        assert_eq!(found("a.mjs", "f(); /**\n * Whoever\n */"), ["2:4 Whoever"]);
        assert_eq!(found("a.md", "It is `told`\nto whoever."), ["2:4 whoever"]);
    }

    #[test]
    fn code_and_other_strings_are_not_checked() {
        assert_eq!(found("a.rs", r#"let told = "whoever is told"; panic!("// whoever is told");"#), [""; 0]);
        assert_eq!(found("a.rs", r##"let a = r#"whoever "is" // told"#; let b = '"'; // told"##), ["1:52 told"]);
        assert_eq!(found("a.rs", "/// ```\n/// told(); // told\n/// ```\n/// `told` [a](told)"), [""; 0]);
        assert_eq!(found("a.ts", "told(`whoever ${'// told'}`, /whoever|told/, a / told / b)"), [""; 0]);
        assert_eq!(found("a.toml", "# whoever is told"), [""; 0]);
        assert!(!applies_to("told") && !applies_to("a.html") && applies_to("a.cjs"));
    }

    #[test]
    fn documents_have_both_rules() {
        let wide = "wide ".repeat(21);
        let text = format!("{wide}\n| told | {wide} |\n\n```\ntold {wide}\n```\n\nWhat is it?\n\n{wide}. What it is.");
        assert_eq!(found("docs/a.md", &text), ["1:101 105 columns", "2:3 told", "10:101 118 columns", "10:108 What"]);
        assert_eq!(found("crates/a.md", &text), ["2:3 told", "10:108 What"]);
    }

    fn counts(counts: &[(&str, usize)]) -> Counts {
        counts.iter().map(|(path, count)| (((*path).to_owned(), Rule::Words), *count)).collect()
    }

    #[test]
    fn findings_are_compared_with_allowances() {
        let differences = compare(
            &counts(&[("new", 1), ("more", 3), ("same", 2), ("fewer", 1)]),
            &counts(&[("more", 2), ("same", 2), ("fewer", 5), ("gone", 1)]),
        );
        let summary: Vec<_> = differences.iter().map(|one| (one.path.as_str(), one.found, one.allowed)).collect();
        assert_eq!(summary, [("fewer", 1, 5), ("gone", 0, 1), ("more", 3, 2), ("new", 1, 0)]);
    }

    #[test]
    fn an_update_only_lowers_allowances_unless_it_accepts() {
        let found = counts(&[("new", 1), ("more", 3), ("fewer", 1), ("other", 1)]);
        let allowed = counts(&[("more", 2), ("fewer", 5), ("gone", 1), ("other", 9)]);
        let updated = |accept| {
            let mut allowed = allowed.clone();
            update(&mut allowed, &found, |path| path != "other", accept);
            allowed
        };
        assert_eq!(updated(false), counts(&[("more", 2), ("fewer", 1), ("other", 9)]));
        assert_eq!(updated(true), counts(&[("new", 1), ("more", 3), ("fewer", 1), ("other", 9)]));
    }
}
