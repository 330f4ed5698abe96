//! The width of prose in documents.

use super::markup::{self, Role};
use super::passage::Passage;

/// The widest line of prose.
pub(super) const LIMIT: usize = 100;

/// Documents with this rule, wherever they are.
const NAMES: [&str; 3] = ["README.md", "SECURITY.md", "CONTRIBUTING.md"];

/// The rule is for documents in `docs/` and for the documents that readers of a repository or a package see first.
pub(super) fn applies_to(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.ends_with(".md") && (path.starts_with("docs/") || NAMES.contains(&name))
}

/// Returns number and width of each line that is too wide.
pub(super) fn find(document: &Passage) -> Vec<(usize, usize)> {
    let roles = markup::roles(document);
    let prose = document.lines.iter().zip(roles).filter(|(_, role)| *role == Role::Prose);
    let wide = prose.filter(|(line, _)| line.text.chars().count() > LIMIT && !is_exempt(&line.text));
    wide.map(|(line, _)| (line.number, line.text.chars().count())).collect()
}

/// A line is exempt if it consists of one link, or if everything beyond the limit is one link.
fn is_exempt(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['.', ',', ';', ':', ')', '*', '"']);
    let content = markup::without_list_marker(markup::without_quote_marks(text)).trim();
    let link = last_link(text);
    let before = text.len() - link.len();
    !link.is_empty() && (link.len() == content.len() || text[..before].chars().count() < LIMIT)
}

/// Returns the link at the end of `text`: `[text](target`, `[text]: target`, or an address without spaces. Empty if there is none.
fn last_link(text: &str) -> &str {
    let word = text.rfind(char::is_whitespace).map_or(text, |end| &text[end + 1..]);
    if let Some(separator) = text.rfind("](").filter(|separator| !text[*separator..].trim_end_matches(')').contains(')')) {
        let start = text[..separator].rfind('[').unwrap_or(separator);
        return &text[start..];
    }
    if let Some((name, _)) = text.split_once("]: ").filter(|(name, _)| name.trim_start().starts_with('[')) {
        return &text[name.len() - name.trim_start().len()..];
    }
    if word.contains("://") { word } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_wide(text: &str) -> Vec<(usize, usize)> {
        find(&Passage::of_document(text))
    }

    #[test]
    fn wide_prose_is_found() {
        let (fits, wide) = ("é".repeat(100), "word ".repeat(20) + "x");
        assert_eq!(too_wide(&format!("{fits}\n{wide}\n- {wide}\n> {wide}")), [(2, 101), (3, 103), (4, 103)]);
    }

    #[test]
    fn tables_headings_and_code_are_exempt() {
        let wide = "word ".repeat(30);
        assert_eq!(too_wide(&format!("| {wide} |\n\n# {wide}\n\n```\n{wide}\n```\n~~~ text\n{wide}\n~~~")), []);
        assert_eq!(too_wide(&format!("```\n```\n{wide}")).len(), 1);
    }

    #[test]
    fn links_are_exempt() {
        let (words, address) = ("word ".repeat(15), format!("https://example.org/{}", "a".repeat(100)));
        for text in [
            address.clone(),
            format!("- <{address}>"),
            format!("[a link]({address})"),
            format!("[name]: {address}"),
            format!("{words}[a link of words]({address})."),
            format!("{words}({address})"),
        ] {
            assert_eq!(too_wide(&text), [], "{text}");
        }
        for text in [format!("[a link]({address}) and more"), format!("{words}{words}{address}"), format!("{words} [a](b) {words}")] {
            assert_eq!(too_wide(&text).len(), 1, "{text}");
        }
    }

    #[test]
    fn paths_select_the_documents() {
        for path in ["README.md", "SECURITY.md", "docs/a/b.md", "crates/a/README.md"] {
            assert!(applies_to(path), "{path}");
        }
        for path in ["docs/a.txt", "crates/a/notes.md", "templates/README.js.md"] {
            assert!(!applies_to(path), "{path}");
        }
    }
}
