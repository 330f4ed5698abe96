//! The runtime's native modules, by name, and the globals they bring.

use llrt_modules::buffer::{Blob, File};
use llrt_modules::{abort, buffer, events, exceptions, path, perf_hooks, process, url, util};
use rquickjs::{
    Class, Ctx, Exception, Module, Object, Result,
    atom::PredefinedAtom,
    module::{Evaluated, ModuleDef},
    prelude::Func,
};

/// Puts the web platform's and Node's globals in place that the runtime implements natively.
pub(crate) fn init_globals(ctx: &Ctx<'_>) -> Result<()> {
    exceptions::init(ctx)?;
    events::init(ctx)?;
    abort::init(ctx)?;
    util::init(ctx)?;
    init_blobs(ctx)?;
    url::init(ctx)?;
    perf_hooks::init(ctx)?;
    process::init(ctx)
}

/// What `buffer::init` does without its class `Buffer`, which nothing could replace (scripts see a class that was evaluated before they see a property of the global object);
/// ours is in JavaScript.
fn init_blobs(ctx: &Ctx<'_>) -> Result<()> {
    let globals = ctx.globals();
    if let Some(constructor) = Class::<Blob>::create_constructor(ctx)? {
        constructor.prop(PredefinedAtom::SymbolHasInstance, Func::from(Blob::has_instance))?;
        globals.set("Blob", constructor)?;
    }
    Class::<File>::define(&globals)?;
    globals.set("atob", Func::from(buffer::atob))?;
    globals.set("btoa", Func::from(buffer::btoa))
}

/// The default export of native module `name`.
pub(crate) fn module<'js>(ctx: Ctx<'js>, name: String) -> Result<Object<'js>> {
    let module = match name.as_str() {
        "path" => load::<path::PathModule>(&ctx, &name)?,
        "url" => load::<url::UrlModule>(&ctx, &name)?,
        "util" => load::<util::UtilModule>(&ctx, &name)?,
        _ => return Err(Exception::throw_reference(&ctx, &format!("no native module {name}"))),
    };
    module.namespace()?.get("default")
}

/// Native modules evaluate at once: there is nothing to wait for.
fn load<'js, M: ModuleDef>(ctx: &Ctx<'js>, name: &str) -> Result<Module<'js, Evaluated>> {
    let (module, done) = Module::evaluate_def::<M, _>(ctx.clone(), name)?;
    done.finish::<()>()?;
    Ok(module)
}
