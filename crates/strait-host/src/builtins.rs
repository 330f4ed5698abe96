//! The runtime's native modules, by name, and the globals they bring.

use llrt_modules::{abort, buffer, events, exceptions, fs, os, path, perf_hooks, process, string_decoder, url, util};
use rquickjs::{
    Ctx, Exception, Module, Object, Result,
    module::{Evaluated, ModuleDef},
};

/// Puts the web platform's and Node's globals in place that the runtime implements natively.
pub(crate) fn init_globals(ctx: &Ctx<'_>) -> Result<()> {
    exceptions::init(ctx)?;
    events::init(ctx)?;
    abort::init(ctx)?;
    util::init(ctx)?;
    buffer::init(ctx)?;
    url::init(ctx)?;
    perf_hooks::init(ctx)?;
    process::init(ctx)
}

/// The default export of native module `name`.
pub(crate) fn module<'js>(ctx: Ctx<'js>, name: String) -> Result<Object<'js>> {
    let module = match name.as_str() {
        "buffer" => load::<buffer::BufferModule>(&ctx, &name)?,
        "fs" => load::<fs::FsModule>(&ctx, &name)?,
        "fs/promises" => load::<fs::FsPromisesModule>(&ctx, &name)?,
        "os" => load::<os::OsModule>(&ctx, &name)?,
        "path" => load::<path::PathModule>(&ctx, &name)?,
        "string_decoder" => load::<string_decoder::StringDecoderModule>(&ctx, &name)?,
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
