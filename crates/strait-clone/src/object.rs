//! Finished objects, and access to their contents.

use std::sync::Arc;

use crate::blob::FileParts;
use crate::graph::{Heap, Item, Node, Properties};
use crate::{BigInt, JsString, Value, ViewKind};

/// An object of any kind: a reference, as in JavaScript. Cloning is cheap.
/// [`ptr_eq`](Object::ptr_eq) checks whether two references are to the same object.
///
/// ```
/// use strait_clone::{Kind, Value};
///
/// let value = Value::object([("when", Value::date(0.0)), ("tags", Value::array(["a", "b"]))]);
/// let object = value.as_object().unwrap();
/// assert!(matches!(object.kind(), Kind::Plain));
/// assert_eq!(object.entries().map(|(key, _)| key.to_string()).collect::<Vec<_>>(), ["when", "tags"]);
/// assert!(matches!(object.get("when").unwrap().as_object().unwrap().kind(), Kind::Date(0.0)));
/// ```
#[derive(Clone)]
pub struct Object {
    pub(crate) heap: Arc<Heap>,
    pub(crate) index: u32,
}

/// The kind of an [`Object`], with the data of that kind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// A plain object, or an instance of a program's class: see [`Object::entries`].
    Plain,
    /// An array of this length: see [`Object::items`], and [`Object::entries`] for named
    /// properties.
    Array(u32),
    /// See [`Object::map_entries`].
    Map,
    /// See [`Object::set_items`].
    Set,
    /// Milliseconds since 1970 UTC; NaN for an invalid date.
    Date(f64),
    /// A regular expression.
    RegExp {
        /// The pattern.
        source: &'a JsString,
        /// The flags.
        flags: RegExpFlags,
    },
    /// `new Boolean(…)`
    BooleanObject(bool),
    /// `new Number(…)`
    NumberObject(f64),
    /// `Object(1n)`
    BigIntObject(&'a BigInt),
    /// `new String(…)`
    StringObject(&'a JsString),
    /// An ArrayBuffer.
    ArrayBuffer {
        /// Its bytes.
        bytes: &'a [u8],
        /// `maxByteLength`, if the buffer is resizable. The sender chose it, and no memory is
        /// reserved for it.
        max_byte_length: Option<u64>,
    },
    /// A typed array or DataView.
    View(View<'a>),
    /// An Error.
    Error(ErrorParts<'a>),
    /// ImageData.
    ImageData {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// The colour space of the pixels.
        color_space: ColorSpace,
        /// RGBA, 4 bytes a pixel, row by row.
        pixels: &'a [u8],
    },
    /// A Blob or a File.
    Blob {
        /// All of its bytes.
        bytes: &'a [u8],
        /// Its `type`, which may be empty. The sender chose it.
        content_type: &'a str,
        /// The name and date, if it is a File.
        file: Option<FileParts<'a>>,
    },
}

/// A typed array or DataView on an ArrayBuffer.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// The class.
    pub kind: ViewKind,
    /// The ArrayBuffer, which may have other views.
    pub buffer: Object,
    /// The view's first byte in the buffer.
    pub offset: usize,
    /// The view's bytes; elements are little-endian.
    pub bytes: &'a [u8],
    /// Whether the view's length follows that of its resizable buffer.
    pub tracks_length: bool,
}

/// The data of an Error.
#[derive(Debug, Clone)]
pub struct ErrorParts<'a> {
    /// Its class, if that class survives cloning.
    pub kind: ErrorKind,
    /// `message`, if the Error has its own.
    pub message: Option<&'a JsString>,
    /// `stack`, in the format of the engine that made it.
    pub stack: Option<&'a JsString>,
    /// `cause`, if the Error has its own.
    pub cause: Option<Value>,
}

/// The Error classes that survive cloning; every other class becomes `Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ErrorKind {
    /// `Error`
    #[default]
    Error,
    /// `EvalError`
    Eval,
    /// `RangeError`
    Range,
    /// `ReferenceError`
    Reference,
    /// `SyntaxError`
    Syntax,
    /// `TypeError`
    Type,
    /// `URIError`
    Uri,
}

impl ErrorKind {
    /// Every class that has a tag, and the tag.
    const TAGS: [(ErrorKind, u8); 6] = [
        (ErrorKind::Eval, b'E'),
        (ErrorKind::Range, b'R'),
        (ErrorKind::Reference, b'F'),
        (ErrorKind::Syntax, b'S'),
        (ErrorKind::Type, b'T'),
        (ErrorKind::Uri, b'U'),
    ];

    /// The class's name in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Error => "Error",
            ErrorKind::Eval => "EvalError",
            ErrorKind::Range => "RangeError",
            ErrorKind::Reference => "ReferenceError",
            ErrorKind::Syntax => "SyntaxError",
            ErrorKind::Type => "TypeError",
            ErrorKind::Uri => "URIError",
        }
    }

    pub(crate) fn tag(self) -> Option<u8> {
        Self::TAGS.iter().find(|(kind, _)| *kind == self).map(|(_, tag)| *tag)
    }

    pub(crate) fn from_tag(tag: u8) -> Option<ErrorKind> {
        Self::TAGS.iter().find(|(_, known)| *known == tag).map(|(kind, _)| *kind)
    }
}

/// The colour space of an ImageData.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ColorSpace {
    /// `srgb`
    #[default]
    Srgb,
    /// `display-p3`
    DisplayP3,
}

/// The flags of a RegExp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RegExpFlags(u16);

impl RegExpFlags {
    /// In the order of V8's bits. `l` (linear) is specific to V8, which has it only behind a
    /// switch.
    const LETTERS: [char; 9] = ['g', 'i', 'm', 'y', 'u', 's', 'l', 'd', 'v'];

    /// Parses letters; `None` if one is unknown or occurs twice.
    pub fn parse(letters: &str) -> Option<RegExpFlags> {
        let mut bits = 0;
        for letter in letters.chars() {
            let bit = 1 << Self::LETTERS.iter().position(|known| *known == letter)?;
            if bits & bit != 0 {
                return None;
            }
            bits |= bit;
        }
        Some(RegExpFlags(bits))
    }

    pub(crate) fn from_bits(bits: u32) -> Option<RegExpFlags> {
        (bits < 1 << Self::LETTERS.len()).then_some(RegExpFlags(bits as u16))
    }

    pub(crate) fn bits(self) -> u32 {
        u32::from(self.0)
    }

    /// Whether the flag of this letter is set.
    pub fn contains(self, letter: char) -> bool {
        Self::LETTERS.iter().position(|known| *known == letter).is_some_and(|bit| self.0 & (1 << bit) != 0)
    }
}

impl std::fmt::Display for RegExpFlags {
    /// The letters in alphabetical order, as in `RegExp.prototype.flags`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut letters: Vec<char> = Self::LETTERS.into_iter().filter(|letter| self.contains(*letter)).collect();
        letters.sort_unstable();
        f.write_str(&String::from_iter(letters))
    }
}

impl Object {
    pub(crate) fn node(&self) -> &Node {
        &self.heap.nodes[self.index as usize]
    }

    /// The value that an item of this object's graph stands for.
    pub(crate) fn resolve(&self, item: &Item) -> Value {
        match item {
            Item::Node(node) => Value::Object(Object { heap: self.heap.clone(), index: node.0 }),
            Item::Value(value) => value.clone(),
        }
    }

    /// Whether both are the same object. Equal objects may be different ones.
    pub fn ptr_eq(&self, other: &Object) -> bool {
        self.identity() == other.identity()
    }

    /// A number that is unique among living objects.
    pub(crate) fn identity(&self) -> (usize, u32) {
        (Arc::as_ptr(&self.heap) as usize, self.index)
    }

    /// The object's kind and data.
    pub fn kind(&self) -> Kind<'_> {
        match self.node() {
            Node::Plain(_) => Kind::Plain,
            Node::Array { elements, .. } => Kind::Array(elements.len()),
            Node::Map(_) => Kind::Map,
            Node::Set(_) => Kind::Set,
            Node::Date(ms) => Kind::Date(*ms),
            Node::RegExp { source, flags } => Kind::RegExp { source, flags: *flags },
            Node::Boolean(value) => Kind::BooleanObject(*value),
            Node::Number(value) => Kind::NumberObject(*value),
            Node::BigInt(value) => Kind::BigIntObject(value),
            Node::String(value) => Kind::StringObject(value),
            Node::Buffer { bytes, max } => Kind::ArrayBuffer { bytes, max_byte_length: *max },
            Node::View(view) => Kind::View(View {
                kind: view.kind,
                buffer: match self.resolve(&view.buffer) {
                    Value::Object(buffer) => buffer,
                    // Every view is made on a buffer, so this is not reached. If it were, an empty
                    // view would do no harm.
                    _ => self.clone(),
                },
                offset: view.offset,
                bytes: self.window().unwrap_or_default(),
                tracks_length: view.tracks_length,
            }),
            Node::Error(error) => Kind::Error(ErrorParts {
                kind: error.kind,
                message: error.message.as_ref(),
                stack: error.stack.as_ref(),
                cause: error.cause.as_ref().map(|cause| self.resolve(cause)),
            }),
            Node::Image { width, height, color_space, pixels } => {
                Kind::ImageData { width: *width, height: *height, color_space: *color_space, pixels }
            }
            Node::Blob(blob) => Kind::Blob {
                bytes: &blob.bytes,
                content_type: &blob.content_type,
                file: blob.file.as_ref().map(|file| FileParts { name: &file.name, last_modified: file.last_modified }),
            },
        }
    }

    /// The properties of a plain object, or the named ones of an array.
    pub(crate) fn properties(&self) -> Option<&Properties> {
        match self.node() {
            Node::Plain(properties) => Some(properties),
            Node::Array { named, .. } => Some(named),
            _ => None,
        }
    }

    /// The bytes of an ArrayBuffer.
    pub(crate) fn buffer_bytes(&self) -> Option<&[u8]> {
        match self.node() {
            Node::Buffer { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a view.
    fn window(&self) -> Option<&[u8]> {
        let Node::View(view) = self.node() else { return None };
        let bytes = match &view.buffer {
            Item::Node(node) => match self.heap.nodes.get(node.0 as usize)? {
                Node::Buffer { bytes, .. } => bytes,
                _ => return None,
            },
            Item::Value(Value::Object(buffer)) => buffer.buffer_bytes()?,
            Item::Value(_) => return None,
        };
        bytes.get(view.offset..view.offset + view.length)
    }

    /// The bytes of an ArrayBuffer, view, ImageData, Blob or File.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.node() {
            Node::Buffer { bytes, .. } => Some(bytes),
            Node::View(_) => self.window(),
            Node::Image { pixels, .. } => Some(pixels),
            Node::Blob(blob) => Some(&blob.bytes),
            _ => None,
        }
    }

    /// The property `key` of a plain object or array; on an array, a key that spells an index gives
    /// that element. An Error has `name`, `message`, `stack` and `cause`.
    pub fn get(&self, key: &str) -> Option<Value> {
        match self.node() {
            Node::Plain(properties) => properties.get(&crate::string::StrKey(key)).map(|item| self.resolve(item)),
            Node::Array { elements, named } => match JsString::from(key).array_index() {
                Some(index) => elements.get(index).map(|item| self.resolve(item)),
                None => named.get(&crate::string::StrKey(key)).map(|item| self.resolve(item)),
            },
            Node::Error(error) => match key {
                "name" => Some(error.kind.name().into()),
                "message" => error.message.clone().map(Value::String),
                "stack" => error.stack.clone().map(Value::String),
                "cause" => error.cause.as_ref().map(|cause| self.resolve(cause)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Element `index` of an array; `None` beyond its end, in a hole, and on anything else.
    pub fn at(&self, index: u32) -> Option<Value> {
        match self.node() {
            Node::Array { elements, .. } => elements.get(index).map(|item| self.resolve(item)),
            _ => None,
        }
    }

    /// The length of an array, the number of entries of a Map or Set or of properties of a plain
    /// object; 0 for every other kind.
    pub fn len(&self) -> usize {
        match self.node() {
            Node::Plain(properties) => properties.len(),
            Node::Array { elements, .. } => elements.len() as usize,
            Node::Map(entries) => entries.len(),
            Node::Set(items) => items.len(),
            _ => 0,
        }
    }

    /// Whether [`len`](Object::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The properties of a plain object, or the named ones of an array, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&JsString, Value)> {
        self.properties().into_iter().flatten().map(|(key, item)| (key, self.resolve(item)))
    }

    /// The elements of an array with their indices, without holes.
    pub fn items(&self) -> impl Iterator<Item = (u32, Value)> {
        let elements = match self.node() {
            Node::Array { elements, .. } => Some(elements.iter()),
            _ => None,
        };
        elements.into_iter().flatten().map(|(index, item)| (index, self.resolve(item)))
    }

    /// The entries of a Map, in order.
    pub fn map_entries(&self) -> impl Iterator<Item = (Value, Value)> {
        let entries = match self.node() {
            Node::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, item)| (self.resolve(key), self.resolve(item)))
    }

    /// The items of a Set, in order.
    pub fn set_items(&self) -> impl Iterator<Item = Value> {
        let items = match self.node() {
            Node::Set(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(|item| self.resolve(item))
    }
}
