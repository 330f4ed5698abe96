//! The plot: for every row with a bar, what it costs compared with its peer, on a logarithmic scale.
//!
//! Drawn by hand: it is a dozen shapes, and a plotting library would decide the rest of the picture.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::rows::{Row, figure};

const WIDTH: f64 = 1000.0;
/// Where the scale begins and ends; left of it are the names, right of it the figures.
const SCALE: (f64, f64) = (336.0, 680.0);
/// Where the names begin, the peers begin, the ratios end and the goals end.
const COLUMNS: [f64; 4] = [24.0, 704.0, 896.0, 976.0];
const LINE: f64 = 23.0;
const GROUP: f64 = 34.0;
const TOP: f64 = 92.0;

const INK: &str = "#1f2328";
const MUTED: &str = "#59636e";
const RULE: &str = "#d1d9e0";
const GOOD: &str = "#1a7f37";
const BAD: &str = "#bc4c00";

/// A row as it is drawn: costs, so that less is better everywhere.
struct Mark<'a> {
    row: &'a Row,
    cost: f64,
    limit: f64,
    met: bool,
}

/// Draws what has a bar against a peer; `None` if nothing has.
pub(crate) fn draw(rows: &[Row], title: &str, machine: &str) -> Option<String> {
    let marks: Vec<Mark<'_>> = rows.iter().filter_map(mark).collect();
    let (low, high) = decades(&marks)?;
    let x = |cost: f64| SCALE.0 + (cost.log10() - low) / (high - low) * (SCALE.1 - SCALE.0);

    let mut groups: Vec<(&str, Vec<&Mark<'_>>)> = Vec::new();
    let mut places = BTreeMap::new();
    for mark in &marks {
        let place = *places.entry(mark.row.group.as_str()).or_insert_with(|| {
            groups.push((&mark.row.group, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(mark);
    }
    let bottom = TOP + groups.iter().map(|(_, marks)| GROUP + LINE * marks.len() as f64).sum::<f64>() + 8.0;

    let mut svg = String::new();
    let out = &mut svg;
    head(out, bottom + 62.0);
    text(out, (24.0, 36.0), "start", INK, 18.0, "600", title);
    text(out, (24.0, 58.0), "start", MUTED, 12.5, "400", machine);
    text(out, (x(1.0), TOP - 10.0), "middle", INK, 12.0, "600", "as much");
    if low < 0.0 {
        text(out, (x(1.0) - 34.0, TOP - 10.0), "end", MUTED, 12.0, "400", "← costs less");
    }
    if high > 0.0 {
        text(out, (x(1.0) + 34.0, TOP - 10.0), "start", MUTED, 12.0, "400", "costs more →");
    }
    for (at, anchor, what) in [(COLUMNS[1], "start", "compared with"), (COLUMNS[2], "end", "ratio"), (COLUMNS[3], "end", "goal")] {
        text(out, (at, TOP - 10.0), anchor, MUTED, 12.0, "400", what);
    }
    for decade in low as i32..=high as i32 {
        let at = x(10f64.powi(decade));
        let (colour, class) = if decade == 0 { (INK, "ink") } else { (RULE, "rule") };
        let _ = writeln!(out, r#"<path d="M{at:.1} {TOP}V{bottom:.1}" class="s-{class}" stroke="{colour}"/>"#);
        text(out, (at, bottom + 18.0), "middle", MUTED, 12.0, "400", &format!("{} ×", 10f64.powi(decade)));
    }
    let mut y = TOP;
    for (title, marks) in &groups {
        text(out, (COLUMNS[0], y + 23.0), "start", INK, 13.0, "600", &capital(title));
        y += GROUP;
        for mark in marks {
            line(out, mark, y + LINE / 2.0, &x);
            y += LINE;
        }
    }
    legend(out, bottom + 44.0);
    svg.push_str("</svg>\n");
    Some(svg)
}

fn mark(row: &Row) -> Option<Mark<'_>> {
    let bar = row.bar.as_ref()?;
    let (limit, more) = bar.ratio()?;
    let usable = row.ratio.is_finite() && row.ratio > 0.0;
    usable.then(|| if more { (1.0 / row.ratio, 1.0 / limit) } else { (row.ratio, limit) }).map(|(cost, limit)| Mark {
        row,
        cost,
        limit,
        met: bar.met,
    })
}

/// The powers of ten between which everything lies; the scale always shows what the peer costs.
fn decades(marks: &[Mark<'_>]) -> Option<(f64, f64)> {
    let all = || marks.iter().flat_map(|mark| [mark.cost, mark.limit]).map(f64::log10);
    let low = all().reduce(f64::min)?.min(-0.01).floor();
    Some((low, all().reduce(f64::max)?.max(0.01).ceil()))
}

fn line(out: &mut String, mark: &Mark<'_>, y: f64, x: &impl Fn(f64) -> f64) {
    let (colour, class) = if mark.met { (GOOD, "good") } else { (BAD, "bad") };
    let (one, at, limit) = (x(1.0), x(mark.cost), x(mark.limit));
    text(out, (COLUMNS[0], y + 4.0), "start", MUTED, 12.0, "400", &shortened(&mark.row.name));
    let _ =
        writeln!(out, r#"<path d="M{one:.1} {y:.1}H{at:.1}" class="s-{class}" stroke="{colour}" stroke-width="3" stroke-opacity=".35"/>"#);
    // Where it should not be: a short stroke at the limit.
    let (from, to) = (y - 7.0, y + 7.0);
    let _ = writeln!(out, r#"<path d="M{limit:.1} {from:.1}V{to:.1}" class="s-ink" stroke="{INK}" stroke-width="2"/>"#);
    if mark.met {
        let _ = writeln!(out, r#"<circle cx="{at:.1}" cy="{y:.1}" r="5" class="f-{class}" fill="{colour}"/>"#);
    } else {
        let _ = writeln!(
            out,
            r##"<circle cx="{at:.1}" cy="{y:.1}" r="4.2" class="s-{class} f-paper" fill="#ffffff" stroke="{colour}" stroke-width="2"/>"##
        );
    }
    let goal = mark.row.bar.as_ref().map_or("", |bar| &bar.text);
    text(out, (COLUMNS[1], y + 4.0), "start", MUTED, 12.0, "400", &mark.row.peer_name);
    text(out, (COLUMNS[2], y + 4.0), "end", colour, 12.0, "600", &format!("{} ×", figure(mark.row.ratio)));
    text(out, (COLUMNS[3], y + 4.0), "end", MUTED, 12.0, "400", goal);
}

fn legend(out: &mut String, y: f64) {
    let _ = writeln!(out, r#"<circle cx="30" cy="{:.1}" r="5" class="f-good" fill="{GOOD}"/>"#, y - 4.0);
    text(out, (42.0, y), "start", MUTED, 12.0, "400", "the goal is met");
    let _ = writeln!(
        out,
        r##"<circle cx="162" cy="{:.1}" r="4.2" class="s-bad f-paper" fill="#ffffff" stroke="{BAD}" stroke-width="2"/>"##,
        y - 4.0
    );
    text(out, (174.0, y), "start", MUTED, 12.0, "400", "not yet");
    let _ = writeln!(out, r#"<path d="M250 {:.1}V{:.1}" class="s-ink" stroke="{INK}" stroke-width="2"/>"#, y - 11.0, y + 3.0);
    text(
        out,
        (260.0, y),
        "start",
        MUTED,
        12.0,
        "400",
        "the goal. Where more is better (rates, bandwidth) the plot shows the inverse of the ratio: costs.",
    );
}

/// Presentation attributes are for light pages and for programs that know no style sheets; the style sheet is for dark pages.
fn head(out: &mut String, height: f64) {
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" height="{height:.0}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" role="img">
<title>Strait's ports against their peers</title>
<style>
@media (prefers-color-scheme: dark) {{
  .paper, .f-paper {{ fill: #0d1117 }} .t-ink {{ fill: #f0f6fc }} .t-muted {{ fill: #9198a1 }} .t-good, .f-good {{ fill: #3fb950 }} .t-bad {{ fill: #f0883e }}
  .s-ink {{ stroke: #f0f6fc }} .s-rule {{ stroke: #3d444d }} .s-good {{ stroke: #3fb950 }} .s-bad {{ stroke: #f0883e }}
}}
</style>
<rect width="100%" height="100%" rx="8" class="paper" fill="#ffffff"/>"##
    );
}

fn text(out: &mut String, at: (f64, f64), anchor: &str, colour: &str, size: f64, weight: &str, what: &str) {
    let class = match colour {
        INK => "ink",
        GOOD => "good",
        BAD => "bad",
        _ => "muted",
    };
    let escaped = what.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}" class="t-{class}" fill="{colour}" font-size="{size}" font-weight="{weight}">{escaped}</text>"#,
        at.0, at.1
    );
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// As much of a name as there is room for.
fn shortened(label: &str) -> String {
    const ROOM: usize = 48;
    if label.chars().count() <= ROOM { label.to_owned() } else { label.chars().take(ROOM - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Bar;
    use super::*;

    fn row(ratio: f64, bar: Option<&str>) -> Row {
        let bar = bar.map(|text| Bar { text: text.into(), met: false });
        let text = |text: &str| text.to_owned();
        Row { group: text("a < b"), name: text("n"), unit: text("µs"), strait: ratio, peer: 1.0, peer_name: text("p"), ratio, bar }
    }

    #[test]
    fn only_ratios_with_a_goal_are_drawn() {
        assert_eq!(draw(&[row(2.0, None), row(2.0, Some("≤ 1,000 bytes"))], "Title", ""), None);
        let svg = draw(&[row(2.0, Some("≤ 3 ×")), row(50.0, Some("≥ 12 ×")), row(2.0, None)], "Title", "a machine").unwrap();
        assert_eq!(svg.matches(r##"fill="#ffffff" stroke="##).count(), 3, "two marks and the legend's");
        assert!(svg.contains("A &lt; b") && !svg.contains("NaN"));
    }

    #[test]
    fn the_scale_holds_every_mark_and_the_peers() {
        let scale = |ratio: f64, bar: &str| decades(&[mark(&row(ratio, Some(bar))).unwrap()]).unwrap();
        assert_eq!(scale(2.0, "≤ 3 ×"), (-1.0, 1.0));
        assert_eq!(scale(50.0, "≥ 12 ×"), (-2.0, 1.0));
        assert_eq!(scale(300.0, "≤ 3 ×"), (-1.0, 3.0));
    }
}
