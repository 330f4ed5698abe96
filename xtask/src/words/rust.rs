//! The comments and error texts of a Rust file.

use super::passage::{Cursor, Kind, Line, Passage, Passages, is_word};

/// The tokens before an error text.
const ERROR_ATTRIBUTE: [&str; 4] = ["#", "[", "error", "("];

/// Prefixes of string literals.
const STRING_PREFIXES: [&str; 5] = ["b", "c", "r", "br", "cr"];

/// Returns the comments and the texts of `#[error("...")]` attributes in `text`.
pub(super) fn passages(text: &str) -> Vec<Passage> {
    let mut cursor = Cursor::new(text);
    let mut passages = Passages::default();
    // The number of tokens of `ERROR_ATTRIBUTE` directly before the position.
    let mut attribute = 0;
    while let Some(c) = cursor.peek(0) {
        if cursor.starts_with("//") {
            passages.add_line_comment(Kind::RustComment, &mut cursor);
        } else if cursor.starts_with("/*") {
            passages.add_block_comment(Kind::RustComment, &mut cursor);
        } else if c == '"' {
            let lines = string(&mut cursor);
            if attribute == ERROR_ATTRIBUTE.len() {
                passages.add(Kind::Error, lines);
            }
            attribute = 0;
        } else if c == '\'' {
            character_or_lifetime(&mut cursor);
            attribute = 0;
        } else if is_word(c) {
            let word = cursor.word();
            let hashes = (0..).take_while(|ahead| cursor.peek(*ahead) == Some('#')).count();
            let is_raw = word.ends_with('r') && cursor.peek(hashes) == Some('"');
            if is_raw && STRING_PREFIXES.contains(&word.as_str()) {
                cursor.skip(hashes);
                let lines = raw_string(&mut cursor, hashes);
                if attribute == ERROR_ATTRIBUTE.len() {
                    passages.add(Kind::Error, lines);
                }
                attribute = 0;
            } else if hashes > 0 || cursor.peek(0) != Some('"') || !STRING_PREFIXES.contains(&word.as_str()) {
                attribute = next_attribute_state(attribute, &word);
            }
        } else {
            if !c.is_whitespace() {
                attribute = next_attribute_state(attribute, c.encode_utf8(&mut [0; 4]));
            }
            cursor.bump();
        }
    }
    passages.into_vec()
}

fn next_attribute_state(state: usize, token: &str) -> usize {
    match ERROR_ATTRIBUTE.get(state) {
        Some(expected) if *expected == token => state + 1,
        _ => usize::from(token == ERROR_ATTRIBUTE[0]),
    }
}

/// Moves past a string literal and returns its lines. Spaces replace escapes, so that columns stay correct.
fn string(cursor: &mut Cursor) -> Vec<Line> {
    cursor.bump();
    let mut lines = vec![cursor.start_line()];
    while let Some(c) = cursor.peek(0) {
        let mut replaced = String::from(c);
        match c {
            '"' => {
                cursor.bump();
                break;
            }
            '\\' if cursor.starts_with("\\u{") => {
                let length = 1 + (0..).take_while(|ahead| cursor.peek(*ahead).is_some_and(|c| c != '}')).count();
                replaced = " ".repeat(length);
            }
            '\\' => replaced = "  ".into(),
            _ => {}
        }
        let at_line_end = c == '\n' || cursor.starts_with("\\\n");
        cursor.skip(replaced.chars().count());
        if at_line_end {
            lines.push(cursor.start_line());
        } else if let Some(line) = lines.last_mut() {
            line.text.push_str(&replaced);
        }
    }
    lines
}

/// Moves past a raw string literal, from its first quote on, and returns its lines.
fn raw_string(cursor: &mut Cursor, hashes: usize) -> Vec<Line> {
    let end = format!("\"{}", "#".repeat(hashes));
    cursor.bump();
    let mut lines = vec![cursor.start_line()];
    while cursor.peek(0).is_some() && !cursor.starts_with(&end) {
        match cursor.bump() {
            Some('\n') => lines.push(cursor.start_line()),
            c => lines.last_mut().into_iter().for_each(|line| line.text.extend(c)),
        }
    }
    cursor.skip(end.len());
    lines
}

/// Moves past `'a'`, `'\''`, or the quote of `'static`.
fn character_or_lifetime(cursor: &mut Cursor) {
    if cursor.peek(1) == Some('\\') {
        cursor.skip(3);
        while cursor.bump().is_some_and(|c| c != '\'') {}
    } else if cursor.peek(2) == Some('\'') {
        cursor.skip(3);
    } else {
        cursor.bump();
    }
}

#[cfg(test)]
mod tests {
    use super::super::passage::tests::summary;
    use super::*;

    fn comment(line: usize, column: usize, text: &str) -> (Kind, usize, usize, String) {
        (Kind::RustComment, line, column, text.into())
    }

    #[test]
    fn consecutive_line_comments_are_one_passage() {
        let text = "//! Crate\n//! docs.\n\n/// Item\n/// docs.\n// Plain.\nfn f() {} // after code\n// next line\n//// Four.";
        let expected = [
            comment(1, 4, "Crate / docs."),
            comment(4, 4, "Item / docs."),
            comment(6, 3, "Plain."),
            comment(7, 13, "after code"),
            comment(8, 3, "next line"),
            comment(9, 5, "Four."),
        ];
        assert_eq!(summary(&passages(text)), expected);
    }

    #[test]
    fn block_comments_nest() {
        let text = "/* a /* b */ c\n * d */ let x = 1; /** e */";
        assert_eq!(summary(&passages(text)), [comment(1, 4, "a /* b */ c / d"), comment(2, 23, "e")]);
        assert_eq!(summary(&passages("/* unterminated /* */")).len(), 1);
    }

    #[test]
    fn literals_contain_no_comments() {
        let literals = [
            r#""// no""#,
            r#""\" // no""#,
            r#""\\""#,
            "\"two\n// lines\"",
            r##"r"// no\""##,
            r###"r#"" // no"#"###,
            r###"br##""# /* no"##"###,
            r#"b"// no""#,
            r#"c"// no""#,
            "cr#\"// no\"#",
            "'\"'",
            r"'\''",
            r"b'\\'",
            "'\\u{22}'",
            "'/'",
            "x::<'static, '_>()",
            "r#type / r#fn",
            "a / b",
        ];
        for literal in literals {
            let found = summary(&passages(&format!("f({literal}); // yes")));
            assert_eq!(found.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>(), ["yes"], "{literal}");
        }
    }

    #[test]
    fn error_attributes_are_found_and_other_strings_are_not() {
        let error = |line, column, text: &str| (Kind::Error, line, column, text.to_owned());
        let text = "#[error(\"first \\\"{0}\\\" \\\n    second\")] A(u8), #[error(transparent)] B, #[doc(\"no\")] C,\n\
            #[error( r#\"raw \"text\"\"# )] D, #[error(\"{}\", f(\"no\"))] E, error(\"no\")";
        let expected = [error(1, 10, "first   {0} / second"), error(3, 13, "raw \"text\""), error(3, 41, "{}")];
        assert_eq!(summary(&passages(text)), expected);
    }
}
