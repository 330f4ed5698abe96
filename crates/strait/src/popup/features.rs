//! The third argument of `window.open`: the features that a window can have.

use crate::BrowserWindowBuilder;

/// Inner sizes that a page may request, in logical pixels. As in Chromium, no window can be too
/// small to notice.
const SIZES: std::ops::RangeInclusive<i64> = 100..=16_384;
/// Screen positions that a page may request, in logical pixels.
const PLACES: std::ops::RangeInclusive<i64> = -16_384..=16_384;

/// The kind of window that a page requests: Electron's `disposition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Disposition {
    /// A tab in browsers: the page gave no features.
    #[default]
    ForegroundTab,
    /// A window of its own.
    NewWindow,
}

impl Disposition {
    /// Electron's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForegroundTab => "foreground-tab",
            Self::NewWindow => "new-window",
        }
    }

    pub(super) fn of(features: &str) -> Self {
        let about_window = pairs(features).any(|(name, _)| name != "noopener" && name != "noreferrer");
        if about_window { Self::NewWindow } else { Self::ForegroundTab }
    }
}

/// Name and value of each feature; a feature without a value has `yes`.
fn pairs(features: &str) -> impl Iterator<Item = (String, &str)> {
    features.split(',').filter_map(|feature| {
        let (name, value) = feature.split_once('=').unwrap_or((feature, "yes"));
        let name = name.trim().to_ascii_lowercase();
        (!name.is_empty()).then(|| (name, value.trim()))
    })
}

/// Whether a feature is switched on.
pub(super) fn has(features: &str, wanted: &str) -> bool {
    pairs(features).any(|(name, value)| name == wanted && is_on(value))
}

fn is_on(value: &str) -> bool {
    value.is_empty() || value == "yes" || value == "true" || whole(value).is_some_and(|value| value != 0)
}

/// The number that a value begins with.
fn whole(value: &str) -> Option<i64> {
    let end = value.char_indices().find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-'))).map_or(value.len(), |(at, _)| at);
    value[..end].parse().ok()
}

/// Fills the options that `told` leaves out from the features.
pub(super) fn under(mut told: BrowserWindowBuilder, features: &str) -> BrowserWindowBuilder {
    let (mut width, mut height, mut x, mut y) = (None, None, None, None);
    for (name, value) in pairs(features) {
        let within = |range: std::ops::RangeInclusive<i64>| whole(value).map(|number| number.clamp(*range.start(), *range.end()));
        match name.as_str() {
            "width" | "innerwidth" => width = within(SIZES),
            "height" | "innerheight" => height = within(SIZES),
            "left" | "screenx" => x = within(PLACES),
            "top" | "screeny" => y = within(PLACES),
            "resizable" => told.resizable = told.resizable.or(Some(is_on(value))),
            "show" => told.show = told.show.or(Some(is_on(value))),
            _ => {}
        }
    }
    if width.is_some() || height.is_some() {
        let (default_width, default_height) = crate::window::DEFAULT_SIZE;
        let or = |value: Option<i64>, default: u32| value.map_or(default, |value| value as u32);
        told.size = told.size.or(Some((or(width, default_width), or(height, default_height))));
    }
    if x.is_some() || y.is_some() {
        let or_zero = |value: Option<i64>| value.unwrap_or(0) as i32;
        told.position = told.position.or(Some((or_zero(x), or_zero(y))));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BrowserWindow;

    #[test]
    fn features_are_read_as_browsers_read_them() {
        let read = |features| {
            let told = under(BrowserWindow::builder(), features);
            (told.size, told.position, told.resizable, told.show)
        };
        assert_eq!(read(""), (None, None, None, None));
        assert_eq!(read("width=300,height=200"), (Some((300, 200)), None, None, None));
        assert_eq!(read(" WIDTH = 300.7px , left=10,top=-20"), (Some((300, 600)), Some((10, -20)), None, None));
        assert_eq!(read("innerHeight=250,screenX=5"), (Some((800, 250)), Some((5, 0)), None, None));
        assert_eq!(read("width=1,height=99999999"), (Some((100, 16_384)), None, None, None));
        assert_eq!(read("width=wide,resizable=no,show=0"), (None, None, Some(false), Some(false)));
        assert_eq!(read("width=99999999999999999999,=,,="), (None, None, None, None));
        assert_eq!(read("resizable"), (None, None, Some(true), None));
    }

    #[test]
    fn what_the_program_says_goes_first() {
        let told = under(BrowserWindow::builder().size(50, 60).show(true), "width=300,show=no,left=7");
        assert_eq!((told.size, told.show, told.position), (Some((50, 60)), Some(true), Some((7, 0))));
    }

    #[test]
    fn features_say_whether_it_is_a_window() {
        assert_eq!(Disposition::of(""), Disposition::ForegroundTab);
        assert_eq!(Disposition::of("noopener, noreferrer"), Disposition::ForegroundTab);
        assert_eq!(Disposition::of("popup"), Disposition::NewWindow);
        assert!(has("popup,noreferrer", "noreferrer"));
        assert!(!has("noreferrer=0", "noreferrer"));
    }
}
