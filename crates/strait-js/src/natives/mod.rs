//! The natives: what the host's scripts call. Numbers, strings and bytes cross; the classes a program sees are JavaScript.

mod app;
mod contents;
mod page;
mod ports;
mod system;

use rquickjs::{Ctx, Object, Result};

pub(crate) use system::compile;

/// The object that holds them all.
pub(crate) fn object<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    system::register(ctx, &natives)?;
    ports::register(&natives)?;
    app::register(&natives)?;
    contents::register(&natives)?;
    page::register(&natives)?;
    Ok(natives)
}
