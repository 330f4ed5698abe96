//! Direct conversion between Rust types and bytes, and types that serde's data model lacks.

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::{FromValueError, ReadError, ToValueError, WriteError, from_value, read, to_value, write};

/// A Rust value could not be converted to bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToBytesError {
    /// The `Serialize` of the type failed.
    #[error(transparent)]
    Value(#[from] ToValueError),
    /// The value could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Bytes could not be converted to a Rust value.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FromBytesError {
    /// The bytes are not a structured clone.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The bytes are a clone that does not fit the type.
    #[error(transparent)]
    Value(#[from] FromValueError),
}

/// [`to_value`], then [`write()`].
///
/// # Errors
/// Those of the two functions.
///
/// ```
/// let bytes = strait_clone::to_bytes(&vec!["a", "b"])?;
/// assert_eq!(strait_clone::from_bytes::<Vec<String>>(&bytes)?, ["a", "b"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, ToBytesError> {
    Ok(write(&to_value(value)?)?)
}

/// [`read`] without ports, then [`from_value`]. For a message with ports, call these two.
///
/// # Errors
/// Those of the two functions.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FromBytesError> {
    Ok(from_value(&read(bytes, 0)?)?)
}

pub(crate) const PORT_INDEX: &str = "$strait_clone::PortIndex";

/// [`Value::Port`](crate::Value::Port) in a serde type: it stands for the n-th port of the message.
///
/// In other serde formats it is a plain number.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use strait_clone::{PortIndex, Value, from_value, to_value};
///
/// #[derive(Serialize, Deserialize)]
/// struct Connect { name: String, port: PortIndex }
///
/// let value = to_value(&Connect { name: "worker".into(), port: PortIndex(0) })?;
/// assert_eq!(value.get("port"), Some(Value::Port(0)));
/// assert_eq!(from_value::<Connect>(&value).unwrap().port, PortIndex(0));
/// # Ok::<(), strait_clone::ToValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PortIndex(pub u32);

impl Serialize for PortIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(PORT_INDEX, &self.0)
    }
}

impl<'de> Deserialize<'de> for PortIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PortIndex, D::Error> {
        struct Index;
        impl<'de> Visitor<'de> for Index {
            type Value = PortIndex;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a port")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<PortIndex, D::Error> {
                u32::deserialize(deserializer).map(PortIndex)
            }
        }
        deserializer.deserialize_newtype_struct(PORT_INDEX, Index)
    }
}

/// Bytes that are a `Uint8Array` in JavaScript. For serde a plain `Vec<u8>` is an array of numbers,
/// although it can be *read* from a `Uint8Array`.
///
/// ```
/// use strait_clone::{Bytes, from_value, to_value};
///
/// let value = to_value(&Bytes(vec![1, 2, 3]))?;
/// assert_eq!(value.as_bytes(), Some([1, 2, 3].as_slice()));
/// assert_eq!(from_value::<Bytes>(&value).unwrap(), Bytes(vec![1, 2, 3]));
/// # Ok::<(), strait_clone::ToValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Buffer;
        impl<'de> Visitor<'de> for Buffer {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Buffer)
    }
}
