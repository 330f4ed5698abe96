//! Reads `package.json` files, and finds the one that a file belongs to.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
};

use serde_json::Value;

use crate::ModuleError;

/// The members of a `package.json` that resolution uses.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The folder of the file.
    pub(crate) folder: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) main: Option<String>,
    /// `null` counts as missing.
    pub(crate) exports: Option<Value>,
    pub(crate) imports: Option<Value>,
    pub(crate) kind: Option<Type>,
}

/// The value of `"type"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    CommonJs,
    Module,
}

/// A folder's manifest, if it has one.
type Entry = Option<Rc<Manifest>>;

/// A cache of manifests. A program's packages do not change while it runs.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    known: RefCell<HashMap<PathBuf, Entry>>,
}

impl Packages {
    /// The manifest in `folder`.
    pub(crate) fn read(&self, folder: &Path) -> Result<Entry, ModuleError> {
        if let Some(known) = self.known.borrow().get(folder) {
            return Ok(known.clone());
        }
        let file = folder.join("package.json");
        let read = match fs::read(&file) {
            Ok(bytes) => Some(Rc::new(parse(folder, &file, &bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory => None,
            Err(error) => return Err(ModuleError::invalid_config(&file, "", &format!("{error}."))),
        };
        self.known.borrow_mut().insert(folder.to_owned(), read.clone());
        Ok(read)
    }

    /// The manifest that a file belongs to: the nearest one above it, up to a `node_modules`
    /// folder.
    pub(crate) fn scope(&self, file: &Path) -> Result<Entry, ModuleError> {
        for folder in file.ancestors().skip(1) {
            if folder.ends_with("node_modules") {
                return Ok(None);
            }
            if let Some(found) = self.read(folder)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

fn parse(folder: &Path, file: &Path, bytes: &[u8]) -> Result<Manifest, ModuleError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let json: Value =
        serde_json::from_slice(text).map_err(|error| ModuleError::invalid_config(file, "", &format!("Not valid JSON: {error}.")))?;
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    let table = |key: &str| json.get(key).filter(|value| !value.is_null()).cloned();
    Ok(Manifest {
        folder: folder.to_owned(),
        name: text("name"),
        main: text("main"),
        exports: table("exports"),
        imports: table("imports").filter(Value::is_object),
        kind: match json.get("type").and_then(Value::as_str) {
            Some("module") => Some(Type::Module),
            Some("commonjs") => Some(Type::CommonJs),
            _ => None,
        },
    })
}
