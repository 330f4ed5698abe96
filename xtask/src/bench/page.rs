//! The pages in `docs/`: text, plot and table.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::plot;
use super::rows::{Row, figure};

/// A page: its name in `docs/`, its text, and what is over its plot.
pub(crate) struct Page {
    name: &'static str,
    text: &'static str,
    title: &'static str,
}

pub(crate) const PORTS: Page =
    Page { name: "benchmarks", text: include_str!("ports.md"), title: "What Strait's ports cost, compared with what else one could use" };

pub(crate) const PAGES: Page = Page {
    name: "benchmarks-page",
    text: include_str!("pages.md"),
    title: "What the ports of a page cost, compared with what else a page could use",
};

impl Page {
    /// Writes `NAME.md` and `NAME.svg` into `folder`.
    pub(crate) fn write(&self, folder: &Path, rows: &[Row], machine: &str) -> Result<(), String> {
        let plot = plot::draw(rows, self.title, machine).ok_or("there is nothing to draw")?;
        for (kind, content) in [("md", self.fill(rows, machine)), ("svg", plot)] {
            let path = folder.join(self.name).with_extension(kind);
            fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        println!("wrote docs/{name}.md and docs/{name}.svg", name = self.name);
        Ok(())
    }

    fn fill(&self, rows: &[Row], machine: &str) -> String {
        self.text.replace("{machine}", machine).replace("{table}", table(rows).trim_end())
    }
}

fn table(rows: &[Row]) -> String {
    let mut out = String::from("| | strait | peer | | ratio | goal |\n|---|--:|--:|---|--:|---|\n");
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = &row.group;
            let _ = writeln!(out, "| **{group}** | | | | | |");
        }
        let goal = row.bar.as_ref().map_or(String::new(), |bar| format!("{} {}", bar.text, if bar.met { "✓" } else { "not met" }));
        let (strait, peer, ratio) = (figure(row.strait), figure(row.peer), figure(row.ratio));
        let _ =
            writeln!(out, "| {} | {strait} {unit} | {peer} {unit} | {} | {ratio} × | {goal} |", row.name, row.peer_name, unit = row.unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::Bar;

    #[test]
    fn the_page_has_every_row_under_its_group() {
        let row = |group: &str, name: &str, bar| Row {
            group: group.into(),
            name: name.into(),
            unit: "µs".into(),
            strait: 1.0,
            peer: 2.0,
            peer_name: "p".into(),
            ratio: 0.5,
            bar,
        };
        let rows = [row("g", "first", None), row("g", "second", Some(Bar { text: "≤ 0.6 ×".into(), met: true }))];
        let text = PORTS.fill(&rows, "a machine");
        assert!(
            text.contains(
                "| **g** | | | | | |\n| first | 1 µs | 2 µs | p | 0.500 × |  |\n| second | 1 µs | 2 µs | p | 0.500 × | ≤ 0.6 × ✓ |"
            )
        );
        for text in [text, PAGES.fill(&rows, "a machine")] {
            assert!(text.contains("a machine") && text.contains("| **g** |") && !text.contains("{machine}") && !text.contains("{table}"));
        }
    }
}
