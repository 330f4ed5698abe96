//! libuv's handles ([`uv`]), threadsafe functions ([`calls`]) and the few calls of Node-API that
//! `napi` does not wrap. This folder holds all of this crate's `unsafe`.

mod calls;
mod uv;

use std::{cell::Cell, os::fd::BorrowedFd, ptr, slice};

use napi::{
    Env,
    bindgen_prelude::{ToNapiValue, Uint8Array},
    sys,
};
use serde_json::Value as Json;

use self::{
    calls::Calls,
    uv::{Uv, UvLoop, UvWake},
};
use crate::value::Value;

/// The functions that Node's loop calls, in its own thread.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    /// The descriptor is readable.
    pub(crate) on_readable: fn(),
    /// The loop is about to poll.
    pub(crate) on_prepare: fn(),
    /// [`Wake::wake`] was called.
    pub(crate) on_wake: fn(),
}

/// Node's loop: by libuv's functions, or where Node does not export them, by a threadsafe function.
#[derive(Clone, Copy)]
pub(crate) enum NodeLoop {
    Uv(UvLoop),
    Calls(Calls),
}

/// Wakes the loop, from any thread.
#[derive(Clone, Copy)]
pub(crate) enum Wake {
    Uv(UvWake),
    Calls(Calls),
}

impl Wake {
    pub(crate) fn wake(self) {
        match self {
            Self::Uv(wake) => wake.wake(),
            Self::Calls(calls) => calls.wake(),
        }
    }
}

impl NodeLoop {
    /// The loop of this thread. It continues until [`NodeLoop::keep_alive`] ends that; once in a
    /// process.
    pub(crate) fn of(env: &Env, callbacks: Callbacks) -> Result<Self, String> {
        match Uv::find() {
            Ok(uv) => UvLoop::of(env, uv, callbacks).map(Self::Uv),
            Err(_) => Calls::of(env, callbacks.on_wake).map(Self::Calls),
        }
    }

    pub(crate) fn wake(self) -> Wake {
        match self {
            Self::Uv(uv) => Wake::Uv(uv.wake()),
            Self::Calls(calls) => Wake::Calls(calls),
        }
    }

    /// Polls a descriptor, which stays open for ever, where the loop can do that. It does not keep
    /// the loop alive.
    pub(crate) fn poll(self, descriptor: BorrowedFd<'_>) -> Result<(), String> {
        match self {
            Self::Uv(uv) => uv.poll(descriptor),
            Self::Calls(_) => Ok(()),
        }
    }

    /// Whether the loop continues when nothing else keeps it alive.
    pub(crate) fn keep_alive(self, on: bool) {
        match self {
            Self::Uv(uv) => uv.keep_alive(on),
            Self::Calls(calls) => calls.keep_alive(on),
        }
    }

    /// Whether the loop will not wait, as far as that can be determined.
    pub(crate) fn is_busy(self) -> bool {
        match self {
            Self::Uv(uv) => uv.is_busy(),
            Self::Calls(_) => true,
        }
    }
}

/// From this size on buffers are mapped and unmapped one by one. It is glibc's own maximum, which
/// it adopts once a program has freed such a buffer.
#[cfg(target_env = "gnu")]
const MAPPED_FROM: i32 = 32 << 20;

/// The number of free bytes at the end of the heap that are kept.
#[cfg(target_env = "gnu")]
const KEPT: i32 = 32 << 20;

/// Makes the allocator keep the memory of freed buffers for the next ones. V8 frees many messages'
/// buffers at a time, and new pages for each one cost as much as copying a message into them.
pub(crate) fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls change settings of the allocator, under its own lock; a value that it
    // refuses changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}

fn check(status: sys::napi_status) -> Result<(), String> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(format!("Node-API: status {status}")) }
}

/// The JavaScript function that is called for every event.
pub struct Hook {
    env: sys::napi_env,
    function: sys::napi_ref,
    context: sys::napi_async_context,
    stage: Cell<*mut u8>,
    stage_length: Cell<usize>,
}

impl Hook {
    /// Keeps `function`, for ever.
    pub(crate) fn new(env: &Env, function: sys::napi_value) -> Result<Self, String> {
        let env = env.raw();
        let (mut reference, mut context, mut name) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment and the value belong to this call; the other pointers are places
        // for results.
        unsafe {
            check(sys::napi_create_reference(env, function, 1, &raw mut reference))?;
            check(sys::napi_create_string_utf8(env, c"strait".as_ptr(), 6, &raw mut name))?;
            check(sys::napi_async_init(env, ptr::null_mut(), name, &raw mut context))?;
        }
        Ok(Self { env, function: reference, context, stage: Cell::new(ptr::null_mut()), stage_length: Cell::new(0) })
    }

    /// The buffer for small messages, made now and kept for ever.
    pub(crate) fn make_stage(&self, length: usize) -> Result<sys::napi_value, String> {
        let (mut data, mut buffer, mut array, mut reference) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is this thread's; the pointers are places for results. A buffer's
        // memory does not move while the buffer is referenced.
        unsafe {
            check(sys::napi_create_arraybuffer(self.env, length, &raw mut data, &raw mut buffer))?;
            check(sys::napi_create_typedarray(self.env, sys::TypedarrayType::uint8_array, length, buffer, 0, &raw mut array))?;
            check(sys::napi_create_reference(self.env, buffer, 1, &raw mut reference))?;
        }
        self.stage.set(data.cast());
        self.stage_length.set(length);
        Ok(array)
    }

    /// Makes `fill` write the first `length` bytes of the stage. False if the stage is shorter, or
    /// if `fill` returns false.
    pub(crate) fn fill_stage(&self, length: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> bool {
        // A nested `fill` finds an empty stage.
        let whole = self.stage_length.replace(0);
        // SAFETY: the stage has `whole` bytes, and no other Rust code refers to them; JavaScript
        // runs in this thread, so not now.
        let filled = length <= whole && fill(unsafe { slice::from_raw_parts_mut(self.stage.get(), length) });
        self.stage_length.set(whole);
        filled
    }

    /// Calls the function as a macrotask of its own: microtasks and ticks follow before this
    /// returns. True if it returned `true`. An exception that it throws is an uncaught error of the
    /// program.
    pub fn call<A: ToNapiValue>(&self, arguments: impl IntoIterator<Item = A>) -> bool {
        let mut is_true = false;
        let mut scope = ptr::null_mut();
        // SAFETY: the environment is this thread's and alive, as libuv has just called this
        // thread's loop. The values are made in the scope that is open until the end. The result of
        // `napi_make_callback` is consumed: an exception, or a value.
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
                // Out of memory: the engine will end the process itself.
                Err(_) => sys::Status::napi_generic_failure,
            };
            if status == sys::Status::napi_pending_exception {
                let mut error = ptr::null_mut();
                sys::napi_get_and_clear_last_exception(self.env, &raw mut error);
                sys::napi_fatal_exception(self.env, error);
            } else if status == sys::Status::napi_ok {
                // A result other than a boolean leaves it false.
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
            // SAFETY: as above. (A whole number above 2^53 would become a BigInt; as a float it is
            // the number that JavaScript has for it.)
            Self::Plain(Json::Number(number)) => unsafe { f64::to_napi_value(env, number.as_f64().unwrap_or(f64::NAN)) },
            // SAFETY: as above.
            Self::Plain(json) => unsafe { Json::to_napi_value(env, json) },
            // SAFETY: as above. The array owns these bytes; long ones are not copied.
            Self::Bytes(bytes) => unsafe { Uint8Array::to_napi_value(env, bytes.into()) },
        }
    }
}

/// A value that exists already.
pub(crate) struct Made(pub(crate) sys::napi_value);

impl ToNapiValue for Made {
    unsafe fn to_napi_value(_: sys::napi_env, made: Self) -> napi::Result<sys::napi_value> {
        Ok(made.0)
    }
}

/// The raw value of a function that JavaScript has passed.
pub(crate) fn raw_function(function: &napi::bindgen_prelude::Function<'_, (), ()>) -> sys::napi_value {
    napi::JsValue::raw(function)
}
