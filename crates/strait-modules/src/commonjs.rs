//! What a CommonJS file needs before an engine reads it, and what it exports.

use oxc_allocator::Allocator;
use oxc_span::Span;

use crate::{
    edits::{Edits, fresh},
    found::Found,
    module::{parse, script},
    names,
};

/// A CommonJS file's text, ready to be wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonJs {
    /// The text. Lines are as they were.
    pub source: String,
    /// What `import()` is called in it: the wrapper's last parameter. `None`: there is no `import()`.
    pub import: Option<String>,
}

/// Makes a CommonJS file fit for a function's body. What cannot be parsed is left as it is: the engine says why.
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
    /// The names that a file's `module.exports` gets, and the modules whose names it passes on, as far as its text shows.
    pub fn names(source: &str) -> (Vec<String>, Vec<String>) {
        let allocator = Allocator::default();
        parse(&allocator, source, script()).map_or_else(|_| Default::default(), |program| names::find(&program))
    }
}
