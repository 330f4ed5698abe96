//! Structured clone for Rust: JavaScript's values and their wire format.
//!
//! - [`Value`] is any value that JavaScript can clone: primitives, strings with lone surrogates,
//!   objects with cycles and shared parts, buffers and views.
//! - [`write()`] and [`read`] convert it to and from V8's serialisation format, version 15, which
//!   is Strait's only wire format. [`read`] is made for hostile input.
//! - [`JS_CODEC`] is the same in JavaScript, for pages and for main processes in JavaScript.
//! - `serde` in both directions: [`to_value`] and [`from_value`], or directly to bytes with
//!   [`to_bytes`] and [`from_bytes`].
//!
//! This crate represents a port only as "the n-th port of the message": [`Value::Port`], or
//! [`PortIndex`] in serde types.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct Job { id: u32, name: String, done: Option<bool> }
//!
//! let job = Job { id: 7, name: "sort".into(), done: None };
//! let bytes = strait_clone::to_bytes(&job)?;
//! assert_eq!(strait_clone::from_bytes::<Job>(&bytes)?, job);
//!
//! // The same bytes, read as a value.
//! let value = strait_clone::read(&bytes, 0)?;
//! assert_eq!(value.get("name").unwrap().as_str(), Some("sort"));
//! assert!(value.get("done").unwrap().is_null());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod bigint;
mod blob;
mod codec;
mod compare;
mod de;
mod error;
mod graph;
mod number;
mod object;
mod read;
mod ser;
mod string;
mod typed;
mod value;
mod view;
mod wire;
mod write;

pub use bigint::{BigInt, ParseBigIntError};
pub use blob::FileParts;
pub use codec::JS_CODEC;
pub use de::{FromValueError, from_value};
pub use error::{ReadError, ReadErrorKind, WriteError};
pub use graph::{Graph, Item, NodeId, ViewError};
pub use object::{ColorSpace, ErrorKind, ErrorParts, Kind, Object, RegExpFlags, View};
pub use read::{MAX_DEPTH, read};
pub use ser::{ToValueError, to_value};
pub use string::JsString;
pub use typed::{Bytes, FromBytesError, PortIndex, ToBytesError, from_bytes, to_bytes};
pub use value::Value;
pub use view::ViewKind;
pub use write::write;
