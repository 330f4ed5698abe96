//! Errors with Node's codes and texts.

use std::{fmt, path::Path};

/// The constructor of a [`ModuleError`] in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `Error`
    Error,
    /// `TypeError`
    TypeError,
}

/// A name that cannot be resolved, with Node's code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleError {
    /// The code that programs check, such as `ERR_MODULE_NOT_FOUND`.
    pub code: &'static str,
    /// Its constructor in JavaScript.
    pub class: Class,
    /// Its text. For `MODULE_NOT_FOUND` the host adds the requiring files.
    pub message: String,
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for ModuleError {}

/// ` imported from FILE`; empty if the importing file is not known.
fn imported(base: Option<&Path>) -> String {
    base.map_or_else(String::new, |base| format!(" imported from {}", base.display()))
}

impl ModuleError {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, class: Class::Error, message }
    }

    fn of_type(code: &'static str, message: String) -> Self {
        Self { code, class: Class::TypeError, message }
    }

    pub(crate) fn cannot_find(what: &str) -> Self {
        Self::new("MODULE_NOT_FOUND", format!("Cannot find module '{what}'"))
    }

    pub(crate) fn bad_main(file: &Path) -> Self {
        let text = format!("Cannot find module '{}'. Please verify that the package.json has a valid \"main\" entry", file.display());
        Self::new("MODULE_NOT_FOUND", text)
    }

    pub(crate) fn not_found(kind: &str, what: &str, base: Option<&Path>) -> Self {
        Self::new("ERR_MODULE_NOT_FOUND", format!("Cannot find {kind} '{what}'{}", imported(base)))
    }

    pub(crate) fn directory(folder: &Path, base: Option<&Path>) -> Self {
        let text = format!("Directory import '{}' is not supported resolving ES modules{}", folder.display(), imported(base));
        Self::new("ERR_UNSUPPORTED_DIR_IMPORT", text)
    }

    pub(crate) fn invalid_specifier(specifier: &str, reason: &str, base: Option<&Path>) -> Self {
        Self::of_type("ERR_INVALID_MODULE_SPECIFIER", format!("Invalid module \"{specifier}\" {reason}{}", imported(base)))
    }

    pub(crate) fn invalid_config(file: &Path, base: &str, reason: &str) -> Self {
        let by = if base.is_empty() { String::new() } else { format!(" while importing {base}") };
        let reason = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        Self::new("ERR_INVALID_PACKAGE_CONFIG", format!("Invalid package config {}{by}.{reason}", file.display()))
    }

    pub(crate) fn not_exported(folder: &Path, subpath: &str, base: Option<&Path>) -> Self {
        let file = folder.join("package.json");
        let file = file.display();
        let text = if subpath == "." {
            format!("No \"exports\" main defined in {file}{}", imported(base))
        } else {
            format!("Package subpath '{subpath}' is not defined by \"exports\" in {file}{}", imported(base))
        };
        Self::new("ERR_PACKAGE_PATH_NOT_EXPORTED", text)
    }

    pub(crate) fn import_not_defined(specifier: &str, folder: Option<&Path>, base: Option<&Path>) -> Self {
        let place = folder.map_or_else(String::new, |folder| format!(" in package {}", folder.join("package.json").display()));
        let text = format!("Package import specifier \"{specifier}\" is not defined{place}{}", imported(base));
        Self::of_type("ERR_PACKAGE_IMPORT_NOT_DEFINED", text)
    }

    /// `target` is JSON. `relative`: the target is a text that leads out of the package, or does
    /// not begin with `./`.
    pub(crate) fn invalid_target(folder: &Path, key: &str, target: &str, relative: bool, imports: bool, base: Option<&Path>) -> Self {
        let file = folder.join("package.json");
        let file = file.display();
        let end = if relative { "; targets must start with \"./\"" } else { "" };
        let text = if key == "." {
            format!("Invalid \"exports\" main target {target} defined in the package config {file}{}{end}", imported(base))
        } else {
            let table = if imports { "imports" } else { "exports" };
            format!("Invalid \"{table}\" target {target} defined for '{key}' in the package config {file}{}{end}", imported(base))
        };
        Self::new("ERR_INVALID_PACKAGE_TARGET", text)
    }

    pub(crate) fn unknown_builtin(name: &str) -> Self {
        Self::new("ERR_UNKNOWN_BUILTIN_MODULE", format!("No such built-in module: {name}"))
    }

    pub(crate) fn unsupported_scheme(scheme: &str) -> Self {
        let text = format!("Only URLs with a scheme in: file and node are supported by the ESM loader. Received protocol '{scheme}'");
        Self::new("ERR_UNSUPPORTED_ESM_URL_SCHEME", text)
    }

    pub(crate) fn invalid_url(text: &str) -> Self {
        Self::of_type("ERR_INVALID_URL", format!("Invalid URL: {text}"))
    }

    pub(crate) fn unknown_extension(extension: &str, file: &Path) -> Self {
        Self::of_type("ERR_UNKNOWN_FILE_EXTENSION", format!("Unknown file extension \"{extension}\" for {}", file.display()))
    }

    pub(crate) fn addon(file: &Path) -> Self {
        Self::new("ERR_DLOPEN_FAILED", format!("{} is a native Node addon, which Strait cannot load", file.display()))
    }
}
