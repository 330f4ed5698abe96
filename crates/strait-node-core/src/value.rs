//! Values that cross between Rust and JavaScript: numbers, strings, bytes, and plain objects of
//! them.

use serde_json::Value as Json;

/// A value for JavaScript.
#[derive(Debug)]
pub enum Value {
    /// Numbers, strings, booleans, null, and arrays and objects of them.
    Plain(Json),
    /// A `Uint8Array`.
    Bytes(Vec<u8>),
}

impl<T: Into<Json>> From<T> for Value {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

/// The arguments of a call; each is converted to a [`Value`].
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}
