//! Resolves a package's `exports` and `imports`
//! (<https://nodejs.org/api/esm.html#resolution-algorithm-specification>).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{
    ModuleError,
    package::Manifest,
    url::{decoded, url_of_path},
};

/// The destination of a target.
pub(crate) enum Target {
    File(PathBuf),
    /// Another name, to be resolved from the package. Only `imports` may have such targets.
    Name(String),
}

/// The conditions of a look-up, and its origin.
pub(crate) struct Lookup<'a> {
    pub(crate) conditions: &'a [&'a str],
    /// The importing file, for error texts.
    pub(crate) base: Option<&'a Path>,
}

/// `Ok(None)`: no condition holds. `Err`: the target is invalid; in an array the next one may be
/// valid.
type Found = Result<Option<Answer>, ModuleError>;

enum Answer {
    To(Target),
    /// `null`: the name is excluded.
    Nothing,
}

impl Lookup<'_> {
    /// The target of `subpath` (`.` or `./…`).
    pub(crate) fn exports(&self, package: &Manifest, exports: &Value, subpath: &str) -> Result<PathBuf, ModuleError> {
        let wrapped;
        let table = match exports {
            Value::Object(table) if self.has_paths(package, table)? => table,
            conditions => {
                wrapped = Map::from_iter([(".".to_owned(), conditions.clone())]);
                &wrapped
            }
        };
        match self.table(package, table, subpath, false)? {
            Some(Target::File(file)) => Ok(file),
            _ => Err(ModuleError::not_exported(&package.folder, subpath, self.base)),
        }
    }

    /// The target of `#name`.
    pub(crate) fn imports(&self, package: &Manifest, name: &str) -> Result<Target, ModuleError> {
        let missing = || ModuleError::import_not_defined(name, Some(&package.folder), self.base);
        let Some(Value::Object(table)) = &package.imports else { return Err(missing()) };
        self.table(package, table, name, true)?.ok_or_else(missing)
    }

    /// Whether the keys are paths. All keys must be paths, or all must be conditions.
    fn has_paths(&self, package: &Manifest, table: &Map<String, Value>) -> Result<bool, ModuleError> {
        let paths = table.keys().filter(|key| key.starts_with('.')).count();
        if paths != 0 && paths != table.len() {
            let reason = "\"exports\" cannot contain some keys starting with '.' and some not. \
                The exports object must either be an object of package subpath keys or an object of main entry condition name keys only.";
            return Err(ModuleError::invalid_config(&package.folder.join("package.json"), &self.by(), reason));
        }
        Ok(paths != 0)
    }

    /// The URL of the importing file.
    fn by(&self) -> String {
        self.base.map_or_else(String::new, url_of_path)
    }

    fn table(&self, package: &Manifest, table: &Map<String, Value>, key: &str, imports: bool) -> Result<Option<Target>, ModuleError> {
        let exact = table.get(key).filter(|_| !key.contains('*') && !key.ends_with('/'));
        let found = match exact {
            Some(value) => self.target(package, value, key, None, imports)?,
            None => match best_pattern(table, key) {
                Some((pattern, star)) => self.target(package, &table[pattern], pattern, Some(star), imports)?,
                None => None,
            },
        };
        Ok(match found {
            Some(Answer::To(target)) => Some(target),
            Some(Answer::Nothing) | None => None,
        })
    }

    fn target(&self, package: &Manifest, target: &Value, key: &str, star: Option<&str>, imports: bool) -> Found {
        match target {
            Value::String(text) => self.path(package, text, key, star, imports).map(|target| Some(Answer::To(target))),
            Value::Null => Ok(Some(Answer::Nothing)),
            Value::Array(items) => {
                let mut last: Found = Ok(Some(Answer::Nothing));
                for item in items {
                    last = match self.target(package, item, key, star, imports) {
                        Ok(None) => continue,
                        Ok(Some(Answer::Nothing)) => Ok(Some(Answer::Nothing)),
                        Err(error) if error.code == "ERR_INVALID_PACKAGE_TARGET" => Err(error),
                        done => return done,
                    };
                }
                last
            }
            Value::Object(conditions) => {
                if conditions.keys().any(|key| is_index(key)) {
                    let reason = "\"exports\" cannot contain numeric property keys.";
                    return Err(ModuleError::invalid_config(&package.folder.join("package.json"), &self.by(), reason));
                }
                for (condition, value) in conditions {
                    if condition == "default" || self.conditions.contains(&condition.as_str()) {
                        match self.target(package, value, key, star, imports)? {
                            None => {}
                            found => return Ok(found),
                        }
                    }
                }
                Ok(None)
            }
            other => Err(ModuleError::invalid_target(&package.folder, key, &format!("\"{other}\""), !imports, imports, self.base)),
        }
    }

    fn path(&self, package: &Manifest, text: &str, key: &str, star: Option<&str>, imports: bool) -> Result<Target, ModuleError> {
        let invalid = || {
            let shown = Value::from(text).to_string();
            let relative = !text.is_empty() && !text.starts_with("./") && !imports;
            ModuleError::invalid_target(&package.folder, key, &shown, relative, imports, self.base)
        };
        let Some(rest) = text.strip_prefix("./") else {
            if imports && !text.starts_with("../") && !text.starts_with('/') && !text.contains(':') && !text.is_empty() {
                return Ok(Target::Name(star.map_or_else(|| text.to_owned(), |star| text.replace('*', star))));
            }
            return Err(invalid());
        };
        if leaves(rest) {
            return Err(invalid());
        }
        let whole = match star {
            Some(star) if leaves(star) => {
                let file = package.folder.join("package.json");
                let table = if imports { "imports" } else { "exports" };
                let request = key.replace('*', star);
                let reason =
                    format!("request is not a valid match in pattern \"{key}\" for the \"{table}\" resolution of {}", file.display());
                return Err(ModuleError::invalid_specifier(&request, &reason, self.base));
            }
            Some(star) => rest.replace('*', star),
            None => rest.to_owned(),
        };
        let whole = decoded(&whole).ok_or_else(invalid)?;
        Ok(Target::File(package.folder.join(whole)))
    }
}

/// The most specific pattern that `key` matches, and the text that its star matches.
fn best_pattern<'a, 'k>(table: &'a Map<String, Value>, key: &'k str) -> Option<(&'a str, &'k str)> {
    let mut best: Option<(&str, usize, &str)> = None;
    for pattern in table.keys() {
        let Some(star) = pattern.find('*').filter(|star| !pattern[star + 1..].contains('*')) else { continue };
        let (before, after) = (&pattern[..star], &pattern[star + 1..]);
        if key.len() < pattern.len() || key == before || !key.starts_with(before) || !key.ends_with(after) {
            continue;
        }
        if best.is_none_or(|(known, at, _)| (star, pattern.len()) > (at, known.len())) {
            best = Some((pattern, star, &key[star..key.len() - after.len()]));
        }
    }
    best.map(|(pattern, _, star)| (pattern, star))
}

/// Whether a path leaves its package or enters a nested package.
fn leaves(path: &str) -> bool {
    path.split(['/', '\\']).any(|part| {
        let part =
            part.to_ascii_lowercase().replace("%2e", ".").replace("%6e", "n").replace("%6f", "o").replace("%64", "d").replace("%65", "e");
        part == "." || part == ".." || part == "node_modules"
    })
}

fn is_index(key: &str) -> bool {
    key == "0" || !key.starts_with('0') && key.parse::<u32>().is_ok() && key.bytes().all(|byte| byte.is_ascii_digit())
}
