//! Converts values to serde types.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::rc::Rc;

use serde::de::value::{MapDeserializer, SeqDeserializer, U32Deserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use thiserror::Error;

use crate::object::{Kind, Object, View};
use crate::typed::PORT_INDEX;
use crate::value::exact_integer;
use crate::{JsString, Value, ViewKind};

/// The value does not fit the type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FromValueError(String);

impl de::Error for FromValueError {
    fn custom<T: fmt::Display>(message: T) -> FromValueError {
        FromValueError(message.to_string())
    }
}

/// The most levels of a value that types follow. It bounds the recursion for cycles and hostile
/// values.
const MAX_SERDE_DEPTH: u16 = 128;

/// Converts a JavaScript value to a Rust value: the reverse of [`to_value`](crate::to_value), with
/// more conversions.
///
/// - Numbers without fraction within ±(2^53 - 1) and BigInts that fit are integers; integers are
///   accepted for floats.
/// - `null`, `undefined` and missing properties are `None`; `null` and `undefined` are also `()`.
/// - Arrays, Sets and typed arrays are sequences (a hole is `undefined`). ArrayBuffers, DataViews
///   and byte-sized views are also bytes.
/// - Plain objects and Maps are maps and structs. Property names that spell numbers are accepted
///   for number keys.
/// - An Error is a map of `name`, `message`, `stack` and `cause`. A Date is its milliseconds, a
///   boxed primitive is the primitive.
///
/// ```
/// use serde::Deserialize;
/// use strait_clone::{Value, from_value};
///
/// #[derive(Deserialize, PartialEq, Debug)]
/// struct Point { x: f64, y: f64, label: Option<String> }
///
/// let value = Value::object([("x", 1.0), ("y", 2.5)]);
/// assert_eq!(from_value::<Point>(&value)?, Point { x: 1.0, y: 2.5, label: None });
/// # Ok::<(), strait_clone::FromValueError>(())
/// ```
///
/// # Errors
/// If the value does not fit the type, a string has lone surrogates, or types follow the value more
/// than 128 objects deep, for example in a cycle.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, FromValueError> {
    T::deserialize(FromValue { value: value.clone(), depth: 0, visits: Rc::default(), again: false })
}

/// The limit for repeated copies of shared parts, in the units of [`FromValue::enter`]: about
/// 64 MiB.
///
/// Rust types have no shared references, so an object with a thousand references becomes a thousand
/// copies. A dozen levels of that would exhaust any memory. The first copy of each object is free.
const SHARING_BUDGET: u64 = 1 << 20;

/// Holes beyond this number, and beyond the number of elements, are not filled with `undefined`,
/// because the sender alone chooses an array's length.
const MAX_HOLES: usize = 1024;

#[derive(Default)]
struct Visits {
    seen: RefCell<HashSet<(usize, u32)>>,
    spent: Cell<u64>,
}

struct FromValue {
    value: Value,
    depth: u16,
    visits: Rc<Visits>,
    /// Whether it is part of an object that was converted before.
    again: bool,
}

impl FromValue {
    /// Makes deserializers of the parts of this value.
    fn inner(&self) -> impl Fn(Value) -> FromValue + use<> {
        let (depth, visits, again) = (self.depth + 1, self.visits.clone(), self.again);
        move |value| FromValue { value, depth, visits: visits.clone(), again }
    }

    /// Counts this value. Called once for each value, before its parts are converted.
    fn enter(&mut self) -> Result<(), FromValueError> {
        if self.depth > MAX_SERDE_DEPTH {
            return Err(de::Error::custom(format_args!("the value is nested more than {MAX_SERDE_DEPTH} deep, or has a cycle")));
        }
        let size = match &self.value {
            Value::Object(object) => {
                // Several views may share a buffer.
                let identity = match object.kind() {
                    Kind::View(view) => view.buffer.identity(),
                    _ => object.identity(),
                };
                self.again |= !self.visits.seen.borrow_mut().insert(identity);
                object.as_bytes().map_or(0, <[u8]>::len)
            }
            Value::String(string) => string.as_str().map_or(0, str::len),
            _ => 0,
        };
        if self.again {
            let spent = self.visits.spent.get() + 1 + size as u64 / 64;
            self.visits.spent.set(spent);
            if spent > SHARING_BUDGET {
                return Err(de::Error::custom("shared parts of the value would be copied too often"));
            }
        }
        Ok(())
    }

    fn unexpected<'de, V: Visitor<'de>>(&self, visitor: &V) -> FromValueError {
        let what = format!("{:.60}", format!("{:?}", self.value));
        de::Error::invalid_type(Unexpected::Other(&what), visitor)
    }
}

impl IntoDeserializer<'_, FromValueError> for FromValue {
    type Deserializer = FromValue;

    fn into_deserializer(self) -> FromValue {
        self
    }
}

fn text(string: &JsString) -> Result<&str, FromValueError> {
    string.as_str().ok_or_else(|| de::Error::custom("a string has lone surrogates, which Rust strings cannot hold"))
}

fn visit_number<'de, V: Visitor<'de>>(value: f64, visitor: V) -> Result<V::Value, FromValueError> {
    match exact_integer(value) {
        Some(int) => match u64::try_from(int) {
            Ok(int) => visitor.visit_u64(int),
            Err(_) => visitor.visit_i64(int),
        },
        None => visitor.visit_f64(value),
    }
}

fn visit_bigint<'de, V: Visitor<'de>>(value: &crate::BigInt, visitor: V) -> Result<V::Value, FromValueError> {
    if let Some(int) = value.to_u64() {
        visitor.visit_u64(int)
    } else if let Some(int) = value.to_i64() {
        visitor.visit_i64(int)
    } else if let Some(int) = value.to_u128() {
        visitor.visit_u128(int)
    } else if let Some(int) = value.to_i128() {
        visitor.visit_i128(int)
    } else {
        Err(de::Error::custom("a BigInt does not fit 128 bits"))
    }
}

/// Converts a typed array to its elements.
fn elements(view: &View<'_>) -> Vec<Value> {
    fn each<const N: usize>(bytes: &[u8], make: impl Fn([u8; N]) -> Value) -> Vec<Value> {
        bytes
            .chunks_exact(N)
            .map(|chunk| {
                let mut element = [0; N];
                element.copy_from_slice(chunk);
                make(element)
            })
            .collect()
    }
    let bytes = view.bytes;
    match view.kind {
        ViewKind::Uint8 | ViewKind::Uint8Clamped | ViewKind::DataView => each::<1>(bytes, |[byte]| byte.into()),
        ViewKind::Int8 => each(bytes, |b| i8::from_le_bytes(b).into()),
        ViewKind::Int16 => each(bytes, |b| i16::from_le_bytes(b).into()),
        ViewKind::Uint16 => each(bytes, |b| u16::from_le_bytes(b).into()),
        ViewKind::Int32 => each(bytes, |b| i32::from_le_bytes(b).into()),
        ViewKind::Uint32 => each(bytes, |b| u32::from_le_bytes(b).into()),
        ViewKind::Float16 => each(bytes, |b| half(u16::from_le_bytes(b)).into()),
        ViewKind::Float32 => each(bytes, |b| f32::from_le_bytes(b).into()),
        ViewKind::Float64 => each(bytes, |b| f64::from_le_bytes(b).into()),
        ViewKind::BigInt64 => each(bytes, |b| crate::BigInt::from(i64::from_le_bytes(b)).into()),
        ViewKind::BigUint64 => each(bytes, |b| crate::BigInt::from(u64::from_le_bytes(b)).into()),
    }
}

/// Converts an IEEE 754 half to a double.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 != 0 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff);
    sign * match bits >> 10 & 0x1f {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(exponent) - 15),
    }
}

/// A property's name, which may be read as a number.
struct Key(JsString);

macro_rules! number_keys {
    ($($method:ident $visit:ident $number:ty),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
            match text(&self.0)?.parse::<$number>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Key {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        visitor.visit_str(text(&self.0)?)
    }

    number_keys!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    );

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, FromValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        visitor.visit_enum(text(&self.0)?.to_owned().into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, FromValueError> for Key {
    type Deserializer = Key;

    fn into_deserializer(self) -> Key {
        self
    }
}

impl FromValue {
    fn visit_array<'de, V: Visitor<'de>>(&self, array: &Object, visitor: V) -> Result<V::Value, FromValueError> {
        let (length, count) = (array.len(), array.items().count());
        if length - count > MAX_HOLES.max(count) {
            return Err(de::Error::custom(format_args!("an array of length {length} with {count} elements is too sparse")));
        }
        let mut left = array.items().peekable();
        let mut index = 0;
        let inner = self.inner();
        let items = (0..length).map(move |_| {
            let item = left.next_if(|(at, _)| *at == index).map_or(Value::Undefined, |(_, item)| item);
            index += 1;
            inner(item)
        });
        visit_all(items, visitor)
    }

    fn visit_object<'de, V: Visitor<'de>>(&self, object: &Object, visitor: V) -> Result<V::Value, FromValueError> {
        let inner = self.inner();
        match object.kind() {
            Kind::Plain => visit_map(object.entries().map(|(key, item)| (Key(key.clone()), inner(item))), visitor),
            Kind::Array(_) => self.visit_array(object, visitor),
            Kind::Map => visit_map(object.map_entries().map(|(key, item)| (inner(key), inner(item))), visitor),
            Kind::Set => visit_all(object.set_items().map(inner), visitor),
            Kind::Date(value) | Kind::NumberObject(value) => visit_number(value, visitor),
            Kind::BooleanObject(value) => visitor.visit_bool(value),
            Kind::BigIntObject(value) => visit_bigint(value, visitor),
            Kind::StringObject(value) => visitor.visit_str(text(value)?),
            Kind::ArrayBuffer { bytes, .. } | Kind::Blob { bytes, .. } => visitor.visit_byte_buf(bytes.to_vec()),
            Kind::View(view) if view.kind.element_size() == 1 && view.kind != ViewKind::Int8 => visitor.visit_byte_buf(view.bytes.to_vec()),
            Kind::View(view) => visit_all(elements(&view).into_iter().map(inner), visitor),
            Kind::Error(_) => {
                let parts = ["name", "message", "stack", "cause"];
                visit_map(parts.into_iter().filter_map(|part| Some((part, inner(object.get(part)?)))), visitor)
            }
            Kind::ImageData { width, height, pixels, .. } => {
                let parts = [("width", width.into()), ("height", height.into()), ("data", Value::bytes(pixels))];
                visit_map(parts.into_iter().map(|(key, item)| (key, inner(item))), visitor)
            }
            Kind::RegExp { .. } => Err(self.unexpected(&visitor)),
        }
    }

    /// The value as the content of an enum's variant.
    fn variant_of(&self) -> Option<(FromValue, FromValue)> {
        let inner = self.inner();
        let object = self.value.as_object().filter(|object| object.len() == 1)?;
        let named = object.entries().next().map(|(key, item)| (Value::from(key.clone()), item));
        let (key, item) = named.or_else(|| object.map_entries().next())?;
        Some((inner(key), inner(item)))
    }
}

fn visit_all<'de, V: Visitor<'de>>(items: impl Iterator<Item = FromValue>, visitor: V) -> Result<V::Value, FromValueError> {
    let mut items = SeqDeserializer::new(items);
    let value = visitor.visit_seq(&mut items)?;
    items.end()?;
    Ok(value)
}

fn visit_map<'de, K, V>(entries: impl Iterator<Item = (K, FromValue)>, visitor: V) -> Result<V::Value, FromValueError>
where
    K: IntoDeserializer<'de, FromValueError>,
    V: Visitor<'de>,
{
    let mut entries = MapDeserializer::new(entries);
    let value = visitor.visit_map(&mut entries)?;
    entries.end()?;
    Ok(value)
}

impl<'de> de::Deserializer<'de> for FromValue {
    type Error = FromValueError;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, FromValueError> {
        self.enter()?;
        match &self.value {
            Value::Undefined | Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(value) => visit_number(*value, visitor),
            Value::BigInt(value) => visit_bigint(value, visitor),
            Value::String(value) => visitor.visit_str(text(value)?),
            Value::Port(_) => Err(self.unexpected(&visitor)),
            Value::Object(object) => self.visit_object(object, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Undefined | Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, FromValueError> {
        match self.value {
            Value::Port(index) if name == PORT_INDEX => visitor.visit_newtype_struct(U32Deserializer::new(index)),
            _ if name == PORT_INDEX => Err(self.unexpected(&visitor)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        if let Value::String(name) = &self.value {
            return visitor.visit_enum(text(name)?.to_owned().into_deserializer());
        }
        self.enter()?;
        match self.variant_of() {
            Some(entry) => visitor.visit_enum(de::value::MapAccessDeserializer::new(MapDeserializer::new(std::iter::once(entry)))),
            None => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, FromValueError> {
        // Where a sequence is requested, bytes are one: `Vec<u8>` can be read from a Uint8Array.
        let items = match self.value.as_object().map(Object::kind) {
            Some(Kind::View(view)) => elements(&view),
            Some(Kind::ArrayBuffer { bytes, .. }) => bytes.iter().map(|byte| Value::from(*byte)).collect(),
            _ => return self.deserialize_any(visitor),
        };
        self.enter()?;
        visit_all(items.into_iter().map(self.inner()), visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, FromValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, FromValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, FromValueError> {
        if self.value.as_bytes().is_none() {
            return self.deserialize_any(visitor);
        }
        self.enter()?;
        visitor.visit_bytes(self.value.as_bytes().unwrap_or_default())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FromValueError> {
        // The value is not examined, so it may be anything, even a cycle.
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct map struct identifier
    }
}
