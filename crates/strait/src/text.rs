//! Texts from pages: limits of their length, and their form on a terminal.

use std::borrow::Cow;

/// Precedes every further line of a text, so that none can imitate the line of another window.
const INDENT: &str = "    ";

/// Shortens a text to at most `limit` bytes and appends `mark`.
pub(crate) fn cut(text: &mut String, limit: usize, mark: &str) {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str(mark);
    }
}

/// A page's text in a form that is safe on a terminal. Control characters are escaped (`\u{1b}`),
/// because a terminal would obey them. Tabs and line feeds stay; each further line is indented by
/// four spaces.
///
/// ```
/// assert_eq!(strait::printable("one\ntwo \u{1b}[31mred"), "one\n    two \\u{1b}[31mred");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() && c != '\t') {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => safe.push(c),
            '\n' => safe.extend(["\n", INDENT]),
            // The two sets of control characters (C0, C1), and DEL.
            c if c.is_control() => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_control_characters_of_a_page() {
        let table = [
            ("plain, übergroß, 日本, 👋", "plain, übergroß, 日本, 👋"),
            ("tabs\tstay", "tabs\tstay"),
            ("\u{1b}[31mred\u{1b}]0;owned\u{7}", "\\u{1b}[31mred\\u{1b}]0;owned\\u{7}"),
            ("x\n[window 9 error] forged", "x\n    [window 9 error] forged"),
            ("a\n\nb\n", "a\n    \n    b\n    "),
            ("over\rwritten\r\nby", "over\\rwritten\\r\n    by"),
            ("\u{8}\u{b}\u{c}\u{0}", "\\u{8}\\u{b}\\u{c}\\u{0}"),
            ("\u{7f}\u{9b}31m\u{9d}0;t\u{9c}\u{85}", "\\u{7f}\\u{9b}31m\\u{9d}0;t\\u{9c}\\u{85}"),
        ];
        for (given, expected) in table {
            assert_eq!(printable(given), expected, "{given:?}");
        }
        for c in (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32).filter(|c| !matches!(c, '\t' | '\n')) {
            assert!(!printable(&c.to_string()).contains(char::is_control), "{c:?}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (given, limit, expected) in [("abc", 3, "abc"), ("abcd", 3, "abc!"), ("aé", 2, "a!"), ("é", 1, "!"), ("", 0, "")] {
            let mut text = given.to_owned();
            cut(&mut text, limit, "!");
            assert_eq!(text, expected, "{given:?} to {limit}");
        }
    }
}
