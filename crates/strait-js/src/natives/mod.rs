//! The natives: what the host's scripts call. Numbers, strings and bytes cross; objects do not.

mod system;

use rquickjs::{Ctx, Object, Result};

pub(crate) use system::compile;

/// The object that holds them all.
pub(crate) fn object<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    system::register(ctx, &natives)?;
    Ok(natives)
}
