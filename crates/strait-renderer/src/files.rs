//! Files that scripts `require`: where a name leads, and what is there.

use std::path::{Component, Path, PathBuf};

/// The file that `name` means in `folder`, as Node resolves relative and absolute names: as it stands, with an extension, or as a folder's index.
///
/// # Errors
/// `Cannot find module …`: there is no such file, or the name is of a package, which pages have none of.
pub(crate) fn resolve(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let is_path = name.starts_with("./") || name.starts_with("../") || name.starts_with('/') || name == "." || name == "..";
    let missing = || format!("Cannot find module '{name}' (looked in {})", folder.display());
    if !is_path {
        return Err(missing());
    }
    let path = normal(&folder.join(name));
    let with = |suffix: &str| {
        let mut text = path.clone().into_os_string();
        text.push(suffix);
        PathBuf::from(text)
    };
    let candidates = [path.clone(), with(".js"), with(".cjs"), with(".json"), path.join("index.js"), path.join("index.json")];
    candidates.into_iter().find(|candidate| candidate.is_file()).ok_or_else(missing)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

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

/// A file's text.
///
/// # Errors
/// What the system says, with the path.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("Cannot read '{}': {error}", path.display()))
}

/// A CommonJS file as a function expression. The wrapper shares the first line, so that lines in stack traces are the file's.
pub(crate) fn wrap(source: &str) -> String {
    let comment = if source.starts_with("#!") { "//" } else { "" };
    format!("(function (exports, require, module, __filename, __dirname, process) {{ {comment}{source}\n}})")
}

/// A path as a URL for stack traces.
pub(crate) fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}
