//! The tags of V8's serialisation format, and Strait's host objects in that format.
//!
//! Source: V8's `ValueSerializer`. A value is a tag byte followed by its content. Integers are
//! LEB128 varints, doubles are little-endian.
//!
//! Objects are numbered in the order in which they *begin*; `REFERENCE` is followed by such a
//! number. A view follows its buffer, or the reference to it.

/// The version that is written.
pub(crate) const VERSION: u32 = 15;
/// The oldest version that is read. Version 14 added flags to views; version 15 changed nothing
/// that occurs in messages.
pub(crate) const OLDEST_VERSION: u32 = 13;
/// The first version in which views have flags.
pub(crate) const VIEW_FLAGS_VERSION: u32 = 14;

pub(crate) const HEADER: u8 = 0xff;
pub(crate) const PADDING: u8 = 0;
pub(crate) const VERIFY_OBJECT_COUNT: u8 = b'?';
pub(crate) const HOLE: u8 = b'-';
pub(crate) const UNDEFINED: u8 = b'_';
pub(crate) const NULL: u8 = b'0';
pub(crate) const TRUE: u8 = b'T';
pub(crate) const FALSE: u8 = b'F';
pub(crate) const INT32: u8 = b'I';
pub(crate) const UINT32: u8 = b'U';
pub(crate) const DOUBLE: u8 = b'N';
pub(crate) const BIGINT: u8 = b'Z';
pub(crate) const UTF8_STRING: u8 = b'S';
pub(crate) const ONE_BYTE_STRING: u8 = b'"';
pub(crate) const TWO_BYTE_STRING: u8 = b'c';
pub(crate) const REFERENCE: u8 = b'^';
pub(crate) const BEGIN_OBJECT: u8 = b'o';
pub(crate) const END_OBJECT: u8 = b'{';
pub(crate) const BEGIN_SPARSE_ARRAY: u8 = b'a';
pub(crate) const END_SPARSE_ARRAY: u8 = b'@';
pub(crate) const BEGIN_DENSE_ARRAY: u8 = b'A';
pub(crate) const END_DENSE_ARRAY: u8 = b'$';
pub(crate) const DATE: u8 = b'D';
pub(crate) const TRUE_OBJECT: u8 = b'y';
pub(crate) const FALSE_OBJECT: u8 = b'x';
pub(crate) const NUMBER_OBJECT: u8 = b'n';
pub(crate) const BIGINT_OBJECT: u8 = b'z';
pub(crate) const STRING_OBJECT: u8 = b's';
pub(crate) const REGEXP: u8 = b'R';
pub(crate) const BEGIN_MAP: u8 = b';';
pub(crate) const END_MAP: u8 = b':';
pub(crate) const BEGIN_SET: u8 = b'\'';
pub(crate) const END_SET: u8 = b',';
pub(crate) const ARRAY_BUFFER: u8 = b'B';
pub(crate) const RESIZABLE_BUFFER: u8 = b'~';
pub(crate) const VIEW: u8 = b'V';
pub(crate) const ERROR: u8 = b'r';
pub(crate) const HOST_OBJECT: u8 = b'\\';

/// In errors: the message follows, a string.
pub(crate) const ERROR_MESSAGE: u8 = b'm';
/// In errors: the cause follows, any value.
pub(crate) const ERROR_CAUSE: u8 = b'c';
/// In errors: the stack follows, a string.
pub(crate) const ERROR_STACK: u8 = b's';
/// Ends an error.
pub(crate) const ERROR_END: u8 = b'.';

/// View flag: the view's length follows its resizable buffer.
pub(crate) const VIEW_TRACKS_LENGTH: u32 = 1;
/// View flag: the buffer is resizable.
pub(crate) const VIEW_ON_RESIZABLE: u32 = 2;

/// Host object: a port of the message; its index follows.
pub(crate) const HOST_PORT: u32 = 1;
/// Host object: ImageData. Width, height, colour space (0 sRGB, 1 Display P3), byte length and RGBA
/// bytes follow.
pub(crate) const HOST_IMAGE: u32 = 2;
/// Host object: a Blob (0) or File (1). Its type follows, then for a File its name and date (a
/// double), then byte length and bytes. If their number is odd, a zero byte follows. The padding
/// keeps the alignment of the rest, so the bytes can be inserted into a message that was written
/// without them.
pub(crate) const HOST_BLOB: u32 = 3;
/// Host object: a FileList. The count follows, then each file as above with its tag, but without an
/// object number. `read` makes an array of it, and Rust never writes one.
pub(crate) const HOST_FILES: u32 = 4;
