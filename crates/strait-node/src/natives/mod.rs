//! The natives: functions of JavaScript that take and give numbers, strings, bytes, and plain objects of them.

mod app;
mod contents;
mod page;
mod ports;
mod utility;

use std::rc::Rc;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{FromNapiValue, FunctionCallContext, Object, ToNapiValue},
};

use crate::{
    ffi::Made,
    host::{self, Host},
};

/// One call of a native.
pub(super) struct Call<'a> {
    context: FunctionCallContext<'a>,
    pub(super) host: Rc<Host>,
}

impl Call<'_> {
    /// An argument. One that is missing or of another type is an error: a mistake of the package's own scripts.
    pub(super) fn get<T: FromNapiValue>(&self, index: usize) -> Result<T> {
        self.context.get(index)
    }

    /// The bytes that a script wrote into a buffer of its own: the buffer is argument `index`, how many there are the next one.
    pub(super) fn written(&self, index: usize) -> Result<&[u8]> {
        let (bytes, length): (&[u8], u32) = (self.get(index)?, self.get(index + 1)?);
        bytes.get(..length as usize).ok_or_else(|| Error::from_reason("more bytes than the buffer has"))
    }

    /// A plain object.
    pub(super) fn plain<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T> {
        let object: Object<'_> = self.get(index)?;
        self.context.env.from_js_value(object)
    }
}

/// The object of natives that is being made.
pub(super) struct Natives<'env> {
    env: &'env Env,
    object: Object<'env>,
}

impl Natives<'_> {
    /// Adds a function.
    pub(super) fn set<T: ToNapiValue + 'static>(&mut self, name: &str, run: impl Fn(&Call<'_>) -> Result<T> + 'static) -> Result<()> {
        let function = self.env.create_function_from_closure::<(), T, _>(name, move |context| {
            let host = host::current().ok_or_else(|| Error::from_reason("Strait has not been started in this thread"))?;
            run(&Call { context, host })
        })?;
        self.object.set(name, function)
    }
}

/// All of them.
pub(crate) fn object<'env>(env: &'env Env, host: &Host) -> Result<Object<'env>> {
    let mut natives = Natives { env, object: Object::new(env)? };
    natives.object.set("stage", Made(host.stage().map_err(Error::from_reason)?))?;
    natives.object.set("version", env!("CARGO_PKG_VERSION"))?;
    natives.set("codecSource", |_| Ok(strait_clone::JS_CODEC))?;
    natives.set("printable", |call| Ok(strait::printable(&call.get::<String>(0)?).into_owned()))?;
    natives.set("report", |call| {
        strait_output::report!("{}", call.get::<String>(0)?);
        Ok(())
    })?;
    natives.set("finish", |call| {
        call.host.finish();
        Ok(())
    })?;
    ports::register(&mut natives)?;
    app::register(&mut natives)?;
    contents::register(&mut natives)?;
    page::register(&mut natives)?;
    utility::register(&mut natives)?;
    Ok(natives.object)
}
