//! The natives that `require` and `import` stand on: where a name leads, and what is there. Only a realm with `ipcRenderer` may use them.

use std::path::Path;

use serde_json::json;
use strait_modules::{Kind, Loader, TextError, is_module, url_of_path};

use crate::agent::Agent;
use crate::builtins;
use crate::ffi::{Args, NativeResult};
use crate::files;
use crate::realm::Realm;

/// What every file of a preload or page sees, beside what Node gives its modules.
const GLOBALS: &[&str] = &["process"];

thread_local! {
    static LOADER: Loader = Loader::new(builtins::has).with_globals(GLOBALS).with_missing(|| format!("Strait's pages have {} (docs/node-modules.md)", builtins::list()));
}

/// `(name, from, isImport)`: the answer of [`Loader::resolve`].
pub(crate) fn resolve<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let kind = if args.get(2).as_bool() == Some(true) { Kind::Import } else { Kind::Require };
    NativeResult::Text(LOADER.with(|loader| loader.resolve(&args.text(0), Path::new(&args.text(1)), kind)))
}

/// `(path)`: the file's text.
pub(crate) fn read<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    match files::read(Path::new(&args.text(0))) {
        Ok(text) => NativeResult::Text(text),
        Err(text) => NativeResult::Throw(text),
    }
}

/// `(path)`: its folder.
pub(crate) fn folder<'a>(_: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let path = args.text(0);
    NativeResult::Text(Path::new(&path).parent().map_or_else(String::new, |folder| folder.display().to_string()))
}

/// `(path)`: its URL.
pub(crate) fn url<'a>(_: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Text(url_of_path(Path::new(&args.text(0))))
}

/// A mistake in a file's text, for the glue to throw.
fn mistake<'a>(message: &str, line: usize, column: usize) -> NativeResult<'a> {
    NativeResult::Text(json!({ "message": message, "line": line, "column": column }).to_string())
}

/// `(path)`: the file as a CommonJS function, or what is wrong with it.
pub(crate) fn compile<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    let path = Path::new(&path);
    let text = match LOADER.with(|loader| loader.commonjs(path)) {
        Ok(text) => text,
        Err(error) => return NativeResult::Throw(files::unreadable(path, &error)),
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

/// `(path, url)`: what an ES module's text evaluates to, or what is wrong with it.
pub(crate) fn compile_module<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    let path = Path::new(&path);
    match LOADER.with(|loader| loader.module(path)) {
        Ok(text) => match realm.context.evaluate(&text, &args.text(1), 1) {
            Ok(value) => NativeResult::Value(value.rebind(args)),
            Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
        },
        Err(TextError::Syntax(error)) => mistake(&error.message, error.line, error.column),
        Err(TextError::Read(error)) => NativeResult::Throw(files::unreadable(path, &error)),
    }
}

/// `(path)`: the answer of [`Loader::names`].
pub(crate) fn names<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let path = args.text(0);
    match LOADER.with(|loader| loader.names(Path::new(&path))) {
        Ok(answer) => NativeResult::Text(answer),
        Err(error) => NativeResult::Throw(files::unreadable(Path::new(&path), &error)),
    }
}

/// `(name)`: a module that is built in, as a CommonJS function; nothing if there is none of that name, and a text that says why it is not for this page.
pub(crate) fn builtin<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let name = args.text(0);
    if realm.privileges.ipc && builtins::needs_system(&name) && !realm.privileges.system {
        return NativeResult::Text(format!(
            "Cannot find module '{name}': the page is sandboxed (webPreferences.sandbox); see docs/node-modules.md"
        ));
    }
    let Some(text) = builtins::source(&name).filter(|_| realm.privileges.ipc) else { return NativeResult::Nothing };
    match realm.context.evaluate(&files::wrap(text, None), &format!("strait:{name}"), 1) {
        Ok(function) => NativeResult::Value(function.rebind(args)),
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}
