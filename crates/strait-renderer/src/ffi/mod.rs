//! The C interfaces of GLib, WebKit's extensions and JavaScriptCore.
//!
//! Only this module contains `unsafe`. Its own interface is safe: objects hold their references,
//! and callbacks catch panics. The bindings are handwritten for two reasons: the
//! `webkit2gtk-webextension` crate depends on an old GLib, and JavaScriptCore's C API is an order
//! of magnitude faster than the GObject API over it.

mod glib;
mod jsc;
mod pinned;
mod pool_block;
mod webkit;

pub(crate) use glib::{Source, SourceHandler, attach_source, call_later, wake_loop};
pub(crate) use jsc::{Args, Completion, Context, NativeResult, Object, Value, install_native_handler};
pub(crate) use pinned::Pinned;
pub(crate) use pool_block::{Cage, Home, PoolBlock, RESERVED};
pub(crate) use webkit::{
    ConsoleMessage, Extension, Page, PageEvents, WebFrame, World, isolated_world, main_world, on_window_object_cleared,
};

use std::ffi::CStr;
use std::os::raw::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`. A panic is reported and then ends here, because unwinding into C is undefined. The
/// result is `fallback` then.
fn guarded<T>(what: &str, fallback: T, work: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => value,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            strait_output::report!("strait agent: panic in {what}: {}", text.unwrap_or("(no text)"));
            fallback
        }
    }
}

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> std::os::raw::c_int;
}

extern "C" fn at_exit() {
    guarded("the exit", (), crate::agent::process_ends);
}

/// Makes the agent's node leave when the process exits in order.
pub(crate) fn watch_exit() {
    // SAFETY: a plain function that lives as long as the library, which is never unloaded. If this
    // fails, the node only does not leave in order.
    unsafe { atexit(at_exit) };
}

/// Removes a variable from the process's environment.
pub(crate) fn forget_variable(name: &str) {
    // SAFETY: called when WebKit initialises the agent. The C library removes the entry from its
    // list in place: another thread that reads the environment at this moment finds live strings,
    // and at worst misses the entry that moves.
    unsafe { std::env::remove_var(name) }
}

/// A copy of a C string that may be null.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string.
unsafe fn copy_c_string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, NUL-terminated by the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The function that WebKit calls when it loads the agent into a web process.
#[unsafe(no_mangle)]
extern "C" fn webkit_web_extension_initialize_with_user_data(extension: *mut webkit::RawExtension, user_data: *mut glib::GVariant) {
    guarded("initialisation", (), || {
        // SAFETY: WebKit passes its live extension object and a variant (or null), both valid
        // during the call.
        let (extension, data) = unsafe { (Extension::borrow(extension), glib::variant_bytes(user_data)) };
        crate::start(extension, data);
    });
}
