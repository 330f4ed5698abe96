//! Reads bytes into values.
//!
//! Input is hostile. A count alone never causes an allocation: collections grow with their
//! elements, and the length of a buffer or string is checked against the rest of the input first.
//! There is no recursion: open objects are on a separate stack, limited by [`MAX_DEPTH`].

use crate::blob::{self, BlobNode, FileNode};
use crate::error::{ReadError, ReadErrorKind as Wrong};
use crate::graph::{Elements, ErrorNode, Graph, Item, Named, Node, NodeId, Properties, ViewNode};
use crate::object::{ColorSpace, ErrorKind, RegExpFlags};
use crate::wire::*;
use crate::{BigInt, JsString, Value, ViewKind, number};

/// The limit of nested objects, when reading and when writing. Objects without parts, such as a
/// Date, and references do not count.
///
/// The codec in JavaScript has the same limit, because it walks by recursion. So nothing is written
/// that the other end cannot read.
pub const MAX_DEPTH: usize = 2_000;

/// Reads a value that Strait or V8 wrote, in versions 13 to 15 of the format. `ports` is the number
/// of ports in the message.
///
/// The memory used is at most a small multiple of the input's length.
///
/// ```
/// let value = strait_clone::read(b"\xff\x0fo\"\x01aI\x54{\x01", 0)?;
/// assert_eq!(value.get("a").unwrap().as_f64(), Some(42.0));
///
/// let error = strait_clone::read(b"\xff\x0fo\"\x01aI", 0).unwrap_err();
/// assert_eq!(error.to_string(), "invalid structured clone at byte 7: it ends early");
/// # Ok::<(), strait_clone::ReadError>(())
/// ```
///
/// # Errors
/// If the bytes are not exactly one value, or the value refers to a port beyond `ports`. The same
/// port may occur several times, as any object may.
pub fn read(bytes: &[u8], ports: usize) -> Result<Value, ReadError> {
    let mut reader = Reader { bytes, at: 0, version: 0, ports, graph: Graph::new(), objects: Vec::new(), stack: Vec::new() };
    match reader.root() {
        Ok(item) => Ok(reader.graph.finish_item(item)),
        Err(kind) => Err(ReadError { offset: reader.at, kind }),
    }
}

type Result_<T> = Result<T, Wrong>;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u32,
    ports: usize,
    graph: Graph,
    /// The objects that references name by index, in the order in which they begin.
    objects: Vec<Numbered>,
    stack: Vec<OpenValue>,
}

#[derive(Clone, Copy)]
enum Numbered {
    Node(NodeId),
    Port(u32),
}

/// An object that has begun, and the position of its next value.
enum OpenValue {
    Object {
        node: NodeId,
        key: JsString,
        count: u64,
    },
    /// In the elements of a dense array.
    Dense {
        node: NodeId,
        next: u32,
        length: u32,
    },
    /// In the named properties of an array. In a sparse array these include the elements.
    Named {
        node: NodeId,
        key: JsString,
        count: u64,
        length: u32,
        end: u8,
    },
    Map {
        node: NodeId,
        key: Option<Item>,
        count: u64,
    },
    Set {
        node: NodeId,
        count: u64,
    },
    /// In an Error, whose next value is its cause.
    Error {
        node: NodeId,
    },
}

impl Reader<'_> {
    fn root(&mut self) -> Result_<Item> {
        if self.byte()? != HEADER {
            self.at -= 1;
            return Err(Wrong::NoHeader);
        }
        self.version = self.varint()?;
        if !(OLDEST_VERSION..=VERSION).contains(&self.version) {
            return Err(Wrong::Version(self.version));
        }
        let tag = self.tag()?;
        let mut complete = self.begin(tag)?;
        loop {
            if let Some(item) = complete.take() {
                match self.stack.last_mut() {
                    Some(frame) => frame.store(&mut self.graph, item),
                    None if self.at == self.bytes.len() => return Ok(item),
                    None => return Err(Wrong::Trailing),
                }
            }
            complete = self.step()?;
        }
    }

    /// Continues with the innermost object: ends it, or begins its next value.
    fn step(&mut self) -> Result_<Option<Item>> {
        let Some(mut frame) = self.stack.pop() else { return Err(Wrong::Truncated) };
        let tag = match &mut frame {
            OpenValue::Object { node, key, count } => {
                let tag = self.tag()?;
                if tag == END_OBJECT {
                    self.expect_count(*count)?;
                    return Ok(Some(Item::Node(*node)));
                }
                *key = self.key(tag)?;
                self.tag()?
            }
            OpenValue::Dense { node, next, length } => {
                if next == length {
                    let (node, length) = (*node, *length);
                    self.stack.push(OpenValue::Named { node, key: JsString::default(), count: 0, length, end: END_DENSE_ARRAY });
                    return Ok(None);
                }
                let tag = self.tag()?;
                if tag == HOLE {
                    *next += 1;
                    self.graph.set_length(*node, *next);
                    self.stack.push(frame);
                    return Ok(None);
                }
                tag
            }
            OpenValue::Named { node, key, count, length, end } => {
                let tag = self.tag()?;
                if tag == *end {
                    self.expect_count(*count)?;
                    if self.varint()? != *length {
                        return Err(Wrong::ArrayLength);
                    }
                    self.graph.set_length(*node, *length);
                    return Ok(Some(Item::Node(*node)));
                }
                *key = self.key(tag)?;
                if *key == "length" || key.array_index().is_some_and(|index| index >= *length) {
                    return Err(Wrong::ArrayLength);
                }
                self.tag()?
            }
            OpenValue::Map { node, key, count } => {
                let tag = self.tag()?;
                if tag == END_MAP && key.is_none() {
                    self.expect_count(*count)?;
                    return Ok(Some(Item::Node(*node)));
                }
                tag
            }
            OpenValue::Set { node, count } => {
                let tag = self.tag()?;
                if tag == END_SET {
                    self.expect_count(*count)?;
                    return Ok(Some(Item::Node(*node)));
                }
                tag
            }
            OpenValue::Error { node } => {
                let node = *node;
                if !self.error_parts(node)? {
                    return Ok(Some(Item::Node(node)));
                }
                self.tag()?
            }
        };
        self.stack.push(frame);
        self.begin(tag)
    }

    /// Reads the value that `tag` begins; `None` if it is a container, which is now on the stack.
    fn begin(&mut self, tag: u8) -> Result_<Option<Item>> {
        let node = match tag {
            BEGIN_OBJECT => {
                let node = self.numbered(Node::Plain(Properties::default()));
                return self.open(OpenValue::Object { node, key: JsString::default(), count: 0 });
            }
            BEGIN_DENSE_ARRAY => {
                let length = self.varint()?;
                // Every element takes at least one byte, even a hole.
                self.check_left(u64::from(length))?;
                let node = self.numbered(Node::Array { elements: Elements::Dense(Vec::new()), named: Named::default() });
                return self.open(OpenValue::Dense { node, next: 0, length });
            }
            BEGIN_SPARSE_ARRAY => {
                let length = self.varint()?;
                let elements = Elements::Sparse { length, items: Default::default() };
                let node = self.numbered(Node::Array { elements, named: Named::default() });
                return self.open(OpenValue::Named { node, key: JsString::default(), count: 0, length, end: END_SPARSE_ARRAY });
            }
            BEGIN_MAP => {
                let node = self.numbered(Node::Map(Vec::new()));
                return self.open(OpenValue::Map { node, key: None, count: 0 });
            }
            BEGIN_SET => {
                let node = self.numbered(Node::Set(Vec::new()));
                return self.open(OpenValue::Set { node, count: 0 });
            }
            ERROR => {
                let node = self.error()?;
                return self.open(OpenValue::Error { node });
            }
            REFERENCE => return self.reference().map(Some),
            HOST_OBJECT => return self.host_object().map(Some),
            DATE => Node::Date(number::time_clip(self.double()?)),
            TRUE_OBJECT => Node::Boolean(true),
            FALSE_OBJECT => Node::Boolean(false),
            NUMBER_OBJECT => Node::Number(self.double()?),
            BIGINT_OBJECT => Node::BigInt(self.bigint()?),
            STRING_OBJECT => Node::String(self.string()?),
            REGEXP => {
                let source = self.string()?;
                let bits = self.varint()?;
                Node::RegExp { source, flags: RegExpFlags::from_bits(bits).ok_or(Wrong::Flags(bits))? }
            }
            ARRAY_BUFFER | RESIZABLE_BUFFER => {
                let length = self.varint()?;
                let max = if tag == RESIZABLE_BUFFER { Some(self.long_varint()?) } else { None };
                if max.is_some_and(|max| max < u64::from(length)) {
                    return Err(Wrong::BufferLimit);
                }
                let bytes = self.take(u64::from(length))?.to_vec();
                let node = self.numbered(Node::Buffer { bytes, max });
                return self.view_of(node).map(Some);
            }
            _ => return self.primitive(tag).map(|value| Some(Item::Value(value))),
        };
        Ok(Some(Item::Node(self.numbered(node))))
    }

    fn primitive(&mut self, tag: u8) -> Result_<Value> {
        Ok(match tag {
            UNDEFINED => Value::Undefined,
            NULL => Value::Null,
            TRUE => Value::Bool(true),
            FALSE => Value::Bool(false),
            INT32 => Value::Number(f64::from(self.zigzag()?)),
            UINT32 => Value::Number(f64::from(self.varint()?)),
            DOUBLE => Value::Number(self.double()?),
            BIGINT => Value::BigInt(self.bigint()?),
            ONE_BYTE_STRING | TWO_BYTE_STRING | UTF8_STRING => Value::String(self.string_of(tag)?),
            _ => {
                self.at -= 1;
                return Err(Wrong::Tag(tag));
            }
        })
    }

    fn open(&mut self, frame: OpenValue) -> Result_<Option<Item>> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Wrong::TooDeep);
        }
        self.stack.push(frame);
        Ok(None)
    }

    fn numbered(&mut self, node: Node) -> NodeId {
        let id = self.graph.add(node);
        self.objects.push(Numbered::Node(id));
        id
    }

    fn reference(&mut self) -> Result_<Item> {
        let id = self.varint()?;
        match self.objects.get(id as usize) {
            Some(Numbered::Node(node)) => self.view_of(*node),
            Some(Numbered::Port(index)) => Ok(Item::Value(Value::Port(*index))),
            None => Err(Wrong::Reference(id)),
        }
    }

    /// The object `node`, or the view that follows it if it is a buffer.
    fn view_of(&mut self, node: NodeId) -> Result_<Item> {
        let (total, resizable) = match self.graph.node_mut(node) {
            Node::Buffer { bytes, max } if self.bytes.get(self.at) == Some(&VIEW) => (bytes.len(), max.is_some()),
            _ => return Ok(Item::Node(node)),
        };
        self.at += 1;
        let tag = self.byte()?;
        let kind = ViewKind::from_tag(tag).ok_or(Wrong::ViewTag(tag))?;
        let offset = self.varint()? as usize;
        let mut length = self.varint()? as usize;
        let flags = if self.version >= VIEW_FLAGS_VERSION { self.varint()? } else { 0 };
        let size = kind.element_size();
        let tracks_length = flags & VIEW_TRACKS_LENGTH != 0;
        if flags & !(VIEW_TRACKS_LENGTH | VIEW_ON_RESIZABLE) != 0 || (flags != 0 && !resizable) {
            return Err(Wrong::View);
        }
        if tracks_length {
            length = total.checked_sub(offset).ok_or(Wrong::View)? / size * size;
        }
        if offset > total || length > total - offset || !offset.is_multiple_of(size) || !length.is_multiple_of(size) {
            return Err(Wrong::View);
        }
        Ok(Item::Node(self.numbered(Node::View(ViewNode { kind, buffer: Item::Node(node), offset, length, tracks_length }))))
    }

    fn host_object(&mut self) -> Result_<Item> {
        match self.varint()? {
            HOST_PORT => {
                let index = self.varint()?;
                if index as usize >= self.ports {
                    return Err(Wrong::Port(index));
                }
                self.objects.push(Numbered::Port(index));
                Ok(Item::Value(Value::Port(index)))
            }
            HOST_IMAGE => {
                let (width, height) = (self.varint()?, self.varint()?);
                let color_space = match self.varint()? {
                    0 => ColorSpace::Srgb,
                    1 => ColorSpace::DisplayP3,
                    _ => return Err(Wrong::Image),
                };
                let length = u64::from(self.varint()?);
                let expected = u64::from(width).checked_mul(u64::from(height)).and_then(|pixels| pixels.checked_mul(4));
                if expected != Some(length) || length == 0 {
                    return Err(Wrong::Image);
                }
                let pixels = self.take(length)?.to_vec();
                Ok(Item::Node(self.numbered(Node::Image { width, height, color_space, pixels })))
            }
            HOST_BLOB => {
                let blob = self.blob()?;
                Ok(Item::Node(self.numbered(blob)))
            }
            HOST_FILES => {
                let count = self.varint()?;
                self.check_left(count.into())?;
                let list = self.graph.array();
                self.objects.push(Numbered::Node(list));
                for _ in 0..count {
                    if self.byte()? != HOST_OBJECT || self.varint()? != HOST_BLOB {
                        return Err(Wrong::Blob);
                    }
                    let file = self.blob()?;
                    let file = self.graph.add(file);
                    self.graph.push(list, file);
                }
                Ok(Item::Node(list))
            }
            other => Err(Wrong::HostObject(other)),
        }
    }

    /// Reads a Blob or File after its tag.
    fn blob(&mut self) -> Result_<Node> {
        let class = self.varint()?;
        if class > 1 {
            return Err(Wrong::Blob);
        }
        let content_type = blob::content_type(&self.string()?.to_string_lossy());
        let file = match class {
            0 => None,
            _ => Some(FileNode { name: self.string()?.to_string_lossy().into(), last_modified: blob::last_modified(self.double()?) }),
        };
        let length = u64::from(self.varint()?);
        let bytes = self.take(length)?.to_vec();
        if !length.is_multiple_of(2) && self.byte()? != PADDING {
            return Err(Wrong::Blob);
        }
        Ok(Node::Blob(Box::new(BlobNode { content_type, file, bytes })))
    }

    /// Reads the beginning of an error, which is its class. The other parts follow in any order.
    fn error(&mut self) -> Result_<NodeId> {
        let start = self.at;
        let tag = self.varint()?;
        let kind = u8::try_from(tag).ok().and_then(ErrorKind::from_tag);
        if kind.is_none() {
            self.at = start;
        }
        let error = ErrorNode { kind: kind.unwrap_or_default(), message: None, stack: None, cause: None };
        Ok(self.numbered(Node::Error(Box::new(error))))
    }

    /// Reads parts of an error up to its cause (`true`) or its end (`false`).
    fn error_parts(&mut self, node: NodeId) -> Result_<bool> {
        loop {
            let part = self.varint()?;
            match u8::try_from(part) {
                Ok(ERROR_CAUSE) => return Ok(true),
                Ok(ERROR_END) => return Ok(false),
                Ok(tag @ (ERROR_MESSAGE | ERROR_STACK)) => {
                    let text = self.string()?;
                    if let Node::Error(error) = self.graph.node_mut(node) {
                        *(if tag == ERROR_MESSAGE { &mut error.message } else { &mut error.stack }) = Some(text);
                    }
                }
                _ => return Err(Wrong::ErrorPart(part)),
            }
        }
    }

    fn key(&mut self, tag: u8) -> Result_<JsString> {
        Ok(match tag {
            INT32 => self.zigzag()?.to_string().into(),
            UINT32 => self.varint()?.to_string().into(),
            DOUBLE => number::to_js_string(self.double()?).into(),
            _ => self.string_of(tag)?,
        })
    }

    fn string(&mut self) -> Result_<JsString> {
        let tag = self.tag()?;
        self.string_of(tag)
    }

    fn string_of(&mut self, tag: u8) -> Result_<JsString> {
        if !matches!(tag, ONE_BYTE_STRING | TWO_BYTE_STRING | UTF8_STRING) {
            self.at -= 1;
            return Err(Wrong::Key);
        }
        let length = self.varint()?;
        if tag == TWO_BYTE_STRING && !length.is_multiple_of(2) {
            return Err(Wrong::OddString);
        }
        let bytes = self.take(u64::from(length))?;
        Ok(match tag {
            ONE_BYTE_STRING => match std::str::from_utf8(bytes) {
                // Latin-1 that is valid UTF-8 is ASCII only if no byte has the high bit.
                Ok(text) if text.is_ascii() => text.into(),
                _ => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
            },
            TWO_BYTE_STRING => {
                let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                JsString::from_utf16(&units)
            }
            _ => String::from_utf8_lossy(bytes).into(),
        })
    }

    fn bigint(&mut self) -> Result_<BigInt> {
        let bits = self.varint()?;
        let bytes = self.take(u64::from(bits >> 1))?;
        let digits: Vec<u64> = bytes
            .chunks(8)
            .map(|chunk| {
                let mut digit = [0; 8];
                digit[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(digit)
            })
            .collect();
        Ok(BigInt::from_digits(bits & 1 != 0, &digits))
    }

    fn expect_count(&mut self, count: u64) -> Result_<()> {
        if u64::from(self.varint()?) == count { Ok(()) } else { Err(Wrong::Count) }
    }

    /// Reads the next tag and skips padding and hints.
    fn tag(&mut self) -> Result_<u8> {
        loop {
            match self.byte()? {
                PADDING => {}
                VERIFY_OBJECT_COUNT => {
                    self.varint()?;
                }
                tag => return Ok(tag),
            }
        }
    }

    fn byte(&mut self) -> Result_<u8> {
        let byte = *self.bytes.get(self.at).ok_or(Wrong::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    fn check_left(&self, length: u64) -> Result_<()> {
        if length > (self.bytes.len() - self.at) as u64 { Err(Wrong::TooLong(length)) } else { Ok(()) }
    }

    fn take(&mut self, length: u64) -> Result_<&[u8]> {
        self.check_left(length)?;
        let start = self.at;
        self.at += length as usize;
        Ok(&self.bytes[start..self.at])
    }

    fn varint(&mut self) -> Result_<u32> {
        u32::try_from(self.long_varint()?).map_err(|_| Wrong::IntegerTooLarge)
    }

    /// Reads a varint below 2^56.
    fn long_varint(&mut self) -> Result_<u64> {
        let mut value = 0u64;
        // Encoders may pad with empty groups, but only up to this number.
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Wrong::IntegerTooLarge)
    }

    fn zigzag(&mut self) -> Result_<i32> {
        let bits = self.varint()?;
        Ok((bits >> 1) as i32 ^ -((bits & 1) as i32))
    }

    fn double(&mut self) -> Result_<f64> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8).map_err(|_| Wrong::Truncated)?);
        Ok(f64::from_le_bytes(bytes))
    }
}

impl OpenValue {
    /// Stores a finished value at the position of this open object.
    fn store(&mut self, graph: &mut Graph, item: Item) {
        match self {
            OpenValue::Object { node, key, count } => {
                graph.set(*node, std::mem::take(key), item);
                *count += 1;
            }
            OpenValue::Dense { node, next, .. } => {
                graph.push(*node, item);
                *next += 1;
            }
            OpenValue::Named { node, key, count, .. } => {
                graph.set(*node, std::mem::take(key), item);
                *count += 1;
            }
            OpenValue::Map { node, key, count } => {
                *count += 1;
                match key.take() {
                    None => *key = Some(item),
                    Some(key) => graph.insert(*node, key, item),
                }
            }
            OpenValue::Set { node, count } => {
                graph.add_item(*node, item);
                *count += 1;
            }
            OpenValue::Error { node } => {
                if let Node::Error(error) = graph.node_mut(*node) {
                    error.cause = Some(item);
                }
            }
        }
    }
}
