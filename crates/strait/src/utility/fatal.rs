//! The report that Node writes when its engine ends fatally.

use std::{fs, path::Path};

use serde::Deserialize;

/// The script's engine ended fatally: the script has used up its memory (see Node's
/// `--max-old-space-size`), or caused a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FatalError {
    /// The script's position; or, as the engine mostly cannot find that any more, the failed
    /// operation.
    pub location: String,
    /// Node's [diagnostic report](https://nodejs.org/api/report.html), as JSON.
    pub report: String,
}

/// The parts of a report that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    header: Header,
    javascript_stack: Option<Stack>,
}

#[derive(Deserialize)]
struct Header {
    event: String,
}

#[derive(Deserialize)]
struct Stack {
    stack: Vec<String>,
}

impl FatalError {
    /// Reads and removes the report in this file, if there is one.
    pub(super) fn take(file: &Path) -> Option<Self> {
        // Usually there is no report.
        let report = fs::read_to_string(file).ok()?;
        // Its folder is removed in any case.
        let _ = fs::remove_file(file);
        Some(Self::of(report))
    }

    fn of(report: String) -> Self {
        let location = match serde_json::from_str(&report) {
            Ok(Report { header, javascript_stack }) => {
                let frames = javascript_stack.map(|stack| stack.stack).unwrap_or_default();
                frames.iter().find_map(|frame| frame.strip_prefix("at ")).map_or(header.event, str::to_owned)
            }
            // Node had no time to complete it.
            Err(_) => String::new(),
        };
        Self { location, report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_the_first_frame_or_the_event() {
        let of = |text: &str| FatalError::of(text.to_owned()).location;
        let event = r#"{"header":{"event":"out of memory"},"javascriptStack":{"message":"No stack.","stack":["Unavailable."]}}"#;
        assert_eq!(of(event), "out of memory");
        assert_eq!(of(&event.replace("Unavailable.", "at grow (/a.js:2:4)")), "grow (/a.js:2:4)");
        assert_eq!(of(r#"{"header":{"event":"failed"}}"#), "failed");
        assert_eq!(of(r#"{"header":{"#), "");
    }
}
