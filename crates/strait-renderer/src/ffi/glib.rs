//! GLib: variants, signals, and the agent's source in the page's main loop.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::ptr;

use super::guarded;

pub(super) enum GVariant {}
#[repr(C)]
struct GSource {
    _private: [u8; 0],
}

type Prepare = extern "C" fn(*mut GSource, *mut c_int) -> c_int;
type Check = extern "C" fn(*mut GSource) -> c_int;
type Dispatch = extern "C" fn(*mut GSource, *const c_void, *mut c_void) -> c_int;

#[repr(C)]
struct GSourceFuncs {
    prepare: Option<Prepare>,
    check: Option<Check>,
    dispatch: Option<Dispatch>,
    finalize: Option<extern "C" fn(*mut GSource)>,
    closure_callback: *const c_void,
    closure_marshal: *const c_void,
}

// SAFETY: only function pointers and nulls; never written.
unsafe impl Sync for GSourceFuncs {}

/// `sizeof(GSource)` on 64-bit: five pointers and callbacks, four 32-bit fields, then four
/// pointers. GLib guarantees that it does not change.
const SIZE_OF_GSOURCE: usize = 96;

/// The agent's source: GLib's part, then the handler.
#[repr(C)]
struct AgentSource {
    glib: [u64; SIZE_OF_GSOURCE / 8],
    handler: *const dyn SourceHandler,
    fd_tag: *mut c_void,
}

const G_IO_IN: c_uint = 1;
const G_IO_ERR: c_uint = 8;
const G_IO_HUP: c_uint = 16;

// The types are declared as opaque, so the linker cannot check them: they follow GLib 2.74's
// headers.
unsafe extern "C" {
    fn g_variant_get_fixed_array(value: *mut GVariant, count: *mut usize, element_size: usize) -> *const c_void;
    fn g_variant_new_fixed_array(element_type: *const c_char, elements: *const c_void, count: usize, element_size: usize) -> *mut GVariant;
    fn g_variant_get_type_string(value: *mut GVariant) -> *const c_char;
    fn g_source_new(functions: *const GSourceFuncs, size: c_uint) -> *mut GSource;
    fn g_source_set_priority(source: *mut GSource, priority: c_int);
    fn g_source_set_can_recurse(source: *mut GSource, can_recurse: c_int);
    fn g_source_add_unix_fd(source: *mut GSource, fd: c_int, events: c_uint) -> *mut c_void;
    fn g_source_query_unix_fd(source: *mut GSource, tag: *mut c_void) -> c_uint;
    fn g_source_attach(source: *mut GSource, context: *mut c_void) -> c_uint;
    fn g_source_unref(source: *mut GSource);
    fn g_timeout_add(milliseconds: c_uint, function: extern "C" fn(*mut c_void) -> c_int, data: *mut c_void) -> c_uint;
    fn g_source_destroy(source: *mut GSource);
    fn g_main_context_wakeup(context: *mut c_void);
    fn g_signal_connect_data(
        instance: *mut c_void,
        signal: *const c_char,
        handler: *const c_void,
        data: *mut c_void,
        destroy: *const c_void,
        flags: c_uint,
    ) -> u64;
    pub(super) fn g_object_ref(object: *mut c_void) -> *mut c_void;
    pub(super) fn g_object_unref(object: *mut c_void);
}

/// The bytes of a variant of type `ay`; empty for null and for every other type.
///
/// # Safety
/// `variant` is null or a live variant.
pub(super) unsafe fn variant_bytes(variant: *mut GVariant) -> Vec<u8> {
    if variant.is_null() {
        return Vec::new();
    }
    // SAFETY: a live variant by the caller's promise; the type is checked before the array is read,
    // and the array is copied at once.
    unsafe {
        if super::copy_c_string(g_variant_get_type_string(variant)) != "ay" {
            return Vec::new();
        }
        let mut count = 0;
        let bytes = g_variant_get_fixed_array(variant, &mut count, 1).cast::<u8>();
        if bytes.is_null() { Vec::new() } else { std::slice::from_raw_parts(bytes, count).to_vec() }
    }
}

/// A new variant of type `ay` with a floating reference.
pub(super) fn new_variant(bytes: &[u8]) -> *mut GVariant {
    // SAFETY: "y" is a fixed-size type of one byte; GLib copies the elements during the call.
    unsafe { g_variant_new_fixed_array(c"y".as_ptr(), bytes.as_ptr().cast(), bytes.len(), 1) }
}

/// Connects `handler` to a signal.
///
/// # Safety
/// `instance` is a live GObject with that signal. `handler` is an `extern "C"` function with the
/// signal's signature, followed by one pointer, which is `data`. `data` stays valid as long as the
/// signal can fire.
pub(super) unsafe fn connect(instance: *mut c_void, signal: &std::ffi::CStr, handler: *const c_void, data: *mut c_void) {
    // SAFETY: by the caller's promise.
    unsafe { g_signal_connect_data(instance, signal.as_ptr(), handler, data, ptr::null(), 0) };
}

/// The work of the agent's source, called by the main loop.
pub(crate) trait SourceHandler {
    /// Whether there is work, besides what the descriptor announces.
    fn has_work(&self) -> bool;
    /// Called when there is no work: polls once more before the loop sleeps. True if there is work
    /// now.
    fn look(&self) -> bool;
    /// Does a bounded amount of work. The descriptor may be `readable`.
    fn run(&self, readable: bool);
}

/// A source attached to the thread's main loop; dropping it ends the source.
pub(crate) struct Source(*mut GSource);

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: created by `attach_source`, owned, destroyed once.
        unsafe {
            g_source_destroy(self.0);
            g_source_unref(self.0);
        }
    }
}

extern "C" fn prepare(source: *mut GSource, timeout: *mut c_int) -> c_int {
    // SAFETY: GLib passes the source made in `attach_source`, whose handler is static, and a valid
    // pointer to the timeout (or null).
    let handler = unsafe {
        if !timeout.is_null() {
            *timeout = -1;
        }
        &*(*source.cast::<AgentSource>()).handler
    };
    guarded("the source's preparation", 0, || (handler.has_work() || handler.look()) as c_int)
}

extern "C" fn check(source: *mut GSource) -> c_int {
    // SAFETY: as in `prepare`; the tag came from `g_source_add_unix_fd` on this source.
    let (handler, events) = unsafe {
        let ours = source.cast::<AgentSource>();
        (&*(*ours).handler, g_source_query_unix_fd(source, (*ours).fd_tag))
    };
    guarded("the source's check", 0, || (events != 0 || handler.has_work()) as c_int)
}

extern "C" fn dispatch(source: *mut GSource, _callback: *const c_void, _data: *mut c_void) -> c_int {
    // SAFETY: as in `check`.
    let (handler, events) = unsafe {
        let ours = source.cast::<AgentSource>();
        (&*(*ours).handler, g_source_query_unix_fd(source, (*ours).fd_tag))
    };
    guarded("the source", (), || handler.run(events != 0));
    1
}

static FUNCTIONS: GSourceFuncs = GSourceFuncs {
    prepare: Some(prepare),
    check: Some(check),
    dispatch: Some(dispatch),
    finalize: None,
    closure_callback: ptr::null(),
    closure_marshal: ptr::null(),
};

/// Makes the thread's default main loop run `handler` at `priority` whenever `fd` is readable or
/// the handler has work.
///
/// A main loop inside a task of the handler runs the handler again. GLib could prevent that, but it
/// would remove the source's descriptor from the loop around every turn. It wakes the loop for each
/// of these changes: two system calls and a needless round of the whole loop.
pub(crate) fn attach_source(fd: BorrowedFd<'_>, priority: i32, handler: &'static dyn SourceHandler) -> Source {
    // SAFETY: the size covers GLib's part and the agent's; the agent's fields are set before the
    // source is attached; the handler is static.
    unsafe {
        let source = g_source_new(&FUNCTIONS, size_of::<AgentSource>() as c_uint);
        let ours = source.cast::<AgentSource>();
        (&raw mut (*ours).handler).write(handler);
        (*ours).fd_tag = g_source_add_unix_fd(source, fd.as_raw_fd(), G_IO_IN | G_IO_ERR | G_IO_HUP);
        g_source_set_can_recurse(source, 1);
        g_source_set_priority(source, priority);
        g_source_attach(source, ptr::null_mut());
        Source(source)
    }
}

/// Makes the thread's default main loop call `work` once, after `milliseconds` at the earliest.
pub(crate) fn call_later(milliseconds: u32, work: fn()) {
    extern "C" fn call(work: *mut c_void) -> c_int {
        // SAFETY: the function pointer that `call_later` has passed.
        let work = unsafe { std::mem::transmute::<*mut c_void, fn()>(work) };
        guarded("a timeout", (), work);
        0
    }
    // SAFETY: the callback converts the pointer back to the function that it is, and is called on
    // this thread.
    unsafe { g_timeout_add(milliseconds, call, work as *mut c_void) };
}

/// Makes the main loop of the page's thread query its sources once more. Any thread may call it.
pub(crate) fn wake_loop() {
    // SAFETY: the default context is never freed, and GLib allows any thread to call this function.
    unsafe { g_main_context_wakeup(ptr::null_mut()) };
}

pub(super) use connect as connect_signal;
