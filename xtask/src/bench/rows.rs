//! The rows of `ports.json`.

use serde_json::Value;

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// The measurement it belongs to.
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) strait: f64,
    pub(crate) peer: f64,
    pub(crate) peer_name: String,
    pub(crate) ratio: f64,
    pub(crate) bar: Option<Bar>,
}

/// What should be, and whether it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// As it is written: `≤ 1.15 ×`.
    pub(crate) text: String,
    pub(crate) met: bool,
}

impl Bar {
    /// The ratio in it, and whether more is better; `None` where it bounds something else.
    pub(crate) fn ratio(&self) -> Option<(f64, bool)> {
        let bound = self.text.strip_suffix(" ×")?;
        let more = bound.starts_with('≥');
        Some((bound.trim_start_matches(['≤', '≥', ' ']).parse().ok()?, more))
    }
}

/// Reads all rows.
pub(crate) fn read(json: &str) -> Result<Vec<Row>, String> {
    let values: Vec<Value> = serde_json::from_str(json).map_err(|error| format!("the figures: {error}"))?;
    values.iter().map(|value| row(value).ok_or_else(|| format!("not a row of figures: {value}"))).collect()
}

fn row(value: &Value) -> Option<Row> {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let number = |key: &str| value[key].as_f64();
    Some(Row {
        group: text("group")?,
        name: text("name")?,
        unit: text("unit")?,
        strait: number("strait")?,
        peer: number("peer")?,
        peer_name: text("peer_name")?,
        ratio: number("ratio")?,
        bar: text("bar").zip(value["met"].as_bool()).map(|(text, met)| Bar { text, met }),
    })
}

/// Three digits that matter, thousands set apart.
pub(crate) fn figure(value: f64) -> String {
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
    fn rows_are_read() {
        let json = r#"[{"group":"g","name":"n","unit":"µs","strait":1.5,"peer":3,"peer_name":"p","ratio":0.5,"bar":"≤ 0.6 ×","met":true},
            {"group":"g","name":"n","unit":"bytes","strait":1,"peer":3,"peer_name":"p","ratio":0.3,"bar":null,"met":null}]"#;
        let rows = read(json).unwrap();
        assert_eq!(rows[0].bar.as_ref().and_then(Bar::ratio), Some((0.6, false)));
        assert_eq!(rows[1].bar, None);
        assert!(read(r#"[{"name":"n"}]"#).is_err());
        assert!(read("{").is_err());
    }

    #[test]
    fn bars_that_bound_a_ratio() {
        let bar = |text: &str| Bar { text: text.into(), met: true }.ratio();
        assert_eq!(bar("≥ 12 ×"), Some((12.0, true)));
        assert_eq!(bar("≤ 1,000 bytes"), None);
    }

    #[test]
    fn figures_have_three_digits() {
        for (value, text) in
            [(0.0, "0"), (0.012345, "0.0123"), (1.234, "1.23"), (65.43, "65.4"), (99.97, "100"), (4.4e6, "4,400,000"), (7.0, "7")]
        {
            assert_eq!(figure(value), text);
        }
    }
}
