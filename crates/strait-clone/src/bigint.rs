//! Integers of any size.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A JavaScript BigInt: an integer of any size. It has conversions only, no arithmetic.
///
/// ```
/// use strait_clone::BigInt;
///
/// let big: BigInt = "-340282366920938463463374607431768211456".parse()?;
/// assert_eq!(big.to_i128(), None);
/// assert_eq!(big.to_string(), "-340282366920938463463374607431768211456");
/// assert_eq!(BigInt::from(7u8).to_u64(), Some(7));
/// # Ok::<(), strait_clone::ParseBigIntError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct BigInt {
    negative: bool,
    /// 64-bit digits, least significant first. The last digit is not 0, so zero has no digits. Zero
    /// is not negative.
    digits: Arc<[u64]>,
}

/// The text is not a decimal integer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal integer")]
pub struct ParseBigIntError;

impl BigInt {
    /// Makes an integer from its sign and 64-bit digits, least significant first.
    pub fn from_digits(negative: bool, digits: &[u64]) -> BigInt {
        let used = digits.iter().rposition(|&digit| digit != 0).map_or(0, |last| last + 1);
        BigInt { negative: negative && used > 0, digits: digits[..used].into() }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The magnitude's 64-bit digits, least significant first, without leading zeros. 0 has no
    /// digits.
    pub fn digits(&self) -> &[u64] {
        &self.digits
    }

    fn magnitude(&self) -> Option<u128> {
        match *self.digits {
            [] => Some(0),
            [low] => Some(u128::from(low)),
            [low, high] => Some(u128::from(high) << 64 | u128::from(low)),
            _ => None,
        }
    }

    /// The value as `i128`, if it fits.
    pub fn to_i128(&self) -> Option<i128> {
        let magnitude = self.magnitude()?;
        if self.negative { 0i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
    }

    /// The value as `u128`, if it fits.
    pub fn to_u128(&self) -> Option<u128> {
        if self.negative { None } else { self.magnitude() }
    }

    /// The value as `i64`, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        i64::try_from(self.to_i128()?).ok()
    }

    /// The value as `u64`, if it fits.
    pub fn to_u64(&self) -> Option<u64> {
        u64::try_from(self.to_u128()?).ok()
    }
}

impl From<u128> for BigInt {
    fn from(value: u128) -> BigInt {
        BigInt::from_digits(false, &[value as u64, (value >> 64) as u64])
    }
}

impl From<i128> for BigInt {
    fn from(value: i128) -> BigInt {
        let magnitude = value.unsigned_abs();
        BigInt::from_digits(value < 0, &[magnitude as u64, (magnitude >> 64) as u64])
    }
}

macro_rules! from_small {
    ($wide:ty: $($small:ty),*) => {
        $(impl From<$small> for BigInt {
            fn from(value: $small) -> BigInt {
                BigInt::from(<$wide>::from(value))
            }
        })*
    };
}

from_small!(u128: u8, u16, u32, u64);
from_small!(i128: i8, i16, i32, i64);

/// The largest power of ten that fits into a digit, and its exponent.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

impl fmt::Display for BigInt {
    /// Writes the integer in decimal. The time grows with the square of the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.digits.to_vec();
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let mut remainder = 0u128;
            for digit in rest.iter_mut().rev() {
                let dividend = remainder << 64 | u128::from(*digit);
                *digit = (dividend / u128::from(CHUNK)) as u64;
                remainder = dividend % u128::from(CHUNK);
            }
            chunks.push(remainder as u64);
            while rest.last() == Some(&0) {
                rest.pop();
            }
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.iter().rev() {
            text.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
        }
        f.pad_integral(!self.negative, "", &text)
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The most digits that debug output converts to decimal, because more would take too long.
        const SHOWN: usize = 64;
        if self.digits.len() > SHOWN {
            write!(f, "{}BigInt({} bytes)", if self.negative { "-" } else { "" }, self.digits.len() * 8)
        } else {
            write!(f, "{self}n")
        }
    }
}

impl FromStr for BigInt {
    type Err = ParseBigIntError;

    /// Parses decimal digits with an optional sign.
    fn from_str(text: &str) -> Result<BigInt, ParseBigIntError> {
        let (negative, decimal) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if decimal.is_empty() || !decimal.iter().all(u8::is_ascii_digit) {
            return Err(ParseBigIntError);
        }
        let mut digits: Vec<u64> = Vec::new();
        for chunk in decimal.chunks(CHUNK_DIGITS) {
            let scale = 10u128.pow(chunk.len() as u32);
            let mut carry = chunk.iter().fold(0u128, |value, digit| value * 10 + u128::from(digit - b'0'));
            for digit in &mut digits {
                carry += u128::from(*digit) * scale;
                *digit = carry as u64;
                carry >>= 64;
            }
            if carry != 0 {
                digits.push(carry as u64);
            }
        }
        Ok(BigInt::from_digits(negative, &digits))
    }
}
