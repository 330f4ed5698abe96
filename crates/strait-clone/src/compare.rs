//! Deep equality and debug output. Both must terminate for cycles.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use crate::object::{Kind, Object};
use crate::{BigInt, Value};

/// Equality of numbers as in `Object.is`.
fn same_number(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a == b && a.is_sign_negative() == b.is_sign_negative())
}

/// The pairs left to compare. A pair that was seen before counts as equal, because its first
/// comparison finds any difference.
#[derive(Default)]
struct Comparison {
    left: Vec<(Value, Value)>,
    seen: HashSet<((usize, u32), (usize, u32))>,
}

impl Comparison {
    fn run(mut self) -> bool {
        while let Some((a, b)) = self.left.pop() {
            let same = match (&a, &b) {
                (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
                (Value::Bool(a), Value::Bool(b)) => a == b,
                (Value::Number(a), Value::Number(b)) => same_number(*a, *b),
                (Value::BigInt(a), Value::BigInt(b)) => a == b,
                (Value::String(a), Value::String(b)) => a == b,
                (Value::Port(a), Value::Port(b)) => a == b,
                (Value::Object(a), Value::Object(b)) => {
                    a.ptr_eq(b) || !self.seen.insert((a.identity(), b.identity())) || self.objects(a, b)
                }
                _ => false,
            };
            if !same {
                return false;
            }
        }
        true
    }

    /// Compares two objects without their parts, and queues the parts.
    fn objects(&mut self, a: &Object, b: &Object) -> bool {
        match (a.kind(), b.kind()) {
            (Kind::Plain, Kind::Plain) => self.properties(a, b),
            (Kind::Array(a_len), Kind::Array(b_len)) => {
                let (mut a_items, mut b_items) = (a.items(), b.items());
                loop {
                    match (a_items.next(), b_items.next()) {
                        (None, None) => break,
                        (Some((i, x)), Some((j, y))) if i == j => self.left.push((x, y)),
                        _ => return false,
                    }
                }
                a_len == b_len && self.properties(a, b)
            }
            (Kind::Map, Kind::Map) => {
                self.left.extend(a.map_entries().zip(b.map_entries()).flat_map(|((k, x), (l, y))| [(k, l), (x, y)]));
                a.len() == b.len()
            }
            (Kind::Set, Kind::Set) => {
                self.left.extend(a.set_items().zip(b.set_items()));
                a.len() == b.len()
            }
            (Kind::Date(a), Kind::Date(b)) | (Kind::NumberObject(a), Kind::NumberObject(b)) => same_number(a, b),
            (Kind::RegExp { source: a, flags: f }, Kind::RegExp { source: b, flags: g }) => a == b && f == g,
            (Kind::BooleanObject(a), Kind::BooleanObject(b)) => a == b,
            (Kind::BigIntObject(a), Kind::BigIntObject(b)) => a == b,
            (Kind::StringObject(a), Kind::StringObject(b)) => a == b,
            (Kind::ArrayBuffer { bytes: a, max_byte_length: m }, Kind::ArrayBuffer { bytes: b, max_byte_length: n }) => a == b && m == n,
            (Kind::View(a), Kind::View(b)) => {
                let same = a.kind == b.kind && a.offset == b.offset && a.bytes.len() == b.bytes.len() && a.tracks_length == b.tracks_length;
                self.left.push((a.buffer.into(), b.buffer.into()));
                same
            }
            (Kind::Error(a), Kind::Error(b)) => {
                let causes = match (a.cause, b.cause) {
                    (Some(a), Some(b)) => {
                        self.left.push((a, b));
                        true
                    }
                    (None, None) => true,
                    _ => false,
                };
                causes && a.kind == b.kind && a.message == b.message && a.stack == b.stack
            }
            (
                Kind::ImageData { width: w, height: h, color_space: c, pixels: p },
                Kind::ImageData { width: x, height: y, color_space: d, pixels: q },
            ) => (w, h, c) == (x, y, d) && p == q,
            (Kind::Blob { bytes: a, content_type: t, file: f }, Kind::Blob { bytes: b, content_type: u, file: g }) => {
                (t, f) == (u, g) && a == b
            }
            _ => false,
        }
    }

    fn properties(&mut self, a: &Object, b: &Object) -> bool {
        let (Some(p), Some(q)) = (a.properties(), b.properties()) else { return false };
        if p.len() != q.len() {
            return false;
        }
        for (key, item) in p {
            let Some(other) = q.get(key) else { return false };
            self.left.push((a.resolve(item), b.resolve(other)));
        }
        true
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        Comparison { left: vec![(self.clone(), other.clone())], ..Comparison::default() }.run()
    }
}

impl Eq for Value {}

/// Beyond this depth debug output shows `…`.
const DEBUG_DEPTH: usize = 16;
/// Debug output shows at most this number of bytes of a buffer.
const DEBUG_BYTES: usize = 32;

/// Debug output shows at most this number of values. Without the limit, the output of shared parts,
/// which appear at each reference, could be endless.
const DEBUG_VALUES: usize = 2000;

/// A value inside the objects on `path`, and the number of values that may still be shown.
struct Nested<'a> {
    value: &'a Value,
    path: &'a [(usize, u32)],
    left: &'a Cell<usize>,
}

impl fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(left) = self.left.get().checked_sub(1) else { return f.write_str("…") };
        self.left.set(left);
        match self.value {
            Value::Undefined => f.write_str("undefined"),
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(value) if *value == 0.0 && value.is_sign_negative() => f.write_str("-0"),
            Value::Number(value) => f.write_str(&crate::number::to_js_string(*value)),
            Value::BigInt(value) => fmt::Debug::fmt(value, f),
            Value::String(value) => value.fmt(f),
            Value::Port(index) => write!(f, "Port({index})"),
            Value::Object(object) => self.object(object, f),
        }
    }
}

/// A buffer, of which the beginning is shown.
struct Bytes<'a>(&'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes:", self.0.len())?;
        for byte in self.0.iter().take(DEBUG_BYTES) {
            write!(f, " {byte:02x}")?;
        }
        if self.0.len() > DEBUG_BYTES { f.write_str(" …") } else { Ok(()) }
    }
}

/// A text that is shown without quotes.
struct Bare<'a>(&'a str);

impl fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Nested<'_> {
    fn object(&self, object: &Object, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.contains(&object.identity()) {
            return f.write_str("[circular]");
        }
        if self.path.len() >= DEBUG_DEPTH {
            return f.write_str("…");
        }
        let path = [self.path, &[object.identity()]].concat();
        let nested = |value: &Value, f: &mut dyn FnMut(&dyn fmt::Debug)| f(&Nested { value, path: &path, left: self.left });
        match object.kind() {
            Kind::Plain => {
                let mut map = f.debug_map();
                for (key, value) in object.entries() {
                    nested(&value, &mut |value| {
                        map.entry(key, value);
                    });
                }
                map.finish()
            }
            Kind::Array(length) => {
                let mut list = f.debug_list();
                let mut next = 0;
                let mut hole = |list: &mut fmt::DebugList<'_, '_>, to: u32| {
                    if to > next {
                        list.entry(&Bare(&format!("<{} empty>", to - next)));
                    }
                    next = to.saturating_add(1);
                };
                for (index, value) in object.items() {
                    hole(&mut list, index);
                    nested(&value, &mut |value| {
                        list.entry(value);
                    });
                }
                hole(&mut list, length);
                for (key, value) in object.entries() {
                    nested(&value, &mut |value| {
                        list.entry(&Bare(&format!("{key:?}: {value:?}")));
                    });
                }
                list.finish()
            }
            Kind::Map => {
                f.write_str("Map ")?;
                let mut map = f.debug_map();
                for (key, value) in object.map_entries() {
                    map.entry(
                        &Nested { value: &key, path: &path, left: self.left },
                        &Nested { value: &value, path: &path, left: self.left },
                    );
                }
                map.finish()
            }
            Kind::Set => {
                f.write_str("Set ")?;
                let mut set = f.debug_set();
                for value in object.set_items() {
                    set.entry(&Nested { value: &value, path: &path, left: self.left });
                }
                set.finish()
            }
            Kind::Date(ms) => write!(f, "Date({ms} ms)"),
            Kind::RegExp { source, flags } => write!(f, "/{source}/{flags}"),
            Kind::BooleanObject(value) => write!(f, "Boolean({value})"),
            Kind::NumberObject(value) => write!(f, "Number({value})"),
            Kind::BigIntObject(value) => write!(f, "BigInt({:?})", BigInt::clone(value)),
            Kind::StringObject(value) => write!(f, "String({value:?})"),
            Kind::ArrayBuffer { bytes, .. } => f.debug_tuple("ArrayBuffer").field(&Bytes(bytes)).finish(),
            Kind::View(view) => write!(f, "{}(at {}, {:?})", view.kind.name(), view.offset, Bytes(view.bytes)),
            Kind::Error(error) => {
                write!(f, "{}({:?}", error.kind.name(), error.message.cloned().unwrap_or_default())?;
                if let Some(cause) = &error.cause {
                    write!(f, ", cause: {:?}", Nested { value: cause, path: &path, left: self.left })?;
                }
                f.write_str(")")
            }
            Kind::ImageData { width, height, .. } => write!(f, "ImageData({width} x {height})"),
            Kind::Blob { bytes, content_type, file: None } => write!(f, "Blob({content_type:?}, {:?})", Bytes(bytes)),
            Kind::Blob { bytes, content_type, file: Some(file) } => {
                write!(f, "File({:?}, {content_type:?}, {:?})", file.name, Bytes(bytes))
            }
        }
    }
}

impl fmt::Debug for Value {
    /// Similar to JavaScript notation. The output is bounded in depth and length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Nested { value: self, path: &[], left: &Cell::new(DEBUG_VALUES) }.fmt(f)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::Object(self.clone()).fmt(f)
    }
}
