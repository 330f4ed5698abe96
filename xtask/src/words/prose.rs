//! The words of a passage: its prose without code, links and markup.

use super::markup::{self, Glyph, Role, Symbol};
use super::passage::Passage;

/// The text of a word that stands for code. No pattern contains it.
const CODE: &str = "`";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case, without a final `'s`.
    pub(super) text: String,
    /// As it is in the source.
    pub(super) source: String,
    pub(super) line: usize,
    pub(super) column: usize,
    /// Only whitespace separates it from the previous word.
    pub(super) joined: bool,
    /// The first word of a statement; false in questions, headings and tables.
    pub(super) starts_statement: bool,
}

/// Returns the words of `passage` in their order.
pub(super) fn words(passage: &Passage) -> Vec<Word> {
    let roles = markup::roles(passage);
    let glyphs = markup::glyphs(passage, &roles);
    let mut collector = Collector { passage, roles: &roles, words: Vec::new(), joined: false, sentence: None };
    let is_separator = |symbol: Symbol| symbol == Symbol::Break || matches!(symbol, Symbol::Text(c) if c.is_whitespace());
    let mut rest = glyphs.as_slice();
    while let Some(first) = rest.first() {
        if is_separator(first.symbol) {
            if first.symbol == Symbol::Break {
                collector.end_sentence(false);
            }
            rest = &rest[1..];
            continue;
        }
        let length = rest.iter().take_while(|glyph| !is_separator(glyph.symbol)).count();
        collector.add_chunk(&rest[..length]);
        rest = &rest[length..];
    }
    collector.words
}

struct Collector<'a> {
    passage: &'a Passage,
    roles: &'a [Role],
    words: Vec<Word>,
    joined: bool,
    /// The index of the current sentence's first word.
    sentence: Option<usize>,
}

impl Collector<'_> {
    /// Adds the words of a chunk: the characters between two spaces.
    fn add_chunk(&mut self, chunk: &[Glyph]) {
        let visible: Vec<Glyph> = chunk.iter().filter(|glyph| !is_hidden(glyph.symbol)).copied().collect();
        let text: String = visible.iter().map(|glyph| if let Symbol::Text(c) = glyph.symbol { c } else { '`' }).collect();
        let chars: Vec<char> = text.chars().collect();
        if is_code(&text) {
            self.joined &= !text.starts_with(['(', '"', '\'']);
            self.add_word(CODE, text.clone(), visible[0]);
            self.joined = text.ends_with("()") || !text.ends_with([')', '"', '\'', ',', ':']);
            let last = chars.iter().rev().copied().find(|c| !matches!(c, ')' | '"' | '\''));
            self.add_punctuation(last.filter(|_| !matches!(text.trim_start_matches('('), "e.g." | "i.e.")));
            return;
        }
        let mut position = 0;
        while position < chars.len() {
            let length = word_length(&chars[position..]);
            if length == 0 {
                self.joined = false;
                self.add_punctuation(Some(chars[position]));
                position += 1;
                continue;
            }
            let source: String = chars[position..position + length].iter().collect();
            let plain = source.trim_matches('_').to_lowercase().replace('’', "'");
            let plain = if source.contains('`') { CODE } else { plain.strip_suffix("'s").unwrap_or(&plain) };
            self.add_word(plain, if plain == CODE { "`…`".to_owned() } else { source.clone() }, visible[position]);
            position += length;
        }
    }

    fn add_word(&mut self, text: &str, source: String, glyph: Glyph) {
        let starts_sentence = self.sentence.is_none();
        self.sentence.get_or_insert(self.words.len());
        self.words.push(Word {
            text: text.to_owned(),
            source,
            line: self.passage.lines[glyph.line].number,
            column: glyph.column,
            joined: self.joined,
            starts_statement: starts_sentence && self.roles[glyph.line] == Role::Prose,
        });
        self.joined = true;
    }

    fn add_punctuation(&mut self, c: Option<char>) {
        if let Some(c @ ('.' | '!' | '?' | ';')) = c {
            self.end_sentence(c == '?');
        }
    }

    fn end_sentence(&mut self, is_question: bool) {
        self.joined = false;
        if let Some(first) = self.sentence.take().filter(|_| is_question) {
            self.words[first].starts_statement = false;
        }
    }
}

/// Emphasis and brackets do not separate words.
fn is_hidden(symbol: Symbol) -> bool {
    matches!(symbol, Symbol::Hidden | Symbol::Text('*' | '[' | ']' | '\\'))
}

/// A path, an address, a call or an identifier without backticks.
fn is_code(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let inner = |c: char| chars.windows(3).any(|part| part[0].is_alphanumeric() && part[1] == c && part[2].is_alphabetic());
    let starts_with_name = text.len() > 1 && text.starts_with('.') && chars[1].is_alphabetic();
    text.contains("://") || text.contains("::") || text.contains("()") || inner('.') || inner('_') || inner('=') || starts_with_name
}

/// Returns the number of characters of the word at the start of `chars`; 0 if there is none.
fn word_length(chars: &[char]) -> usize {
    // Code and its ending are one word: `Port`'s, `u32`s, `async`-free.
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '`');
    let joins = |index: usize| {
        let within = index > 0 && chars.get(index + 1).is_some_and(|c| is_part(*c)) && is_part(chars[index - 1]);
        within && matches!(chars[index], '\'' | '’' | '-' | '.')
    };
    (0..chars.len()).take_while(|index| is_part(chars[*index]) || joins(*index)).count()
}

#[cfg(test)]
mod tests {
    use super::super::passage::{Kind, Line};
    use super::*;

    fn texts(kind: Kind, text: &str) -> String {
        let Passage { lines, .. } = Passage::of_document(text);
        words(&Passage { kind, lines }).into_iter().map(|word| word.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn code_links_and_tags_are_no_words() {
        let document = |text: &str| texts(Kind::Document, text);
        assert_eq!(document("A `told` b ``c ` told`` d `e\ntold` f ` g"), "a ` b ` d ` f ` g");
        assert_eq!(document("[told you](told.md \"told\") and [a][told] <a href=\"told\">b</a>"), "told you and a b");
        assert_eq!(document("[told]: https://told.example/told\nnext"), "told next");
        assert_eq!(document("See https://a.example/told, src/told.rs, a::told, told() and .told now"), "see ` ` ` ` and ` now");
        assert_eq!(document("a\n```js\ntold\n```\nb\n~~~\ntold\n```\ntold\n~~~\nc"), "a b c");
        assert_eq!(document("- ```\n  told\n  ```\n- Node's *own* well-known _word_"), "node own well-known word");
        assert_eq!(document("> quoted **text**\n> ```\n> told\n> ```"), "quoted text");
        assert_eq!(document("|a `x|told` b|c|"), "a ` b c");
    }

    #[test]
    fn placeholders_and_tags_are_no_words() {
        assert_eq!(texts(Kind::Error, "frame {told:?}: kind {0}"), "frame ` kind `");
        let tags = "Text. @param {Map<any, {told: 1}>} told its meaning @returns {told} the result\n@template T";
        assert_eq!(texts(Kind::ScriptComment, tags), "text its meaning the result");
        assert_eq!(texts(Kind::RustComment, "Sends {a} to told@example.org"), "sends a to `");
    }

    #[test]
    fn sentences_and_positions() {
        let Passage { lines, .. } = Passage::of_document("One two. Three\nfour? Five;\n\n# Six\n- seven (e.g. eight) nine, ten");
        let lines = lines.into_iter().map(|line| Line { column: line.column + 3, ..line }).collect();
        let words = words(&Passage { kind: Kind::RustComment, lines });
        let starts: Vec<_> = words.iter().filter(|word| word.starts_statement).map(|word| word.source.as_str()).collect();
        assert_eq!(starts, ["One", "Five", "seven"]);
        let joined: Vec<_> = words.iter().filter(|word| word.joined).map(|word| word.text.as_str()).collect();
        assert_eq!(joined, ["two", "four", "eight"]);
        let four = words.iter().find(|word| word.text == "four").expect("a word");
        assert_eq!((four.line, four.column), (2, 4));
    }
}
