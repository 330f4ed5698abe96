//! Finds the files that module names refer to, and reads the imports and exports of a module's
//! text. This crate uses no engine, and its only I/O is reading files.
//!
//! - [`Resolver`] resolves names as Node does, with Node's error codes and texts: CommonJS and ES
//!   modules, packages with `exports` and `imports`, `"type"`.
//! - [`module`] converts an ES module's text to an expression that any engine can evaluate as a
//!   script.
//! - [`commonjs`] makes the few changes that a CommonJS file needs.
//! - [`ES_MODULES`] is the JavaScript that links and evaluates such modules.
//!
//! The crate serves pages and preload scripts, because the C API of JavaScriptCore has no module
//! loader.

mod commonjs;
mod edits;
mod error;
mod exports;
mod found;
mod loader;
mod module;
mod names;
mod package;
mod references;
mod resolve;
mod url;

pub use commonjs::{CommonJs, commonjs};
pub use error::{Class, ModuleError};
pub use loader::{Loader, TextError, read_text};
pub use module::{Syntax, is_module, module};
pub use resolve::{Format, Kind, Resolved, Resolver};
pub use url::{path_of_url, url_of_path};

/// The linker of ES modules: a function expression `(primordials, host) => linker`, which
/// `js/es-modules.js` documents.
pub const ES_MODULES: &str = include_str!("../js/es-modules.js");
