//! Structured clone for Rust: the value model and V8 wire format 15.

/// The codec's JavaScript side: one function expression, `makeCodec(env)`, for pages and for QuickJS. See `docs/architecture.md`, "Values".
pub const JS_CODEC: &str = include_str!("../js/codec.js");
