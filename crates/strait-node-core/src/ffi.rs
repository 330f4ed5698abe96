//! libuv's handles and the few calls of Node-API that `napi` does not wrap. All of this crate's `unsafe`.

use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    os::fd::{AsRawFd, BorrowedFd},
    ptr, slice,
    sync::OnceLock,
};

use libloading::os::unix::Library;
use napi::{
    Env,
    bindgen_prelude::{ToNapiValue, Uint8Array},
    sys,
};
use serde_json::Value as Json;

use crate::value::Value;

/// `uv_handle_type` of libuv 1.x: an enumeration to which members are only added, at its end.
const UV_ASYNC: c_int = 1;
const UV_POLL: c_int = 8;
const UV_PREPARE: c_int = 9;
/// `UV_READABLE`.
const READABLE: c_int = 1;

type Handle = *mut c_void;
type Loop = *mut c_void;

/// The functions of libuv that are used.
struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(Loop, Handle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(Handle, c_int, extern "C" fn(Handle, c_int, c_int)) -> c_int,
    prepare_init: unsafe extern "C" fn(Loop, Handle) -> c_int,
    prepare_start: unsafe extern "C" fn(Handle, extern "C" fn(Handle)) -> c_int,
    async_init: unsafe extern "C" fn(Loop, Handle, extern "C" fn(Handle)) -> c_int,
    async_send: unsafe extern "C" fn(Handle) -> c_int,
    reference: unsafe extern "C" fn(Handle),
    unref: unsafe extern "C" fn(Handle),
    backend_timeout: unsafe extern "C" fn(Loop) -> c_int,
}

impl Uv {
    fn find() -> Result<Self, String> {
        let node = Library::this();
        macro_rules! find {
            ($name:literal) => {
                // SAFETY: the functions have had these signatures in every libuv 1.x.
                *unsafe { node.get($name) }.map_err(|error| format!("this Node exports no {}: {error}", String::from_utf8_lossy($name)))?
            };
        }
        Ok(Self {
            handle_size: find!(b"uv_handle_size"),
            poll_init: find!(b"uv_poll_init"),
            poll_start: find!(b"uv_poll_start"),
            prepare_init: find!(b"uv_prepare_init"),
            prepare_start: find!(b"uv_prepare_start"),
            async_init: find!(b"uv_async_init"),
            async_send: find!(b"uv_async_send"),
            reference: find!(b"uv_ref"),
            unref: find!(b"uv_unref"),
            backend_timeout: find!(b"uv_backend_timeout"),
        })
    }

    /// Memory for a handle, for ever: the process's one loop has it until the end.
    fn handle(&self, kind: c_int) -> Handle {
        // SAFETY: the kinds are those of `uv_handle_type`.
        let size = unsafe { (self.handle_size)(kind) };
        Box::leak(vec![0_u128; size.div_ceil(size_of::<u128>())].into_boxed_slice()).as_mut_ptr().cast()
    }
}

/// What the loop calls, in its own thread.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    /// The descriptor is readable.
    pub(crate) on_readable: fn(),
    /// The loop is about to poll.
    pub(crate) on_prepare: fn(),
    /// [`Wake::wake`] was called.
    pub(crate) on_wake: fn(),
}

/// Wakes the loop, from any thread.
#[derive(Clone, Copy)]
pub(crate) struct Wake {
    uv: &'static Uv,
    handle: Handle,
}

// SAFETY: `uv_async_send` may be called from any thread, and nothing else is done with the handle.
unsafe impl Send for Wake {}
// SAFETY: as above.
unsafe impl Sync for Wake {}

impl Wake {
    pub(crate) fn wake(self) {
        // SAFETY: the handle was initialised by `watch` and is never closed.
        unsafe { (self.uv.async_send)(self.handle) };
    }
}

/// Node's loop.
#[derive(Clone, Copy)]
pub(crate) struct UvLoop {
    uv: &'static Uv,
    raw: Loop,
    wake: Wake,
}

static CALLBACKS: OnceLock<Callbacks> = OnceLock::new();

extern "C" fn on_readable(_: Handle, _: c_int, _: c_int) {
    if let Some(callbacks) = CALLBACKS.get() {
        (callbacks.on_readable)();
    }
}

extern "C" fn on_prepare(_: Handle) {
    if let Some(callbacks) = CALLBACKS.get() {
        (callbacks.on_prepare)();
    }
}

extern "C" fn on_wake(_: Handle) {
    if let Some(callbacks) = CALLBACKS.get() {
        (callbacks.on_wake)();
    }
}

impl UvLoop {
    /// The loop of this thread, with handles that call `callbacks`. The one for [`Wake`] keeps the process alive; once in a process.
    pub(crate) fn of(env: &Env, callbacks: Callbacks) -> Result<Self, String> {
        static UV: OnceLock<Uv> = OnceLock::new();
        let found = Uv::find()?;
        let uv = UV.get_or_init(|| found);
        CALLBACKS.set(callbacks).map_err(|_| "Strait has been started already".to_owned())?;
        let mut raw: *mut sys::uv_loop_s = ptr::null_mut();
        // SAFETY: the environment is this thread's own, and `raw` a place for the answer.
        check(unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut raw) })?;
        let raw: Loop = raw.cast();
        let (wake, prepare) = (uv.handle(UV_ASYNC), uv.handle(UV_PREPARE));
        // SAFETY: the handles are large enough, stay where they are for ever, and this is the loop's thread.
        let results = unsafe {
            let results = [(uv.async_init)(raw, wake, on_wake), (uv.prepare_init)(raw, prepare), (uv.prepare_start)(prepare, on_prepare)];
            (uv.unref)(prepare);
            results
        };
        if results != [0; 3] {
            return Err(format!("Node's event loop takes no handles: {results:?}"));
        }
        Ok(Self { uv, raw, wake: Wake { uv, handle: wake } })
    }

    pub(crate) fn wake(self) -> Wake {
        self.wake
    }

    /// Polls a descriptor, which stays open for ever. It keeps nothing alive.
    pub(crate) fn poll(self, descriptor: BorrowedFd<'_>) -> Result<(), String> {
        let handle = self.uv.handle(UV_POLL);
        // SAFETY: as in `of`; and the descriptor is open.
        let results = unsafe {
            let init = (self.uv.poll_init)(self.raw, handle, descriptor.as_raw_fd());
            let start = if init == 0 { (self.uv.poll_start)(handle, READABLE, on_readable) } else { 0 };
            if init == 0 {
                (self.uv.unref)(handle);
            }
            [init, start]
        };
        if results == [0; 2] { Ok(()) } else { Err(format!("Node's event loop does not poll: {results:?}")) }
    }

    /// Whether the loop goes on when nothing else keeps it.
    pub(crate) fn keep_alive(self, on: bool) {
        let change = if on { self.uv.reference } else { self.uv.unref };
        // SAFETY: as in `of`; both may be called in any state.
        unsafe { change(self.wake.handle) };
    }

    /// Whether the loop is not going to wait.
    pub(crate) fn is_busy(self) -> bool {
        // SAFETY: this is the loop's thread.
        unsafe { (self.uv.backend_timeout)(self.raw) == 0 }
    }
}

fn check(status: sys::napi_status) -> Result<(), String> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(format!("Node-API: status {status}")) }
}

/// The function of JavaScript's that is called with what happens.
pub struct Hook {
    env: sys::napi_env,
    function: sys::napi_ref,
    context: sys::napi_async_context,
    stage: Cell<*mut u8>,
}

impl Hook {
    /// Keeps `function`, for ever.
    pub(crate) fn new(env: &Env, function: sys::napi_value) -> Result<Self, String> {
        let env = env.raw();
        let (mut reference, mut context, mut name) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment and the value are this call's own; the other pointers are places for answers.
        unsafe {
            check(sys::napi_create_reference(env, function, 1, &raw mut reference))?;
            check(sys::napi_create_string_utf8(env, c"strait".as_ptr(), 6, &raw mut name))?;
            check(sys::napi_async_init(env, ptr::null_mut(), name, &raw mut context))?;
        }
        Ok(Self { env, function: reference, context, stage: Cell::new(ptr::null_mut()) })
    }

    /// The buffer for small messages, made now and kept for ever.
    pub(crate) fn make_stage(&self, length: usize) -> Result<sys::napi_value, String> {
        let (mut data, mut buffer, mut array, mut reference) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is this thread's; the pointers are places for answers. A buffer's memory stays where it is while it is referred to.
        unsafe {
            check(sys::napi_create_arraybuffer(self.env, length, &raw mut data, &raw mut buffer))?;
            check(sys::napi_create_typedarray(self.env, sys::TypedarrayType::uint8_array, length, buffer, 0, &raw mut array))?;
            check(sys::napi_create_reference(self.env, buffer, 1, &raw mut reference))?;
        }
        self.stage.set(data.cast());
        Ok(array)
    }

    /// Copies a small message to the stage, whose length `bytes` does not exceed.
    pub(crate) fn put_on_stage(&self, bytes: &[u8]) {
        // SAFETY: the stage is as long as the caller says and no Rust code refers to it otherwise; JavaScript runs in this thread, so not now.
        unsafe { slice::from_raw_parts_mut(self.stage.get(), bytes.len()) }.copy_from_slice(bytes);
    }

    /// Calls the function as a macrotask of its own: microtasks and ticks follow before this returns. True if it gave `true`. What it throws is an
    /// uncaught error of the program's.
    pub fn call<A: ToNapiValue>(&self, arguments: impl IntoIterator<Item = A>) -> bool {
        let mut is_true = false;
        let mut scope = ptr::null_mut();
        // SAFETY: the environment is this thread's and alive, as libuv has just called this thread's loop. The values are made in the scope that is open
        // until the end; what `napi_make_callback` leaves is taken: an exception, or a value.
        unsafe {
            if sys::napi_open_handle_scope(self.env, &raw mut scope) != sys::Status::napi_ok {
                return false;
            }
            let (mut function, mut global, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
            sys::napi_get_reference_value(self.env, self.function, &raw mut function);
            sys::napi_get_global(self.env, &raw mut global);
            let values: Result<Vec<_>, _> = arguments.into_iter().map(|argument| A::to_napi_value(self.env, argument)).collect();
            let status = match &values {
                Ok(values) => {
                    sys::napi_make_callback(self.env, self.context, global, function, values.len(), values.as_ptr(), &raw mut result)
                }
                // Out of memory: the engine ends the process by itself soon.
                Err(_) => sys::Status::napi_generic_failure,
            };
            if status == sys::Status::napi_pending_exception {
                let mut error = ptr::null_mut();
                sys::napi_get_and_clear_last_exception(self.env, &raw mut error);
                sys::napi_fatal_exception(self.env, error);
            } else if status == sys::Status::napi_ok {
                // Anything else than a boolean leaves it false.
                sys::napi_get_value_bool(self.env, result, &raw mut is_true);
            }
            sys::napi_close_handle_scope(self.env, scope);
        }
        is_true
    }
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        match value {
            Self::Plain(Json::Number(number)) if number.as_u64().is_some_and(|number| number <= u64::from(u32::MAX)) => {
                let number = number.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
                // SAFETY: the environment is that of the call that this is part of.
                unsafe { u32::to_napi_value(env, number) }
            }
            // SAFETY: as above. (A whole number above 2^53 would be a BigInt: as a float it is what JavaScript has for such a number.)
            Self::Plain(Json::Number(number)) => unsafe { f64::to_napi_value(env, number.as_f64().unwrap_or(f64::NAN)) },
            // SAFETY: as above.
            Self::Plain(json) => unsafe { Json::to_napi_value(env, json) },
            // SAFETY: as above. The array has these bytes as its own; many are not copied.
            Self::Bytes(bytes) => unsafe { Uint8Array::to_napi_value(env, bytes.into()) },
        }
    }
}

/// A value that is made already.
pub(crate) struct Made(pub(crate) sys::napi_value);

impl ToNapiValue for Made {
    unsafe fn to_napi_value(_: sys::napi_env, made: Self) -> napi::Result<sys::napi_value> {
        Ok(made.0)
    }
}

/// The raw value of a function that JavaScript has given.
pub(crate) fn raw_function(function: &napi::bindgen_prelude::Function<'_, (), ()>) -> sys::napi_value {
    napi::JsValue::raw(function)
}
