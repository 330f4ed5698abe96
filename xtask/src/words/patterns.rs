//! Patterns of words with advice, read from `xtask/words/list.txt`.

use super::passage::Passage;
use super::prose::{self, Word};

/// A word of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    Any,
    Exact(String),
    Prefix(String),
}

impl Form {
    fn parse(text: &str) -> Form {
        match text.strip_suffix('*') {
            Some("") => Form::Any,
            Some(stem) => Form::Prefix(stem.to_lowercase()),
            None => Form::Exact(text.to_lowercase()),
        }
    }

    fn matches(&self, word: &Word) -> bool {
        match self {
            Form::Any => true,
            Form::Exact(text) => word.text == *text,
            Form::Prefix(stem) => word.text.starts_with(stem.as_str()),
        }
    }
}

/// An entry of the list.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) advice: String,
    at_start: bool,
    not_after: Vec<Form>,
    elements: Vec<Vec<Form>>,
    not_before: Vec<Form>,
}

impl Pattern {
    fn parse(line: &str) -> Result<Pattern, String> {
        let (pattern, advice) = split(line).ok_or("expected `pattern | advice`")?;
        let forms = |text: &str| text.split('/').map(Form::parse).collect::<Vec<_>>();
        let mut parts: Vec<&str> = pattern.split_whitespace().collect();
        let at_start = parts.first() == Some(&"^");
        parts.drain(..usize::from(at_start));
        let first = parts.first().and_then(|part| part.strip_prefix('!'));
        parts.drain(..usize::from(first.is_some()));
        let last = parts.last().and_then(|part| part.strip_prefix('!'));
        parts.truncate(parts.len() - usize::from(last.is_some()));
        let is_word = |part: &&str| part.split('/').all(|word| !word.is_empty() && !word.contains(['!', '^']));
        if parts.is_empty() || !parts.iter().all(is_word) {
            return Err(format!("`{pattern}` is no sequence of words"));
        }
        Ok(Pattern {
            advice: advice.to_owned(),
            at_start,
            not_after: first.map(forms).unwrap_or_default(),
            elements: parts.into_iter().map(forms).collect(),
            not_before: last.map(forms).unwrap_or_default(),
        })
    }

    /// Returns the end of a match that starts at the word with this index.
    fn match_at(&self, words: &[Word], start: usize) -> Option<usize> {
        let end = start + self.elements.len();
        let matched = words.get(start..end)?;
        let fits = |(forms, word): (&Vec<Form>, &Word)| forms.iter().any(|form| form.matches(word));
        let has = |forms: &[Form], word: Option<&Word>| word.is_some_and(|word| forms.iter().any(|form| form.matches(word)));
        let previous = start.checked_sub(1).filter(|_| matched[0].joined).map(|index| &words[index]);
        let next = words.get(end).filter(|word| word.joined);
        let found = self.elements.iter().zip(matched).all(fits)
            && matched[1..].iter().all(|word| word.joined)
            && (!self.at_start || matched[0].starts_statement)
            && !has(&self.not_after, previous)
            && !has(&self.not_before, next);
        found.then_some(end)
    }
}

/// Splits an entry at its first tab or ` | `.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let (entry, rest) = line.split_once('\t').or_else(|| line.split_once(" | "))?;
    let (entry, rest) = (entry.trim(), rest.trim());
    (!entry.is_empty() && !rest.is_empty()).then_some((entry, rest))
}

/// Returns the entries of a list with their line numbers. Empty lines and lines that start with `#` are none.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_entry = |(_, line): &(usize, &str)| !line.is_empty() && !line.starts_with('#');
    text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())).filter(is_entry)
}

/// Reads a list of patterns. The error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Pattern>, String> {
    entries(text).map(|(number, line)| Pattern::parse(line).map_err(|error| format!("{number}: {error}"))).collect()
}

/// A match: a range of words and the pattern's advice.
#[derive(Debug)]
pub(super) struct Match<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) advice: &'a str,
}

/// Returns the matches in `words`. Of several matches at one word the longest counts; matches do not overlap.
pub(super) fn matches<'a>(patterns: &'a [Pattern], words: &[Word]) -> Vec<Match<'a>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let candidates = patterns.iter().filter_map(|pattern| Some((pattern.match_at(words, start)?, pattern)));
        // `max_by_key` returns the last maximum; among equally long matches the first of the list counts.
        let longest = candidates.fold(None, |best: Option<(usize, &Pattern)>, next| best.filter(|best| best.0 >= next.0).or(Some(next)));
        start = match longest {
            Some((end, pattern)) => {
                found.push(Match { start, end, advice: &pattern.advice });
                end
            }
            None => start + 1,
        };
    }
    found
}

/// Returns the words of a phrase without their positions.
pub(super) fn phrase(text: &str) -> Vec<String> {
    prose::words(&Passage::of_text(text)).into_iter().map(|word| word.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &str, text: &str) -> Vec<String> {
        let patterns = parse(list).expect("a list");
        let words = prose::words(&Passage::of_text(text));
        let text = |found: Match<'_>| words[found.start..found.end].iter().map(|word| word.source.as_str()).collect::<Vec<_>>().join(" ");
        matches(&patterns, &words).into_iter().map(text).collect()
    }

    #[test]
    fn words_have_boundaries_and_no_case() {
        assert_eq!(found("told | a", "Told, untold, told-you, Told's."), ["Told", "Told's"]);
        assert_eq!(found("tell/tells\ta", "It tells; tell it."), ["tells", "tell"]);
        assert_eq!(found("mourn* | a", "mourning becomes"), ["mourning"]);
        assert_eq!(found("lets go of | a", "It lets\ngo of it, lets *go* of; lets go. Of"), ["lets go of", "lets go of"]);
    }

    #[test]
    fn starts_and_surroundings_are_conditions() {
        assert_eq!(found("^ what | a", "What comes. And what? What is it?\n- what\n# What"), ["What", "what"]);
        assert_eq!(found("!there is no !longer | a", "There is no end, it is no end, it is no longer. Is no end."), ["is no", "Is no"]);
        assert_eq!(found("known to !be/fail | a", "known to be, known to main, known to"), ["known to", "known to"]);
        assert_eq!(found("in * hands | a", "in nobody's hands, in `a` hands"), ["in nobody's hands", "in `…` hands"]);
    }

    #[test]
    fn the_longest_match_counts_and_matches_do_not_overlap() {
        assert_eq!(found("who | a\nwho waits | b\nwaits for | c", "those who waits for"), ["who waits"]);
        let patterns = parse("# none\n\nwho | a\nwho | b").expect("a list");
        assert_eq!(matches(&patterns, &prose::words(&Passage::of_text("who")))[0].advice, "a");
    }

    #[test]
    fn malformed_entries_are_errors() {
        for line in ["told", "told | ", " | advice", "! | a", "a/ | b", "a !b c | d"] {
            assert!(parse(line).is_err_and(|error| error.starts_with("1: ")), "{line}");
        }
    }
}
