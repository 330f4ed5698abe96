//! Blobs and Files: bytes with a type, and for a File a name and a date.
//!
//! Source: the File API. Types and dates in a message are normalised as the constructors do it,
//! because the sender may have written any bytes.

use crate::value::MAX_SAFE_INTEGER;
use crate::{Graph, Value};

/// The content of a Blob or File.
pub(crate) struct BlobNode {
    pub(crate) content_type: Box<str>,
    pub(crate) file: Option<FileNode>,
    pub(crate) bytes: Vec<u8>,
}

/// The additional data of a File.
pub(crate) struct FileNode {
    pub(crate) name: Box<str>,
    pub(crate) last_modified: i64,
}

/// The data that a File adds to a Blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileParts<'a> {
    /// Its name, without a folder.
    pub name: &'a str,
    /// Milliseconds since 1970 UTC.
    pub last_modified: i64,
}

/// Normalises a Blob's type: lower case, and empty unless all characters are printable ASCII.
pub(crate) fn content_type(text: &str) -> Box<str> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) { text.to_ascii_lowercase().into() } else { Box::default() }
}

/// Converts a date from a double; 0 if it is NaN or beyond ±(2^53 - 1).
pub(crate) fn last_modified(ms: f64) -> i64 {
    if ms.abs() <= MAX_SAFE_INTEGER as f64 { ms as i64 } else { 0 }
}

impl Value {
    /// A `Blob`. As in JavaScript, a type with a character outside of printable ASCII becomes
    /// empty.
    ///
    /// ```
    /// use strait_clone::{Kind, Value};
    ///
    /// let blob = Value::blob("some text", "text/plain");
    /// let Kind::Blob { bytes, content_type, file } = blob.as_object().unwrap().kind() else { panic!("no blob") };
    /// assert_eq!((bytes, content_type, file), (b"some text".as_slice(), "text/plain", None));
    /// ```
    pub fn blob(bytes: impl Into<Vec<u8>>, content_type: &str) -> Value {
        let mut graph = Graph::new();
        let root = graph.blob(bytes, content_type);
        graph.finish(root)
    }

    /// A `File`: a Blob with a name and the date of its last change, in milliseconds since 1970
    /// UTC. A date beyond ±(2^53 - 1) becomes 0.
    pub fn file(bytes: impl Into<Vec<u8>>, content_type: &str, name: &str, last_modified: i64) -> Value {
        let mut graph = Graph::new();
        let root = graph.file(bytes, content_type, name, last_modified);
        graph.finish(root)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Value, read, write};

    /// The same bytes are in the tests of the JavaScript side.
    const GOLDEN: &str = "ff0f41025c03002203612f6203616263005c030122006306e56567002c00000000e876483742020102240002";

    #[test]
    fn the_bytes() {
        let value = Value::array([Value::blob("abc", "A/b"), Value::file(vec![1, 2], "", "\u{65e5}g,", 100_000_000_000)]);
        let bytes = write(&value).unwrap();
        assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), GOLDEN);
        assert_eq!(read(&bytes, 0).unwrap(), value);
    }

    #[test]
    fn what_no_blob_could_have_is_mended() {
        let bytes = b"\xff\x0f\\\x03\x01\"\x01\xe9c\x02\x00\xd8\x00\x00\x00\x00\x00\x00\xf0\x7f\x00";
        assert_eq!(read(bytes, 0).unwrap(), Value::file("", "", "\u{fffd}", 0));
    }

    #[test]
    fn a_list_of_files_is_an_array() {
        let bytes = b"\xff\x0fA\x02\\\x04\x01\\\x03\x01\"\x00\"\x01a\0\0\0\0\0\0\0\0\x01x\0^\x01$\x00\x02";
        let value = read(bytes, 0).unwrap();
        assert_eq!(value.at(0), Some(Value::array([Value::file("x", "", "a", 0)])));
        assert!(value.at(0).unwrap().as_object().unwrap().ptr_eq(value.at(1).unwrap().as_object().unwrap()));
    }

    #[test]
    fn blobs_that_differ_are_not_equal() {
        let values = [
            Value::blob("a", ""),
            Value::blob("b", ""),
            Value::blob("a", "a/b"),
            Value::file("a", "", "", 0),
            Value::file("a", "", "n", 0),
            Value::file("a", "", "n", 1),
            Value::bytes("a"),
        ];
        for (i, a) in values.iter().enumerate() {
            assert_eq!(values.iter().position(|b| a == b), Some(i));
        }
        assert_eq!(format!("{:?}", values[5]), "File(\"n\", \"\", 1 bytes: 61)");
    }
}
