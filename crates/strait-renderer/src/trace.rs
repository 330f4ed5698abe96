//! Stack traces: converts WebKit's form to the usual one.

/// An error's text with the place where it was thrown, and its stack. `place` (`url:line:column`)
/// is added if the stack is empty or begins elsewhere, as with syntax errors.
pub(crate) fn describe(text: &str, place: &str, stack: &str) -> String {
    let frames: Vec<String> = stack.lines().filter_map(frame).collect();
    let mut out = text.to_owned();
    let line = |place: &str| place.rsplit_once(':').map_or_else(|| place.to_owned(), |(line, _)| line.to_owned());
    if !place.is_empty() && !place.starts_with("strait:") && !frames.first().is_some_and(|frame| frame.contains(&line(place))) {
        out.push_str(&format!("\n    at {place}"));
    }
    for frame in frames {
        out.push_str("\n    ");
        out.push_str(&frame);
    }
    out
}

/// Converts `name@url:line:column` to `at name (url:line:column)`. `None` for frames of the agent
/// and the engine.
fn frame(text: &str) -> Option<String> {
    let (name, place) = text.split_once('@').unwrap_or(("", text));
    if place.is_empty() || place.starts_with("strait:") || place.starts_with("[native code]") {
        return None;
    }
    let hidden = matches!(name, "" | "global code" | "eval code" | "module code" | "anonymous") || name.starts_with("$strait");
    Some(if hidden { format!("at {place}") } else { format!("at {name} ({place})") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_read_as_everywhere() {
        let stack = "fail@file:///a/p.js:2:9\n@file:///a/p.js:5:5\nload@strait:glue:9:1\n[native code]\nglobal code@file:///a/b.html:1:1";
        let expected = "Error: x\n    at fail (file:///a/p.js:2:9)\n    at file:///a/p.js:5:5\n    at file:///a/b.html:1:1";
        assert_eq!(describe("Error: x", "file:///a/p.js:2:18", stack), expected);
        assert_eq!(describe("SyntaxError: y", "file:///a/p.js:3:1", "load@strait:glue:9:1"), "SyntaxError: y\n    at file:///a/p.js:3:1");
        assert_eq!(describe("5", "", ""), "5");
    }
}
