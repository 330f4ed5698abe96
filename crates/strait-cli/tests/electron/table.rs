//! The compatibility table against what the tests have covered.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::program::workspace;

/// What each row of the tables is to be tested for: `ID CELL`, and whether it is supported.
fn rows() -> BTreeMap<String, Vec<String>> {
    let folder = workspace().join("packages/electron/compatibility");
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("the tables").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a table");
        let table: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
        let page = table["page"].as_str().expect("the page's name");
        for row in table["rows"].as_array().expect("rows") {
            let text = |index: usize| row[index].as_str().unwrap_or_else(|| panic!("{page}: no text at {index}: {row}"));
            let (signature, kind, status, note) = (text(0), text(1), text(2), text(3));
            let member = signature.trim_start_matches("new ").trim_start_matches('\'');
            let member = member.split(['(', '\'']).next().unwrap_or_default();
            let id = match kind {
                "event" => format!("{page}:{member}"),
                "constructor" => format!("{page}.constructor"),
                _ => format!("{page}.{member}"),
            };
            assert!(!(status == "differs" && note.is_empty()), "{id} differs: how?");
            let cells: Vec<String> = match status {
                "yes" | "differs" => {
                    let cells = row[4].as_array().unwrap_or_else(|| panic!("{id}: no cells"));
                    cells.iter().map(|cell| cell.as_str().expect("a cell").to_owned()).collect()
                }
                "no" | "elsewhere" => Vec::new(),
                other => panic!("{id}: status {other}"),
            };
            assert!(rows.insert(id.clone(), cells).is_none(), "{id} stands twice in the tables");
        }
    }
    rows
}

/// Supported members without their tests, and tests of members that no table has.
pub(crate) fn mistakes(covered: &BTreeSet<String>) -> Vec<String> {
    let rows = rows();
    let mut mistakes = Vec::new();
    for (id, cells) in &rows {
        for cell in cells {
            if !covered.contains(&format!("{id} {cell}")) {
                mistakes.push(format!("{id} is listed as supported, and no test shows that it {cell}"));
            }
        }
    }
    for shown in covered {
        let (id, cell) = shown.split_once(' ').unwrap_or((shown, ""));
        match rows.get(id) {
            None => mistakes.push(format!("a test is of {id}, which no table has")),
            Some(cells) if cells.is_empty() => mistakes.push(format!("a test shows that {id} {cell}, and it is not listed as supported")),
            Some(_) => {}
        }
    }
    mistakes
}
