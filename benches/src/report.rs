//! Rows: on the terminal as they come, and in a file at the end.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use crate::Outcome;
use crate::rounds::Figures;

/// What a row should show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    /// Nothing: it is there for scale.
    None,
    /// The ratio is not larger.
    AtMost(f64),
    /// The ratio is not smaller.
    AtLeast(f64),
    /// Ours is not larger.
    OursAtMost(f64),
    /// Ours is not smaller.
    OursAtLeast(f64),
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is measured.
    pub name: String,
    /// Of both figures.
    pub unit: &'static str,
    /// Our figure.
    pub strait: f64,
    /// The peer's.
    pub peer: f64,
    /// Who that is.
    pub peer_name: &'static str,
    /// What should be.
    pub bar: Bar,
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
            Bar::OursAtLeast(least) => Some(self.strait >= least),
        }
    }

    fn bar(&self) -> String {
        match self.bar {
            Bar::None => String::new(),
            Bar::AtMost(most) => format!("≤ {most} ×"),
            Bar::AtLeast(least) => format!("≥ {least} ×"),
            Bar::OursAtMost(most) => format!("≤ {} {}", figure(most), self.unit),
            Bar::OursAtLeast(least) => format!("≥ {} {}", figure(least), self.unit),
        }
    }
}

/// What seconds an operation are shown in.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// Of an operation.
    Milliseconds,
    /// Of an operation.
    Microseconds,
    /// Of an operation.
    Nanoseconds,
    /// Messages.
    PerSecond,
    /// Channels.
    ChannelsPerSecond,
    /// Operations of so many bytes.
    Gibibytes {
        /// In one of ours.
        ours: usize,
        /// In one of the peer's.
        peer: usize,
    },
}

impl Unit {
    /// The figures of both sides.
    fn of(self, ours: f64, peer: f64) -> (f64, f64) {
        let rate = |bytes: usize, seconds: f64| bytes as f64 / seconds / f64::from(1 << 30);
        match self {
            Unit::Milliseconds => (ours * 1e3, peer * 1e3),
            Unit::Microseconds => (ours * 1e6, peer * 1e6),
            Unit::Nanoseconds => (ours * 1e9, peer * 1e9),
            Unit::PerSecond | Unit::ChannelsPerSecond => (1.0 / ours, 1.0 / peer),
            Unit::Gibibytes { ours: of_ours, peer: of_peer } => (rate(of_ours, ours), rate(of_peer, peer)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Milliseconds => "ms",
            Unit::Microseconds => "µs",
            Unit::Nanoseconds => "ns",
            Unit::PerSecond => "messages/s",
            Unit::ChannelsPerSecond => "channels/s",
            Unit::Gibibytes { .. } => "GiB/s",
        }
    }
}

/// All rows so far.
pub struct Report {
    rows: Vec<(&'static str, Row)>,
    title: &'static str,
    colours: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

impl Report {
    /// Without rows.
    pub fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { rows: Vec::new(), title: "", colours }
    }

    /// What the next rows are about.
    pub fn title(&mut self, title: &'static str) {
        self.title = title;
        let (bold, plain) = if self.colours { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("\n{bold}{title:<58} {:>11} {:>11} {:<10}  {:<22} {:>9}  {:<13} met{plain}", "strait", "peer", "", "", "ratio", "bar");
    }

    /// Adds a comparison of two contestants, if both took part; if only ours did, and the bar is for us alone, that.
    pub fn compare(&mut self, name: impl Into<String>, unit: Unit, figures: &Figures, ours: &str, peer: &'static str, bar: Bar) {
        if let (Some(strait), Some(theirs)) = (figures.seconds(ours), figures.seconds(peer)) {
            let (strait, theirs) = unit.of(strait, theirs);
            self.add(Row { name: name.into(), unit: unit.name(), strait, peer: theirs, peer_name: peer, bar });
        } else if let (Some(strait), Bar::OursAtMost(goal) | Bar::OursAtLeast(goal)) = (figures.seconds(ours), bar) {
            // The goal does not need the peer.
            let (strait, _) = unit.of(strait, strait);
            self.add(Row { name: name.into(), unit: unit.name(), strait, peer: goal, peer_name: "the goal", bar });
        }
    }

    /// Adds a row and shows it.
    pub fn add(&mut self, row: Row) {
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
    fn score(&self) -> (usize, usize) {
        let verdicts: Vec<bool> = self.rows.iter().filter_map(|(_, row)| row.met()).collect();
        (verdicts.iter().filter(|met| **met).count(), verdicts.len())
    }

    /// Writes the file, and says how many bars are met.
    ///
    /// # Errors
    /// If a measurement `failed`, or the file cannot be written.
    pub fn finish(&self, target: &Path, file: &str, failed: &[&str]) -> Outcome<()> {
        self.write(target, file)?;
        let (met, bars) = self.score();
        println!("\n{met} of {bars} bars are met");
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join("; ")).into()) }
    }

    /// Writes `bench/FILE` into the target folder. `ratio` is `strait` by `peer`; `bar` and `met` are null where there is no
    /// bar; `group` is the measurement's title.
    fn write(&self, target: &Path, file: &str) -> Outcome<()> {
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
        fs::write(folder.join(file), serde_json::to_string_pretty(&rows)? + "\n")?;
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
        assert_eq!(row(Bar::OursAtLeast(3.0)).met(), Some(true));
        assert_eq!(row(Bar::OursAtLeast(4.0)).met(), Some(false));
    }
}
