//! Generated values: through the bytes and back, and damaged on the way.

use proptest::prelude::*;
use strait_clone::{BigInt, ColorSpace, ErrorKind, Graph, Item, JsString, Kind, NodeId, Object, RegExpFlags, Value, ViewKind, read, write};

/// How to build one object of a graph; numbers below are taken modulo what there is.
#[derive(Debug, Clone)]
enum Plan {
    Object(Vec<(JsString, Part)>),
    Array(Vec<Option<Part>>, Vec<(JsString, Part)>),
    Sparse(Vec<(u32, Part)>),
    Map(Vec<(Part, Part)>),
    Set(Vec<Part>),
    Error(ErrorKind, Option<JsString>, Option<JsString>, Option<Part>),
    View(Vec<u8>, usize, usize, usize),
    Leaf(Value),
}

/// A primitive, or any object of the graph: also one that comes later, or the one around it.
#[derive(Debug, Clone)]
enum Part {
    Primitive(Value),
    Object(usize),
}

fn js_string() -> impl Strategy<Value = JsString> {
    prop_oneof![
        "[a-z0-9]{0,8}".prop_map(JsString::from),
        ".{0,6}".prop_map(JsString::from),
        prop::collection::vec(any::<u16>(), 0..5).prop_map(|units| JsString::from_utf16(&units)),
        (0u32..5000).prop_map(|index| index.to_string().into()),
    ]
}

fn bigint() -> impl Strategy<Value = BigInt> {
    (any::<bool>(), prop::collection::vec(any::<u64>(), 0..5)).prop_map(|(negative, digits)| BigInt::from_digits(negative, &digits))
}

fn primitive() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just(-0.0), Just(f64::NAN), Just(2147483648.0)].prop_map(Value::from),
        bigint().prop_map(Value::from),
        js_string().prop_map(Value::from),
        (0u32..3).prop_map(Value::Port),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![primitive().prop_map(Part::Primitive), any::<usize>().prop_map(Part::Object)]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(Value::date),
        (js_string(), prop::sample::select(vec!["", "g", "imsu", "dgimsvy"]))
            .prop_map(|(source, flags)| Value::regexp(source, RegExpFlags::parse(flags).unwrap())),
        primitive().prop_map(|value| value.clone().boxed().unwrap_or(value)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::array_buffer),
        (prop::collection::vec(any::<u8>(), 0..5), any::<Option<(String, i64)>>(), ".*").prop_map(|(bytes, file, kind)| match file {
            Some((name, date)) => Value::file(bytes, &kind, &name, date),
            None => Value::blob(bytes, &kind),
        }),
        (1u32..4, 1u32..4).prop_map(|(w, h)| Value::image_data(w, h, ColorSpace::DisplayP3, vec![7; (w * h * 4) as usize]).unwrap()),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let kinds =
        [ErrorKind::Error, ErrorKind::Eval, ErrorKind::Range, ErrorKind::Reference, ErrorKind::Syntax, ErrorKind::Type, ErrorKind::Uri];
    let named = || prop::collection::vec((js_string(), part()), 0..4);
    prop_oneof![
        named().prop_map(Plan::Object),
        (prop::collection::vec(prop::option::weighted(0.9, part()), 0..6), named())
            .prop_map(|(elements, named)| Plan::Array(elements, named)),
        prop::collection::vec((0u32..u32::MAX, part()), 0..4).prop_map(Plan::Sparse),
        prop::collection::vec((part(), part()), 0..4).prop_map(Plan::Map),
        prop::collection::vec(part(), 0..4).prop_map(Plan::Set),
        (prop::sample::select(kinds.to_vec()), prop::option::of(js_string()), prop::option::of(js_string()), prop::option::of(part()))
            .prop_map(|(kind, message, stack, cause)| Plan::Error(kind, message, stack, cause)),
        (prop::collection::vec(any::<u8>(), 0..40), any::<usize>(), any::<usize>(), 0usize..13)
            .prop_map(|(b, o, l, k)| Plan::View(b, o, l, k)),
        leaf().prop_map(Plan::Leaf),
    ]
}

fn build(plans: &[Plan]) -> Value {
    let mut graph = Graph::new();
    let nodes: Vec<Item> = plans
        .iter()
        .map(|plan| match plan {
            Plan::Object(_) => graph.object().into(),
            Plan::Array(..) | Plan::Sparse(_) => graph.array().into(),
            Plan::Map(_) => graph.map().into(),
            Plan::Set(_) => graph.collection().into(),
            Plan::Error(kind, ..) => graph.error(*kind).into(),
            Plan::View(bytes, offset, length, kind) => {
                let kind = ViewKind::ALL[*kind];
                let size = kind.element_size();
                let offset = offset % (bytes.len() / size + 1) * size;
                let length = length % ((bytes.len() - offset) / size + 1) * size;
                let buffer = graph.array_buffer(bytes.clone());
                graph.view(kind, buffer, offset, length).unwrap().into()
            }
            Plan::Leaf(value) => value.clone().into(),
        })
        .collect();
    let item = |part: &Part| match part {
        Part::Primitive(value) => value.clone().into(),
        Part::Object(index) => nodes[index % nodes.len()].clone(),
    };
    let mut root = graph.object();
    for (plan, node) in plans.iter().zip(&nodes) {
        let &Item::Node(node) = node else { continue };
        root = fill(&mut graph, plan, node, &item);
    }
    graph.finish(root)
}

fn fill(graph: &mut Graph, plan: &Plan, node: NodeId, item: &impl Fn(&Part) -> Item) -> NodeId {
    match plan {
        Plan::Object(properties) => properties.iter().for_each(|(key, part)| graph.set(node, key, item(part))),
        Plan::Array(elements, named) => {
            for (index, part) in elements.iter().enumerate() {
                if let Some(part) = part {
                    graph.set(node, index.to_string(), item(part));
                }
            }
            graph.set_length(node, elements.len() as u32);
            // Names that spell an index would lengthen it.
            for (key, part) in named.iter().filter(|(key, _)| key.as_str().is_none_or(|key| key != "length" && key.parse::<u32>().is_err()))
            {
                graph.set(node, key, item(part));
            }
        }
        Plan::Sparse(elements) => elements.iter().for_each(|(index, part)| graph.set(node, index.to_string(), item(part))),
        Plan::Map(entries) => entries.iter().for_each(|(key, part)| graph.insert(node, item(key), item(part))),
        Plan::Set(items) => items.iter().for_each(|part| graph.add_item(node, item(part))),
        Plan::Error(_, message, stack, cause) => graph.set_error(node, message.clone(), stack.clone(), cause.as_ref().map(item)),
        Plan::View(..) | Plan::Leaf(_) => {}
    }
    node
}

fn value() -> impl Strategy<Value = Value> {
    prop::collection::vec(plan(), 1..10).prop_map(|plans| build(&plans))
}

const PORTS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(value in value()) {
        let bytes = write(&value).unwrap();
        let again = read(&bytes, PORTS).unwrap();
        prop_assert_eq!(&again, &value);
        // Sharing is the same too, or a reference would have become a copy.
        prop_assert_eq!(write(&again).unwrap(), bytes);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_value(value in value(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = write(&value).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        match read(&bytes, PORTS) {
            Ok(value) => {
                let _ = format!("{value:?}");
                let again = write(&value).unwrap();
                prop_assert_eq!(read(&again, PORTS).unwrap(), value);
            }
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn truncated_bytes_are_an_error(value in value(), at in any::<prop::sample::Index>()) {
        let bytes = write(&value).unwrap();
        let cut = &bytes[..at.index(bytes.len())];
        match read(cut, PORTS) {
            Err(error) => prop_assert!(error.offset <= cut.len()),
            // A view stands behind its buffer: without the view the buffer is a whole message.
            Ok(rest) => prop_assert!(matches!(rest.as_object().map(Object::kind), Some(Kind::ArrayBuffer { .. })), "{:?}", rest),
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut input = vec![0xff, 0x0f];
        input.extend(bytes);
        let _ = read(&input, PORTS);
    }

    #[test]
    fn bigints_are_decimal_both_ways(value in bigint()) {
        prop_assert_eq!(value.to_string().parse::<BigInt>().unwrap(), value);
    }

    #[test]
    fn small_bigints_are_integers(value in any::<i128>()) {
        prop_assert_eq!(BigInt::from(value).to_i128(), Some(value));
        prop_assert_eq!(BigInt::from(value).to_string(), value.to_string());
    }
}
