//! The natives: what the host's scripts call. Numbers, strings and bytes cross; the classes a program sees are JavaScript.

mod encodings;
mod io;
mod modules;
mod operations;
mod ports;
mod system;

use rquickjs::{Ctx, Object, Result};

pub(crate) use operations::told;
pub use ports::{with_ports, written};
pub(crate) use system::compile;

use crate::host::host;

/// The object that holds them all.
pub(crate) fn object<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    system::register(ctx, &natives)?;
    io::register(&natives)?;
    modules::register(&natives)?;
    operations::register(&natives)?;
    encodings::register(&natives)?;
    ports::register(&natives)?;
    host().embedder.register(&natives)?;
    Ok(natives)
}
