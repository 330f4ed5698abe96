//! Memory of JavaScriptCore's own that the agent fills and then shows to a page as an ArrayBuffer, without a copy.
//!
//! WebKit ends a process that makes an ArrayBuffer over memory from anywhere but its *cage*. So we have it reserve a stretch of that: a resizable ArrayBuffer that
//! no script ever sees, of no length, but with room to grow. JavaScriptCore keeps the addresses for it and nothing there; asking for its address pins it for good. Whether all this is so is checked first (`cage.rs`).
//! The stretch is cut into blocks. A page's ArrayBuffers over them are like any other: they can be transferred, to workers too, and when the last owner of
//! one lets go of it, on whichever thread, its block comes back. The collector counts them as a page's own, and the stretch, having no length, as nothing.

use std::ffi::c_void;
use std::fs;
use std::mem;
use std::os::raw::c_int;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::mm::{Advice, MprotectFlags, madvise, mprotect};

use super::guarded;
use super::jsc::{Args, Context, OpaqueGroup, RawContext, RawValue, TYPED_ARRAY_UINT8, Value};
use crate::cage::pool_addresses;
use crate::range_allocator::RangeAllocator;

type Deallocator = extern "C" fn(bytes: *mut c_void, context: *mut c_void);

unsafe extern "C" {
    fn JSContextGetGroup(context: RawContext) -> *mut OpaqueGroup;
    fn JSGlobalContextCreateInGroup(group: *mut OpaqueGroup, class: *mut c_void) -> RawContext;
    fn JSObjectMakeTypedArray(context: RawContext, kind: c_int, length: usize, exception: *mut RawValue) -> RawValue;
    fn JSReportExtraMemoryCost(context: RawContext, size: usize);
    fn JSObjectGetArrayBufferBytesPtr(context: RawContext, object: RawValue, exception: *mut RawValue) -> *mut c_void;
    fn JSObjectMakeArrayBufferWithBytesNoCopy(
        context: RawContext,
        bytes: *mut c_void,
        length: usize,
        deallocator: Deallocator,
        deallocator_context: *mut c_void,
        exception: *mut RawValue,
    ) -> RawValue;
}

/// So many bytes of addresses a process has for blocks: what pages have of them, and what is kept for the next ones. Buffers beyond are made by the engine.
pub(crate) const RESERVED: usize = 2 << 30;

/// The collector counts an ArrayBuffer over a block once, where it counts one that it makes itself twice, and memory that is used again while it is still in the
/// processor's cache is the cheapest: so each counts for this many more. (With 0 about a hundred blocks of 1 MiB are out before they come back, with 6 forty.)
const WEIGHT: usize = 4;

/// Bytes of an ordinary array, to see where such lie.
const PAGE: usize = 4096;

/// The stretch; it is never given back.
pub(crate) struct Cage {
    base: NonNull<u8>,
    free: Mutex<RangeAllocator>,
}

// SAFETY: the memory belongs to no thread; `free` says which part of it is whose.
unsafe impl Send for Cage {}
// SAFETY: as above.
unsafe impl Sync for Cage {}

impl Cage {
    /// Takes the room of an unshared resizable ArrayBuffer of length 0 and a maximum of [`RESERVED`] bytes.
    ///
    /// # Errors
    /// Why there can be no blocks: it is not of that kind, or JavaScriptCore's memory is not laid out as they need it ([`crate::cage`]).
    pub(crate) fn of(buffer: Value<'_>) -> Result<Arc<Self>, String> {
        if !buffer.is_array_buffer() {
            return Err(format!("no ArrayBuffer with room for {RESERVED:#x} bytes could be made"));
        }
        let (reserved, ordinary) = Self::places(buffer).ok_or("ArrayBuffers cannot be made")?;
        let maps = fs::read_to_string("/proc/self/maps").map_err(|error| format!("/proc/self/maps: {error}"))?;
        // Only addresses behind which there is nothing are taken for what they should be.
        let addresses = pool_addresses(&maps, reserved.addr().get(), RESERVED, ordinary)?;
        let base = reserved.map_addr(|_| std::num::NonZero::new(addresses.start).unwrap_or(reserved.addr()));
        // SAFETY: mapped private memory without any access, which its holder, an unreachable ArrayBuffer of length 0, never accesses.
        unsafe { mprotect(base.as_ptr().cast::<c_void>(), addresses.len(), MprotectFlags::READ | MprotectFlags::WRITE) }
            .map_err(|error| format!("mprotect of {addresses:#x?}: {error}"))?;
        Ok(Arc::new(Self { base, free: Mutex::new(RangeAllocator::new(addresses.len())) }))
    }

    /// Where the bytes of the buffer, which is kept from now on, and of an ordinary array lie.
    fn places(buffer: Value<'_>) -> Option<(NonNull<u8>, usize)> {
        // SAFETY: the live context of a running call. No class means the plain global object; what is returned is retained for the caller.
        let context = unsafe {
            let raw = JSGlobalContextCreateInGroup(JSContextGetGroup(buffer.context()), ptr::null_mut());
            (!raw.is_null()).then(|| Context::own(raw))?
        };
        // The object belongs to a document, and would keep it: so what is kept, for ever, is a view of the same memory, in a realm of no document.
        let view = context.global().property("Uint8Array")?.construct(&[buffer])?;
        // SAFETY: a live ArrayBuffer.
        let reserved = unsafe { JSObjectGetArrayBufferBytesPtr(buffer.context(), buffer.raw(), ptr::null_mut()) };
        // SAFETY: the live context of a running call. (In a realm of no document WebKit makes no buffers.) The array is too long to lie in the collector's own memory.
        let ordinary = unsafe { JSObjectMakeTypedArray(buffer.context(), TYPED_ARRAY_UINT8, PAGE, ptr::null_mut()) };
        let (ordinary, _) = Value::new(buffer.context(), NonNull::new(ordinary)?.as_ptr()).elements(TYPED_ARRAY_UINT8, 1)?;
        mem::forget((view.protect(&context)?, context.clone()));
        Some((NonNull::new(reserved.cast::<u8>())?, ordinary.addr()))
    }

    fn free(&self) -> MutexGuard<'_, RangeAllocator> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of so many bytes, whole pages, if there is room.
    pub(crate) fn block(self: &Arc<Self>, size: usize) -> Option<PoolBlock> {
        let start = self.free().take(size)?;
        let block = PoolBlock { cage: Arc::clone(self), start, size };
        // All pages at once are had in a third of the time that they take one by one. (Large pages would be had in less, unless the kernel first has to move others
        // out of the way, which may take half a second.)
        block.advise(Advice::LinuxPopulateWrite);
        Some(block)
    }
}

/// Bytes that are the agent's alone as long as it has this. Dropping it gives the memory back to the system.
pub(crate) struct PoolBlock {
    cage: Arc<Cage>,
    start: usize,
    size: usize,
}

/// What takes blocks back.
pub(crate) trait Home: Send + Sync + 'static {
    /// Called on any thread, while the collector runs: it may not call JavaScriptCore.
    fn take_back(&self, block: PoolBlock);
}

/// A block that a page's ArrayBuffer shows.
struct Lent<H: Home> {
    block: PoolBlock,
    home: Arc<H>,
}

impl PoolBlock {
    /// How many bytes there are.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn base(&self) -> NonNull<u8> {
        // SAFETY: `start` and all of the block behind it are in the stretch.
        unsafe { self.cage.base.add(self.start) }
    }

    /// The first bytes of it.
    pub(crate) fn start(&mut self, length: usize) -> &mut [u8] {
        assert!(length <= self.size, "outside the block");
        // SAFETY: this part of the stretch is this block's alone, and no ArrayBuffer shows it while this value exists. All bytes are initialised: the kernel's are zero.
        unsafe { std::slice::from_raw_parts_mut(self.base().as_ptr(), length) }
    }

    /// An ArrayBuffer over the first bytes, in the realm of the running call; when nobody has it any more the block goes back to `home`.
    pub(crate) fn lend<'a, H: Home>(self, call: &Args<'a>, length: usize, home: &Arc<H>) -> Option<Value<'a>> {
        assert!(length <= self.size, "outside the block");
        let bytes = self.base().as_ptr().cast::<c_void>();
        // SAFETY: the context of the running call.
        unsafe { JSReportExtraMemoryCost(call.context(), length.saturating_mul(WEIGHT)) };
        let lent = Box::into_raw(Box::new(Lent { block: self, home: Arc::clone(home) }));
        let mut exception = ptr::null_mut();
        // SAFETY: the context of the running call. The bytes are the ArrayBuffer's until the deallocator is called, which happens exactly once, also when this
        // fails: the block is in `lent`, which only the deallocator takes back.
        let raw = unsafe {
            JSObjectMakeArrayBufferWithBytesNoCopy(call.context(), bytes, length, take_back::<H>, lent.cast::<c_void>(), &mut exception)
        };
        (!raw.is_null() && exception.is_null()).then(|| Value::new(call.context(), raw))
    }
}

impl PoolBlock {
    fn advise(&self, advice: Advice) {
        // SAFETY: whole pages of private memory that is this block's alone. How they are made changes nothing, without them it reads as zero, and if the kernel
        // does neither they stay as they are.
        let _ = unsafe { madvise(self.base().as_ptr().cast::<c_void>(), self.size, advice) };
    }
}

impl Drop for PoolBlock {
    fn drop(&mut self) {
        self.advise(Advice::LinuxDontNeed);
        self.cage.free().give_back(self.start, self.size);
    }
}

extern "C" fn take_back<H: Home>(_bytes: *mut c_void, lent: *mut c_void) {
    guarded("the return of a block", (), || {
        // SAFETY: made in `lend`, and JavaScriptCore calls this once.
        let Lent { block, home } = *unsafe { Box::from_raw(lent.cast::<Lent<H>>()) };
        home.take_back(block);
    });
}
