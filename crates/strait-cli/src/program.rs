//! Finds the program: a folder with `package.json`, a folder with `main.js`, or a script.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// Its folder, as an absolute path.
    pub(crate) root: PathBuf,
    /// Its entry script, as an absolute path.
    pub(crate) main: PathBuf,
    /// `productName` or `name` of its `package.json`, otherwise the folder's name.
    pub(crate) name: String,
    /// `version` of its `package.json`, otherwise `0.0.0`.
    pub(crate) version: String,
}

/// No program was found at a path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocateError {
    /// The path itself cannot be opened.
    #[error("can't open {path}: {source}; give a folder with a package.json or main.js, or a .js, .mjs or .cjs file")]
    Path {
        /// The path as given.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The path is a file, but not a script.
    #[error("{path} is no .js, .mjs or .cjs file; give a folder with a package.json or main.js, or a .js, .mjs or .cjs file")]
    NotAScript {
        /// The path as given.
        path: PathBuf,
    },
    /// `package.json` cannot be read.
    #[error("can't read {path}: {source}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// `package.json` is not valid JSON.
    #[error("{path}:{line}:{column}: not valid JSON: {reason}", line = source.line(), column = source.column(), reason = plain(source))]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The position and the reason.
        source: serde_json::Error,
    },
    /// A member of `package.json` has the wrong type.
    #[error("{path}: {what} must be {expected}, not {found}")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The member.
        what: &'static str,
        /// The expected type.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// `main` refers to a missing file.
    #[error("{manifest}: \"main\" is \"{main}\", but {path} does not exist; create it or correct \"main\"")]
    MainMissing {
        /// The `package.json`.
        manifest: PathBuf,
        /// The value of `main`.
        main: String,
        /// The path that was tried.
        path: PathBuf,
    },
    /// No `package.json` names an entry, and the default entries are missing.
    #[error("no program in {root}: there is no {looked_for}; create main.js, or name the entry in \"main\" of package.json")]
    NoMain {
        /// The folder.
        root: PathBuf,
        /// The default entries.
        looked_for: &'static str,
    },
}

/// The reason without the position, with which the message already begins.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.find(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl Program {
    /// Finds the program at `path`: a folder (entry: `main` of `package.json`, otherwise `main.js`,
    /// otherwise `index.js`) or a `.js`, `.mjs` or `.cjs` file.
    pub(crate) fn locate(path: &Path) -> Result<Self, LocateError> {
        let found = fs::canonicalize(path).map_err(|source| LocateError::Path { path: path.to_owned(), source })?;
        if found.is_dir() {
            return Self::in_folder(found);
        }
        if !found.extension().is_some_and(|extension| extension == "js" || extension == "cjs" || extension == "mjs") {
            return Err(LocateError::NotAScript { path: path.to_owned() });
        }
        let root = found.parent().unwrap_or(Path::new("/")).to_owned();
        let name = found.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { root, main: found, name, version: "0.0.0".into() })
    }

    fn in_folder(root: PathBuf) -> Result<Self, LocateError> {
        let path = root.join("package.json");
        let manifest = Manifest::read(&path)?;
        let main = match &manifest.main {
            Some(main) => entry(&root, main).ok_or_else(|| LocateError::MainMissing {
                manifest: path.clone(),
                main: main.clone(),
                path: root.join(main),
            })?,
            None => ["main.js", "index.js"].iter().map(|name| root.join(name)).find(|file| file.is_file()).ok_or_else(|| {
                let looked_for = if manifest.exists { "main.js or index.js" } else { "package.json, main.js or index.js" };
                LocateError::NoMain { root: root.clone(), looked_for }
            })?,
        };
        let name =
            manifest.name.unwrap_or_else(|| root.file_name().map_or_else(|| "strait".into(), |name| name.to_string_lossy().into_owned()));
        Ok(Self { root, main, name, version: manifest.version.unwrap_or_else(|| "0.0.0".into()) })
    }
}

/// The file that `main` refers to: the path itself, the path with an extension, or `index.js` in
/// that folder.
fn entry(root: &Path, main: &str) -> Option<PathBuf> {
    let file = root.join(main);
    let candidates = [file.clone(), root.join(format!("{main}.js")), file.join("index.js")];
    candidates.into_iter().find(|file| file.is_file())
}

/// The members of `package.json` that are used.
#[derive(Debug, Default)]
struct Manifest {
    exists: bool,
    main: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

impl Manifest {
    fn read(path: &Path) -> Result<Self, LocateError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(LocateError::Manifest { path: path.to_owned(), source }),
        };
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let json: Value = serde_json::from_slice(text).map_err(|source| LocateError::NotJson { path: path.to_owned(), source })?;
        let wrong = |what, expected, value: &Value| LocateError::WrongType { path: path.to_owned(), what, expected, found: kind(value) };
        let Value::Object(fields) = &json else { return Err(wrong("the file", "an object", &json)) };
        let text = |key: &'static str, what| match fields.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok((!text.is_empty()).then(|| text.clone())),
            Some(other) => Err(wrong(what, "a string", other)),
        };
        let product = text("productName", "\"productName\"")?;
        Ok(Self {
            exists: true,
            main: text("main", "\"main\"")?,
            name: match product {
                Some(name) => Some(name),
                None => text("name", "\"name\"")?,
            },
            version: text("version", "\"version\"")?,
        })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
