//! Node's loop through the functions of libuv that Node exports.

use std::{
    ffi::{c_int, c_void},
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::OnceLock,
};

use libloading::os::unix::Library;
use napi::{Env, sys};

use super::{Callbacks, check};

/// With this variable a development build ignores these functions, so that tests can check the
/// substitute.
const WITHOUT: &str = "STRAIT_WITHOUT_LIBUV";

/// `uv_handle_type` of libuv 1.x: an enumeration to which members are only added, at its end.
const UV_ASYNC: c_int = 1;
const UV_POLL: c_int = 8;
const UV_PREPARE: c_int = 9;
/// `UV_READABLE`.
const READABLE: c_int = 1;

type Handle = *mut c_void;
type Loop = *mut c_void;

/// The functions of libuv that are used.
pub(crate) struct Uv {
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
    /// The functions that Node exports.
    pub(crate) fn find() -> Result<Self, String> {
        if cfg!(debug_assertions) && std::env::var_os(WITHOUT).is_some() {
            return Err(format!("{WITHOUT} is set"));
        }
        let node = Library::this();
        macro_rules! find {
            ($name:literal) => {
                // SAFETY: the functions have these signatures in every libuv 1.x.
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

    /// Memory for a handle. It is never freed, because the process's one loop uses it until the
    /// end.
    fn handle(&self, kind: c_int) -> Handle {
        // SAFETY: the kinds are those of `uv_handle_type`.
        let size = unsafe { (self.handle_size)(kind) };
        Box::leak(vec![0_u128; size.div_ceil(size_of::<u128>())].into_boxed_slice()).as_mut_ptr().cast()
    }
}

/// Wakes the loop, from any thread.
#[derive(Clone, Copy)]
pub(crate) struct UvWake {
    uv: &'static Uv,
    handle: Handle,
}

// SAFETY: `uv_async_send` may be called from any thread, and it is the only use of the handle.
unsafe impl Send for UvWake {}
// SAFETY: as above.
unsafe impl Sync for UvWake {}

impl UvWake {
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
    wake: UvWake,
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
    /// The loop of this thread, with handles that call `callbacks`. The one for [`Wake`] keeps the
    /// process alive; once in a process.
    pub(crate) fn of(env: &Env, found: Uv, callbacks: Callbacks) -> Result<Self, String> {
        static UV: OnceLock<Uv> = OnceLock::new();
        let uv = UV.get_or_init(|| found);
        CALLBACKS.set(callbacks).map_err(|_| "Strait has been started already".to_owned())?;
        let mut raw: *mut sys::uv_loop_s = ptr::null_mut();
        // SAFETY: the environment is this thread's own, and `raw` a place for the result.
        check(unsafe { sys::napi_get_uv_event_loop(env.raw(), &raw mut raw) })?;
        let raw: Loop = raw.cast();
        let (wake, prepare) = (uv.handle(UV_ASYNC), uv.handle(UV_PREPARE));
        // SAFETY: the handles are large enough and never move, and this is the loop's thread.
        let results = unsafe {
            let results = [(uv.async_init)(raw, wake, on_wake), (uv.prepare_init)(raw, prepare), (uv.prepare_start)(prepare, on_prepare)];
            (uv.unref)(prepare);
            results
        };
        if results != [0; 3] {
            return Err(format!("Node's event loop takes no handles: {results:?}"));
        }
        Ok(Self { uv, raw, wake: UvWake { uv, handle: wake } })
    }

    pub(crate) fn wake(self) -> UvWake {
        self.wake
    }

    /// Polls a descriptor, which stays open for ever. It does not keep the loop alive.
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

    /// Whether the loop continues when nothing else keeps it alive.
    pub(crate) fn keep_alive(self, on: bool) {
        let change = if on { self.uv.reference } else { self.uv.unref };
        // SAFETY: as in `of`; both may be called in any state.
        unsafe { change(self.wake.handle) };
    }

    /// Whether the loop will not wait.
    pub(crate) fn is_busy(self) -> bool {
        // SAFETY: this is the loop's thread.
        unsafe { (self.uv.backend_timeout)(self.raw) == 0 }
    }
}
