//! The comments of a JavaScript or TypeScript file.

use super::passage::{Cursor, Kind, Passage, Passages, is_word};

/// A regular expression, not a division, can follow these words.
const OPERATORS: [&str; 14] =
    ["await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw", "typeof", "void", "yield"];

/// A statement, not a division, follows the parentheses after these words.
const CONDITIONS: [&str; 4] = ["for", "if", "while", "with"];

/// An open bracket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `(` after `if`, `while`, `for` or `with`.
    Condition,
    /// `(` or `[` in an expression.
    Group,
    /// `{` of statements, a class or a function.
    Block,
    /// `{` of an object literal.
    Object,
    /// `${` in a template literal.
    Placeholder,
}

struct Scanner {
    cursor: Cursor,
    open: Vec<Bracket>,
    /// The last token, comments excepted. Empty at the start of the file.
    last: String,
    /// The last token ends an expression: a following `/` divides.
    operand: bool,
}

/// Returns the comments in `text`.
pub(super) fn passages(text: &str) -> Vec<Passage> {
    let mut scanner = Scanner { cursor: Cursor::new(text), open: Vec::new(), last: String::new(), operand: false };
    let mut passages = Passages::default();
    if text.starts_with("#!") {
        scanner.cursor.rest_of_line();
    }
    while let Some(c) = scanner.cursor.peek(0) {
        if scanner.cursor.starts_with("//") {
            passages.add_line_comment(Kind::ScriptComment, &mut scanner.cursor);
        } else if scanner.cursor.starts_with("/*") {
            passages.add_block_comment(Kind::ScriptComment, &mut scanner.cursor);
        } else if c.is_whitespace() {
            scanner.cursor.bump();
        } else {
            scanner.token(c);
        }
    }
    passages.into_vec()
}

impl Scanner {
    /// Moves past the token that starts with `c`.
    fn token(&mut self, c: char) {
        match c {
            '"' | '\'' => {
                self.string(c);
                self.end_token("\"", true);
            }
            '`' => {
                self.cursor.bump();
                self.template();
            }
            '/' if !self.operand => {
                self.regular_expression();
                self.end_token("/", true);
            }
            '(' | '[' | '{' => {
                self.open.push(self.bracket(c));
                self.punctuation(c, false);
            }
            ')' | ']' | '}' => match self.open.pop() {
                Some(Bracket::Placeholder) => {
                    self.cursor.bump();
                    self.template();
                }
                bracket => self.punctuation(c, !matches!(bracket, Some(Bracket::Condition | Bracket::Block))),
            },
            '+' | '-' if self.cursor.peek(1) == Some(c) => {
                self.cursor.skip(2);
                self.end_token("++", self.operand);
            }
            '=' if self.cursor.peek(1) == Some('>') => {
                self.cursor.skip(2);
                self.end_token("=>", false);
            }
            c if is_word(c) => self.word(c),
            c => self.punctuation(c, false),
        }
    }

    fn end_token(&mut self, token: &str, operand: bool) {
        token.clone_into(&mut self.last);
        self.operand = operand;
    }

    fn punctuation(&mut self, c: char, operand: bool) {
        self.cursor.bump();
        self.end_token(c.encode_utf8(&mut [0; 4]), operand);
    }

    fn word(&mut self, first: char) {
        let is_member = self.last == ".";
        let mut word = self.cursor.word();
        if first.is_ascii_digit() && self.cursor.peek(0) == Some('.') {
            self.cursor.bump();
            word += &self.cursor.word();
        }
        let operand = is_member || !OPERATORS.contains(&word.as_str());
        // A member's name is not a keyword: `a.if (b) / c` divides.
        self.end_token(if is_member { "member" } else { &word }, operand);
    }

    /// The kind of the bracket `c` after the last token.
    fn bracket(&self, c: char) -> Bracket {
        let last = self.last.as_str();
        match c {
            '(' if CONDITIONS.contains(&last) => Bracket::Condition,
            '{' => {
                let in_object = self.open.last().is_some_and(|open| !matches!(open, Bracket::Block | Bracket::Placeholder));
                let starts_block = matches!(last, "" | ";" | "{" | "}" | ")" | "=>" | "do" | "else") || (last == ":" && !in_object);
                if starts_block || self.operand { Bracket::Block } else { Bracket::Object }
            }
            _ => Bracket::Group,
        }
    }

    fn string(&mut self, quote: char) {
        self.cursor.bump();
        while let Some(c) = self.cursor.peek(0) {
            match c {
                '\\' => self.cursor.skip(2),
                '\n' => return,
                _ => self.cursor.skip(1),
            }
            if c == quote {
                return;
            }
        }
    }

    /// Moves past the text of a template literal, up to its end or its next `${`.
    fn template(&mut self) {
        while let Some(c) = self.cursor.peek(0) {
            if c == '\\' {
                self.cursor.skip(2);
            } else if self.cursor.starts_with("${") {
                self.cursor.skip(2);
                self.open.push(Bracket::Placeholder);
                self.end_token("${", false);
                return;
            } else {
                self.cursor.bump();
                if c == '`' {
                    break;
                }
            }
        }
        self.end_token("`", true);
    }

    /// Moves past a regular expression without its flags.
    fn regular_expression(&mut self) {
        self.cursor.bump();
        let mut in_class = false;
        while let Some(c) = self.cursor.peek(0).filter(|c| *c != '\n') {
            match c {
                '\\' => self.cursor.bump(),
                '[' | ']' => {
                    in_class = c == '[';
                    None
                }
                _ => None,
            };
            self.cursor.bump();
            if c == '/' && !in_class {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::passage::tests::summary;
    use super::*;

    fn comments(text: &str) -> Vec<String> {
        summary(&passages(text)).into_iter().map(|(.., text)| text).collect()
    }

    #[test]
    fn comments_of_all_forms_are_found() {
        let text = "#!/usr/bin/env node // no\n// a\n// b\n/** c\n * d */ f(); /* e /* */ g(/* h */); // i";
        assert_eq!(comments(text), ["a / b", "c / d", "e /*", "h", "i"]);
        assert_eq!(summary(&passages("x; // y"))[0], (Kind::ScriptComment, 1, 6, "y".into()));
        assert_eq!(summary(&passages("/*\n   * y */"))[0].3, " / y");
    }

    #[test]
    fn literals_contain_no_comments() {
        let literals = [
            r#""// no""#,
            r#"'\' // no'"#,
            "`// no`",
            "`a ${`// no` + '}'} // no`",
            r"`\`// no ${ { a: 1 }.a } /* no`",
            "/[/]/* no/g",
            r"/\/\/* no/",
            "[/a'b/, /c`/]",
        ];
        for literal in literals {
            assert_eq!(comments(&format!("f({literal}); // yes")), ["yes"], "{literal}");
        }
        assert_eq!(comments("`${ /* in a placeholder */ a } // no`"), ["in a placeholder"]);
    }

    #[test]
    fn divisions_are_not_regular_expressions() {
        let divisions =
            ["a / b", "(a) / b", "a[0] / b", "1 / 2", "1. / 2", "i++ / 2", "`a` / b", "{ x: 1 }.x / b", "a.return / b", "a.if(b) / c"];
        for division in divisions {
            assert_eq!(comments(&format!("f({division}, '/'); // yes")), ["yes"], "{division}");
        }
    }

    #[test]
    fn regular_expressions_follow_keywords_conditions_and_blocks() {
        let texts = [
            "return /'/;",
            "if (a) /'/.test(b);",
            "while (a) /'/.test(b);",
            "function f() {} /'/.test(b);",
            "class A extends B {} /'/.test(b);",
            "const f = () => { a; }\n/'/.test(b);",
            "switch (a) { case /'/: { b } /'/.test(c) }",
            "a = b ? /'/ : /`/;",
            "const { a } = b; { c } /'/.test(d);",
        ];
        for text in texts {
            assert_eq!(comments(&format!("{text} // yes")), ["yes"], "{text}");
        }
    }
}
