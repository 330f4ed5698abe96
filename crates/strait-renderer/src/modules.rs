//! The natives for `require` and `import`: they resolve names and read files. Only a realm with
//! `ipcRenderer` may use them.

use std::path::Path;

use serde_json::json;
use strait_modules::{CommonJs, Kind, Loader, commonjs, is_module, module, read_text, url_of_path};

use crate::agent::Agent;
use crate::builtins;
use crate::ffi::{Args, NativeResult};
use crate::files;
use crate::realm::Realm;

/// Names in scope in every file of a preload or page, beside those of Node's modules.
const GLOBALS: &[&str] = &["process"];

thread_local! {
    static LOADER: Loader = Loader::new(builtins::has).with_missing(|| format!("Strait's pages have {} (docs/node-modules.md)", builtins::list()));
}

/// The error of a sandboxed preload that requires any other module.
fn refusal(name: &str) -> String {
    format!(
        "Cannot find module '{name}': a sandboxed preload has {} (docs/node-modules.md); for other modules, set webPreferences.sandbox to false",
        builtins::FOR_SANDBOXED.join(", ")
    )
}

/// The text of a script's file. A sandboxed page gets only its preload's text, which main reads.
fn text_of(agent: &Agent, realm: &Realm, path: &Path) -> Result<String, String> {
    if !realm.privileges.sandboxed {
        return read_text(path).map_err(|error| files::unreadable(path, &error));
    }
    let document = agent.document(realm.document.get()).filter(|_| realm.privileges.preload.as_deref() == Some(path));
    document.map_or_else(|| Err(refusal(&path.display().to_string())), |document| agent.preload_text(document.page))
}

/// `(name, from, isImport)`: the answer of [`Loader::resolve`].
pub(crate) fn resolve<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let is_import = args.get(2).as_bool() == Some(true);
    if realm.privileges.sandboxed {
        let code = if is_import { "ERR_MODULE_NOT_FOUND" } else { "MODULE_NOT_FOUND" };
        return NativeResult::Text(json!({ "error": { "class": "Error", "code": code, "message": refusal(&args.text(0)) } }).to_string());
    }
    let kind = if is_import { Kind::Import } else { Kind::Require };
    NativeResult::Text(LOADER.with(|loader| loader.resolve(&args.text(0), Path::new(&args.text(1)), kind)))
}

/// `(path)`: the file's text.
pub(crate) fn read<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    match text_of(agent, realm, Path::new(&args.text(0))) {
        Ok(text) => NativeResult::Text(text),
        Err(text) => NativeResult::Throw(text),
    }
}

/// `(path)`: the file's folder.
pub(crate) fn folder<'a>(_: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let path = args.text(0);
    NativeResult::Text(Path::new(&path).parent().map_or_else(String::new, |folder| folder.display().to_string()))
}

/// `(path)`: the file's URL.
pub(crate) fn url<'a>(_: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Text(url_of_path(Path::new(&args.text(0))))
}

/// A syntax error in a file's text, for the glue to throw.
fn mistake<'a>(message: &str, line: usize, column: usize) -> NativeResult<'a> {
    NativeResult::Text(json!({ "message": message, "line": line, "column": column }).to_string())
}

/// `(path)`: the file as a CommonJS function, or its syntax error.
pub(crate) fn compile<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    let path = Path::new(&path);
    let text = match text_of(agent, realm, path) {
        Ok(text) => commonjs(&text),
        Err(text) => return NativeResult::Throw(text),
    };
    match realm.context.evaluate(&files::wrap(&text.source, text.import.as_deref()), &url_of_path(path), 1) {
        Ok(function) => NativeResult::Value(function.rebind(args)),
        Err(_) if is_module(&text.source) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            mistake(
                &format!("Cannot use import statement outside a module: {name} is an ES module, and a preload's name must end in .mjs"),
                1,
                1,
            )
        }
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}

/// `(path, url)`: the value of an ES module's transformed text, or its syntax error.
pub(crate) fn compile_module<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    let source = match text_of(agent, realm, Path::new(&path)) {
        Ok(source) => source,
        Err(text) => return NativeResult::Throw(text),
    };
    match module(&source, GLOBALS) {
        Ok(text) => match realm.context.evaluate(&text, &args.text(1), 1) {
            Ok(value) => NativeResult::Value(value.rebind(args)),
            Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
        },
        Err(error) => mistake(&error.message, error.line, error.column),
    }
}

/// `(path)`: the exports of a CommonJS file, `{ names, from }`.
pub(crate) fn names<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    match text_of(agent, realm, Path::new(&path)) {
        Ok(text) => {
            let (names, from) = CommonJs::names(&text);
            NativeResult::Text(json!({ "names": names, "from": from }).to_string())
        }
        Err(text) => NativeResult::Throw(text),
    }
}

/// `(name)`: a built-in module as a CommonJS function. Returns nothing if there is none of that
/// name, and an error text if this page may not use it.
pub(crate) fn builtin<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let name = args.text(0);
    if realm.privileges.ipc && builtins::needs_system(&name) && !realm.privileges.system {
        return NativeResult::Text(refusal(&name));
    }
    let Some(text) = builtins::source(&name).filter(|_| realm.privileges.ipc) else { return NativeResult::Nothing };
    match realm.context.evaluate(&files::wrap(text, None), &format!("strait:{name}"), 1) {
        Ok(function) => NativeResult::Value(function.rebind(args)),
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}
