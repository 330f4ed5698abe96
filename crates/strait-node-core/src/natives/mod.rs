//! The natives: JavaScript functions that take and return numbers, strings, bytes, and plain
//! objects of them.

mod large;
mod ports;
mod values;

use std::rc::Rc;

use napi::{
    Env, Error, Result,
    bindgen_prelude::{FromNapiValue, FunctionCallContext, Object, ToNapiValue},
};

pub(crate) use self::large::LargeMessages;
pub use self::ports::with_ports;
use crate::{
    core::{Host, STAGE},
    ffi::Made,
};

/// One call of a native.
pub struct Call<'a, H> {
    context: FunctionCallContext<'a>,
    /// The state that the native uses.
    pub host: Rc<H>,
}

impl<H> Call<'_, H> {
    /// An argument.
    ///
    /// # Errors
    /// If it is missing or of another type, which is an error in the package's own scripts.
    pub fn get<T: FromNapiValue>(&self, index: usize) -> Result<T> {
        self.context.get(index)
    }

    /// The bytes that a script wrote into a buffer of its own: the buffer is argument `index`, the
    /// number of bytes is the next one.
    ///
    /// # Errors
    /// As [`Call::get`].
    pub fn written(&self, index: usize) -> Result<&[u8]> {
        let bytes: &[u8] = self.get(index)?;
        bytes.get(..self.size(index + 1)?).ok_or_else(|| Error::from_reason("more bytes than the buffer has"))
    }

    /// A number of bytes. It may exceed 2^32, because buffers may.
    ///
    /// # Errors
    /// As [`Call::get`], and a number below 0.
    pub fn size(&self, index: usize) -> Result<usize> {
        usize::try_from(self.get::<i64>(index)?).map_err(|_| Error::from_reason("a size below 0"))
    }

    /// A plain object.
    ///
    /// # Errors
    /// As [`Call::get`].
    pub fn plain<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T> {
        let object: Object<'_> = self.get(index)?;
        self.context.env.from_js_value(object)
    }
}

/// The object of natives under construction.
pub struct Natives<'env, H> {
    env: &'env Env,
    object: Object<'env>,
    host: Rc<H>,
}

impl<'env, H: Host> Natives<'env, H> {
    /// The natives of all addons: those for ports and their codec, and `report`.
    ///
    /// # Errors
    /// If JavaScript has no memory left.
    pub fn new(env: &'env Env, host: Rc<H>) -> Result<Self> {
        let mut natives = Self { env, object: Object::new(env)?, host };
        let stage = natives.host.core().hook.make_stage(STAGE).map_err(Error::from_reason)?;
        natives.object.set("stage", Made(stage))?;
        natives.object.set("version", env!("CARGO_PKG_VERSION"))?;
        natives.set("report", |call| {
            strait_output::report!("{}", call.get::<String>(0)?);
            Ok(())
        })?;
        values::register(&mut natives)?;
        ports::register(&mut natives)?;
        large::register(&mut natives)?;
        Ok(natives)
    }

    /// Adds a function.
    ///
    /// # Errors
    /// If JavaScript has no memory left.
    pub fn set<T: ToNapiValue + 'static>(&mut self, name: &str, run: impl Fn(&Call<'_, H>) -> Result<T> + 'static) -> Result<()> {
        let host = self.host.clone();
        let function =
            self.env.create_function_from_closure::<(), T, _>(name, move |context| run(&Call { context, host: host.clone() }))?;
        self.object.set(name, function)
    }

    /// The object with all natives, for JavaScript.
    pub fn into_object(self) -> Object<'env> {
        self.object
    }
}
