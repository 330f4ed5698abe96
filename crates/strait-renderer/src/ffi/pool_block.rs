//! Pool blocks: memory of JavaScriptCore that the agent fills and then shows to a page as an
//! ArrayBuffer, without a copy.
//!
//! WebKit ends a process that makes an ArrayBuffer over memory outside its *cage*. So the agent has
//! WebKit reserve a stretch of the cage: a resizable ArrayBuffer of length 0 with room to grow,
//! which no script can reach. JavaScriptCore reserves its addresses and puts nothing there. Reading
//! its address pins it for good. `cage.rs` checks all of this first.
//!
//! The stretch is divided into blocks. A page's ArrayBuffers over them are ordinary ones, which can
//! be transferred, also to workers. When the last owner drops one, on any thread, its block
//! returns. The collector counts these ArrayBuffers as the page's own. It counts the stretch as
//! nothing, because its length is 0.

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

/// The addresses of all blocks of a process, in use or idle (2 GiB). The engine makes further
/// buffers.
pub(crate) const RESERVED: usize = 2 << 30;

/// Extra weight of an ArrayBuffer over a block for the collector. The collector counts such a
/// buffer once, and one that it makes itself twice. Memory that is used again while it is in the
/// processor's cache is the cheapest, so an early collection pays. With 0 about a hundred blocks of
/// 1 MiB are in use before the first returns, with 6 forty.
const WEIGHT: usize = 4;

/// The size in bytes of an ordinary array, whose address shows where such arrays lie.
const PAGE: usize = 4096;

/// The stretch; it is never freed.
pub(crate) struct Cage {
    base: NonNull<u8>,
    free: Mutex<RangeAllocator>,
}

// SAFETY: the memory belongs to no thread; `free` records which part of it has which owner.
unsafe impl Send for Cage {}
// SAFETY: as above.
unsafe impl Sync for Cage {}

impl Cage {
    /// Takes the memory of an unshared resizable ArrayBuffer of length 0 and a maximum of
    /// [`RESERVED`] bytes.
    ///
    /// # Errors
    /// The reason why there can be no blocks: the buffer is of another kind, or JavaScriptCore's
    /// memory has another layout ([`crate::cage`]).
    pub(crate) fn of(buffer: Value<'_>) -> Result<Arc<Self>, String> {
        if !buffer.is_array_buffer() {
            return Err(format!("no ArrayBuffer with room for {RESERVED:#x} bytes could be made"));
        }
        let (reserved, ordinary) = Self::places(buffer).ok_or("ArrayBuffers cannot be made")?;
        let maps = fs::read_to_string("/proc/self/maps").map_err(|error| format!("/proc/self/maps: {error}"))?;
        // Only addresses without any access are accepted.
        let addresses = pool_addresses(&maps, reserved.addr().get(), RESERVED, ordinary)?;
        let base = reserved.map_addr(|_| std::num::NonZero::new(addresses.start).unwrap_or(reserved.addr()));
        // SAFETY: mapped private memory without any access, which its holder, an unreachable
        // ArrayBuffer of length 0, never accesses.
        unsafe { mprotect(base.as_ptr().cast::<c_void>(), addresses.len(), MprotectFlags::READ | MprotectFlags::WRITE) }
            .map_err(|error| format!("mprotect of {addresses:#x?}: {error}"))?;
        Ok(Arc::new(Self { base, free: Mutex::new(RangeAllocator::new(addresses.len())) }))
    }

    /// The addresses of the buffer, which is kept from now on, and of an ordinary array.
    fn places(buffer: Value<'_>) -> Option<(NonNull<u8>, usize)> {
        // SAFETY: the live context of a running call. No class means the plain global object; the
        // returned context is retained for the caller.
        let context = unsafe {
            let raw = JSGlobalContextCreateInGroup(JSContextGetGroup(buffer.context()), ptr::null_mut());
            (!raw.is_null()).then(|| Context::own(raw))?
        };
        // The object belongs to a document and would keep that document. So a view of the same
        // memory is kept for ever instead, in a realm of no document.
        let view = context.global().property("Uint8Array")?.construct(&[buffer])?;
        // SAFETY: a live ArrayBuffer.
        let reserved = unsafe { JSObjectGetArrayBufferBytesPtr(buffer.context(), buffer.raw(), ptr::null_mut()) };
        // SAFETY: the live context of a running call. (In a realm of no document WebKit makes no
        // buffers.) The array is too long to lie in the collector's own memory.
        let ordinary = unsafe { JSObjectMakeTypedArray(buffer.context(), TYPED_ARRAY_UINT8, PAGE, ptr::null_mut()) };
        let (ordinary, _) = Value::new(buffer.context(), NonNull::new(ordinary)?.as_ptr()).elements(TYPED_ARRAY_UINT8, 1)?;
        mem::forget((view.protect(&context)?, context.clone()));
        Some((NonNull::new(reserved.cast::<u8>())?, ordinary.addr()))
    }

    fn free(&self) -> MutexGuard<'_, RangeAllocator> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of `size` bytes, which are whole pages, if there is room.
    pub(crate) fn block(self: &Arc<Self>, size: usize) -> Option<PoolBlock> {
        let start = self.free().take(size)?;
        let block = PoolBlock { cage: Arc::clone(self), start, size };
        // Populating all pages at once takes a third of the time of single page faults. Large pages
        // would take less. But the kernel may first have to move other pages away, which can take
        // half a second.
        block.advise(Advice::LinuxPopulateWrite);
        Some(block)
    }
}

/// A block of memory that only the agent has while this value exists. Dropping it returns the
/// memory to the system.
pub(crate) struct PoolBlock {
    cage: Arc<Cage>,
    start: usize,
    size: usize,
}

/// The owner to which blocks return.
pub(crate) trait Home: Send + Sync + 'static {
    /// Called on any thread, while the collector runs: it must not call JavaScriptCore.
    fn take_back(&self, block: PoolBlock);
}

/// A block that a page's ArrayBuffer shows.
struct Lent<H: Home> {
    block: PoolBlock,
    home: Arc<H>,
}

impl PoolBlock {
    /// The size in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn base(&self) -> NonNull<u8> {
        // SAFETY: `start` and all of the block behind it are in the stretch.
        unsafe { self.cage.base.add(self.start) }
    }

    /// The first `length` bytes.
    pub(crate) fn start(&mut self, length: usize) -> &mut [u8] {
        assert!(length <= self.size, "outside the block");
        // SAFETY: this part of the stretch belongs to this block alone, and no ArrayBuffer shows it
        // while this value exists. All bytes are initialised: the kernel's are zero.
        unsafe { std::slice::from_raw_parts_mut(self.base().as_ptr(), length) }
    }

    /// An ArrayBuffer over the first `length` bytes, in the realm of the running call. The block
    /// returns to `home` when the ArrayBuffer has no owner any more.
    pub(crate) fn lend<'a, H: Home>(self, call: &Args<'a>, length: usize, home: &Arc<H>) -> Option<Value<'a>> {
        assert!(length <= self.size, "outside the block");
        let bytes = self.base().as_ptr().cast::<c_void>();
        // SAFETY: the context of the running call.
        unsafe { JSReportExtraMemoryCost(call.context(), length.saturating_mul(WEIGHT)) };
        let lent = Box::into_raw(Box::new(Lent { block: self, home: Arc::clone(home) }));
        let mut exception = ptr::null_mut();
        // SAFETY: the context of the running call. The bytes are the ArrayBuffer's until the
        // deallocator is called, which happens exactly once, also when this call fails: the block
        // is in `lent`, which only the deallocator takes back.
        let raw = unsafe {
            JSObjectMakeArrayBufferWithBytesNoCopy(call.context(), bytes, length, take_back::<H>, lent.cast::<c_void>(), &mut exception)
        };
        (!raw.is_null() && exception.is_null()).then(|| Value::new(call.context(), raw))
    }
}

impl PoolBlock {
    fn advise(&self, advice: Advice) {
        // SAFETY: whole pages of private memory that belongs to this block alone. Populating them
        // changes no content, without them the memory reads as zero, and if the kernel does neither
        // they stay as they are.
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
