//! Numbers as JavaScript spells them.

/// `Number::toString` of ECMAScript (radix 10): how a number names a property.
pub(crate) fn to_js_string(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    // Rust and ECMAScript agree on the shortest digits; they differ in where the exponent begins.
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let count = digits.len() as i32;
    let magnitude = if !(-5..=21).contains(&point) {
        let sign = if point > 0 { '+' } else { '-' };
        let exponent = (point - 1).abs();
        match digits.split_at(1) {
            (first, "") => format!("{first}e{sign}{exponent}"),
            (first, rest) => format!("{first}.{rest}e{sign}{exponent}"),
        }
    } else if point >= count {
        format!("{digits}{}", "0".repeat((point - count) as usize))
    } else if point > 0 {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{whole}.{fraction}")
    } else {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    };
    if value < 0.0 { format!("-{magnitude}") } else { magnitude }
}

/// The `int32` that `value` is, if it is one and not -0. V8 writes those in fewer bytes.
pub(crate) fn as_int32(value: f64) -> Option<i32> {
    let int = value as i32;
    (f64::from(int) == value && (int != 0 || value.is_sign_positive())).then_some(int)
}

#[cfg(test)]
mod tests {
    use super::to_js_string;

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
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(to_js_string(value), text);
        }
    }
}
