//! Converts serde types to values.

use std::fmt;

use serde::ser::{self, Serialize};
use thiserror::Error;

use crate::graph::{Graph, Item, NodeId};
use crate::typed::PORT_INDEX;
use crate::value::MAX_SAFE_INTEGER;
use crate::{BigInt, JsString, Value, ViewKind};

/// The `Serialize` of the type failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ToValueError(String);

impl ser::Error for ToValueError {
    fn custom<T: fmt::Display>(message: T) -> ToValueError {
        ToValueError(message.to_string())
    }
}

/// Converts any serde type to a JavaScript value.
///
/// | Rust | JavaScript |
/// |---|---|
/// | `bool`, floats, strings, `char` | the same |
/// | integers within ±(2^53 - 1) | number |
/// | larger integers | BigInt |
/// | `None` | `null` |
/// | `()`, unit structs | `undefined` |
/// | sequences, tuples | array |
/// | [`Bytes`](crate::Bytes), anything that calls `serialize_bytes` | `Uint8Array` |
/// | structs, maps whose keys are all strings | plain object |
/// | other maps | `Map` |
/// | unit variants | their name |
/// | other variants | `{ Name: content }` (serde attributes change that) |
/// | [`PortIndex`](crate::PortIndex) | the port |
///
/// ```
/// use std::collections::BTreeMap;
/// use strait_clone::{Kind, Value, to_value};
///
/// assert_eq!(to_value(&(1, "a", None::<u8>))?, Value::array([Value::from(1), "a".into(), Value::Null]));
/// let by_id = to_value(&BTreeMap::from([(5, "five")]))?;
/// assert!(matches!(by_id.as_object().unwrap().kind(), Kind::Map));
/// # Ok::<(), strait_clone::ToValueError>(())
/// ```
///
/// # Errors
/// Only if the type's `Serialize` returns an error.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ToValueError> {
    let mut graph = Graph::new();
    let root = value.serialize(ToItem { graph: &mut graph })?;
    Ok(graph.finish_item(root))
}

/// Adds one value to the graph.
struct ToItem<'a> {
    graph: &'a mut Graph,
}

fn primitive(value: impl Into<Value>) -> Result<Item, ToValueError> {
    Ok(Item::Value(value.into()))
}

fn wide(value: i128) -> Result<Item, ToValueError> {
    if value.unsigned_abs() <= MAX_SAFE_INTEGER as u128 { primitive(value as f64) } else { primitive(BigInt::from(value)) }
}

impl<'a> ser::Serializer for ToItem<'a> {
    type Ok = Item;
    type Error = ToValueError;
    type SerializeSeq = ToArray<'a>;
    type SerializeTuple = ToArray<'a>;
    type SerializeTupleStruct = ToArray<'a>;
    type SerializeTupleVariant = ToArray<'a>;
    type SerializeMap = ToMap<'a>;
    type SerializeStruct = ToObject<'a>;
    type SerializeStructVariant = ToObject<'a>;

    fn serialize_bool(self, value: bool) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_i8(self, value: i8) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_i16(self, value: i16) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_i32(self, value: i32) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_i64(self, value: i64) -> Result<Item, ToValueError> {
        wide(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<Item, ToValueError> {
        wide(value)
    }

    fn serialize_u8(self, value: u8) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_u16(self, value: u16) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_u32(self, value: u32) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_u64(self, value: u64) -> Result<Item, ToValueError> {
        wide(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<Item, ToValueError> {
        match i128::try_from(value) {
            Ok(value) => wide(value),
            Err(_) => primitive(BigInt::from(value)),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_f64(self, value: f64) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_char(self, value: char) -> Result<Item, ToValueError> {
        primitive(value.to_string())
    }

    fn serialize_str(self, value: &str) -> Result<Item, ToValueError> {
        primitive(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Item, ToValueError> {
        let buffer = self.graph.array_buffer(value);
        self.graph.view(ViewKind::Uint8, buffer, 0, value.len()).map(Item::Node).map_err(ser::Error::custom)
    }

    fn serialize_none(self) -> Result<Item, ToValueError> {
        primitive(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Item, ToValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Item, ToValueError> {
        primitive(Value::Undefined)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Item, ToValueError> {
        primitive(Value::Undefined)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<Item, ToValueError> {
        primitive(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Item, ToValueError> {
        let item = value.serialize(self)?;
        match (&item, name == PORT_INDEX) {
            (Item::Value(Value::Number(index)), true) => primitive(Value::Port(*index as u32)),
            _ => Ok(item),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Item, ToValueError> {
        let outer = self.graph.object();
        let inner = value.serialize(ToItem { graph: self.graph })?;
        self.graph.set(outer, variant, inner);
        Ok(Item::Node(outer))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<ToArray<'a>, ToValueError> {
        let array = self.graph.array();
        Ok(ToArray { graph: self.graph, array, outer: array })
    }

    fn serialize_tuple(self, length: usize) -> Result<ToArray<'a>, ToValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<ToArray<'a>, ToValueError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<ToArray<'a>, ToValueError> {
        let (outer, array) = (self.graph.object(), self.graph.array());
        self.graph.set(outer, variant, array);
        Ok(ToArray { graph: self.graph, array, outer })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<ToMap<'a>, ToValueError> {
        Ok(ToMap { graph: self.graph, key: None, entries: Vec::new() })
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<ToObject<'a>, ToValueError> {
        let object = self.graph.object();
        Ok(ToObject { graph: self.graph, object, outer: object })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<ToObject<'a>, ToValueError> {
        let (outer, object) = (self.graph.object(), self.graph.object());
        self.graph.set(outer, variant, object);
        Ok(ToObject { graph: self.graph, object, outer })
    }
}

struct ToArray<'a> {
    graph: &'a mut Graph,
    array: NodeId,
    /// The node to return: the array, or the enum's object around it.
    outer: NodeId,
}

impl ToArray<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        let item = value.serialize(ToItem { graph: self.graph })?;
        self.graph.push(self.array, item);
        Ok(())
    }
}

impl ser::SerializeSeq for ToArray<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        self.element(value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}

impl ser::SerializeTuple for ToArray<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        self.element(value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}

impl ser::SerializeTupleStruct for ToArray<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        self.element(value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}

impl ser::SerializeTupleVariant for ToArray<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        self.element(value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}

struct ToMap<'a> {
    graph: &'a mut Graph,
    key: Option<Item>,
    entries: Vec<(Item, Item)>,
}

impl ser::SerializeMap for ToMap<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ToValueError> {
        self.key = Some(key.serialize(ToItem { graph: self.graph })?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ToValueError> {
        let key = self.key.take().ok_or_else(|| <ToValueError as ser::Error>::custom("a map's value came before its key"))?;
        let item = value.serialize(ToItem { graph: self.graph })?;
        self.entries.push((key, item));
        Ok(())
    }

    fn end(self) -> Result<Item, ToValueError> {
        let name = |key: &Item| -> Option<JsString> {
            match key {
                Item::Value(Value::String(name)) => Some(name.clone()),
                _ => None,
            }
        };
        // All keys decide whether it is an object or a Map, so the node is made last.
        let names: Option<Vec<JsString>> = self.entries.iter().map(|(key, _)| name(key)).collect();
        let node = match names {
            Some(names) => {
                let object = self.graph.object();
                for (name, (_, item)) in names.into_iter().zip(self.entries) {
                    self.graph.set(object, name, item);
                }
                object
            }
            None => {
                let map = self.graph.map();
                for (key, item) in self.entries {
                    self.graph.insert(map, key, item);
                }
                map
            }
        };
        Ok(Item::Node(node))
    }
}

struct ToObject<'a> {
    graph: &'a mut Graph,
    object: NodeId,
    /// The node to return: the object, or the enum's object around it.
    outer: NodeId,
}

impl ToObject<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ToValueError> {
        let item = value.serialize(ToItem { graph: self.graph })?;
        self.graph.set(self.object, key, item);
        Ok(())
    }
}

impl ser::SerializeStruct for ToObject<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ToValueError> {
        self.field(key, value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}

impl ser::SerializeStructVariant for ToObject<'_> {
    type Ok = Item;
    type Error = ToValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ToValueError> {
        self.field(key, value)
    }

    fn end(self) -> Result<Item, ToValueError> {
        Ok(Item::Node(self.outer))
    }
}
