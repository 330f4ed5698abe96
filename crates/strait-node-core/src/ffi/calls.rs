//! Wakes Node's loop by a threadsafe function, which can do only that. The process's I/O thread
//! polls and routes.

use std::{
    ffi::c_void,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use napi::{Env, sys};

use super::check;

static ON_WAKE: OnceLock<fn()> = OnceLock::new();
/// A call is under way, so another one would have no further effect.
static CALLED: AtomicBool = AtomicBool::new(false);

/// The threadsafe function, which is never released.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    env: sys::napi_env,
    function: sys::napi_threadsafe_function,
}

// SAFETY: `wake` may be called from any thread, as the function may. The environment is used by
// `keep_alive` alone, which is called in the loop's thread.
unsafe impl Send for Calls {}
// SAFETY: as above.
unsafe impl Sync for Calls {}

unsafe extern "C" fn on_call(_: sys::napi_env, _: sys::napi_value, _: *mut c_void, _: *mut c_void) {
    // Later events require another call.
    CALLED.store(false, Ordering::SeqCst);
    if let Some(on_wake) = ON_WAKE.get() {
        on_wake();
    }
}

impl Calls {
    /// A function that calls `on_wake` in this thread, and keeps the process alive; once in a
    /// process.
    pub(crate) fn of(env: &Env, on_wake: fn()) -> Result<Self, String> {
        ON_WAKE.set(on_wake).map_err(|_| "Strait has been started already".to_owned())?;
        let env = env.raw();
        let (mut name, mut function) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is this thread's own; the other pointers are places for results,
        // or null for results that are not needed.
        unsafe {
            check(sys::napi_create_string_utf8(env, c"strait".as_ptr(), 6, &raw mut name))?;
            check(sys::napi_create_threadsafe_function(
                env,
                ptr::null_mut(),
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                Some(on_call),
                &raw mut function,
            ))?;
        }
        Ok(Self { env, function })
    }

    pub(crate) fn wake(self) {
        if CALLED.swap(true, Ordering::SeqCst) {
            return;
        }
        // SAFETY: the function is never released. At the process's end it may be closing; then the
        // call has no effect and none is needed.
        unsafe { sys::napi_call_threadsafe_function(self.function, ptr::null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking) };
    }

    pub(crate) fn keep_alive(self, on: bool) {
        let change = if on { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: this is the loop's thread; the function is never released. Both may be called in
        // any state.
        unsafe { change(self.env, self.function) };
    }
}
