//! Writes values as bytes.
//!
//! The bytes are those that V8 itself writes for the same value. There is no recursion, as in
//! reading.

use std::collections::HashMap;

use crate::error::WriteError;
use crate::graph::{Elements, Item, Node, Properties};
use crate::number::as_int32;
use crate::object::{ColorSpace, Object};
use crate::wire::*;
use crate::{BigInt, JsString, MAX_DEPTH, Value};

/// Writes `value` in version 15 of V8's format.
///
/// ```
/// use strait_clone::{Value, write};
///
/// assert_eq!(write(&Value::array([1, 2]))?, b"\xff\x0fA\x02I\x02I\x04$\x00\x02");
/// # Ok::<(), strait_clone::WriteError>(())
/// ```
///
/// # Errors
/// If the value is nested more than [`MAX_DEPTH`] deep, or has a string or buffer longer than
/// 4 GiB.
pub fn write(value: &Value) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer { out: vec![HEADER, VERSION as u8], ids: HashMap::new(), next_id: 0, stack: Vec::new() };
    writer.value(value)?;
    while let Some(mut frame) = writer.stack.pop() {
        if let Some(next) = writer.step(&mut frame)? {
            writer.stack.push(frame);
            writer.value(&next)?;
        }
    }
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    ids: HashMap<(usize, u32), u32>,
    /// Ports are numbered too, so this differs from the length of `ids`.
    next_id: u32,
    stack: Vec<OpenObject>,
}

/// A container that has begun, and the position of its next part. The position's meaning depends on
/// the kind.
struct OpenObject {
    object: Object,
    position: u64,
    /// Whether the array has no holes and is written as dense.
    dense: bool,
}

impl Writer {
    /// Writes a primitive or leaf, or begins a container.
    fn value(&mut self, value: &Value) -> Result<(), WriteError> {
        match value {
            Value::Undefined => self.out.push(UNDEFINED),
            Value::Null => self.out.push(NULL),
            Value::Bool(value) => self.out.push(if *value { TRUE } else { FALSE }),
            Value::Number(value) => self.number(*value),
            Value::BigInt(value) => {
                self.out.push(BIGINT);
                self.bigint(value)?;
            }
            Value::String(value) => self.string(value)?,
            Value::Port(index) => {
                self.out.push(HOST_OBJECT);
                self.varint(HOST_PORT);
                self.varint(*index);
                self.next_id += 1;
            }
            Value::Object(object) => return self.object(object),
        }
        Ok(())
    }

    fn object(&mut self, object: &Object) -> Result<(), WriteError> {
        if let Some(id) = self.ids.get(&object.identity()) {
            let id = *id;
            self.out.push(REFERENCE);
            self.varint(id);
            return Ok(());
        }
        let node = object.node();
        if let Node::View(view) = node {
            // The buffer precedes the view, in the numbering too.
            self.value(&object.resolve(&view.buffer))?;
            self.number_object(object);
            self.out.extend([VIEW, view.kind.tag()]);
            self.length(view.offset)?;
            self.length(if view.tracks_length { 0 } else { view.length })?;
            let resizable = matches!(object.resolve(&view.buffer).as_object().map(Object::node), Some(Node::Buffer { max: Some(_), .. }));
            let flags =
                if resizable { VIEW_ON_RESIZABLE } else { 0 } | if resizable && view.tracks_length { VIEW_TRACKS_LENGTH } else { 0 };
            self.varint(flags);
            return Ok(());
        }
        self.number_object(object);
        let mut dense = false;
        match node {
            Node::Plain(_) => self.out.push(BEGIN_OBJECT),
            Node::Array { elements, .. } => {
                dense = is_dense(elements);
                self.out.push(if dense { BEGIN_DENSE_ARRAY } else { BEGIN_SPARSE_ARRAY });
                self.varint(elements.len());
            }
            Node::Map(_) => self.out.push(BEGIN_MAP),
            Node::Set(_) => self.out.push(BEGIN_SET),
            Node::Error(error) => {
                self.out.push(ERROR);
                self.out.extend(error.kind.tag());
                if let Some(message) = &error.message {
                    self.out.push(ERROR_MESSAGE);
                    self.string(message)?;
                }
                if error.cause.is_none() {
                    return self.end_error(error.stack.as_ref());
                }
                self.out.push(ERROR_CAUSE);
            }
            leaf => return self.leaf(leaf),
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(WriteError::TooDeep);
        }
        self.stack.push(OpenObject { object: object.clone(), position: 0, dense });
        Ok(())
    }

    fn leaf(&mut self, node: &Node) -> Result<(), WriteError> {
        match node {
            Node::Date(ms) => {
                self.out.push(DATE);
                self.double(*ms);
            }
            Node::RegExp { source, flags } => {
                self.out.push(REGEXP);
                self.string(source)?;
                self.varint(flags.bits());
            }
            Node::Boolean(value) => self.out.push(if *value { TRUE_OBJECT } else { FALSE_OBJECT }),
            Node::Number(value) => {
                self.out.push(NUMBER_OBJECT);
                self.double(*value);
            }
            Node::BigInt(value) => {
                self.out.push(BIGINT_OBJECT);
                self.bigint(value)?;
            }
            Node::String(value) => {
                self.out.push(STRING_OBJECT);
                self.string(value)?;
            }
            Node::Buffer { bytes, max } => {
                self.out.push(if max.is_some() { RESIZABLE_BUFFER } else { ARRAY_BUFFER });
                self.length(bytes.len())?;
                if let Some(max) = max {
                    self.long_varint(*max);
                }
                self.out.extend_from_slice(bytes);
            }
            Node::Image { width, height, color_space, pixels } => {
                self.out.push(HOST_OBJECT);
                self.varint(HOST_IMAGE);
                self.varint(*width);
                self.varint(*height);
                self.varint(match color_space {
                    ColorSpace::Srgb => 0,
                    ColorSpace::DisplayP3 => 1,
                });
                self.length(pixels.len())?;
                self.out.extend_from_slice(pixels);
            }
            Node::Blob(blob) => {
                self.out.push(HOST_OBJECT);
                self.varint(HOST_BLOB);
                self.varint(blob.file.is_some().into());
                self.string(&JsString::from(&*blob.content_type))?;
                if let Some(file) = &blob.file {
                    self.string(&JsString::from(&*file.name))?;
                    self.double(file.last_modified as f64);
                }
                self.length(blob.bytes.len())?;
                self.out.extend_from_slice(&blob.bytes);
                if !blob.bytes.len().is_multiple_of(2) {
                    self.out.push(PADDING);
                }
            }
            // `value` has handled containers and views.
            Node::Plain(_) | Node::Array { .. } | Node::Map(_) | Node::Set(_) | Node::Error(_) | Node::View(_) => {}
        }
        Ok(())
    }

    /// Writes up to the next value of a container and returns that value; `None` once the container
    /// is complete.
    fn step(&mut self, frame: &mut OpenObject) -> Result<Option<Value>, WriteError> {
        let position = frame.position as usize;
        frame.position += 1;
        let object = &frame.object;
        let item = match object.node() {
            Node::Plain(properties) => match properties.get_index(position) {
                Some((key, item)) => {
                    self.key(key)?;
                    item
                }
                None => return self.end(END_OBJECT, properties.len()),
            },
            Node::Array { elements, named } => match elements {
                Elements::Dense(items) if frame.dense && position < items.len() => match &items[position] {
                    Some(item) => item,
                    None => return Ok(Some(Value::Undefined)),
                },
                _ => match self.array_property(elements, named, frame.dense, &mut frame.position)? {
                    Some(item) => item,
                    None => {
                        let count = if frame.dense { named.len() } else { named.len() + elements.count() };
                        self.end(if frame.dense { END_DENSE_ARRAY } else { END_SPARSE_ARRAY }, count)?;
                        self.varint(elements.len());
                        return Ok(None);
                    }
                },
            },
            Node::Map(entries) => match entries.get(position / 2) {
                Some((key, _)) if position.is_multiple_of(2) => key,
                Some((_, item)) => item,
                None => return self.end(END_MAP, entries.len() * 2),
            },
            Node::Set(items) => match items.get(position) {
                Some(item) => item,
                None => return self.end(END_SET, items.len()),
            },
            Node::Error(error) => match &error.cause {
                Some(cause) if position == 0 => cause,
                _ => {
                    self.end_error(error.stack.as_ref())?;
                    return Ok(None);
                }
            },
            _ => return Ok(None),
        };
        Ok(Some(object.resolve(item)))
    }

    /// Writes the key of an array's next property and returns its value. A sparse array begins with
    /// its elements: positions below the length are those of elements.
    fn array_property<'a>(
        &mut self,
        elements: &'a Elements,
        named: &'a Properties,
        dense: bool,
        position: &mut u64,
    ) -> Result<Option<&'a Item>, WriteError> {
        let length = u64::from(elements.len());
        // The caller has already counted this step.
        let mut at = *position - 1;
        if !dense && at < length {
            if let Some((index, item)) = elements.next_from(at as u32) {
                self.number(f64::from(index));
                *position = u64::from(index) + 1;
                return Ok(Some(item));
            }
            at = length;
            *position = length + 1;
        }
        match named.get_index((at - length) as usize) {
            Some((key, item)) => {
                self.key(key)?;
                Ok(Some(item))
            }
            None => Ok(None),
        }
    }

    fn end(&mut self, tag: u8, count: usize) -> Result<Option<Value>, WriteError> {
        self.out.push(tag);
        self.length(count)?;
        Ok(None)
    }

    /// Writes a key; keys that spell an index are written as numbers.
    fn key(&mut self, key: &JsString) -> Result<(), WriteError> {
        match key.array_index() {
            Some(index) => self.number(f64::from(index)),
            None => self.string(key)?,
        }
        Ok(())
    }

    fn end_error(&mut self, stack: Option<&JsString>) -> Result<(), WriteError> {
        if let Some(stack) = stack {
            self.out.push(ERROR_STACK);
            self.string(stack)?;
        }
        self.out.push(ERROR_END);
        Ok(())
    }

    fn number_object(&mut self, object: &Object) {
        self.ids.insert(object.identity(), self.next_id);
        self.next_id += 1;
    }

    fn number(&mut self, value: f64) {
        match as_int32(value) {
            Some(int) => {
                self.out.push(INT32);
                self.varint((int << 1 ^ int >> 31) as u32);
            }
            None => {
                self.out.push(DOUBLE);
                self.double(value);
            }
        }
    }

    fn double(&mut self, value: f64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn bigint(&mut self, value: &BigInt) -> Result<(), WriteError> {
        let digits = value.digits();
        // The length shares its 32 bits with the sign.
        let bytes = u32::try_from(digits.len() * 8).ok().filter(|bytes| *bytes < 1 << 31).ok_or(WriteError::TooLong)?;
        self.varint(bytes << 1 | u32::from(value.is_negative()));
        self.out.extend(digits.iter().flat_map(|digit| digit.to_le_bytes()));
        Ok(())
    }

    fn string(&mut self, string: &JsString) -> Result<(), WriteError> {
        if let Some(text) = string.as_str() {
            if text.is_ascii() {
                self.out.push(ONE_BYTE_STRING);
                self.length(text.len())?;
                self.out.extend_from_slice(text.as_bytes());
                return Ok(());
            }
            if text.chars().all(|c| u32::from(c) < 256) {
                self.out.push(ONE_BYTE_STRING);
                self.length(text.chars().count())?;
                self.out.extend(text.chars().map(|c| c as u8));
                return Ok(());
            }
        }
        let units = string.to_utf16();
        let length = u32::try_from(units.len() * 2).map_err(|_| WriteError::TooLong)?;
        // The code units are aligned to two bytes, because readers may use them in place.
        if !(self.out.len() + 1 + varint_size(length)).is_multiple_of(2) {
            self.out.push(PADDING);
        }
        self.out.push(TWO_BYTE_STRING);
        self.varint(length);
        self.out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        Ok(())
    }

    fn length(&mut self, length: usize) -> Result<(), WriteError> {
        self.varint(u32::try_from(length).map_err(|_| WriteError::TooLong)?);
        Ok(())
    }

    fn varint(&mut self, value: u32) {
        self.long_varint(value.into());
    }

    fn long_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}

fn varint_size(value: u32) -> usize {
    (32 - value.leading_zeros()).div_ceil(7).max(1) as usize
}

/// Whether the array is written as a dense one. V8 writes arrays with holes as sparse ones.
fn is_dense(elements: &Elements) -> bool {
    match elements {
        Elements::Dense(items) => items.iter().all(Option::is_some),
        Elements::Sparse { .. } => false,
    }
}
