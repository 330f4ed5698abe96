//! Values to bytes and back.

use serde::{Serialize, de::DeserializeOwned};
use strait_clone::Value;

/// Bytes from a page that are no well-formed structured clone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a structured clone: {0}")]
pub struct DecodeValueError(pub(crate) String);

pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let _ = value;
    Vec::new()
}

pub(crate) fn encode_args(args: impl IntoIterator<Item = Value>) -> Vec<u8> {
    args.into_iter().flat_map(|value| encode(&value)).collect()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Value, DecodeValueError> {
    let _ = bytes;
    Err(DecodeValueError("not yet".into()))
}

pub(crate) fn decode_args(bytes: &[u8]) -> Result<Vec<Value>, DecodeValueError> {
    Ok(vec![decode(bytes)?])
}

pub(crate) fn from_serde<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    let _ = value;
    None
}

pub(crate) fn to_serde<T: DeserializeOwned>(value: Value) -> Result<T, DecodeValueError> {
    let _ = value;
    Err(DecodeValueError("not yet".into()))
}

/// The clone of `undefined`.
pub(crate) fn undefined() -> Vec<u8> {
    encode(&Value::Undefined)
}
