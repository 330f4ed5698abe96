//! Conversion of values to bytes and back.

use serde::{Serialize, de::DeserializeOwned};
use strait_clone::{Kind, Value};

use crate::PostMessageErrorKind;

/// Bytes from a page that are not a well-formed structured clone, or a value that does not fit the
/// requested type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeValueError(pub(crate) String);

/// The clone of a value. Fails only for values that are nested too deep or exceed the format's
/// limits.
pub fn encode(value: &Value) -> Result<Vec<u8>, PostMessageErrorKind> {
    strait_clone::write(value).map_err(|_| PostMessageErrorKind::Uncloneable)
}

/// The clone of the array of arguments.
pub fn encode_args(args: impl IntoIterator<Item = Value>) -> Result<Vec<u8>, PostMessageErrorKind> {
    encode(&Value::array(args))
}

/// The value of a message with this number of ports.
pub fn decode(bytes: &[u8], ports: usize) -> Result<Value, DecodeValueError> {
    strait_clone::read(bytes, ports).map_err(|error| DecodeValueError(error.to_string()))
}

/// The arguments of `send`, `sendSync` or `invoke`.
pub fn decode_args(bytes: &[u8]) -> Result<Vec<Value>, DecodeValueError> {
    let value = decode(bytes, 0)?;
    match value.as_object().map(|object| (object, object.kind())) {
        Some((object, Kind::Array(length))) => {
            // A page may claim any length for a sparse array.
            if object.entries().count() as u64 > u64::from(length) || u64::from(length) > bytes.len() as u64 {
                return Err(DecodeValueError("the arguments are no dense array".into()));
            }
            Ok((0..length).map(|index| value.at(index).unwrap_or_default()).collect())
        }
        _ => Err(DecodeValueError("the arguments are no array".into())),
    }
}

/// The value of something serializable.
pub(crate) fn from_serde<T: Serialize + ?Sized>(value: &T) -> Result<Value, PostMessageErrorKind> {
    strait_clone::to_value(value).map_err(|_| PostMessageErrorKind::Uncloneable)
}

/// The value as a `T`.
pub(crate) fn to_serde<T: DeserializeOwned>(value: &Value) -> Result<T, DecodeValueError> {
    strait_clone::from_value(value).map_err(|error| DecodeValueError(error.to_string()))
}

/// The clone of `undefined`.
pub fn undefined() -> Vec<u8> {
    encode(&Value::Undefined).unwrap_or_default()
}
