//! Building values: the only module that makes objects.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, DefaultHasher, RandomState};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use crate::blob::{self, BlobNode, FileNode};
use crate::object::{ColorSpace, ErrorKind, Object, RegExpFlags};
use crate::{BigInt, JsString, Value, ViewKind};

/// Objects under construction. [`finish`](Graph::finish) converts them to a [`Value`], which is
/// immutable.
///
/// A graph is needed only if objects have cycles or shared parts. The constructors of [`Value`] and
/// [`to_value`](crate::to_value) cover all other values.
///
/// ```
/// use strait_clone::Graph;
///
/// let mut graph = Graph::new();
/// let (node, list) = (graph.object(), graph.array());
/// graph.set(node, "name", "root");
/// graph.set(node, "children", list);
/// graph.push(list, node); // a cycle
/// let value = graph.finish(node);
///
/// let child = value.get("children").unwrap().at(0).unwrap();
/// assert_eq!(child.get("name").unwrap().as_str(), Some("root"));
/// ```
///
/// # Panics
/// The methods that take a [`NodeId`] panic if it is from another graph, or of a kind that the
/// method's documentation does not name. That is an error of the calling program; a peer's input
/// cannot cause it.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

/// An object in a [`Graph`]. It is valid in that graph only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub(crate) u32);

/// A part of an object: a finished value, or an object of the same [`Graph`].
#[derive(Clone)]
pub enum Item {
    /// An object of the same graph.
    Node(NodeId),
    /// A finished value.
    Value(Value),
}

impl From<NodeId> for Item {
    fn from(node: NodeId) -> Item {
        Item::Node(node)
    }
}

impl<T: Into<Value>> From<T> for Item {
    fn from(value: T) -> Item {
        Item::Value(value.into())
    }
}

/// The view does not fit its buffer, or its offset or length is not a multiple of its element size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {} of {length} bytes at byte {offset} does not fit a buffer of {buffer} bytes", kind.name())]
pub struct ViewError {
    /// The class.
    pub kind: ViewKind,
    /// The requested offset in bytes.
    pub offset: usize,
    /// The requested length in bytes.
    pub length: usize,
    /// The buffer's length, in bytes.
    pub buffer: usize,
}

/// A finished graph. Objects refer to it by index, so cycles own nothing and dropping never
/// recurses.
pub(crate) struct Heap {
    pub(crate) nodes: Vec<Node>,
}

pub(crate) type Properties = IndexMap<JsString, Item, Hashing>;

/// Hashes keys with a secret, because keys come from peers. The process has one secret, so that
/// objects need not store it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Hashing;

impl BuildHasher for Hashing {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        static SECRET: OnceLock<RandomState> = OnceLock::new();
        SECRET.get_or_init(RandomState::new).build_hasher()
    }
}

/// The named properties of an array. Few arrays have any.
#[derive(Default)]
pub(crate) struct Named(Option<Box<Properties>>);

impl Deref for Named {
    type Target = Properties;

    fn deref(&self) -> &Properties {
        static NONE: Properties = Properties::with_hasher(Hashing);
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Named {
    fn deref_mut(&mut self) -> &mut Properties {
        self.0.get_or_insert_default()
    }
}

pub(crate) enum Node {
    Plain(Properties),
    Array { elements: Elements, named: Named },
    Map(Vec<(Item, Item)>),
    Set(Vec<Item>),
    Date(f64),
    RegExp { source: JsString, flags: RegExpFlags },
    Boolean(bool),
    Number(f64),
    BigInt(BigInt),
    String(JsString),
    Buffer { bytes: Vec<u8>, max: Option<u64> },
    View(ViewNode),
    Error(Box<ErrorNode>),
    Image { width: u32, height: u32, color_space: ColorSpace, pixels: Vec<u8> },
    Blob(Box<BlobNode>),
}

pub(crate) struct ViewNode {
    pub(crate) kind: ViewKind,
    /// Always a `Buffer`, checked when the view is made.
    pub(crate) buffer: Item,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) tracks_length: bool,
}

pub(crate) struct ErrorNode {
    pub(crate) kind: ErrorKind,
    pub(crate) message: Option<JsString>,
    pub(crate) stack: Option<JsString>,
    pub(crate) cause: Option<Item>,
}

/// The indexed elements of an array: a vector, as long as the number of elements justifies its
/// length.
pub(crate) enum Elements {
    Dense(Vec<Option<Item>>),
    Sparse { length: u32, items: BTreeMap<u32, Item> },
}

impl Elements {
    pub(crate) fn len(&self) -> u32 {
        match self {
            Elements::Dense(items) => items.len() as u32,
            Elements::Sparse { length, .. } => *length,
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Item> {
        match self {
            Elements::Dense(items) => items.get(index as usize)?.as_ref(),
            Elements::Sparse { items, .. } => items.get(&index),
        }
    }

    /// The elements that exist, with their indices.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (u32, &Item)> + '_> {
        match self {
            Elements::Dense(items) => Box::new((0u32..).zip(items).filter_map(|(index, item)| Some((index, item.as_ref()?)))),
            Elements::Sparse { items, .. } => Box::new(items.iter().map(|(index, item)| (*index, item))),
        }
    }

    /// The first existing element at or after `index`.
    pub(crate) fn next_from(&self, index: u32) -> Option<(u32, &Item)> {
        match self {
            Elements::Dense(items) => (index..).zip(items.get(index as usize..)?).find_map(|(index, item)| Some((index, item.as_ref()?))),
            Elements::Sparse { items, .. } => items.range(index..).next().map(|(index, item)| (*index, item)),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Elements::Dense(items) => items.iter().flatten().count(),
            Elements::Sparse { items, .. } => items.len(),
        }
    }

    fn put(&mut self, index: u32, item: Item) {
        match self {
            Elements::Dense(items) => {
                let at = index as usize;
                if at > items.len() * 2 + 16 {
                    self.make_sparse();
                    return self.put(index, item);
                }
                if at >= items.len() {
                    items.resize_with(at + 1, || None);
                }
                items[at] = Some(item);
            }
            Elements::Sparse { length, items } => {
                *length = (*length).max(index + 1);
                items.insert(index, item);
            }
        }
    }

    fn make_sparse(&mut self) {
        if let Elements::Dense(items) = self {
            let length = items.len() as u32;
            let items = (0u32..).zip(std::mem::take(items)).filter_map(|(index, item)| Some((index, item?))).collect();
            *self = Elements::Sparse { length, items };
        }
    }

    /// Sets the length and drops elements beyond it.
    pub(crate) fn set_len(&mut self, new: u32) {
        match self {
            Elements::Dense(items) if new as usize <= items.len() * 2 + 16 => items.resize_with(new as usize, || None),
            Elements::Dense(_) => {
                self.make_sparse();
                self.set_len(new);
            }
            Elements::Sparse { length, items } => {
                *length = new;
                items.split_off(&new);
                if new as usize <= items.len() * 2 + 16 {
                    let mut dense = Vec::new();
                    dense.resize_with(new as usize, || None);
                    for (index, item) in std::mem::take(items) {
                        dense[index as usize] = Some(item);
                    }
                    *self = Elements::Dense(dense);
                }
            }
        }
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        let index = u32::try_from(self.nodes.len()).expect("a graph has fewer than 2^32 objects");
        self.nodes.push(node);
        NodeId(index)
    }

    pub(crate) fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.0 as usize]
    }

    /// An empty plain object.
    pub fn object(&mut self) -> NodeId {
        self.add(Node::Plain(Properties::default()))
    }

    /// An empty array.
    pub fn array(&mut self) -> NodeId {
        self.add(Node::Array { elements: Elements::Dense(Vec::new()), named: Named::default() })
    }

    /// An empty `Map`.
    pub fn map(&mut self) -> NodeId {
        self.add(Node::Map(Vec::new()))
    }

    /// An empty `Set`.
    pub fn collection(&mut self) -> NodeId {
        self.add(Node::Set(Vec::new()))
    }

    /// Sets a property of a plain object or an array; on an array, keys that spell an index set
    /// that element.
    pub fn set(&mut self, node: NodeId, key: impl Into<JsString>, item: impl Into<Item>) {
        let (key, item) = (key.into(), item.into());
        match self.node_mut(node) {
            Node::Plain(properties) => {
                properties.insert(key, item);
            }
            Node::Array { elements, named } => match key.array_index() {
                Some(index) => elements.put(index, item),
                None => {
                    named.insert(key, item);
                }
            },
            _ => panic!("neither an object nor an array"),
        }
    }

    /// Appends an element to an array, which has at most 2^32 - 1 elements.
    pub fn push(&mut self, array: NodeId, item: impl Into<Item>) {
        let item = item.into();
        let elements = self.elements_mut(array);
        elements.put(elements.len(), item);
    }

    /// Sets the length of an array: drops elements or adds holes.
    pub fn set_length(&mut self, array: NodeId, length: u32) {
        self.elements_mut(array).set_len(length);
    }

    fn elements_mut(&mut self, array: NodeId) -> &mut Elements {
        match self.node_mut(array) {
            Node::Array { elements, .. } => elements,
            _ => panic!("not an array"),
        }
    }

    /// Adds an entry to a `Map`. Keys are not compared, so each key must be given once.
    pub fn insert(&mut self, map: NodeId, key: impl Into<Item>, item: impl Into<Item>) {
        let entry = (key.into(), item.into());
        match self.node_mut(map) {
            Node::Map(entries) => entries.push(entry),
            _ => panic!("not a Map"),
        }
    }

    /// Adds an item to a `Set`. Items are not compared, so each item must be given once.
    pub fn add_item(&mut self, set: NodeId, item: impl Into<Item>) {
        let item = item.into();
        match self.node_mut(set) {
            Node::Set(items) => items.push(item),
            _ => panic!("not a Set"),
        }
    }

    /// Adds an `ArrayBuffer` of fixed length. Resizable ones come from [`read`](fn@crate::read)
    /// only.
    pub fn array_buffer(&mut self, bytes: impl Into<Vec<u8>>) -> NodeId {
        self.add(Node::Buffer { bytes: bytes.into(), max: None })
    }

    /// Adds a view on an `ArrayBuffer`, which is of this graph or finished: `length` bytes from
    /// byte `offset` on. Views on one buffer share it.
    ///
    /// # Errors
    /// If the view does not fit the buffer.
    pub fn view(&mut self, kind: ViewKind, buffer: impl Into<Item>, offset: usize, length: usize) -> Result<NodeId, ViewError> {
        let buffer = buffer.into();
        let total = self.buffer_bytes(&buffer).expect("not an ArrayBuffer").len();
        let size = kind.element_size();
        if offset > total || length > total - offset || !offset.is_multiple_of(size) || !length.is_multiple_of(size) {
            return Err(ViewError { kind, offset, length, buffer: total });
        }
        Ok(self.add(Node::View(ViewNode { kind, buffer, offset, length, tracks_length: false })))
    }

    pub(crate) fn buffer_bytes<'a>(&'a self, item: &'a Item) -> Option<&'a [u8]> {
        match item {
            Item::Node(node) => match &self.nodes[node.0 as usize] {
                Node::Buffer { bytes, .. } => Some(bytes),
                _ => None,
            },
            Item::Value(Value::Object(object)) => object.buffer_bytes(),
            Item::Value(_) => None,
        }
    }

    /// Adds a `Blob`: see [`Value::blob`].
    pub fn blob(&mut self, bytes: impl Into<Vec<u8>>, content_type: &str) -> NodeId {
        let content_type = blob::content_type(content_type);
        self.add(Node::Blob(Box::new(BlobNode { content_type, file: None, bytes: bytes.into() })))
    }

    /// Adds a `File`: see [`Value::file`].
    pub fn file(&mut self, bytes: impl Into<Vec<u8>>, content_type: &str, name: &str, last_modified: i64) -> NodeId {
        let file = FileNode { name: name.into(), last_modified: blob::last_modified(last_modified as f64) };
        let content_type = blob::content_type(content_type);
        self.add(Node::Blob(Box::new(BlobNode { content_type, file: Some(file), bytes: bytes.into() })))
    }

    /// Adds an `Error` without a message; [`set_error`](Graph::set_error) sets it.
    pub fn error(&mut self, kind: ErrorKind) -> NodeId {
        self.add(Node::Error(Box::new(ErrorNode { kind, message: None, stack: None, cause: None })))
    }

    /// Sets message, stack and cause of an `Error`.
    pub fn set_error(&mut self, error: NodeId, message: Option<JsString>, stack: Option<JsString>, cause: Option<Item>) {
        match self.node_mut(error) {
            Node::Error(node) => {
                node.message = message;
                node.stack = stack;
                node.cause = cause;
            }
            _ => panic!("not an Error"),
        }
    }

    /// The finished object, with all objects that it refers to. Clones of it and of its parts share
    /// one allocation, which lives as long as any of them.
    pub fn finish(self, root: NodeId) -> Value {
        assert!((root.0 as usize) < self.nodes.len(), "of another graph");
        Value::Object(Object { heap: Arc::new(Heap { nodes: self.nodes }), index: root.0 })
    }

    /// [`finish`](Graph::finish) for a root that may be a primitive.
    pub(crate) fn finish_item(self, root: Item) -> Value {
        match root {
            Item::Node(node) => self.finish(node),
            Item::Value(value) => value,
        }
    }
}
