//! Changes to a source text.

use oxc_span::Span;

/// Returns a name that the text does not contain.
pub(crate) fn fresh(source: &str) -> String {
    let mut name = String::from("$strait");
    let mut number = 0;
    while source.contains(&name) {
        number += 1;
        name = format!("$strait{number}_");
    }
    name
}

/// Replacements in a text, which are applied together.
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

    /// Replaces the span by `text` and the line ends of the span.
    pub(crate) fn blank(&mut self, span: Span, text: &str) {
        let lines = self.source[span.start as usize..span.end as usize].chars().filter(|&c| matches!(c, '\n' | '\u{2028}' | '\u{2029}'));
        let text = text.chars().chain(lines.map(|_| '\n')).collect::<String>();
        self.replace(span, text);
    }

    /// Applies the replacements. Insertions precede a replacement that begins at the same offset.
    /// Of overlapping replacements, only the first and longest is applied.
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
