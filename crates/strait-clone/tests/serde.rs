//! Serde types to values and back, table by table.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strait_clone::{
    BigInt, Bytes, ErrorKind, FromValueError, Graph, JsString, PortIndex, Value, ViewKind, from_bytes, from_value, to_bytes, to_value,
};

/// `rust` becomes `js`, and `js` becomes `rust` again, also by way of the bytes.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(rust: T, js: Value) {
    assert_eq!(to_value(&rust).unwrap(), js, "{rust:?}");
    assert_eq!(from_value::<T>(&js).unwrap(), rust, "{js:?}");
    if !format!("{js:?}").contains("Port(") {
        assert_eq!(from_bytes::<T>(&to_bytes(&rust).unwrap()).unwrap(), rust);
    }
}

fn object(entries: &[(&str, Value)]) -> Value {
    Value::object(entries.iter().cloned())
}

#[test]
fn primitives() {
    check(true, true.into());
    check(-5i8, (-5).into());
    check(9007199254740991i64, 9007199254740991.0.into());
    check(-9007199254740991i64, (-9007199254740991.0).into());
    check(9007199254740992i64, BigInt::from(9007199254740992i64).into());
    check(u64::MAX, BigInt::from(u64::MAX).into());
    check(i128::MIN, BigInt::from(i128::MIN).into());
    check(u128::MAX, BigInt::from(u128::MAX).into());
    check(7u128, 7.into());
    check(1.5f64, 1.5.into());
    check(3.0f32, 3.into());
    check('ß', "ß".into());
    check("text".to_owned(), "text".into());
    check((), Value::Undefined);
    check(None::<u8>, Value::Null);
    check(Some(5u8), 5.into());
    assert!(to_value(&-0.0).unwrap().as_f64().unwrap().is_sign_negative());
}

#[test]
fn collections() {
    check(vec![1u32, 2], Value::array([1, 2]));
    check((1u8, "a".to_owned()), Value::array([Value::from(1), "a".into()]));
    check(Bytes(vec![1, 2]), Value::bytes([1, 2]));
    check(BTreeMap::from([("a".to_owned(), 1u8)]), object(&[("a", 1.into())]));
    check(BTreeMap::from([(5u8, "x".to_owned())]), Value::map([(5, "x")]));
    check(BTreeMap::<String, u8>::new(), object(&[]));
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Wrapper(u8);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(rename_all = "camelCase")]
struct Job {
    job_id: u32,
    #[serde(default)]
    tags: Vec<String>,
    parent: Option<Box<Job>>,
    port: Option<PortIndex>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Nothing,
    Circle(f64),
    Line(u8, u8),
    Rect { w: u8, h: u8 },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Tagged {
    Start { at: u8 },
    Stop,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(untagged)]
enum Either {
    Number(f64),
    Text(String),
}

#[test]
fn structs_and_enums() {
    check(Unit, Value::Undefined);
    check(Wrapper(3), 3.into());
    check(Pair(1, "b".into()), Value::array([Value::from(1), "b".into()]));
    let job = Job { job_id: 1, tags: vec!["a".into()], parent: None, port: Some(PortIndex(2)) };
    let js = object(&[("jobId", 1.into()), ("tags", Value::array(["a"])), ("parent", Value::Null), ("port", Value::Port(2))]);
    check(job, js);
    check(Shape::Nothing, "Nothing".into());
    check(Shape::Circle(2.5), object(&[("Circle", 2.5.into())]));
    check(Shape::Line(1, 2), object(&[("Line", Value::array([1, 2]))]));
    check(Shape::Rect { w: 1, h: 2 }, object(&[("Rect", object(&[("w", 1.into()), ("h", 2.into())]))]));
    check(Tagged::Start { at: 4 }, object(&[("type", "start".into()), ("at", 4.into())]));
    check(Tagged::Stop, object(&[("type", "stop".into())]));
    check(vec![Either::Number(1.5), Either::Text("t".into())], Value::array([Value::from(1.5), "t".into()]));
}

/// What only JavaScript makes, and Rust reads all the same.
#[test]
fn generous_reading() {
    fn reads<T: DeserializeOwned + PartialEq + Debug>(js: Value, rust: T) {
        assert_eq!(from_value::<T>(&js).unwrap(), rust, "{js:?}");
    }
    reads(Value::Undefined, None::<u8>);
    reads(object(&[("jobId", 1.into())]), Job { job_id: 1, tags: vec![], parent: None, port: None });
    reads(Value::map([("jobId", 1)]), Job { job_id: 1, tags: vec![], parent: None, port: None });
    reads(object(&[("10", "x".into())]), BTreeMap::from([(10u32, "x".to_owned())]));
    reads(Value::bytes([1, 2]), vec![1u8, 2]);
    reads(Value::array_buffer([1, 2]), Bytes(vec![1, 2]));
    reads(Value::array([1, 2]), Bytes(vec![1, 2]));
    reads(Value::set(["a", "b"]), HashSet::from(["a".to_owned(), "b".to_owned()]));
    reads(Value::date(5.0), 5u64);
    reads(Value::from("s").boxed().unwrap(), "s".to_owned());
    reads(BigInt::from(5u8).into(), 5u8);
    reads(
        Value::error(ErrorKind::Type, "no"),
        BTreeMap::from([("name", "TypeError"), ("message", "no")].map(|(k, v)| (k.to_owned(), v.to_owned()))),
    );
    let mut graph = Graph::new();
    let buffer = graph.array_buffer([0x00, 0x3c, 0x00, 0xc0]);
    let halves = graph.view(ViewKind::Float16, buffer, 0, 4).unwrap();
    reads(graph.finish(halves), vec![1.0f64, -2.0]);
    let mut graph = Graph::new();
    let array = graph.array();
    graph.set(array, "2", 7);
    reads(graph.finish(array), vec![None, None, Some(7u8)]);
}

#[derive(Deserialize, Debug)]
#[allow(dead_code)]
struct Nested {
    next: Option<Box<Nested>>,
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code)]
enum Tree {
    Leaf(u8),
    Node(Vec<Tree>),
}

fn fails<T: DeserializeOwned + Debug>(js: &Value, text: &str) {
    let error: FromValueError = from_value::<T>(js).unwrap_err();
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn values_that_do_not_fit() {
    fails::<u8>(&300.into(), "300");
    fails::<u8>(&"x".into(), "string \"x\"");
    fails::<String>(&1.5.into(), "floating point");
    fails::<String>(&JsString::from_utf16(&[0xd800]).into(), "lone surrogates");
    fails::<PortIndex>(&0.into(), "a port");
    fails::<u32>(&Value::Port(0), "Port(0)");
    fails::<Job>(&object(&[]), "jobId");
    fails::<Shape>(&object(&[("Circle", 1.into()), ("Line", 1.into())]), "enum Shape");
    fails::<u128>(&"340282366920938463463374607431768211456".parse::<BigInt>().unwrap().into(), "128 bits");
}

#[test]
fn hostile_values_end() {
    let mut graph = Graph::new();
    let object = graph.object();
    graph.set(object, "next", object);
    fails::<Nested>(&graph.finish(object), "cycle");

    // Twice the one before, forty times: 2^40 leaves if it were unfolded.
    let mut value = Value::array([1]);
    for _ in 0..40 {
        value = Value::array([value.clone(), value]);
    }
    fails::<Vec<Tree>>(&value, "");
    let _ = format!("{value:?}");

    let mut graph = Graph::new();
    let array = graph.array();
    graph.set(array, "4000000000", 1);
    fails::<Vec<Option<u8>>>(&graph.finish(array), "too sparse");

    let big = Value::bytes(vec![0; 1 << 20]);
    fails::<Vec<Bytes>>(&Value::array(vec![big; 1000]), "too often");
}

#[test]
fn numbers_far_out_are_no_integers() {
    let edge = 9_007_199_254_740_991.0;
    for (number, integer) in [(edge, Some(1 << 53)), (edge + 1.0, None), (-edge, Some(-(1 << 53))), (-edge - 1.0, None)] {
        assert_eq!(Value::from(number).as_i64(), integer.map(|n: i64| n - n.signum()), "{number}");
    }
    // i64::MIN is one of them, and what still larger ones saturate to.
    for number in [i64::MIN as f64, -1e300, f64::NEG_INFINITY, i64::MAX as f64, 1e300, f64::INFINITY, f64::NAN] {
        assert_eq!(Value::from(number).as_i64(), None, "{number}");
        fails::<i64>(&Value::from(number), "expected i64");
    }
}
