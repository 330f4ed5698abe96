//! The JavaScript side, put together of the files in `js/codec/`.
//!
//! It captures every intrinsic it needs when it is called, which must be before any script of a page. Afterwards a page may replace globals, patch prototypes and
//! put accessors on `Object.prototype`: the codec goes on working, and no code of the page ever gets hold of an object of ours. What that means for its code:
//!
//! - no method calls through prototypes, no for-of, spread or array destructuring: captured functions instead;
//! - lists of ours have no prototype, so that writes to an index cannot meet a setter;
//! - `length` is read only where it is an own property (strings, arrays), never on typed arrays;
//! - property descriptors have no prototype.
//!
//! While it writes, getters of the value run, and may call `write` again: the state is saved and restored around that. Reading runs no code of the page at all.
//! The files are the parts of one function, in this order, and not functions that hand each other what they know: every byte that is read or written would pay
//! for that.

/// The codec's JavaScript side: one function expression, `makeCodec(env)`, for pages and for main processes in JavaScript. See `docs/architecture/js.md`, "Values".
pub const JS_CODEC: &str = concat!(
    "(function makeCodec(env) {\n'use strict'\n",
    include_str!("../js/codec/intrinsics.js"),
    include_str!("../js/codec/format.js"),
    include_str!("../js/codec/classify.js"),
    include_str!("../js/codec/write-bytes.js"),
    include_str!("../js/codec/write-values.js"),
    include_str!("../js/codec/write-buffers.js"),
    include_str!("../js/codec/write-platform.js"),
    include_str!("../js/codec/write.js"),
    include_str!("../js/codec/read-bytes.js"),
    include_str!("../js/codec/read-values.js"),
    include_str!("../js/codec/read-buffers.js"),
    include_str!("../js/codec/read-platform.js"),
    include_str!("../js/codec/read.js"),
    "})"
);
