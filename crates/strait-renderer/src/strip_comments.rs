//! Removes comments and indentation from the glue's source, because each realm and each worker
//! parses it.

/// Returns the text without comments and indentation. Line numbers stay, so that stacks are right.
///
/// It relies on the glue's style and does not parse JavaScript: no string, template or regular
/// expression contains the beginning or end of a comment, and no template a line break. A test
/// checks that.
pub(crate) fn strip_comments(text: &str) -> String {
    let mut stripped = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let mut rest = line.trim();
        while !rest.is_empty() {
            if inside {
                let Some((_, after)) = rest.split_once("*/") else { break };
                (rest, inside) = (after, false);
                continue;
            }
            let (code, after) = match rest.split_once("/*") {
                Some((code, after)) if !code.contains("//") => (code, Some(after)),
                _ => (rest.split_once("//").map_or(rest, |(code, _)| code), None),
            };
            // One blank in the place of a comment keeps words apart.
            stripped.push_str(code.trim_end_matches(' '));
            if code.ends_with(' ') && after.is_some() {
                stripped.push(' ');
            }
            (rest, inside) = (after.unwrap_or_default(), after.is_some());
        }
        stripped.push('\n');
    }
    stripped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_lines_stay() {
        let text =
            "// A head.\n(function f(/** @type {any} */ x) {\n  /**\n   * A doc: `x`\n   * // more\n   */\n  return x / 2 // half\n})\n";
        assert_eq!(strip_comments(text), "\n(function f( x) {\n\n\n\n\nreturn x / 2\n})\n");
        assert_eq!(strip_comments("a /* b */ c /* d\n e */ f"), "a  c \n f\n");
    }

    #[test]
    fn the_glue_keeps_to_the_style_that_this_needs() {
        for (name, text) in crate::realm::texts() {
            let mut comment = false;
            for (number, line) in text.lines().enumerate() {
                let place = format!("{name}:{}: {line}", number + 1);
                let code = line.trim();
                comment = comment || code.starts_with("/*");
                if comment || code.starts_with("//") {
                    comment = comment && !code.contains("*/");
                    continue;
                }
                let code = code.split_once(" //").map_or(code, |(code, _)| code);
                assert!(code.matches('`').count() % 2 == 0, "a template over several lines: {place}");
                for quote in ['\'', '"', '`'] {
                    for inside in code.split(quote).skip(1).step_by(2) {
                        let marks = ["//", "/*", "*/"].iter().any(|mark| inside.contains(mark));
                        // A comment may stand between two strings.
                        assert!(!marks || inside.contains("/** @"), "a comment in a string: {place}");
                    }
                }
            }
        }
    }
}
