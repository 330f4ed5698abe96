//! The codec in JavaScript, assembled from the files in `js/codec/`.
//!
//! The codec captures every intrinsic that it needs when it is made, which must be before any
//! script of a page runs. Afterwards a page may replace globals, patch prototypes and define
//! accessors on `Object.prototype`: the codec keeps working, and no code of the page gets access to
//! the codec's own objects. Rules for the codec's code:
//!
//! - It calls no method through a prototype and uses no for-of, spread or array destructuring. It
//!   calls captured functions instead.
//! - Its lists have no prototype, so a write to an index cannot call a setter.
//! - It reads `length` only where that is an own property (strings, arrays), never on typed arrays.
//! - Its property descriptors have no prototype.
//!
//! During a write, getters of the value run and may call `write` again, so the state is saved and
//! restored around that. A read runs no code of the page.
//!
//! The files are parts of one function, in this order. Separate functions would have to pass their
//! state to each other, which would cost time for every byte.

/// The codec in JavaScript: one function expression, `makeCodec(env)`, for pages and for main
/// processes in JavaScript. See `docs/architecture/js.md`, "Values".
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
