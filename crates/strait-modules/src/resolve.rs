//! Resolves names to files, for `require` (<https://nodejs.org/api/modules.html#all-together>) and
//! `import` (<https://nodejs.org/api/esm.html#resolution-algorithm-specification>).

use std::{
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use crate::{
    ModuleError,
    exports::{Lookup, Target},
    package::{Manifest, Packages, Type},
    url::{decoded, has_encoded_slash, normal, path_of_url, split_suffix},
};

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `require(name)`
    Require,
    /// `import … from 'name'` or `import(name)`
    Import,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A CommonJS module.
    CommonJs,
    /// An ES module.
    Module,
    /// A `.js` file that belongs to no `"type"`: an ES module if its text can only be one
    /// ([`crate::is_module`]).
    Either,
    /// JSON.
    Json,
}

/// The result of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A module of the host, by its name without `node:`.
    Builtin(String),
    /// A file.
    File {
        /// The absolute path, with symbolic links resolved.
        path: PathBuf,
        /// The file's format.
        format: Format,
        /// The URL's query and fragment. A file with another suffix is another module.
        suffix: String,
    },
}

const EXTENSIONS: [&str; 3] = [".js", ".json", ".node"];
const REQUIRE: &[&str] = &["node", "electron", "require", "module-sync"];
const IMPORT: &[&str] = &["node", "electron", "import", "module-sync"];

/// Resolves names. It caches manifests.
pub struct Resolver {
    packages: Packages,
    builtin: Box<dyn Fn(&str) -> bool>,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

enum Stat {
    File,
    Folder,
    Nothing,
}

fn stat(path: &Path) -> Stat {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Stat::Folder,
        Ok(_) => Stat::File,
        Err(_) => Stat::Nothing,
    }
}

fn is_file(path: &Path) -> bool {
    matches!(stat(path), Stat::File)
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.to_owned().into_os_string();
    text.push(suffix);
    text.into()
}

fn is_relative(name: &str) -> bool {
    name == "." || name == ".." || name.starts_with("./") || name.starts_with("../")
}

/// Splits a name into the package's name and the subpath (`.` or `./…`).
fn package_parts(name: &str) -> Option<(&str, String)> {
    let mut slashes = name.match_indices('/').map(|(at, _)| at);
    let end = if name.starts_with('@') {
        slashes.next().and_then(|_| slashes.next().or(Some(name.len())))
    } else {
        slashes.next().or(Some(name.len()))
    };
    let (package, rest) = name.split_at(end?);
    let bare = package.strip_prefix('@').unwrap_or(package);
    (!bare.is_empty() && !package.starts_with('.') && !package.contains(['\\', '%'])).then(|| (package, format!(".{rest}")))
}

impl Resolver {
    /// `builtin` returns whether the host has a module of its own with this name, which is without
    /// `node:`.
    pub fn new(builtin: impl Fn(&str) -> bool + 'static) -> Self {
        Self { packages: Packages::default(), builtin: Box::new(builtin) }
    }

    /// Resolves `name` in the file `from`. That file need not exist, because only its folder is
    /// used.
    ///
    /// # Errors
    /// Those of Node, with its codes and texts.
    pub fn resolve(&self, name: &str, from: &Path, kind: Kind) -> Result<Resolved, ModuleError> {
        if let Some(bare) = name.strip_prefix("node:") {
            return if (self.builtin)(bare) { Ok(Resolved::Builtin(bare.to_owned())) } else { Err(ModuleError::unknown_builtin(name)) };
        }
        if (self.builtin)(name) {
            return Ok(Resolved::Builtin(name.to_owned()));
        }
        match kind {
            Kind::Require => self.require(name, from),
            Kind::Import => self.import(name, from),
        }
    }

    /// The format of a file that is given by its path, such as a program's entry.
    ///
    /// # Errors
    /// If the file is a native addon, or a `package.json` above it is invalid.
    pub fn format(&self, path: &Path) -> Result<Format, ModuleError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Ok(match &*extension {
            "mjs" => Format::Module,
            "cjs" => Format::CommonJs,
            "json" => Format::Json,
            "node" => return Err(ModuleError::addon(path)),
            "js" => match self.packages.scope(path)?.and_then(|package| package.kind) {
                Some(Type::Module) => Format::Module,
                Some(Type::CommonJs) => Format::CommonJs,
                None => Format::Either,
            },
            _ => Format::CommonJs,
        })
    }

    // require

    fn require(&self, name: &str, from: &Path) -> Result<Resolved, ModuleError> {
        let path = match self.scope_importing(name, from)? {
            Some(package) => {
                internal(name, from)?;
                let lookup = Lookup { conditions: REQUIRE, base: Some(from) };
                match lookup.imports(&package, name)? {
                    Target::File(file) => existing(&file, || ModuleError::cannot_find(&file.display().to_string()))?,
                    // Another entry of `imports` is not permitted, because it could refer back to
                    // this one.
                    Target::Name(name) if name.starts_with('#') => return Err(ModuleError::cannot_find(&name)),
                    Target::Name(name) => return self.resolve(&name, &package.folder.join("package.json"), Kind::Require),
                }
            }
            None => self.required(name, from)?,
        };
        Ok(Resolved::File { format: self.format(&path)?, path, suffix: String::new() })
    }

    /// The package that contains `from`, if `name` begins with `#` and the package has `imports`.
    fn scope_importing(&self, name: &str, from: &Path) -> Result<Option<Rc<Manifest>>, ModuleError> {
        if !name.starts_with('#') {
            return Ok(None);
        }
        Ok(self.packages.scope(from)?.filter(|package| package.imports.is_some()))
    }

    fn required(&self, name: &str, from: &Path) -> Result<PathBuf, ModuleError> {
        let folder = from.parent().unwrap_or(Path::new("/"));
        let missing = || ModuleError::cannot_find(name);
        if name.starts_with('/') || is_relative(name) {
            return self.find(folder, name)?.ok_or_else(missing);
        }
        let parts = package_parts(name);
        if let Some((package, subpath)) = &parts
            && let Some(own) = self.packages.scope(from)?.filter(|own| own.name.as_deref() == Some(*package))
            && let Some(exports) = &own.exports
        {
            return Self::exported(&own, exports, subpath, Some(from));
        }
        for folder in folder.ancestors().filter(|folder| !folder.ends_with("node_modules")) {
            let modules = folder.join("node_modules");
            if !matches!(stat(&modules), Stat::Folder) {
                continue;
            }
            if let Some((package, subpath)) = &parts
                && let Some(found) = self.packages.read(&modules.join(package))?
                && let Some(exports) = &found.exports
            {
                return Self::exported(&found, exports, subpath, None);
            }
            if let Some(found) = self.find(&modules, name)? {
                return Ok(found);
            }
        }
        Err(missing())
    }

    fn exported(package: &Manifest, exports: &serde_json::Value, subpath: &str, base: Option<&Path>) -> Result<PathBuf, ModuleError> {
        let file = Lookup { conditions: REQUIRE, base }.exports(package, exports, subpath)?;
        existing(&file, || ModuleError::cannot_find(&file.display().to_string()))
    }

    /// Finds `name` in `folder`: as a file, with an extension, or as a folder.
    fn find(&self, folder: &Path, name: &str) -> Result<Option<PathBuf>, ModuleError> {
        let base = normal(&folder.join(name));
        let as_folder = name.ends_with('/') || name == "." || name == ".." || name.ends_with("/.") || name.ends_with("/..");
        let kind = stat(&base);
        if !as_folder {
            if matches!(kind, Stat::File) {
                return Ok(Some(real(&base)));
            }
            if let Some(found) = extended(&base) {
                return Ok(Some(found));
            }
        }
        if !matches!(kind, Stat::Folder) {
            return Ok(None);
        }
        let index = || extended(&base.join("index"));
        let Some(main) = self.packages.read(&base)?.and_then(|package| package.main.clone()).filter(|main| !main.is_empty()) else {
            return Ok(index());
        };
        let file = normal(&base.join(main));
        let found = if is_file(&file) { Some(real(&file)) } else { extended(&file).or_else(|| extended(&file.join("index"))) };
        found.or_else(index).map(Some).ok_or_else(|| ModuleError::bad_main(&file))
    }

    // import

    fn import(&self, name: &str, from: &Path) -> Result<Resolved, ModuleError> {
        if name.starts_with('/') || name.starts_with("./") || name.starts_with("../") || name == "." || name == ".." {
            let (path, suffix) = split_suffix(name);
            if has_encoded_slash(path) {
                let whole = normal(&from.parent().unwrap_or(Path::new("/")).join(path));
                return Err(encoded_slash(&whole.display().to_string(), from));
            }
            let path = decoded(path).ok_or_else(|| ModuleError::invalid_url(name))?;
            let file = from.parent().unwrap_or(Path::new("/")).join(&path);
            let mut file = normal(&file);
            if path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") || path == "." || path == ".." {
                file = with(&file, "/");
            }
            return self.imported(&file, suffix, from);
        }
        if name.starts_with('#') {
            let package = self.packages.scope(from)?;
            let Some(package) = package else { return Err(ModuleError::import_not_defined(name, None, Some(from))) };
            internal(name, from)?;
            let lookup = Lookup { conditions: IMPORT, base: Some(from) };
            return match lookup.imports(&package, name)? {
                Target::File(file) => self.imported(&file, "", from),
                Target::Name(name) if name.starts_with('#') => Err(ModuleError::not_found("package", &name, Some(from))),
                Target::Name(name) => self.resolve(&name, &package.folder.join("package.json"), Kind::Import),
            };
        }
        if let Some(scheme) = scheme(name) {
            if scheme != "file" {
                return Err(ModuleError::unsupported_scheme(&format!("{scheme}:")));
            }
            if has_encoded_slash(split_suffix(name).0) {
                return Err(encoded_slash(name, from));
            }
            let path = path_of_url(name).ok_or_else(|| ModuleError::invalid_url(name))?;
            let (_, suffix) = split_suffix(name);
            return self.imported(&path, suffix, from);
        }
        let file = self.packaged(name, from)?;
        self.imported(&file, "", from)
    }

    fn packaged(&self, name: &str, from: &Path) -> Result<PathBuf, ModuleError> {
        let Some((package, subpath)) = package_parts(name) else {
            return Err(ModuleError::invalid_specifier(name, "is not a valid package name", Some(from)));
        };
        let lookup = Lookup { conditions: IMPORT, base: Some(from) };
        if let Some(own) = self.packages.scope(from)?.filter(|own| own.name.as_deref() == Some(package))
            && let Some(exports) = &own.exports
        {
            return lookup.exports(&own, exports, &subpath);
        }
        for folder in from.ancestors().skip(1).filter(|folder| !folder.ends_with("node_modules")) {
            let root = folder.join("node_modules").join(package);
            if !matches!(stat(&root), Stat::Folder) {
                continue;
            }
            let manifest = self.packages.read(&root)?;
            if let Some(found) = &manifest
                && let Some(exports) = &found.exports
            {
                return lookup.exports(found, exports, &subpath);
            }
            if subpath == "." {
                let main = manifest.and_then(|package| package.main.clone());
                let shown = main.as_ref().map_or_else(|| root.clone(), |main| root.join(main));
                return legacy_main(&root, main.as_deref())
                    .ok_or_else(|| ModuleError::not_found("package", &shown.display().to_string(), Some(from)));
            }
            return Ok(normal(&root.join(decoded(&subpath).ok_or_else(|| ModuleError::invalid_url(name))?)));
        }
        Err(ModuleError::not_found("package", package, Some(from)))
    }

    fn imported(&self, file: &Path, suffix: &str, from: &Path) -> Result<Resolved, ModuleError> {
        match stat(file) {
            Stat::Folder => return Err(ModuleError::directory(file, Some(from))),
            Stat::Nothing => return Err(ModuleError::not_found("module", &file.display().to_string(), Some(from))),
            Stat::File => {}
        }
        let path = real(file);
        let format = match path.extension().map(|extension| extension.to_string_lossy().into_owned()).as_deref() {
            Some("js" | "mjs" | "cjs" | "json" | "node") => self.format(&path)?,
            // A file without an extension is a script, for example a command of a package.
            None => match self.packages.scope(&path)?.and_then(|package| package.kind) {
                Some(Type::Module) => Format::Module,
                _ => Format::CommonJs,
            },
            Some(other) => return Err(ModuleError::unknown_extension(&format!(".{other}"), &path)),
        };
        Ok(Resolved::File { path, format, suffix: suffix.to_owned() })
    }
}

/// Checks that `imports` may have this name.
fn internal(name: &str, from: &Path) -> Result<(), ModuleError> {
    if name == "#" || name.starts_with("#/") {
        return Err(ModuleError::invalid_specifier(name, "is not a valid internal imports specifier name", Some(from)));
    }
    Ok(())
}

fn encoded_slash(path: &str, from: &Path) -> ModuleError {
    ModuleError::invalid_specifier(path, "must not include encoded \"/\" or \"\\\" characters", Some(from))
}

fn existing(file: &Path, missing: impl Fn() -> ModuleError) -> Result<PathBuf, ModuleError> {
    if is_file(file) { Ok(real(file)) } else { Err(missing()) }
}

fn extended(base: &Path) -> Option<PathBuf> {
    EXTENSIONS.iter().map(|extension| with(base, extension)).find(|file| is_file(file)).map(|file| real(&file))
}

/// The scheme, if the name is a URL.
fn scheme(name: &str) -> Option<&str> {
    let (scheme, _) = name.split_once(':')?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    (scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(fits)).then_some(scheme)
}

/// The file that `import` uses for a package without `exports`.
fn legacy_main(root: &Path, main: Option<&str>) -> Option<PathBuf> {
    let of_main = main.iter().flat_map(|main| {
        let file = normal(&root.join(main));
        ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"].map(|end| with(&file, end))
    });
    let index = ["index.js", "index.json", "index.node"].map(|name| root.join(name));
    of_main.chain(index).find(|file| is_file(file))
}
