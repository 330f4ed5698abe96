//! Natives that find modules and prepare their texts.

use std::path::Path;

use rquickjs::{Ctx, Exception, Object, Result, Value, context::EvalOptions, prelude::Func};
use strait_modules::{ES_MODULES, Kind, TextError, path_of_url, url_of_path};

use crate::host::host;

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("esModules", ES_MODULES)?;
    natives.set("moduleNames", Func::from(module_names))?;
    natives.set("moduleResolve", Func::from(resolve))?;
    natives.set("moduleLocate", Func::from(|path: String| host().modules.locate(Path::new(&path))))?;
    natives.set("moduleCompile", Func::from(compile))?;
    natives.set("moduleCommonJs", Func::from(commonjs))?;
    natives.set("moduleExports", Func::from(exports))?;
    natives.set("urlOfPath", Func::from(|path: String| url_of_path(Path::new(&path))))?;
    natives.set("pathOfUrl", Func::from(|url: String| path_of_url(&url).map(|path| path.to_string_lossy().into_owned())))
}

/// The names of the host's own modules.
fn module_names(names: Vec<String>) {
    host().builtins.borrow_mut().extend(names);
}

fn resolve(name: String, from: String, is_import: bool) -> String {
    let kind = if is_import { Kind::Import } else { Kind::Require };
    host().modules.resolve(&name, Path::new(&from), kind)
}

fn unreadable(ctx: &Ctx<'_>, path: &str, error: &std::io::Error) -> rquickjs::Error {
    Exception::throw_message(ctx, &format!("can't read {path}: {error}"))
}

/// What an ES module's text evaluates to; stacks name its path.
fn compile<'js>(ctx: Ctx<'js>, path: String) -> Result<Value<'js>> {
    let text = match host().modules.module(Path::new(&path)) {
        Ok(text) => text,
        Err(TextError::Read(error)) => return Err(unreadable(&ctx, &path, &error)),
        Err(TextError::Syntax(error)) => {
            let thrown = Exception::throw_syntax(&ctx, &error.message);
            let exception = ctx.catch();
            if let Some(object) = exception.as_object() {
                object.set("stack", format!("SyntaxError: {}\n    at {path}:{}:{}", error.message, error.line, error.column))?;
            }
            let _ = thrown;
            return Err(ctx.throw(exception));
        }
    };
    if text.contains('\0') {
        return Err(Exception::throw_syntax(&ctx, &format!("{path}: a script can't contain a NUL character")));
    }
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(path);
    ctx.eval_with_options(text, options)
}

/// A CommonJS file's text, and what `import()` is called in it.
fn commonjs<'js>(ctx: Ctx<'js>, path: String) -> Result<Object<'js>> {
    let text = host().modules.commonjs(Path::new(&path)).map_err(|error| unreadable(&ctx, &path, &error))?;
    let answer = Object::new(ctx)?;
    answer.set("source", text.source)?;
    answer.set("import", text.import)?;
    Ok(answer)
}

/// What a CommonJS file exports.
fn exports(ctx: Ctx<'_>, path: String) -> Result<String> {
    host().modules.names(Path::new(&path)).map_err(|error| unreadable(&ctx, &path, &error))
}
