//! QuickJS 0.16 where rquickjs 0.11 expects QuickJS 0.11.
//!
//! The modules of the JS host (`llrt_modules`, 0.8.1-beta is the newest) are written against rquickjs 0.11, which brings a QuickJS whose collector frees what
//! is in use: the variables of an asynchronous function that waits, when only a closure of it is still known to somebody. `async () => { let wake; socket.on('data',
//! () => wake()); await new Promise((done) => { wake = done }) }` ends in a corrupt heap. QuickJS mended that later. This crate stands in for the old bindings
//! (`[patch.crates-io]` in the workspace's manifest) and passes on the new ones, but for what differs of the things that rquickjs uses. Once `llrt_modules` takes a newer
//! rquickjs, it goes.

pub use engine::*;

/// The tag of a value. Strings that have been put together and not been read yet have one of their own since; they are strings.
///
/// # Safety
/// As the engine's.
#[allow(non_snake_case, reason = "the engine's name")]
#[inline]
pub unsafe fn JS_VALUE_GET_TAG(value: JSValue) -> c_int {
    // SAFETY: only looks at the value.
    match unsafe { engine::JS_VALUE_GET_TAG(value) } {
        JS_TAG_STRING_ROPE => JS_TAG_STRING,
        tag => tag,
    }
}

/// The same, with one tag for all numbers with a point.
///
/// # Safety
/// As the engine's.
#[allow(non_snake_case, reason = "the engine's name")]
#[inline]
pub unsafe fn JS_VALUE_GET_NORM_TAG(value: JSValue) -> c_int {
    // SAFETY: only looks at the value.
    match unsafe { engine::JS_VALUE_GET_NORM_TAG(value) } {
        JS_TAG_STRING_ROPE => JS_TAG_STRING,
        tag => tag,
    }
}

/// What frees a buffer's memory, in the old bindings: `(runtime, opaque, memory)`.
pub type JSFreeArrayBufferDataFunc = Option<unsafe extern "C" fn(*mut JSRuntime, *mut c_void, *mut c_void)>;

/// The most bytes of a buffer that `resize` cannot change.
const NOT_RESIZABLE: size_t = 0;

/// Whose memory a buffer has.
struct Backing {
    free: JSFreeArrayBufferDataFunc,
    opaque: *mut c_void,
    length: usize,
    /// The memory itself, once scripts have had the buffer made longer or shorter (`ArrayBuffer.prototype.transfer`).
    resized: Option<Vec<u8>>,
}

impl Backing {
    /// Frees what the maker of the buffer gave.
    ///
    /// # Safety
    /// `memory` is what [`JS_NewArrayBuffer`] was given with this backing, and nobody uses it any more.
    unsafe fn free_given(&mut self, runtime: *mut JSRuntime, memory: *mut c_void) {
        if let Some(free) = self.free.take() {
            // SAFETY: the maker's function, for the maker's memory and with its own argument, once.
            unsafe { free(runtime, self.opaque, memory) };
        }
    }
}

/// The engine's one function for both: frees when `size` is 0, otherwise gives other memory with the same beginning.
unsafe extern "C" fn reallocate(runtime: *mut JSRuntime, opaque: *mut c_void, memory: *mut c_void, size: size_t) -> *mut c_void {
    let backing = opaque.cast::<Backing>();
    let size = size as usize;
    if size == 0 {
        // SAFETY: made by `JS_NewArrayBuffer`; the engine frees a buffer's memory once, and does not use its argument after that.
        let mut backing = unsafe { Box::from_raw(backing) };
        // SAFETY: the engine is done with the memory.
        unsafe { backing.free_given(runtime, memory) };
        return core::ptr::null_mut();
    }
    // SAFETY: as above; the engine calls this from one thread, and keeps the argument for the call that frees.
    let backing = unsafe { &mut *backing };
    let kept = backing.length.min(size);
    let mut resized = Vec::new();
    if resized.try_reserve_exact(size).is_err() {
        return core::ptr::null_mut();
    }
    // SAFETY: the memory has `length` bytes, all of them initialised, and the engine has not freed it.
    resized.extend_from_slice(unsafe { core::slice::from_raw_parts(memory.cast::<u8>(), kept) });
    resized.resize(size, 0);
    // SAFETY: what was to be kept has been copied, and the engine goes on with what this returns.
    unsafe { backing.free_given(runtime, memory) };
    backing.length = size;
    backing.resized.insert(resized).as_mut_ptr().cast()
}

/// An `ArrayBuffer` over memory that somebody else has allocated and `free_func` frees, as the old bindings have it.
///
/// # Safety
/// `ctx` is a live context of this thread; `buf` is not null and has `len` bytes, all of them initialised, that nobody else touches until `free_func` is called with `opaque` and `buf`.
#[allow(non_snake_case, reason = "the engine's name")]
pub unsafe fn JS_NewArrayBuffer(
    ctx: *mut JSContext,
    buf: *mut u8,
    len: size_t,
    free_func: JSFreeArrayBufferDataFunc,
    opaque: *mut c_void,
    is_shared: bool,
) -> JSValue {
    let backing = Box::into_raw(Box::new(Backing { free: free_func, opaque, length: len as usize, resized: None }));
    // SAFETY: the caller's context and memory; `reallocate` goes with what `backing` points to.
    let value = unsafe { engine::JS_NewArrayBuffer(ctx, buf, len, NOT_RESIZABLE, Some(reallocate), backing.cast(), is_shared) };
    // SAFETY: any value may be asked this.
    if unsafe { JS_IsException(value) } {
        // SAFETY: the engine has not taken it. The memory stays the caller's.
        drop(unsafe { Box::from_raw(backing) });
    }
    value
}
