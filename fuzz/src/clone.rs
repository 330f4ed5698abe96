//! Structured clones: what is read can be written and read again, and is the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strait_clone::{Bytes, Value, WriteError, from_value, read, to_value, write};

/// How many ports are said to have come along.
const PORTS: usize = 3;

/// Reads bytes; what can be read is written, read and compared.
pub fn bytes(bytes: &[u8]) {
    let value = match read(bytes, PORTS) {
        Ok(value) => value,
        Err(error) => return assert!(error.offset <= bytes.len(), "{error}"),
    };
    let written = write(&value).expect("what was not nested too deep to be read can be written");
    let again = read(&written, PORTS).expect("what is written is read");
    assert_eq!(again, value);
    // Older versions and longer ways to say the same have become the one way that we write; sharing is as it was.
    assert_eq!(write(&again).expect("it was written before"), written);
}

/// A type that asks for everything serde has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Anything {
    Unit,
    New(Box<Anything>),
    Pair(Option<i64>, String),
    Fields {
        number: f64,
        bytes: Bytes,
        list: Vec<Anything>,
        map: BTreeMap<String, Anything>,
        keyed: BTreeMap<i32, u8>,
        tuple: (u8, bool, char),
        big: u128,
    },
}

/// Reads bytes into Rust types; what fits one becomes a value, bytes and the type again.
pub fn serde(bytes: &[u8]) {
    let Ok(value) = read(bytes, 0) else { return };
    fits::<Anything>(&value);
    fits::<Vec<Option<i64>>>(&value);
    fits::<BTreeMap<String, Vec<u8>>>(&value);
    fits::<(String, f64, Bytes)>(&value);
    fits::<BTreeMap<i64, bool>>(&value);
    fits::<Vec<(i128, char)>>(&value);
}

fn fits<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(value: &Value) {
    let Ok(typed) = from_value::<T>(value) else { return };
    let back = to_value(&typed).expect("these types can all be values");
    // NaN is not itself: compared as values, where it is.
    let again = match from_value::<T>(&back) {
        Ok(again) => again,
        Err(error) => panic!("{typed:?} is not read again: {error}"),
    };
    assert_eq!(to_value(&again).expect("it was a value before"), back);
    match write(&back) {
        Ok(written) => assert_eq!(read(&written, 0).expect("what is written is read"), back),
        Err(WriteError::TooDeep) => {}
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use strait_clone::{BigInt, ColorSpace, ErrorKind, Graph, RegExpFlags, ViewKind};

    use super::*;

    fn cycle() -> Value {
        let mut graph = Graph::new();
        let (root, list) = (graph.object(), graph.array());
        graph.set(root, "list", list);
        graph.set(root, "self", root);
        graph.push(list, root);
        graph.finish(root)
    }

    fn views() -> Value {
        let mut graph = Graph::new();
        let (list, buffer) = (graph.array(), graph.array_buffer(vec![7; 16]));
        for kind in [ViewKind::Uint8, ViewKind::Int16, ViewKind::Float64, ViewKind::BigInt64, ViewKind::DataView] {
            let view = graph.view(kind, buffer, 8, 8).expect("it fits");
            graph.push(list, view);
        }
        graph.finish(list)
    }

    fn error() -> Value {
        let mut graph = Graph::new();
        let error = graph.error(ErrorKind::Type);
        graph.set_error(error, Some("what".into()), Some("at a".into()), Some(Value::from(1).into()));
        graph.finish(error)
    }

    fn sparse() -> Value {
        let mut graph = Graph::new();
        let list = graph.array();
        graph.set(list, "70000", Value::from(1));
        graph.set(list, "name", Value::from("x"));
        graph.finish(list)
    }

    pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
        let flags = RegExpFlags::parse("gi").expect("flags");
        let image = Value::image_data(2, 1, ColorSpace::DisplayP3, vec![1; 8]).expect("it fits");
        let values = [
            ("primitives", Value::array([Value::Undefined, Value::Null, true.into(), false.into(), 1.into(), (-0.0).into(), 1.5.into()])),
            ("strings", Value::array(["", "a", "\u{e9}", "\u{1f600}"])),
            ("bigint", Value::array([Value::from(BigInt::from(-1)), Value::from(BigInt::from(i128::MAX))])),
            ("object", Value::object([("a", Value::from(1)), ("5", "b".into()), ("c", Value::object([("d", 1)]))])),
            ("cycle", cycle()),
            ("sparse", sparse()),
            ("map", Value::map([(Value::from(1), Value::from("x")), (Value::from("y"), cycle())])),
            ("set", Value::set([Value::from(1), Value::date(0.5), Value::regexp("a+", flags)])),
            ("boxed", Value::array([Value::from(1).boxed(), Value::from("s").boxed(), Value::from(true).boxed()])),
            ("error", error()),
            ("views", views()),
            ("buffer", Value::array_buffer(vec![1, 2, 3])),
            ("image", image),
            ("blob", Value::array([Value::blob(vec![1, 2, 3], "a/b"), Value::file("", "", "\u{65e5}.txt", -1)])),
            ("ports", Value::array([Value::Port(0), Value::Port(2), Value::Port(0)])),
        ];
        let mut seeds: Vec<_> = values.iter().map(|(name, value)| (String::from(*name), write(value).expect("it is not deep"))).collect();
        // What only V8, and older ones, write.
        seeds.push(("old".into(), b"\xff\x0d?\x05\x00B\x01\x05VB\x00\x01".to_vec()));
        seeds.push(("files".into(), b"\xff\x0f\\\x04\x01\\\x03\x01\"\x00\"\x01a\0\0\0\0\0\0\0\0\x01x\0".to_vec()));
        seeds.push(("resizable".into(), b"\xff\x0f~\x02\x04abVB\x00\x02\x01".to_vec()));
        seeds.push(("keys".into(), b"\xff\x0foI\x01TU\x05TN\x00\x00\x00\x00\x00\x00\xf8\x3fT{\x03".to_vec()));
        seeds
    }

    fn typed_seeds() -> Vec<(String, Vec<u8>)> {
        let fields = Anything::Fields {
            number: -0.0,
            bytes: Bytes(vec![1, 2]),
            list: vec![Anything::Unit, Anything::New(Box::new(Anything::Pair(None, "x".into())))],
            map: [("k".into(), Anything::Unit)].into(),
            keyed: [(-5, 6)].into(),
            tuple: (1, true, '\u{e9}'),
            big: u128::MAX,
        };
        let mut seeds = vec![
            ("anything".into(), strait_clone::to_bytes(&fields).expect("plain data")),
            ("options".into(), strait_clone::to_bytes(&[Some(1), None, Some(i64::MAX)]).expect("plain data")),
            ("lists".into(), strait_clone::to_bytes(&BTreeMap::from([("a", [1, 2])])).expect("plain data")),
            ("tuple".into(), strait_clone::to_bytes(&("a", 1.5, Bytes(vec![1]))).expect("plain data")),
            ("numbers".into(), strait_clone::to_bytes(&BTreeMap::from([(1_i64, true), (i64::MIN, false)])).expect("plain data")),
            ("pairs".into(), strait_clone::to_bytes(&[(i128::MIN, 'x')]).expect("plain data")),
        ];
        seeds.extend(self::seeds());
        seeds
    }

    #[test]
    fn seeds_and_their_mutants() {
        crate::replay("clone", &seeds(), 20_000, bytes);
    }

    #[test]
    fn seeds_and_their_mutants_as_rust_types() {
        crate::replay("clone_serde", &typed_seeds(), 20_000, serde);
    }
}
