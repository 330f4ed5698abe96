//! A value of the structured clone algorithm.

use crate::graph::{Graph, Item, Node};
use crate::object::{ColorSpace, ErrorKind, Object, RegExpFlags};
use crate::{BigInt, JsString, ViewKind, number};

/// Any value that JavaScript can clone.
///
/// Values are immutable, `Send + Sync` and cheap to clone: objects are references into a shared
/// graph. They may have cycles.
///
/// Equality is deep, as in JavaScript's `assert.deepStrictEqual`: NaN equals NaN, and 0 and -0
/// differ. The order of properties is ignored; that of Map and Set entries counts. Equality does
/// not depend on which parts are shared.
///
/// ```
/// use strait_clone::{Value, read, write};
///
/// let value = Value::object([("answer", Value::from(42)), ("who", Value::array(["you", "me"]))]);
/// assert_eq!(value.get("answer").and_then(|answer| answer.as_f64()), Some(42.0));
/// assert_eq!(value.get("who").unwrap().at(1).unwrap().as_str(), Some("me"));
///
/// let bytes = write(&value)?;
/// assert_eq!(read(&bytes, 0).unwrap(), value);
/// # Ok::<(), strait_clone::WriteError>(())
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// `undefined`
    #[default]
    Undefined,
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// Any number, -0 and NaN included.
    Number(f64),
    /// An integer of any size, such as `1n`.
    BigInt(BigInt),
    /// A string.
    String(JsString),
    /// An object of any kind.
    Object(Object),
    /// The port with this index in the message.
    Port(u32),
}

fn leaf(node: Node) -> Value {
    let mut graph = Graph::new();
    let root = graph.add(node);
    graph.finish(root)
}

impl Value {
    /// A plain object with these properties, in this order.
    pub fn object<K: Into<JsString>, V: Into<Value>>(properties: impl IntoIterator<Item = (K, V)>) -> Value {
        leaf(Node::Plain(properties.into_iter().map(|(key, value)| (key.into(), Item::Value(value.into()))).collect()))
    }

    /// An array with these elements.
    pub fn array<V: Into<Value>>(elements: impl IntoIterator<Item = V>) -> Value {
        let mut graph = Graph::new();
        let root = graph.array();
        for element in elements {
            graph.push(root, element);
        }
        graph.finish(root)
    }

    /// A `Map` with these entries. Keys are not compared, so each key must be given once.
    pub fn map<K: Into<Value>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
        leaf(Node::Map(entries.into_iter().map(|(key, value)| (Item::Value(key.into()), Item::Value(value.into()))).collect()))
    }

    /// A `Set` with these items. Items are not compared, so each item must be given once.
    pub fn set<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        leaf(Node::Set(items.into_iter().map(|item| Item::Value(item.into())).collect()))
    }

    /// A `Date`: milliseconds since 1970 UTC, NaN for an invalid date. As in JavaScript, fractions
    /// of a millisecond are cut off, and a date of more than 8.64e15 ms from 1970 is invalid.
    pub fn date(ms: f64) -> Value {
        leaf(Node::Date(number::time_clip(ms)))
    }

    /// A regular expression. The receiver compiles it, and refuses the message if the pattern is
    /// invalid.
    pub fn regexp(source: impl Into<JsString>, flags: RegExpFlags) -> Value {
        leaf(Node::RegExp { source: source.into(), flags })
    }

    /// An `Error` of this class.
    pub fn error(kind: ErrorKind, message: impl Into<JsString>) -> Value {
        let mut graph = Graph::new();
        let root = graph.error(kind);
        graph.set_error(root, Some(message.into()), None, None);
        graph.finish(root)
    }

    /// An `ArrayBuffer`.
    pub fn array_buffer(bytes: impl Into<Vec<u8>>) -> Value {
        leaf(Node::Buffer { bytes: bytes.into(), max: None })
    }

    /// A `Uint8Array` on a buffer of its own.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Value {
        let mut graph = Graph::new();
        let bytes = bytes.into();
        let length = bytes.len();
        let buffer = graph.array_buffer(bytes);
        let view = graph.view(ViewKind::Uint8, buffer, 0, length).expect("the whole buffer fits itself");
        graph.finish(view)
    }

    /// `ImageData`: RGBA, 4 bytes a pixel. `None` if a side is 0 or the number of bytes is not
    /// `4 * width * height`.
    pub fn image_data(width: u32, height: u32, color_space: ColorSpace, pixels: impl Into<Vec<u8>>) -> Option<Value> {
        let pixels = pixels.into();
        let valid = width > 0 && height > 0 && u64::from(width).checked_mul(u64::from(height))?.checked_mul(4)? == pixels.len() as u64;
        valid.then(|| leaf(Node::Image { width, height, color_space, pixels }))
    }

    /// The primitive wrapped in an object: `new Boolean(…)`, `new Number(…)`, `new String(…)` or
    /// `Object(1n)`. `None` for every other value.
    pub fn boxed(self) -> Option<Value> {
        Some(leaf(match self {
            Value::Bool(value) => Node::Boolean(value),
            Value::Number(value) => Node::Number(value),
            Value::BigInt(value) => Node::BigInt(value),
            Value::String(value) => Node::String(value),
            _ => return None,
        }))
    }

    /// Whether it is `undefined`.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The value, if it is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value, if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The value, if it is an integer: a number without fraction within ±(2^53 - 1), or a BigInt
    /// that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(value) => exact_integer(*value),
            Value::BigInt(value) => value.to_i64(),
            _ => None,
        }
    }

    /// The value, if it is a string without lone surrogates; see
    /// [`as_js_string`](Value::as_js_string) for all strings.
    pub fn as_str(&self) -> Option<&str> {
        self.as_js_string()?.as_str()
    }

    /// The value, if it is a string.
    pub fn as_js_string(&self) -> Option<&JsString> {
        match self {
            Value::String(value) => Some(value),
            _ => None,
        }
    }

    /// The value, if it is a BigInt.
    pub fn as_bigint(&self) -> Option<&BigInt> {
        match self {
            Value::BigInt(value) => Some(value),
            _ => None,
        }
    }

    /// The value, if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The bytes, if it is an ArrayBuffer, view, ImageData, Blob or File.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.as_object()?.as_bytes()
    }

    /// The index, if it is a port.
    pub fn as_port(&self) -> Option<u32> {
        match self {
            Value::Port(index) => Some(*index),
            _ => None,
        }
    }

    /// [`Object::get`]; `None` on primitives.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.as_object()?.get(key)
    }

    /// [`Object::at`]; `None` on primitives.
    pub fn at(&self, index: u32) -> Option<Value> {
        self.as_object()?.at(index)
    }

    /// [`Object::len`]; 0 on primitives.
    pub fn len(&self) -> usize {
        self.as_object().map_or(0, Object::len)
    }

    /// Whether [`len`](Value::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Integers up to this are exact as numbers (`Number.MAX_SAFE_INTEGER`).
pub(crate) const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// `value` as an integer, if that is exact. -0 is not exact.
pub(crate) fn exact_integer(value: f64) -> Option<i64> {
    let int = value as i64;
    (int.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() && int as f64 == value && (int != 0 || value.is_sign_positive())).then_some(int)
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(value: $number) -> Value {
                Value::Number(f64::from(value))
            }
        })*
    };
}

from_number!(i8, u8, i16, u16, i32, u32, f32, f64);

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl From<JsString> for Value {
    fn from(text: JsString) -> Value {
        Value::String(text)
    }
}

impl From<BigInt> for Value {
    fn from(value: BigInt) -> Value {
        Value::BigInt(value)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}

impl From<()> for Value {
    /// `undefined`
    fn from((): ()) -> Value {
        Value::Undefined
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` is `null`.
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    /// An array, for bytes too; [`Value::bytes`] makes a `Uint8Array`.
    fn from(elements: Vec<T>) -> Value {
        Value::array(elements)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    /// An array.
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Value {
        Value::array(elements)
    }
}
