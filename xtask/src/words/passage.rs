//! Passages of prose in a source file, and a cursor over its characters that counts lines and columns.

/// A line of prose, or the part of a line that a comment covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Counts from 1.
    pub(super) number: usize,
    /// The column of the first character of `text`. Counts from 1.
    pub(super) column: usize,
    pub(super) text: String,
}

/// The source of a passage. It decides which markup the passage can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A comment in Rust.
    RustComment,
    /// A comment in JavaScript or TypeScript.
    ScriptComment,
    /// The text of a `#[error("...")]` attribute.
    Error,
    /// A Markdown file.
    Document,
}

/// Lines that are read as one text. A sentence can span several of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) kind: Kind,
    pub(super) lines: Vec<Line>,
}

impl Passage {
    /// A text without a position, for example an entry of a list.
    pub(super) fn of_text(text: &str) -> Passage {
        Passage { kind: Kind::Document, lines: vec![Line { number: 1, column: 1, text: text.to_owned() }] }
    }

    /// A Markdown file as one passage.
    pub(super) fn of_document(text: &str) -> Passage {
        let lines = text.lines().enumerate().map(|(index, line)| Line { number: index + 1, column: 1, text: line.to_owned() });
        Passage { kind: Kind::Document, lines: lines.collect() }
    }
}

/// The characters of a source file from the current position on.
pub(super) struct Cursor {
    chars: Vec<char>,
    position: usize,
    line: usize,
    column: usize,
    /// Only whitespace precedes the position in its line.
    blank: bool,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Cursor {
        Cursor { chars: text.chars().collect(), position: 0, line: 1, column: 1, blank: true }
    }

    /// The character `ahead` positions after the current one.
    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.position + ahead).copied()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }

    /// Moves past the current character and returns it.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.position += 1;
        if c == '\n' {
            self.line += 1;
            self.column = 1;
            self.blank = true;
        } else {
            self.column += 1;
            self.blank &= c.is_whitespace();
        }
        Some(c)
    }

    pub(super) fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.bump();
        }
    }

    /// Moves past an identifier, a keyword or a number and returns it.
    pub(super) fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| is_word(*c)) {
            word.push(c);
            self.bump();
        }
        word
    }

    /// Only whitespace precedes the position in its line.
    pub(super) fn at_start_of_line(&self) -> bool {
        self.blank
    }

    /// An empty line at the position.
    pub(super) fn start_line(&self) -> Line {
        Line { number: self.line, column: self.column, text: String::new() }
    }

    /// Moves to the end of the line and returns the text before it.
    pub(super) fn rest_of_line(&mut self) -> Line {
        let mut line = self.start_line();
        while let Some(c) = self.peek(0).filter(|c| *c != '\n') {
            line.text.push(c);
            self.bump();
        }
        line
    }
}

/// Identifiers, keywords and numbers consist of these characters.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The passages of one file in their order. Line comments on consecutive lines form one passage.
#[derive(Default)]
pub(super) struct Passages {
    found: Vec<Passage>,
    /// Number and marker (`//`, `///`, `//!`) of the last line comment, if it has its line for itself.
    last: Option<(usize, &'static str)>,
}

impl Passages {
    pub(super) fn add(&mut self, kind: Kind, lines: Vec<Line>) {
        self.last = None;
        self.found.push(Passage { kind, lines });
    }

    /// Reads a line comment at the cursor.
    pub(super) fn add_line_comment(&mut self, kind: Kind, cursor: &mut Cursor) {
        let own_line = cursor.at_start_of_line();
        let marker = ["///", "//!", "//"].into_iter().find(|marker| cursor.starts_with(marker)).unwrap_or_default();
        cursor.skip(marker.len());
        while cursor.peek(0) == Some('/') {
            cursor.bump();
        }
        let line = cursor.rest_of_line();
        let continues = own_line && line.number > 1 && self.last == Some((line.number - 1, marker));
        self.last = own_line.then_some((line.number, marker));
        match self.found.last_mut() {
            Some(passage) if continues => passage.lines.push(line),
            _ => self.found.push(Passage { kind, lines: vec![line] }),
        }
    }

    /// Reads a block comment at the cursor. Rust's block comments nest.
    pub(super) fn add_block_comment(&mut self, kind: Kind, cursor: &mut Cursor) {
        cursor.skip(2);
        let mut depth = 1;
        let mut lines = vec![cursor.start_line()];
        while cursor.peek(0).is_some() {
            if cursor.starts_with("*/") {
                depth -= 1;
                if depth == 0 {
                    cursor.skip(2);
                    break;
                }
            } else if cursor.starts_with("/*") && kind == Kind::RustComment {
                depth += 1;
                append(cursor, &mut lines);
            }
            append(cursor, &mut lines);
        }
        lines.iter_mut().for_each(remove_decoration);
        self.add(kind, lines);
    }

    pub(super) fn into_vec(self) -> Vec<Passage> {
        self.found
    }
}

/// Moves the current character from the cursor to the end of `lines`.
fn append(cursor: &mut Cursor, lines: &mut Vec<Line>) {
    match cursor.bump() {
        Some('\n') => lines.push(cursor.start_line()),
        Some(c) => lines.last_mut().into_iter().for_each(|line| line.text.push(c)),
        None => {}
    }
}

/// Removes the `*` or `!` at the start of a block comment's line.
fn remove_decoration(line: &mut Line) {
    let text = line.text.trim_start();
    let text = text.strip_prefix(['*', '!']).unwrap_or(text);
    line.column += line.text.chars().count() - text.chars().count();
    line.text = text.to_owned();
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Kind, position and text of each passage. Lines are separated by `/`.
    pub(crate) fn summary(passages: &[Passage]) -> Vec<(Kind, usize, usize, String)> {
        let text = |passage: &Passage| passage.lines.iter().map(|line| line.text.trim()).collect::<Vec<_>>().join(" / ");
        passages.iter().map(|passage| (passage.kind, passage.lines[0].number, passage.lines[0].column, text(passage))).collect()
    }

    #[test]
    fn cursor_counts_lines_and_columns() {
        let mut cursor = Cursor::new("  é!\nab");
        assert!(cursor.at_start_of_line());
        cursor.skip(3);
        assert!(!cursor.at_start_of_line());
        assert_eq!(cursor.rest_of_line(), Line { number: 1, column: 4, text: "!".into() });
        cursor.bump();
        assert_eq!(cursor.start_line(), Line { number: 2, column: 1, text: String::new() });
        assert_eq!((cursor.word().as_str(), cursor.bump()), ("ab", None));
    }
}
