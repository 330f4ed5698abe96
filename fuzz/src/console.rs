//! Texts that a page decides and a terminal shows.

use crate::sources::text::{cut, printable};

/// Bytes as a console's text, after a number that says where it is cut.
pub fn texts(bytes: &[u8]) {
    let (limit, text) = bytes.split_first().map_or((0, bytes), |(limit, text)| (usize::from(*limit), text));
    let text = String::from_utf8_lossy(text);
    let shown = printable(&text);
    assert!(!shown.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n')), "{shown:?}");
    // Every line but the first is indented: none looks like another window's.
    assert!(shown.split('\n').skip(1).all(|line| line.starts_with("    ")), "{shown:?}");
    assert_eq!(shown.matches('\n').count(), text.matches('\n').count(), "{shown:?}");
    let harmless = |c: &char| !c.is_control() || *c == '\t';
    if text.chars().all(|c| harmless(&c)) {
        assert_eq!(shown, text);
    }
    // Nothing that was there is lost, and it is in the same order.
    let mut rest = shown.chars();
    assert!(text.chars().filter(harmless).all(|c| rest.any(|other| other == c)), "{text:?} became {shown:?}");

    const MARK: &str = "…";
    let mut short = text.clone().into_owned();
    cut(&mut short, limit, MARK);
    if text.len() <= limit {
        assert_eq!(short, text);
    } else {
        let kept = short.strip_suffix(MARK).expect("a mark says that something is left out");
        assert!(text.starts_with(kept) && kept.len() <= limit, "{text:?} became {short:?}");
        // No more than a part of one character is lost beside what had to be.
        assert!(kept.len() + 4 > limit, "{text:?} became {short:?}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_and_their_mutants() {
        let seeds = [
            ("plain", "\u{8}plain, übergroß, 日本, 👋"),
            ("tabs", "\u{3}tabs\tstay"),
            ("escapes", "\u{20}\u{1b}[31mred\u{1b}]0;owned\u{7}"),
            ("forged", "\u{9}x\n[window 9 error] forged"),
            ("lines", "\u{1}a\n\nb\r\n"),
            ("second-set", "\u{5}\u{7f}\u{9b}31m\u{9d}0;t\u{9c}\u{85}"),
            ("separators", "\u{6}a\u{2028}b\u{2029}\u{202e}c"),
        ];
        crate::replay("console", &seeds.map(|(name, text)| (name.into(), text.into())), 20_000, super::texts);
    }
}
