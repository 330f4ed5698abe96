//! The functions that a host needs to load modules. Their results are JSON if scripts read them.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Class, CommonJs, Format, Kind, ModuleError, Resolved, Resolver, Syntax, commonjs, is_module, module};

/// Resolves names and prepares source texts.
pub struct Loader {
    resolver: Resolver,
    /// For `.js` files without a `"type"`: whether each is an ES module.
    detected: RefCell<HashMap<PathBuf, bool>>,
    globals: &'static [&'static str],
    missing: Box<dyn Fn() -> String>,
}

impl std::fmt::Debug for Loader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

/// Node's own modules, of which a host has some.
const OF_NODE: [&str; 43] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "test",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// A source text could not be read or parsed.
#[derive(Debug)]
pub enum TextError {
    /// The file cannot be read.
    Read(io::Error),
    /// The text is not a valid module.
    Syntax(Syntax),
}

impl Loader {
    /// `builtin` returns whether the host has a module of its own with this name, which is without
    /// `node:`.
    pub fn new(builtin: impl Fn(&str) -> bool + 'static) -> Self {
        Self { resolver: Resolver::new(builtin), detected: RefCell::default(), globals: &[], missing: Box::new(String::new) }
    }

    /// Sets names that every ES module can use, see [`module`].
    pub fn with_globals(self, globals: &'static [&'static str]) -> Self {
        Self { globals, ..self }
    }

    /// Sets the addition to the error text for a module of Node's that the host does not have.
    pub fn with_missing(self, missing: impl Fn() -> String + 'static) -> Self {
        Self { missing: Box::new(missing), ..self }
    }

    /// Resolves `name` in the file `from`: `{ builtin }`, `{ path, format, suffix }` (`format`:
    /// `commonjs`, `module` or `json`), or `{ error: { class, code, message } }`.
    pub fn resolve(&self, name: &str, from: &Path, kind: Kind) -> String {
        let answer = match self.resolver.resolve(name, from, kind) {
            Ok(Resolved::Builtin(name)) => json!({ "builtin": name }),
            Ok(Resolved::File { path, format, suffix }) => json!({ "format": self.known(&path, format), "path": path, "suffix": suffix }),
            Err(mut error) => {
                let bare = name.strip_prefix("node:").unwrap_or(name);
                if error.code.ends_with("MODULE_NOT_FOUND") && OF_NODE.contains(&bare.split('/').next().unwrap_or(bare)) || bare != name {
                    error.message.push_str(": ");
                    error.message.push_str(&(self.missing)());
                }
                refusal(&error)
            }
        };
        answer.to_string()
    }

    /// Like [`Loader::resolve`], for a file that is given by its path.
    pub fn locate(&self, path: &Path) -> String {
        let answer = match self.resolver.format(path) {
            Ok(format) => json!({ "format": self.known(path, format), "path": path, "suffix": "" }),
            Err(error) => refusal(&error),
        };
        answer.to_string()
    }

    fn known(&self, path: &Path, format: Format) -> &'static str {
        match format {
            Format::CommonJs => "commonjs",
            Format::Module => "module",
            Format::Json => "json",
            Format::Either => {
                let known = self.detected.borrow().get(path).copied();
                let found = known.unwrap_or_else(|| {
                    let found = read_text(path).is_ok_and(|text| is_module(&text));
                    self.detected.borrow_mut().insert(path.to_owned(), found);
                    found
                });
                if found { "module" } else { "commonjs" }
            }
        }
    }

    /// The text of an ES module, converted to an expression.
    ///
    /// # Errors
    /// If the file cannot be read or parsed.
    pub fn module(&self, path: &Path) -> Result<String, TextError> {
        module(&read_text(path).map_err(TextError::Read)?, self.globals).map_err(TextError::Syntax)
    }

    /// The text of a CommonJS file, to be wrapped in a function.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn commonjs(&self, path: &Path) -> io::Result<CommonJs> {
        read_text(path).map(|text| commonjs(&text))
    }

    /// The exports of a CommonJS file: `{ names, from }`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn names(&self, path: &Path) -> io::Result<String> {
        let (names, from) = CommonJs::names(&read_text(path)?);
        Ok(json!({ "names": names, "from": from }).to_string())
    }
}

fn refusal(error: &ModuleError) -> Value {
    let class = match error.class {
        Class::Error => "Error",
        Class::TypeError => "TypeError",
    };
    json!({ "error": { "class": class, "code": error.code, "message": error.message } })
}

/// A file's text, without a byte order mark.
///
/// # Errors
/// If the file cannot be read.
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
