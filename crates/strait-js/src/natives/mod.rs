//! The natives of the main process, beside the host's own. Numbers, strings and bytes cross; the classes a program sees are JavaScript.

mod app;
mod contents;
mod page;
pub(crate) mod utility;

use rquickjs::{Object, Result, prelude::Func};

use crate::program::Program;

/// Adds them to the host's.
pub(crate) fn register(natives: &Object<'_>, about: &Program) -> Result<()> {
    let program: Object<'_> = natives.get("program")?;
    program.set("root", about.root.to_string_lossy().into_owned())?;
    program.set("name", about.name.as_str())?;
    program.set("version", about.version.as_str())?;
    natives.set("printable", Func::from(|text: String| strait::printable(&text).into_owned()))?;
    app::register(natives)?;
    contents::register(natives)?;
    utility::register(natives)?;
    page::register(natives)
}
