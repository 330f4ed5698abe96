//! The natives of a main process, besides those of all addons.

mod app;
mod contents;
mod page;
mod utility;

use std::rc::Rc;

use napi::{Env, Result, bindgen_prelude::Object};

use crate::host::Host;

/// One call of a native.
type Call<'a> = strait_node_core::Call<'a, Host>;
/// The object of natives under construction.
type Natives<'env> = strait_node_core::Natives<'env, Host>;

/// The object with all natives.
pub(crate) fn object<'env>(env: &'env Env, host: Rc<Host>) -> Result<Object<'env>> {
    let mut natives = Natives::new(env, host)?;
    natives.set("printable", |call| Ok(strait::printable(&call.get::<String>(0)?).into_owned()))?;
    natives.set("finish", |call| {
        call.host.finish();
        strait_node_core::stop();
        Ok(())
    })?;
    app::register(&mut natives)?;
    contents::register(&mut natives)?;
    page::register(&mut natives)?;
    utility::register(&mut natives)?;
    Ok(natives.into_object())
}
