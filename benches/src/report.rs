//! Rows: on the terminal as they come, and in `ports.json` at the end.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use crate::Outcome;
use crate::rounds::Figures;

/// What a row should show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// Nothing: it is there for scale.
    None,
    /// The ratio is not larger.
    AtMost(f64),
    /// The ratio is not smaller.
    AtLeast(f64),
    /// Ours is not larger.
    OursAtMost(f64),
}

/// One comparison.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) strait: f64,
    pub(crate) peer: f64,
    pub(crate) peer_name: &'static str,
    pub(crate) bar: Bar,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.strait / self.peer
    }

    /// `None`: there is no bar.
    fn met(&self) -> Option<bool> {
        match self.bar {
            Bar::None => None,
            Bar::AtMost(most) => Some(self.ratio() <= most),
            Bar::AtLeast(least) => Some(self.ratio() >= least),
            Bar::OursAtMost(most) => Some(self.strait <= most),
        }
    }

    fn bar(&self) -> String {
        match self.bar {
            Bar::None => String::new(),
            Bar::AtMost(most) => format!("≤ {most} ×"),
            Bar::AtLeast(least) => format!("≥ {least} ×"),
            Bar::OursAtMost(most) => format!("≤ {} {}", figure(most), self.unit),
        }
    }
}

/// What seconds an operation are shown in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Microseconds,
    Nanoseconds,
    PerSecond,
    /// Operations of so many bytes.
    Gibibytes {
        ours: usize,
        peer: usize,
    },
}

impl Unit {
    /// The figures of both sides.
    fn of(self, ours: f64, peer: f64) -> (f64, f64) {
        let rate = |bytes: usize, seconds: f64| bytes as f64 / seconds / f64::from(1 << 30);
        match self {
            Unit::Microseconds => (ours * 1e6, peer * 1e6),
            Unit::Nanoseconds => (ours * 1e9, peer * 1e9),
            Unit::PerSecond => (1.0 / ours, 1.0 / peer),
            Unit::Gibibytes { ours: of_ours, peer: of_peer } => (rate(of_ours, ours), rate(of_peer, peer)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Microseconds => "µs",
            Unit::Nanoseconds => "ns",
            Unit::PerSecond => "messages/s",
            Unit::Gibibytes { .. } => "GiB/s",
        }
    }
}

/// All rows so far.
pub(crate) struct Report {
    rows: Vec<(&'static str, Row)>,
    title: &'static str,
    colours: bool,
}

impl Report {
    pub(crate) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { rows: Vec::new(), title: "", colours }
    }

    /// What the next rows are about.
    pub(crate) fn title(&mut self, title: &'static str) {
        self.title = title;
        let (bold, plain) = if self.colours { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("\n{bold}{title:<58} {:>11} {:>11} {:<10}  {:<22} {:>9}  {:<13} met{plain}", "strait", "peer", "", "", "ratio", "bar");
    }

    /// Adds a comparison of two contestants, if both took part.
    pub(crate) fn compare(&mut self, name: impl Into<String>, unit: Unit, figures: &Figures, ours: &str, peer: &'static str, bar: Bar) {
        if let (Some(strait), Some(theirs)) = (figures.seconds(ours), figures.seconds(peer)) {
            let (strait, theirs) = unit.of(strait, theirs);
            self.add(Row { name: name.into(), unit: unit.name(), strait, peer: theirs, peer_name: peer, bar });
        }
    }

    /// Adds a row and shows it.
    pub(crate) fn add(&mut self, row: Row) {
        let verdict = match (row.met(), self.colours) {
            (None, _) => "",
            (Some(true), true) => "\x1b[32myes\x1b[0m",
            (Some(false), true) => "\x1b[33mno\x1b[0m",
            (Some(true), false) => "yes",
            (Some(false), false) => "no",
        };
        println!(
            "  {:<56} {:>11} {:>11} {:<10}  {:<22} {:>7} ×  {:<13} {verdict}",
            row.name,
            figure(row.strait),
            figure(row.peer),
            row.unit,
            row.peer_name,
            figure(row.ratio()),
            row.bar(),
        );
        self.rows.push((self.title, row));
    }

    /// How many bars are met, of how many.
    pub(crate) fn score(&self) -> (usize, usize) {
        let verdicts: Vec<bool> = self.rows.iter().filter_map(|(_, row)| row.met()).collect();
        (verdicts.iter().filter(|met| **met).count(), verdicts.len())
    }

    /// Writes `bench/ports.json` into the target folder. `ratio` is `strait` by `peer`; `bar` and `met` are null where there is no
    /// bar; `group` is the measurement's title.
    pub(crate) fn write(&self, target: &Path) -> Outcome<()> {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|(group, row)| {
                serde_json::json!({
                    "name": row.name, "unit": row.unit, "strait": row.strait, "peer": row.peer, "peer_name": row.peer_name,
                    "ratio": row.ratio(), "bar": row.met().map(|_| row.bar()), "met": row.met(), "group": group,
                })
            })
            .collect();
        let folder = target.join("bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("ports.json"), serde_json::to_string_pretty(&rows)? + "\n")?;
        Ok(())
    }
}

/// Three digits that matter, thousands set apart.
fn figure(value: f64) -> String {
    let size = value.abs();
    let digits =
        if size == 0.0 || size >= 99.95 || value.fract() == 0.0 { 0 } else { (2 - size.log10().floor() as i32).clamp(0, 6) as usize };
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut set = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            set.push(',');
        }
        set.push(digit);
    }
    set + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let cases = [
            (0.0, "0"),
            (0.012345, "0.0123"),
            (0.5, "0.500"),
            (1.234, "1.23"),
            (65.43, "65.4"),
            (999.6, "1,000"),
            (4_400_000.0, "4,400,000"),
            (99.97, "100"),
            (7.0, "7"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_bar_is_met_or_not() {
        let row = |bar| Row { name: String::new(), unit: "µs", strait: 3.0, peer: 2.0, peer_name: "", bar };
        assert_eq!(row(Bar::None).met(), None);
        assert_eq!(row(Bar::AtMost(1.5)).met(), Some(true));
        assert_eq!(row(Bar::AtMost(1.4)).met(), Some(false));
        assert_eq!(row(Bar::AtLeast(1.5)).met(), Some(true));
        assert_eq!(row(Bar::AtLeast(1.6)).met(), Some(false));
        assert_eq!(row(Bar::OursAtMost(3.0)).met(), Some(true));
        assert_eq!(row(Bar::OursAtMost(2.0)).met(), Some(false));
    }
}
