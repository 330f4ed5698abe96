//! Files of scripts and pages: their paths and texts.

use std::io;
use std::path::{Path, PathBuf};

/// A page's file, if its URL is of a local file.
pub(crate) fn path_of_url(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("file://")?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(PathBuf::from(percent_decoded(path)))
}

/// The folder of a page's file, if its URL is of a local file.
pub(crate) fn folder_of_url(url: &str) -> Option<PathBuf> {
    path_of_url(url)?.parent().map(Path::to_path_buf)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Says which file cannot be read, and why.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("Cannot read '{}': {error}", path.display())
}

/// A CommonJS file as a function expression; `import` is what `import()` is called in it. The wrapper shares the first line, so that lines in
/// stack traces are the file's.
pub(crate) fn wrap(source: &str, import: Option<&str>) -> String {
    let import = import.map_or_else(String::new, |name| format!(", {name}"));
    format!("(function (exports, require, module, __filename, __dirname, process{import}) {{ {source}\n}})")
}
