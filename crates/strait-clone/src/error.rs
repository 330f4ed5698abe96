//! Errors of the conversion between values and bytes.

use thiserror::Error;

/// The value could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Objects are nested more than [`MAX_DEPTH`](crate::MAX_DEPTH) deep.
    #[error("the value is nested more than {} deep", crate::MAX_DEPTH)]
    TooDeep,
    /// A string or buffer exceeds the format's limit of 4 GiB.
    #[error("a string or buffer is too long to be written")]
    TooLong,
}

/// The bytes are not a structured clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("invalid structured clone at byte {offset}: {kind}")]
pub struct ReadError {
    /// The offset of the error in bytes.
    pub offset: usize,
    /// The error.
    pub kind: ReadErrorKind,
}

/// The reason for which bytes are not a structured clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The input is shorter than announced.
    #[error("it ends early")]
    Truncated,
    /// It does not begin with 0xFF.
    #[error("there is no header")]
    NoHeader,
    /// A version other than 13 to 15.
    #[error("version {0} is not supported")]
    Version(u32),
    /// No value begins with this byte.
    #[error("no value begins with {0:#04x}")]
    Tag(u8),
    /// A count, length or integer exceeds 32 bits.
    #[error("an integer is too large")]
    IntegerTooLarge,
    /// This length exceeds the rest of the input.
    #[error("{0} bytes or elements do not fit what is left")]
    TooLong(u64),
    /// A two-byte string has an odd number of bytes.
    #[error("a two-byte string has an odd length")]
    OddString,
    /// A property name or string was expected, but another value was found.
    #[error("a string or number was expected")]
    Key,
    /// A reference to an object that has not begun.
    #[error("there is no object {0}")]
    Reference(u32),
    /// The number of entries that ends an object, array, Map or Set is wrong.
    #[error("the number of entries is wrong")]
    Count,
    /// The two lengths of an array differ, or an element has an index beyond the length.
    #[error("an array's length is wrong")]
    ArrayLength,
    /// RegExp flags that do not exist.
    #[error("unknown flags {0:#x}")]
    Flags(u32),
    /// A view of an unknown class.
    #[error("no view has the tag {0:#04x}")]
    ViewTag(u8),
    /// A view that does not fit its buffer.
    #[error("a view lies outside its buffer or is not aligned")]
    View,
    /// A resizable buffer larger than its own limit.
    #[error("a buffer exceeds its own limit")]
    BufferLimit,
    /// An unknown part of an Error.
    #[error("no part of an error has the tag {0:#x}")]
    ErrorPart(u32),
    /// A host object that is not Strait's.
    #[error("unknown host object {0}")]
    HostObject(u32),
    /// A port with an index beyond the message's ports.
    #[error("port {0} did not come along")]
    Port(u32),
    /// ImageData whose width, height and byte length do not match.
    #[error("malformed image data")]
    Image,
    /// A Blob or File with an unknown class or wrong padding.
    #[error("malformed blob")]
    Blob,
    /// Objects are nested more than [`MAX_DEPTH`](crate::MAX_DEPTH) deep.
    #[error("it is nested too deeply")]
    TooDeep,
    /// The input continues after the value.
    #[error("there is something behind the value")]
    Trailing,
}
