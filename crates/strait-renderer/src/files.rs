//! Files of scripts and pages: their paths and texts.

use std::io;
use std::path::{Path, PathBuf};

/// The folder of a page's file, if its URL names a local file.
pub(crate) fn folder_of_url(url: &str) -> Option<PathBuf> {
    strait_modules::path_of_url(url)?.parent().map(Path::to_path_buf)
}

/// The error text for a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("Cannot read '{}': {error}", path.display())
}

/// A CommonJS file as a function expression. `import` is the name that its `import()` calls have.
/// The wrapper shares the first line, so that stacks have the file's line numbers.
pub(crate) fn wrap(source: &str, import: Option<&str>) -> String {
    let import = import.map_or_else(String::new, |name| format!(", {name}"));
    format!("(function (exports, require, module, __filename, __dirname, process{import}) {{ {source}\n}})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_what_the_pages_url_spells() {
        let table = [
            ("file:///a%20b/%E6%97%A5/c.html?q#h", Some("/a b/日")),
            ("file:///a#%20", Some("/")),
            // Percent signs without two hexadecimal digits behind them.
            ("file:///%+f%-1% 1%1/a", Some("/%+f%-1% 1%1")),
            ("file:///%g0%0g%%41%/a", Some("/%g0%0g%A%")),
            // A file of another host, a name that no file can have, and another scheme.
            ("file://server/a/b", None),
            ("file:///a%2fb/c", None),
            ("https://a/b/c", None),
        ];
        for (url, path) in table {
            assert_eq!(folder_of_url(url), path.map(PathBuf::from), "{url}");
        }
    }
}
