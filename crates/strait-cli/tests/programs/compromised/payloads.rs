//! Structured clones that are none.

/// How deep the deepest value is nested: more than may be, and more than stacks have room for.
const DEEP: usize = 10_000;
/// More arguments than a listener is called with.
const MANY: usize = 20_000;

/// Bytes without the header.
pub(super) enum Payload {
    /// As they are: without a header.
    Raw(&'static [u8]),
    /// Behind the header.
    Value(&'static [u8]),
    /// Behind the header, repeated this number of times.
    Repeated(&'static [u8], usize),
}

use Payload::{Raw, Repeated, Value};

/// No reader takes these.
pub(super) const UNREADABLE: &[Payload] = &[
    Raw(b""),
    Raw(b"\0"),
    Raw(b"\xff"),
    Raw(b"\xff\x0f"),
    Raw(b"\xff\x03T"),
    Raw(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    // Something behind the value, and tags that no value begins with.
    Value(b"TT"),
    Value(b"\x01"),
    Value(b"\xff"),
    // Lengths of 4 GiB, and longer ones: one-byte, two-byte and UTF-8 strings, arrays, buffers, resizable buffers, BigInts.
    Value(b"\"\xff\xff\xff\xff\x0fab"),
    Value(b"c\xfe\xff\xff\xff\x0fab"),
    Value(b"S\xff\xff\xff\xff\x0fab"),
    Value(b"A\xff\xff\xff\xff\x0f"),
    Value(b"a\xff\xff\xff\xff\x0f@\x00\x00"),
    Value(b"B\xff\xff\xff\xff\x0fab"),
    Value(b"~\xff\xff\xff\xff\x0f\xff\xff\xff\xff\xff\x0fab"),
    Value(b"Z\xfe\xff\xff\xff\x0fab"),
    Value(b"A\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    // Views outside of their buffers, of no kind, and without one.
    Value(b"B\x02abVB\x01\x02\x00"),
    Value(b"B\x02abVB\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f\x00"),
    Value(b"B\x02abV!\x00\x02\x00"),
    Value(b"VB\x00\x00\x00"),
    // Objects and ports that do not exist; counts that are wrong.
    Value(b"^\x00"),
    Value(b"A\x01^\x05$\x00\x01"),
    Value(b"\\\x01\x07"),
    Value(b"\\\x63\x00"),
    Value(b"o\"\x01aT{\x02"),
    Value(b";TT:\x01"),
    Value(b"'T,\x07"),
    // What only crosses between worlds of one page; a Blob longer than its message; an image without its pixels.
    Value(b"\\\x05\x01\x01"),
    Value(b"\\\x03\x00\"\x00\xff\xff\xff\xff\x0fab"),
    Value(b"\\\x02\xff\xff\x03\xff\xff\x03\x00\xff\xff\xff\xff\x0f"),
    // Elements beyond their array, a key that is none, a RegExp that is none.
    Value(b"a\x01I\x0aT@\x01\x01"),
    Value(b"o{T{\x01"),
    Value(b"R\"\x01(\x00"),
    Value(b"R\"\x01a\xff\x7f"),
    // Deeper than values may be.
    Repeated(b"A\x01", DEEP),
    Repeated(b"o\"\x01a", DEEP),
    Repeated(b";", DEEP),
    Repeated(b"'", DEEP),
    Repeated(b"rc", DEEP),
];

/// Values, but no arrays of arguments that a listener is called with.
pub(super) const NO_ARGUMENTS: &[Payload] =
    &[Value(b"T"), Value(b"0"), Value(b"o\"\x06lengthI\x04{\x01"), Value(b"\"\x02ab"), Value(b"B\x04abcd"), Repeated(b"", MANY)];

/// The bytes of each of these payloads.
pub(super) fn all(payloads: &[Payload]) -> Vec<Vec<u8>> {
    payloads
        .iter()
        .map(|payload| match payload {
            Raw(bytes) => bytes.to_vec(),
            Value(bytes) => [b"\xff\x0f", *bytes].concat(),
            // An array of holes.
            Repeated(b"", count) => {
                let length = [(count & 127) as u8 | 128, (count >> 7 & 127) as u8 | 128, (count >> 14) as u8];
                [b"\xff\x0fA".as_slice(), &length, &b"-".repeat(*count), b"$\x00", &length].concat()
            }
            Repeated(bytes, count) => [b"\xff\x0f".as_slice(), &bytes.repeat(*count)].concat(),
        })
        .collect()
}

/// `[]`.
pub(super) fn empty_array() -> Vec<u8> {
    b"\xff\x0fA\0$\0\0".to_vec()
}

/// In hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
