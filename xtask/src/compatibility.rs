//! `docs/electron-compatibility.md`, made from the tables that the hosts and the tests use too.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::workspace;

/// The pages in the order of the document.
const PAGES: [&str; 17] = [
    "exports-main",
    "exports-renderer",
    "exports-utility",
    "ipc-main",
    "ipc-renderer",
    "context-bridge",
    "web-contents",
    "web-frame-main",
    "message-channel-main",
    "message-port-main",
    "utility-process",
    "parent-port",
    "browser-window",
    "browser-window-options",
    "web-preferences",
    "app",
    "process",
];

const INTRODUCTION: &str = "\
# What of Electron's API there is

Made by `cargo xtask compatibility` from `packages/electron/compatibility/*.json`; the main process and pages refuse what is missing by the same tables, and `cargo xtask test` fails
if a member that is listed here as supported has no test, does not exist, or exists without being listed.

- **yes**: works as Electron documents it. **differs**: works, but for what is said beside it. **no**: using it throws an error that names it and this page;
  an event of this kind never comes, and an option has no effect (both are said once on the terminal). **elsewhere**: Electron does not have it on Linux either.
- Strait's own additions (`close` reasons, `{ world: 'main' }`, ports through `contextBridge`, ...) are described in [`message-ports.md`](message-ports.md).
";

#[derive(Deserialize)]
struct Page {
    page: String,
    reference: String,
    electron: u32,
    rows: Vec<Row>,
}

/// Signature, kind, status, how it differs or why it is missing; then what its tests show, where it is supported.
#[derive(Deserialize)]
#[serde(transparent)]
struct Row(Vec<serde_json::Value>);

impl Row {
    fn parts(&self) -> [&str; 4] {
        [0, 1, 2, 3].map(|index| self.0.get(index).and_then(|part| part.as_str()).unwrap_or_default())
    }
}

fn file() -> PathBuf {
    workspace::root().join("docs/electron-compatibility.md")
}

/// The task.
pub(crate) fn run() -> Result<(), String> {
    let text = text()?;
    fs::write(file(), text).map_err(|error| format!("{}: {error}", file().display()))?;
    println!("wrote {}", file().display());
    Ok(())
}

fn text() -> Result<String, String> {
    let folder = workspace::root().join("packages/electron/compatibility");
    let present = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?.count();
    if present != PAGES.len() {
        return Err(format!("{} has {present} files, and {} pages are listed here", folder.display(), PAGES.len()));
    }
    let mut pages = Vec::new();
    for name in PAGES {
        let path = folder.join(name).with_extension("json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let page: Page = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        pages.push(page);
    }
    let mut text = INTRODUCTION.to_owned();
    let version = pages.iter().map(|page| page.electron).max().unwrap_or_default();
    let _ = writeln!(text, "\nThe list is Electron {version}'s.\n\n| page | yes | differs | no | elsewhere |\n|---|---|---|---|---|");
    for page in &pages {
        let mut counts = BTreeMap::new();
        for row in &page.rows {
            *counts.entry(row.parts()[2]).or_insert(0) += 1;
        }
        let count = |status| counts.get(status).copied().unwrap_or(0);
        let anchor: String = page.page.to_lowercase().chars().filter(char::is_ascii_lowercase).collect();
        let [yes, differs, no, elsewhere] = ["yes", "differs", "no", "elsewhere"].map(count);
        let _ = writeln!(text, "| [`{}`](#{anchor}) | {yes} | {differs} | {no} | {elsewhere} |", page.page);
    }
    for page in &pages {
        let _ = writeln!(text, "\n## {}\n\n[Electron's page]({})\n\n| member | kind | | |\n|---|---|---|---|", page.page, page.reference);
        let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &page.rows {
            let [signature, kind, status, note] = row.parts();
            if status == "no" && note.is_empty() {
                missing.entry(kind).or_default().push(signature);
            } else {
                let _ = writeln!(text, "| `{signature}` | {kind} | {status} | {note} |");
            }
        }
        for (kind, signatures) in missing {
            let _ =
                writeln!(text, "\nNot supported ({kind}): {}.", signatures.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", "));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_is_what_the_tables_say() {
        let written = std::fs::read_to_string(super::file()).expect("docs/electron-compatibility.md");
        assert!(written == super::text().expect("the tables"), "run `cargo xtask compatibility`");
    }
}
