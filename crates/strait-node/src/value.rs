//! What crosses the border to JavaScript: numbers, strings, bytes, and plain objects of them.

use napi::{bindgen_prelude::ToNapiValue, sys};
use serde_json::Value as Json;

use crate::ffi;

/// A value for JavaScript.
#[derive(Debug)]
pub(crate) enum Value {
    /// Numbers, strings, booleans, null, and what is made of them.
    Plain(Json),
    /// A `Uint8Array`.
    Bytes(Vec<u8>),
}

impl<T: Into<Json>> From<T> for Value {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        match value {
            Self::Plain(Json::Number(number)) if number.as_u64().is_some_and(|number| number <= u64::from(u32::MAX)) => {
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
                // SAFETY: the environment is that of the call that this is part of.
                unsafe { u32::to_napi_value(env, number) }
            }
            // SAFETY: as above. (A whole number above 2^53 would be a BigInt: as a float it is what JavaScript has for such a number.)
            Self::Plain(Json::Number(number)) => unsafe { f64::to_napi_value(env, number.as_f64().unwrap_or(f64::NAN)) },
            // SAFETY: as above.
            Self::Plain(json) => unsafe { Json::to_napi_value(env, json) },
            Self::Bytes(bytes) => ffi::bytes_to_value(env, bytes),
        }
    }
}

/// The arguments of a call: each is made a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use values;
