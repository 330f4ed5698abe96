//! A program's files: the texts of its modules, and the `package.json` of its packages.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use strait_modules::{Format, Kind, Loader, Resolved, Resolver, commonjs, is_module, module, path_of_url, url_of_path};

/// Names that the text may use or declare.
const GLOBALS: &[&str] = &["require", "process"];

/// Deeper nesting is the parser's stack, not our reading.
const NESTING: usize = 200;

/// Bytes as a module's text, as a CommonJS file's and as a URL. A module becomes an expression, with all that follows on the line where it was.
pub fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if nesting(&text) > NESTING {
        return;
    }
    is_module(&text);
    let script = commonjs(&text);
    assert_eq!(lines(&script.source), lines(&text), "{text:?} became {:?}", script.source);
    if let Some(name) = &script.import {
        assert!(!text.contains(name.as_str()), "{name} is used in {text:?}");
    }
    if let Ok(expression) = module(&text, GLOBALS) {
        let code = expression.rfind("\n}, waits: ").map(|end| &expression[..end]).expect("something follows the code");
        assert_eq!(lines(code), lines(&text), "{text:?} became {expression:?}");
        if let Err(error) = module(&format!("export default {expression}"), &[]) {
            panic!("{text:?} became {expression:?}: {error}");
        }
    }
}

/// Bytes as a URL, which may be a file's: an absolute path without `.` and `..`, and the same again from its own URL. And bytes as a path: a URL that is its own.
pub fn file_urls(bytes: &[u8]) {
    if let Some(path) = path_of_url(&String::from_utf8_lossy(bytes)) {
        assert!(path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0), "{path:?}");
        assert!(path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_))), "{path:?}");
        // Specifiers cannot have an encoded backslash.
        if !path.as_os_str().as_encoded_bytes().contains(&b'\\') {
            assert_eq!(path_of_url(&url_of_path(&path)), Some(path));
        }
    }
    // A percent sign that begins no pair of hexadecimal digits is itself; any other byte may be spelt by two digits.
    let spelt: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains(['\0', '/', '\\']) && !matches!(*text, "" | "." | ".."));
    assert_eq!(path_of_url(&format!("file:///{spelt}")), text.map(|text| Path::new("/").join(text)).or_else(|| empty(bytes)), "{spelt}");
    for sign in ["%+", "%-", "% ", "%g", "%%"] {
        if let Some(text) = text {
            let rest = spelt.clone();
            assert_eq!(path_of_url(&format!("file:///{sign}1{rest}")), Some(Path::new("/").join(format!("{sign}1{text}"))));
        }
    }
}

/// The path of no name, and of those that are no names.
fn empty(bytes: &[u8]) -> Option<PathBuf> {
    matches!(bytes, b"" | b"." | b"..").then(|| PathBuf::from("/"))
}

/// Brackets that are open at once, if they are not in strings.
fn nesting(text: &str) -> usize {
    let opened = |(open, most): (usize, usize), byte| match byte {
        b'(' | b'[' | b'{' => (open + 1, most.max(open + 1)),
        b')' | b']' | b'}' => (open.saturating_sub(1), most),
        _ => (open, most),
    };
    text.bytes().fold((0, 0), opened).1
}

fn lines(text: &str) -> usize {
    text.chars().filter(|&c| matches!(c, '\n' | '\u{2028}' | '\u{2029}')).count()
}

/// A folder with a package `p`, for [`packages`].
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Makes the folder, and in it some files.
    ///
    /// # Panics
    /// Without a place for temporary files.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let package = folder.path().join("node_modules/p");
        fs::create_dir_all(package.join("lib")).expect("a folder can be made");
        for name in ["index.js", "lib/a.js", "lib/b.mjs", "lib/index.json", "bin"] {
            fs::write(package.join(name), "{}").expect("a file can be written");
        }
        fs::write(folder.path().join("outside.js"), "").expect("a file can be written");
        Self(folder)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes as what is looked up, up to a NUL, and then a package's manifest. What a package exports lies in the package.
pub fn packages(folder: &Folder, bytes: &[u8]) {
    let root = folder.0.path().canonicalize().expect("the folder is there");
    let package = root.join("node_modules/p");
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (name, manifest) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
    fs::write(package.join("package.json"), manifest).expect("a file can be written");
    let exports = serde_json::from_slice::<Value>(manifest).is_ok_and(|manifest| manifest.get("exports").is_some_and(|it| !it.is_null()));
    for (name, from) in [(format!("p{name}"), &root), (format!("#{name}"), &package), (name.into_owned(), &package)] {
        let from = from.join("main.js");
        for kind in [Kind::Require, Kind::Import] {
            if let Ok(Resolved::File { path, format, .. }) = Resolver::new(|name| name == "fs").resolve(&name, &from, kind) {
                assert!(path.is_absolute(), "{name:?}: {path:?}");
                let own = exports && (name == "p" || name.starts_with("p/"));
                assert!(!own || path.starts_with(&package), "{name:?} leads out of its package to {path:?}");
                assert!(format != Format::Json || path.extension().is_some_and(|extension| extension == "json"), "{path:?}");
            }
            let answer = Loader::new(|_| false).resolve(&name, &from, kind);
            assert!(serde_json::from_str::<Value>(&answer).is_ok_and(|answer| answer.is_object()), "{answer}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(seeds: &[&str]) -> Vec<(String, Vec<u8>)> {
        seeds.iter().enumerate().map(|(n, seed)| (format!("{n:02}"), seed.as_bytes().to_vec())).collect()
    }

    #[test]
    fn texts_and_their_mutants() {
        let seeds = named(&[
            "#!/usr/bin/env node\nimport a, { b as c, default as d } from './x.js'; import * as n from 'y'\n(a)(c`t`, n.z)",
            "export const [x, { y = 1, ...rest }] = f(), z = class {}\nexport { x as 'a b', y as default }; x++; ({ x, y })",
            "export default async function* g () { for await (const v of w) yield* v }\nexport function f () { return f }",
            "export default class extends f { static #p = import.meta.url; static { import('./y.js') } }",
            "export * from 'a'; export * as ns from 'b' with { type: 'json' }; export { q, r as s } from 'c'",
            "import x from 'x'\nlabel: for (x.y of await z) { let x = 1; with_(x); break label }",
            "import json from './a.json' with { type: 'json' }; import 'side'; export default json?.[`${json}`] ?? (() => json)",
            "const y = await import('x'); exports.a = 1; module.exports = { ...y }; require('z')",
            "Object.defineProperty(exports, 'a', { enumerable: true, get: function () { return m.b } }); __exportStar(require('q'), exports)",
            "import { a } from 'a'\n;[a] = [1]\nif (a) a\u{2028}else a++; typeof a; delete a.b; ({ a } = {}); export { a }",
            "file:///tmp/a%20b/../c.js?x#y",
        ]);
        crate::replay("modules", &seeds, 10_000, texts);
    }

    #[test]
    fn file_urls_and_their_mutants() {
        let seeds = named(&[
            "file:///tmp/a%20b/../c.js?x#y",
            "file://localhost/%E6%97%A5.html",
            "file:/a/./b%2fc",
            "file:///%+f%-1% 1%1",
            "file://server/a",
            "a b\u{e9}",
            "..",
            "",
        ]);
        crate::replay("file_url", &seeds, 20_000, file_urls);
    }

    #[test]
    fn packages_and_their_mutants() {
        let seeds = named(&[
            "\0{\"main\": \"lib\"}",
            "/lib/a.js\0{\"name\": \"p\", \"type\": \"module\"}",
            "/a\0{\"name\": \"p\", \"exports\": {\".\": \"./index.js\", \"./*\": {\"import\": \"./lib/*.mjs\", \"default\": [\"./lib/*.js\", null]}}}",
            "\0{\"exports\": {\"node\": \"./bin\", \"default\": \"./../../outside.js\"}}",
            "x\0{\"imports\": {\"#x\": \"./lib/a.js\", \"#y/*\": \"p/lib/*\", \"#z\": \"#z\"}}",
            "y/a.js\0{\"name\": \"p\", \"imports\": {\"#y/*\": [\"./lib/*\", \"fs\"]}}",
            "z\0{\"imports\": {\"#z\": \"#z\"}}",
            "./lib/%61.js?v#h\0{}",
            "../../outside\0{\"type\": \"commonjs\"}",
        ]);
        let folder = Folder::new();
        crate::replay("packages", &seeds, 2_000, |bytes| packages(&folder, bytes));
    }
}
