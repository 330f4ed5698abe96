//! V8 as oracle: the scripts under `tests/node/` run in Node, and what they write and read is compared with what Rust does.
//!
//! Each test is skipped, with a message, where there is no Node.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use strait_clone::{BigInt, ErrorKind, Graph, JS_CODEC, JsString, Kind, RegExpFlags, Value, ViewKind, read, write};

/// The codec as a file. (Other tests write it too, at the same time.)
fn codec() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (mine, shared) =
        (folder.join(format!("codec-{}-{:?}.js", std::process::id(), std::thread::current().id())), folder.join("codec.js"));
    fs::write(&mine, JS_CODEC).unwrap();
    fs::rename(mine, &shared).unwrap();
    shared
}

/// Runs a script with `input` on its stdin; `None` without Node.
fn node(script: &str, input: &str) -> Option<Output> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node").join(script);
    // As much stack as the engines have in which the codec runs; Node's own is 1 MB.
    let spawned = Command::new("node")
        .arg("--stack-size=4000")
        .arg(path)
        .arg(codec())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            println!("skipped: there is no node to run {script} ({error})");
            return None;
        }
    };
    // The scripts read all of stdin before they print, or none of it.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

/// Runs a script that judges for itself.
fn passes(script: &str, input: &str) {
    if let Some(output) = node(script, input) {
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{script}: {text}");
        assert!(output.status.success(), "{script} failed:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What V8 writes for the table's entries; empty without Node.
fn emitted() -> Vec<(String, Vec<u8>)> {
    let Some(output) = node("emit.js", "") else { return Vec::new() };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let entries: Vec<_> =
        text.lines().map(|line| line.split_once('\t').unwrap()).map(|(name, bytes)| (name.to_owned(), unhex(bytes))).collect();
    assert!(entries.len() > 50, "the table is gone");
    entries
}

fn bigint(text: &str) -> Value {
    text.parse::<BigInt>().unwrap().into()
}

fn stacked(kind: ErrorKind, message: Option<&str>, cause: Option<Value>) -> Value {
    let mut graph = Graph::new();
    let error = graph.error(kind);
    graph.set_error(error, message.map(JsString::from), Some("at a\nat b".into()), cause.map(Into::into));
    graph.finish(error)
}

fn views() -> Value {
    let mut graph = Graph::new();
    let (array, buffer) = (graph.array(), graph.array_buffer((0..32).collect::<Vec<u8>>()));
    for (kind, offset, length) in [
        (ViewKind::Int8, 1, 2),
        (ViewKind::Uint8, 3, 29),
        (ViewKind::Uint8Clamped, 0, 32),
        (ViewKind::Int16, 2, 6),
        (ViewKind::Uint16, 4, 28),
        (ViewKind::Int32, 4, 8),
        (ViewKind::Uint32, 8, 24),
        (ViewKind::Float32, 12, 4),
        (ViewKind::Float64, 8, 16),
        (ViewKind::BigInt64, 16, 8),
        (ViewKind::BigUint64, 24, 8),
        (ViewKind::DataView, 5, 6),
    ] {
        let view = graph.view(kind, buffer, offset, length).unwrap();
        graph.push(array, view);
    }
    graph.push(array, buffer);
    graph.finish(array)
}

fn cycle() -> Value {
    let mut graph = Graph::new();
    let (root, list, up) = (graph.object(), graph.array(), graph.object());
    graph.set(root, "name", "root");
    graph.set(root, "list", list);
    graph.set(root, "self", root);
    graph.push(list, root);
    graph.push(list, up);
    graph.set(up, "up", list);
    graph.finish(root)
}

fn shared() -> Value {
    let part = Value::object([("n", 1)]);
    Value::array([part.clone(), part.clone(), Value::object([("part", part)])])
}

fn array_with(elements: &[(u32, Value)], length: u32, named: &[(&str, Value)]) -> Value {
    let mut graph = Graph::new();
    let array = graph.array();
    for (index, value) in elements {
        graph.set(array, index.to_string(), value.clone());
    }
    graph.set_length(array, length);
    for (key, value) in named {
        graph.set(array, *key, value.clone());
    }
    graph.finish(array)
}

/// The table's entries, built in Rust.
fn twins() -> Vec<(&'static str, Value)> {
    let flags = |letters| RegExpFlags::parse(letters).unwrap();
    let none = || Value::array::<Value>([]);
    let empty = || Value::object::<&str, Value>([]);
    vec![
        ("undefined", Value::Undefined),
        ("null", Value::Null),
        ("true", true.into()),
        ("false", false.into()),
        ("zero", 0.into()),
        ("minus zero", (-0.0).into()),
        ("negative", (-123456).into()),
        ("int32 limits", Value::object([("a", 2147483647.0), ("b", -2147483648.0), ("c", 2147483648.0), ("d", -2147483649.0)])),
        ("tiny and huge", Value::array([5e-324, f64::MAX, 1e21])),
        ("nan", f64::NAN.into()),
        ("infinities", Value::array([f64::INFINITY, f64::NEG_INFINITY])),
        (
            "bigints",
            Value::array([
                bigint("0"),
                bigint("1"),
                bigint("-1"),
                bigint("9223372036854775808"),
                bigint("18446744073709551616"),
                bigint("-18446744073709551616"),
                BigInt::from(u64::MAX).into(),
                bigint("-1606938044258990275541962092341162602522202993782792835289031"),
            ]),
        ),
        ("empty string", "".into()),
        ("latin1", "naïve ÿ".into()),
        ("two-byte", "日本語".into()),
        ("emoji", Value::array(["a😀", "😀"])),
        ("lone surrogates", Value::array([[0xd800].as_slice(), &[0x78, 0xdc00, 0x79], &[0xdc00, 0xd800]].map(JsString::from_utf16))),
        ("nul and controls", "a\0b\u{1f}\u{7f}\u{80}".into()),
        ("long two-byte", "жзийклмноп".repeat(2000).into()),
        (
            "boxed primitives",
            [true.into(), false.into(), (-0.0).into(), 1.5.into(), "é日".into(), bigint("7")]
                .into_iter()
                .map(|value: Value| value.boxed().unwrap())
                .collect(),
        ),
        ("date", Value::date(1700000000123.0)),
        ("invalid date", Value::date(f64::NAN)),
        ("regexp", Value::regexp("a[bc]+\\/d", flags("gi"))),
        (
            "regexp flags",
            Value::array([Value::regexp("a", flags("dgimsuy")), Value::regexp("[a--b]", flags("v")), Value::regexp("(?:)", flags(""))]),
        ),
        ("empty object", empty()),
        ("small object", Value::object([("a", Value::from(1)), ("b", "x".into())])),
        ("empty array", none()),
        ("dense array", Value::array([1.into(), "two".into(), Value::Null, Value::Undefined, Value::array([3])])),
        ("holes", array_with(&[(0, 1.into()), (2, 3.into())], 4, &[])),
        ("only holes", array_with(&[], 5, &[])),
        ("sparse array", array_with(&[(0, "a".into()), (4000000000, "z".into())], 4000000001, &[])),
        ("array with properties", array_with(&[(0, 1.into()), (1, 2.into())], 2, &[("name", "n".into()), ("-1", 0.into())])),
        ("sparse array with properties", array_with(&[(1, 2.into())], 2, &[("name", "n".into())])),
        (
            "map",
            Value::map::<Value, Value>([
                (1.into(), "a".into()),
                ("1".into(), "b".into()),
                (f64::NAN.into(), "c".into()),
                (Value::Null, Value::Undefined),
            ]),
        ),
        ("set", Value::set([1.into(), "1".into(), f64::NAN.into(), empty(), Value::array([1])])),
        ("buffer", Value::array_buffer([1, 2, 3, 255])),
        ("views", views()),
        ("errors", {
            let kinds = [ErrorKind::Error, ErrorKind::Eval, ErrorKind::Range, ErrorKind::Reference, ErrorKind::Syntax, ErrorKind::Type];
            kinds
                .into_iter()
                .map(|kind| stacked(kind, Some("e"), None))
                .chain([stacked(ErrorKind::Uri, Some("日"), None), stacked(ErrorKind::Error, None, None)])
                .collect()
        }),
        (
            "error with cause",
            stacked(ErrorKind::Type, Some("outer"), Some(stacked(ErrorKind::Range, Some("inner"), Some(Value::Undefined)))),
        ),
        ("shared", shared()),
        ("cycle", cycle()),
    ]
}

#[test]
fn rust_reads_and_repeats_what_v8_writes() {
    for (name, bytes) in emitted() {
        let value = read(&bytes, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hex(&write(&value).unwrap()), hex(&bytes), "{name}: {value:?}");
    }
}

#[test]
fn rust_understands_what_v8_writes() {
    let emitted = emitted();
    if emitted.is_empty() {
        return;
    }
    for (name, twin) in twins() {
        let (_, bytes) = emitted.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!(read(bytes, 0).unwrap(), twin, "{name}");
    }
}

#[test]
fn v8_and_the_codec_read_what_rust_writes() {
    let twins = twins();
    // Entries without a twin are those that V8 wrote, gone through Rust.
    let others = emitted().into_iter().filter(|(name, _)| twins.iter().all(|(twin, _)| twin != name));
    let lines: String = twins
        .iter()
        .map(|(name, value)| (name.to_string(), value.clone()))
        .chain(others.map(|(name, bytes)| (name, read(&bytes, 0).unwrap())))
        .map(|(name, value)| format!("{name}\t{}\n", hex(&write(&value).unwrap())))
        .collect();
    passes("accept.js", &lines);
}

#[test]
fn views_that_share_a_buffer_go_on_sharing_it() {
    let value = read(&write(&views()).unwrap(), 0).unwrap();
    let buffer = value.at(12).unwrap();
    for index in 0..12 {
        let view = value.at(index).unwrap();
        let Kind::View(view) = view.as_object().unwrap().kind() else { panic!("{view:?} is no view") };
        assert!(view.buffer.ptr_eq(buffer.as_object().unwrap()));
    }
}

#[test]
fn the_codec_agrees_with_v8() {
    passes("codec.js", "");
}

#[test]
fn the_codec_survives_hostile_pages() {
    passes("hostile.js", "");
}

#[test]
fn parts_are_the_whole() {
    passes("parts.js", "");
}
