//! Which file a module's name means, and what a module's text imports and exports. No engine, and no I/O but reading files.
//!
//! [`Resolver`] answers as Node does (CommonJS and ES modules, packages with `exports` and `imports`, `"type"`), with Node's error codes and
//! texts. [`module`] turns an ES module's text into an expression that any engine can evaluate as a script, [`commonjs`] does what little a
//! CommonJS file needs, and [`ES_MODULES`] is the JavaScript that links and evaluates such modules. It serves pages and
//! preload scripts: the C API of JavaScriptCore has no module loader.

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

/// The linker of ES modules: a function expression `(primordials, host) => linker`, described where it stands.
pub const ES_MODULES: &str = include_str!("../js/es-modules.js");
