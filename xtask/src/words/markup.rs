//! Markdown's markup, which comments use too: it separates prose from code, links and tables.

use super::passage::{Kind, Line, Passage};

/// The role of a line in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A part of a paragraph or of a list item.
    Prose,
    Heading,
    /// A row of a table.
    Table,
    /// A fence or a line between two fences.
    Code,
    Blank,
}

/// Returns the role of each line of a passage.
pub(super) fn roles(passage: &Passage) -> Vec<Role> {
    // The fence of the open code block.
    let mut open: Option<String> = None;
    let mut role = |line: &Line| {
        let text = without_quote_marks(&line.text);
        if passage.kind == Kind::Error {
            return Role::Prose;
        }
        match (&open, fence(without_list_marker(text).trim_start())) {
            (Some(opening), Some(closing)) if closing.starts_with(opening) && text.trim() == closing => open = None,
            (Some(_), _) => {}
            (None, Some(opening)) => open = Some(opening.to_owned()),
            (None, None) if text.is_empty() => return Role::Blank,
            (None, None) if text.starts_with('|') => return Role::Table,
            (None, None) if is_heading(text) => return Role::Heading,
            (None, None) => return Role::Prose,
        }
        Role::Code
    };
    passage.lines.iter().map(&mut role).collect()
}

/// Returns the three or more backticks or tildes at the start of `text`.
fn fence(text: &str) -> Option<&str> {
    let c = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let end = text.find(|other| other != c).unwrap_or(text.len());
    // Backticks later in the line make it inline code.
    (end >= 3 && !text[end..].contains('`')).then_some(&text[..end])
}

fn is_heading(text: &str) -> bool {
    let rest = text.trim_start_matches('#');
    (1..=6).contains(&(text.len() - rest.len())) && rest.starts_with(' ')
}

/// Returns the line without surrounding whitespace and without the `>` of a block quote.
pub(super) fn without_quote_marks(text: &str) -> &str {
    text.trim_start_matches(|c: char| c == '>' || c.is_whitespace()).trim_end()
}

/// Returns the text after the `-`, `*`, `+` or `1.` of a list item.
pub(super) fn without_list_marker(text: &str) -> &str {
    let rest = text.trim_start();
    let after_number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let marker = if after_number.len() < rest.len() { after_number.strip_prefix(['.', ')']) } else { rest.strip_prefix(['-', '*', '+']) };
    marker.filter(|rest| rest.starts_with(' ')).unwrap_or(text)
}

/// A character of a passage, or the markup in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Text(char),
    /// A part of inline code, of a placeholder or of a type: it counts as one word.
    Code,
    /// Markup that does not separate words: a link's target, an HTML tag.
    Hidden,
    /// The end of a paragraph, a list item or a table cell.
    Break,
}

/// A symbol with its position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub(super) symbol: Symbol,
    /// Index of its line in the passage.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Returns the characters of a passage, without its code blocks and with its markup replaced.
pub(super) fn glyphs(passage: &Passage, roles: &[Role]) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    for (index, (line, role)) in passage.lines.iter().zip(roles).enumerate() {
        let mut push = |symbol, column| glyphs.push(Glyph { symbol, line: index, column });
        if matches!(role, Role::Code | Role::Blank) {
            push(Symbol::Break, line.column);
            continue;
        }
        let text = without_quote_marks(&line.text);
        let is_item = passage.kind != Kind::Error && without_list_marker(text) != text;
        if *role != Role::Prose || is_item {
            push(Symbol::Break, line.column);
        }
        let marker = line.text.find(text).unwrap_or(0) + text.len() - without_list_marker(text).len();
        let quoted = line.text.chars().take_while(|c| *c == '>' || c.is_whitespace()).count();
        let hidden = if is_item { line.text[..marker].chars().count() } else { quoted };
        let mut cells = Cells { in_table: *role == Role::Table, in_code: false };
        for (offset, c) in line.text.chars().enumerate() {
            let symbol = if offset < hidden { Symbol::Text(' ') } else { cells.symbol(c) };
            push(symbol, line.column + offset);
        }
        let end = if *role == Role::Prose { Symbol::Text('\n') } else { Symbol::Break };
        push(end, line.column + line.text.chars().count());
    }
    replace_code(&mut glyphs);
    replace_pairs(&mut glyphs, passage.kind);
    glyphs
}

/// Splits a table's row at `|`, but not in inline code.
struct Cells {
    in_table: bool,
    in_code: bool,
}

impl Cells {
    fn symbol(&mut self, c: char) -> Symbol {
        self.in_code ^= c == '`';
        if c == '|' && self.in_table && !self.in_code { Symbol::Break } else { Symbol::Text(c) }
    }
}

/// Replaces inline code: the text between two equal runs of backticks in one paragraph.
fn replace_code(glyphs: &mut [Glyph]) {
    let mut position = 0;
    while position < glyphs.len() {
        let length = run_of_backticks(glyphs, position);
        if length == 0 {
            position += 1;
            continue;
        }
        let mut end = position + length;
        while end < glyphs.len() && glyphs[end].symbol != Symbol::Break {
            let other = run_of_backticks(glyphs, end);
            if other == length {
                fill(glyphs, position, end + length, Symbol::Code);
                break;
            }
            end += other.max(1);
        }
        position = if glyphs[position].symbol == Symbol::Code { end + length } else { position + length };
    }
}

fn run_of_backticks(glyphs: &[Glyph], from: usize) -> usize {
    glyphs[from..].iter().take_while(|glyph| glyph.symbol == Symbol::Text('`')).count()
}

fn fill(glyphs: &mut [Glyph], from: usize, to: usize, symbol: Symbol) {
    glyphs[from..to].iter_mut().for_each(|glyph| glyph.symbol = symbol);
}

/// Replaces link targets, HTML tags, the placeholders of error texts and the types of JSDoc tags.
fn replace_pairs(glyphs: &mut [Glyph], kind: Kind) {
    let text = |glyphs: &[Glyph], position: usize| match glyphs.get(position).map(|glyph| glyph.symbol) {
        Some(Symbol::Text(c)) => c,
        _ => '\0',
    };
    for position in 0..glyphs.len() {
        let previous = if position == 0 { '\n' } else { text(glyphs, position - 1) };
        let next = text(glyphs, position + 1);
        let (end, symbol) = match text(glyphs, position) {
            '(' if previous == ']' => (end_of_pair(glyphs, position, '(', ')'), Symbol::Hidden),
            '[' if previous == ']' => (end_of_pair(glyphs, position, '[', ']'), Symbol::Hidden),
            ':' if previous == ']' => (end_of_line(glyphs, position), Symbol::Hidden),
            '<' if next.is_alphabetic() || next == '/' => (end_of_pair(glyphs, position, '<', '>'), Symbol::Hidden),
            '{' if kind == Kind::Error => (end_of_pair(glyphs, position, '{', '}'), Symbol::Code),
            '{' if next == '@' => (end_of_pair(glyphs, position, '{', '}'), Symbol::Code),
            '@' if kind == Kind::ScriptComment && !previous.is_alphanumeric() => (end_of_tag(glyphs, position), Symbol::Break),
            _ => continue,
        };
        if let Some(end) = end {
            fill(glyphs, position, end, symbol);
        }
    }
}

/// Returns the position after the bracket that closes the one at `from`, in the same paragraph.
fn end_of_pair(glyphs: &[Glyph], from: usize, opening: char, closing: char) -> Option<usize> {
    let mut depth = 0;
    for (offset, glyph) in glyphs[from..].iter().enumerate() {
        match glyph.symbol {
            Symbol::Break => return None,
            Symbol::Text(c) if c == opening => depth += 1,
            Symbol::Text(c) if c == closing => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(from + offset + 1);
        }
    }
    None
}

fn end_of_line(glyphs: &[Glyph], from: usize) -> Option<usize> {
    let length = glyphs[from..].iter().take_while(|glyph| glyph.line == glyphs[from].line && glyph.symbol != Symbol::Text('\n')).count();
    // A footnote or a definition starts its line: `[name]: target`.
    let starts_line = glyphs[..from].iter().rev().take_while(|glyph| glyph.line == glyphs[from].line).count();
    let first = glyphs[from - starts_line..from].iter().find(|glyph| glyph.symbol != Symbol::Text(' '));
    (first.map(|glyph| glyph.symbol) == Some(Symbol::Text('['))).then_some(from + length)
}

/// Returns the position after a JSDoc tag, its type and, where it declares something, the declared name.
fn end_of_tag(glyphs: &[Glyph], from: usize) -> Option<usize> {
    const DECLARATIONS: [&str; 5] = ["param", "property", "typedef", "template", "callback"];
    let spaces = |from: usize| from + glyphs[from..].iter().take_while(|glyph| glyph.symbol == Symbol::Text(' ')).count();
    let word = |from: usize| {
        let is_part = |glyph: &&Glyph| matches!(glyph.symbol, Symbol::Text(c) if !c.is_whitespace()) || glyph.symbol == Symbol::Code;
        from + glyphs[from..].iter().take_while(is_part).count()
    };
    let end = word(from);
    let tag: String =
        glyphs[from + 1..end].iter().filter_map(|glyph| if let Symbol::Text(c) = glyph.symbol { Some(c) } else { None }).collect();
    let mut position = spaces(end);
    if glyphs.get(position).is_some_and(|glyph| glyph.symbol == Symbol::Text('{')) {
        position = end_of_pair(glyphs, position, '{', '}')?;
    }
    if DECLARATIONS.contains(&tag.as_str()) {
        position = word(spaces(position));
    }
    Some(position)
}
