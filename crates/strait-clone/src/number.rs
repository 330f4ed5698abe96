//! Numbers as JavaScript converts and spells them.

/// The largest distance of a `Date` from 1970, in milliseconds.
const MAX_TIME: f64 = 8.64e15;

/// `TimeClip` of ECMAScript: converts a number of milliseconds as `Date` does.
pub(crate) fn time_clip(ms: f64) -> f64 {
    // Adding 0 turns -0 into 0.
    if ms.abs() <= MAX_TIME { ms.trunc() + 0.0 } else { f64::NAN }
}

/// `Number::toString` of ECMAScript (radix 10), which spells numeric property names.
pub(crate) fn to_js_string(value: f64) -> String {
    ryu_js::Buffer::new().format(value).to_owned()
}

/// `value` as an `int32`, if that is exact and not -0. V8 writes those in fewer bytes.
pub(crate) fn as_int32(value: f64) -> Option<i32> {
    let int = value as i32;
    (f64::from(int) == value && (int != 0 || value.is_sign_positive())).then_some(int)
}

#[cfg(test)]
mod tests {
    use super::{time_clip, to_js_string};

    #[test]
    fn clips_times_as_ecmascript() {
        for (ms, clipped) in [(0.5, 0.0), (-1.9, -1.0), (8.64e15, 8.64e15), (-8.64e15, -8.64e15)] {
            assert_eq!(time_clip(ms), clipped);
        }
        assert!(time_clip(-0.0).is_sign_positive());
        assert!([8.64e15 + 1.0, f64::INFINITY, f64::NAN].iter().all(|&ms| time_clip(ms).is_nan()));
    }

    #[test]
    fn spells_numbers_as_ecmascript() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (-5.5, "-5.5"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (0.000001, "0.000001"),
            (0.00000125, "0.00000125"),
            (1e-7, "1e-7"),
            (1.25e-9, "1.25e-9"),
            // Of two shortest spellings at the same distance, the even one is chosen.
            (1.5000076293945313, "1.5000076293945312"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(to_js_string(value), text);
        }
    }
}
