//! Changes to a source text.

use oxc_span::Span;

/// A name that the text does not use.
pub(crate) fn fresh(source: &str) -> String {
    let mut name = String::from("$strait");
    let mut number = 0;
    while source.contains(&name) {
        number += 1;
        name = format!("$strait{number}_");
    }
    name
}

/// Replacements in a text, applied all at once.
pub(crate) struct Edits<'a> {
    pub(crate) source: &'a str,
    edits: Vec<(Span, String)>,
}

impl<'a> Edits<'a> {
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source, edits: Vec::new() }
    }

    pub(crate) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push((span, text.into()));
    }

    /// `text`, and the line ends that the span had.
    pub(crate) fn blank(&mut self, span: Span, text: &str) {
        let lines = self.source[span.start as usize..span.end as usize].chars().filter(|&c| matches!(c, '\n' | '\u{2028}' | '\u{2029}'));
        let text = text.chars().chain(lines.map(|_| '\n')).collect::<String>();
        self.replace(span, text);
    }

    /// Insertions come before a replacement that begins at the same place. Of replacements that overlap, the first and longest counts.
    pub(crate) fn apply(mut self) -> String {
        self.edits.sort_by_key(|(span, _)| (span.start, !span.is_empty(), std::cmp::Reverse(span.end)));
        let mut out = String::with_capacity(self.source.len() + self.edits.len() * 8);
        let mut at = 0;
        for (span, text) in self.edits {
            if (span.start as usize) < at {
                continue;
            }
            out.push_str(&self.source[at..span.start as usize]);
            out.push_str(&text);
            at = span.end as usize;
        }
        out.push_str(&self.source[at..]);
        out
    }
}
