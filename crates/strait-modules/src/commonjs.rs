//! Prepares CommonJS files for an engine, and finds their exports.

use oxc_allocator::Allocator;
use oxc_span::Span;

use crate::{
    edits::{Edits, fresh},
    found::Found,
    module::{parse, script},
    names,
};

/// A CommonJS file's text, to be wrapped in a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonJs {
    /// The text, with unchanged line numbers.
    pub source: String,
    /// The name that replaces `import` in `import()`; it is the last parameter of the wrapping
    /// function. `None` if there is no `import()`.
    pub import: Option<String>,
}

/// Makes a CommonJS file fit for a function's body. A text that cannot be parsed is left unchanged,
/// because the engine then reports the error.
pub fn commonjs(source: &str) -> CommonJs {
    let plain = |source: &str| {
        let hashbang = source.strip_prefix("#!").map(|rest| format!("//{rest}"));
        CommonJs { source: hashbang.unwrap_or_else(|| source.to_owned()), import: None }
    };
    if !source.contains("import") {
        return plain(source);
    }
    let allocator = Allocator::default();
    let Ok(program) = parse(&allocator, source, script()) else { return plain(source) };
    let found = Found::of(source, &program);
    if found.imports.is_empty() {
        return plain(source);
    }
    let name = fresh(source);
    let mut edits = Edits::new(source);
    if program.hashbang.is_some() {
        edits.replace(Span::sized(0, 2), "//");
    }
    for span in found.imports {
        edits.replace(span, name.clone());
    }
    CommonJs { source: edits.apply(), import: Some(name) }
}

impl CommonJs {
    /// The names of a file's `module.exports`, and the modules whose names it re-exports, as far as
    /// its text shows them.
    pub fn names(source: &str) -> (Vec<String>, Vec<String>) {
        let allocator = Allocator::default();
        parse(&allocator, source, script()).map_or_else(|_| Default::default(), |program| names::find(&program))
    }
}
