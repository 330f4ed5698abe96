//! JavaScript strings: UTF-16 that may have lone surrogates, stored as `str` where it has none.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A JavaScript string: any sequence of UTF-16 code units, lone surrogates included.
///
/// Nearly every string is well-formed and stored as UTF-8, so [`as_str`](JsString::as_str) costs
/// nothing. Clones share the text.
///
/// ```
/// use strait_clone::JsString;
///
/// let text = JsString::from("grün");
/// assert_eq!(text, "grün");
/// assert_eq!(text.as_str(), Some("grün"));
///
/// let broken = JsString::from_utf16(&[0x61, 0xd800]);
/// assert_eq!(broken.as_str(), None);
/// assert_eq!(broken.to_string_lossy(), "a\u{fffd}");
/// assert_eq!(broken.to_utf16(), [0x61, 0xd800]);
/// ```
#[derive(Clone)]
pub struct JsString(Repr);

/// Invariant: `IllFormed` has at least one lone surrogate. So equal strings have equal
/// representations.
#[derive(Clone, PartialEq, Eq)]
enum Repr {
    WellFormed(Arc<str>),
    IllFormed(Arc<[u16]>),
}

impl JsString {
    /// The string of these code units.
    pub fn from_utf16(units: &[u16]) -> JsString {
        match String::from_utf16(units) {
            Ok(text) => JsString(Repr::WellFormed(text.into())),
            Err(_) => JsString(Repr::IllFormed(units.into())),
        }
    }

    /// The text; `None` if the string has a lone surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::WellFormed(text) => Some(text),
            Repr::IllFormed(_) => None,
        }
    }

    /// The text, with U+FFFD for lone surrogates.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::WellFormed(text) => Cow::Borrowed(text),
            Repr::IllFormed(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    /// The code units.
    pub fn to_utf16(&self) -> Vec<u16> {
        match &self.0 {
            Repr::WellFormed(text) => text.encode_utf16().collect(),
            Repr::IllFormed(units) => units.to_vec(),
        }
    }

    /// Whether it has no characters.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Repr::WellFormed(text) if text.is_empty())
    }

    /// The array index that this string spells canonically (`"0"` to `"4294967294"`).
    pub(crate) fn array_index(&self) -> Option<u32> {
        let text = self.as_str()?;
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 10 || !bytes.iter().all(u8::is_ascii_digit) || (bytes[0] == b'0' && bytes.len() > 1) {
            return None;
        }
        text.parse().ok().filter(|&index| index != u32::MAX)
    }
}

impl PartialEq for JsString {
    fn eq(&self, other: &JsString) -> bool {
        self.0 == other.0
    }
}

impl Eq for JsString {}

impl PartialEq<str> for JsString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for JsString {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl Hash for JsString {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::WellFormed(text) => text.hash(state),
            Repr::IllFormed(units) => units.hash(state),
        }
    }
}

/// A `&str` as the key of a lookup: its hash equals that of the same [`JsString`].
#[derive(Hash)]
pub(crate) struct StrKey<'a>(pub(crate) &'a str);

impl indexmap::Equivalent<JsString> for StrKey<'_> {
    fn equivalent(&self, key: &JsString) -> bool {
        key == self.0
    }
}

impl From<&str> for JsString {
    fn from(text: &str) -> JsString {
        JsString(Repr::WellFormed(text.into()))
    }
}

impl From<String> for JsString {
    fn from(text: String) -> JsString {
        JsString(Repr::WellFormed(text.into()))
    }
}

impl From<&String> for JsString {
    fn from(text: &String) -> JsString {
        JsString::from(text.as_str())
    }
}

impl From<&JsString> for JsString {
    fn from(text: &JsString) -> JsString {
        text.clone()
    }
}

impl From<Cow<'_, str>> for JsString {
    fn from(text: Cow<'_, str>) -> JsString {
        JsString(Repr::WellFormed(text.into()))
    }
}

impl Default for JsString {
    fn default() -> JsString {
        JsString::from("")
    }
}

impl fmt::Debug for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::WellFormed(text) => text.fmt(f),
            Repr::IllFormed(units) => {
                f.write_str("\"")?;
                for unit in char::decode_utf16(units.iter().copied()) {
                    match unit {
                        Ok(c) => write!(f, "{}", c.escape_debug())?,
                        Err(lone) => write!(f, "\\u{{{:x}}}", lone.unpaired_surrogate())?,
                    }
                }
                f.write_str("\"")
            }
        }
    }
}

impl fmt::Display for JsString {
    /// Writes the text, with U+FFFD for lone surrogates.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}
