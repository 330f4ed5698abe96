//! Memory of JavaScriptCore's own that the agent fills and then shows to a page as an ArrayBuffer, without a copy.
//!
//! WebKit ends a process that makes an ArrayBuffer over memory from anywhere but its *cage*. So we have it reserve a stretch of that: a resizable ArrayBuffer that
//! no script ever sees, of no length, but with room to grow. JavaScriptCore keeps the addresses for it and nothing there; asking for its address pins it for good.
//! The stretch is cut into slabs. A page's ArrayBuffers over them are like any other: they can be transferred, to workers too, and when the last owner of
//! one lets go of it, on whichever thread, its slab comes back. The collector counts them as a page's own, and the stretch, having no length, as nothing.

use std::ffi::c_void;
use std::fs;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::mm::{Advice, MprotectFlags, madvise, mprotect};

use super::guarded;
use super::jsc::{Args, Context, OpaqueGroup, RawContext, RawValue, Value};
use crate::extents::Extents;

type Deallocator = extern "C" fn(bytes: *mut c_void, context: *mut c_void);

unsafe extern "C" {
    fn JSContextGetGroup(context: RawContext) -> *mut OpaqueGroup;
    fn JSGlobalContextCreateInGroup(group: *mut OpaqueGroup, class: *mut c_void) -> RawContext;
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

/// So many bytes of addresses a process has for slabs: what pages have of them, and what is kept for the next ones. Buffers beyond are made by the engine.
pub(crate) const RESERVED: usize = 2 << 30;

/// The collector counts an ArrayBuffer over a slab once, where it counts one that it makes itself twice, and memory that is used again while it is still in the
/// processor's cache is the cheapest: so each counts for this many more. (With 0 about a hundred slabs of 1 MiB are out before they come back, with 6 forty.)
const WEIGHT: usize = 4;

/// From this size on slabs are asked for in large pages.
const LARGE: usize = 4 << 20;

/// What JavaScriptCore keeps for itself of it, at its beginning, is less than this (as it is now, 64 KiB). And large pages begin at multiples of it.
const FOREWORD: usize = 2 << 20;

/// What the stretch ends at.
const PAGE: usize = 4096;

/// The stretch; it is never given back.
pub(crate) struct Cage {
    base: NonNull<u8>,
    free: Mutex<Extents>,
}

// SAFETY: the memory belongs to no thread; `free` says which part of it is whose.
unsafe impl Send for Cage {}
// SAFETY: as above.
unsafe impl Sync for Cage {}

impl Cage {
    /// Takes the room of a resizable ArrayBuffer that nobody else has, of no length but for [`RESERVED`] bytes; `None` if it is not of that kind.
    pub(crate) fn of(buffer: Value<'_>) -> Option<Arc<Self>> {
        if !buffer.is_array_buffer() {
            return None;
        }
        // SAFETY: the live context of a running call. No class means the plain global object; what is returned is retained for the caller.
        let context = unsafe {
            let raw = JSGlobalContextCreateInGroup(JSContextGetGroup(buffer.context()), ptr::null_mut());
            (!raw.is_null()).then(|| Context::own(raw))?
        };
        // The object belongs to a document, and would keep it: so what is kept, for ever, is a view of the same memory, in a realm of no document.
        let view = context.global().property("Uint8Array")?.construct(&[buffer])?;
        mem::forget((view.protect(&context)?, context));
        // SAFETY: a live ArrayBuffer.
        let start = unsafe { JSObjectGetArrayBufferBytesPtr(buffer.context(), buffer.raw(), ptr::null_mut()) };
        let base = NonNull::new(start.cast::<u8>())?;
        let first = (base.addr().get() + FOREWORD).next_multiple_of(FOREWORD);
        let end = (base.addr().get().checked_add(RESERVED)?) / PAGE * PAGE;
        // Only addresses behind which there is nothing are taken for what they should be.
        if !is_vacant(&fs::read_to_string("/proc/self/maps").ok()?, first, end) {
            return None;
        }
        let base = base.with_addr(std::num::NonZero::new(first)?);
        // SAFETY: mapped private memory without any access, which its holder, an ArrayBuffer of no length that nobody can reach, never looks at.
        unsafe {
            mprotect(base.as_ptr().cast::<c_void>(), end - first, MprotectFlags::READ | MprotectFlags::WRITE).ok()?;
        }
        Some(Arc::new(Self { base, free: Mutex::new(Extents::new(end - first)) }))
    }

    fn free(&self) -> MutexGuard<'_, Extents> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slab of so many bytes, whole pages, if there is room.
    pub(crate) fn slab(self: &Arc<Self>, size: usize) -> Option<Slab> {
        let start = self.free().take(size)?;
        let slab = Slab { cage: Arc::clone(self), start, size };
        if size >= LARGE {
            slab.advise(Advice::LinuxHugepage);
        }
        Some(slab)
    }
}

/// Is all from `first` to `end` mapped, privately, and nothing of it readable, writable or executable?
fn is_vacant(maps: &str, first: usize, end: usize) -> bool {
    let mut at = first;
    for line in maps.lines() {
        let mut fields = line.split(' ');
        let (Some(range), Some(access)) = (fields.next(), fields.next()) else { return false };
        let parsed = range.split_once('-').and_then(|(from, to)| Some((hexadecimal(from)?, hexadecimal(to)?)));
        let Some((from, to)) = parsed else { return false };
        if to <= at {
            continue;
        }
        if from > at || access != "---p" {
            return false;
        }
        at = to;
        if at >= end {
            return true;
        }
    }
    false
}

fn hexadecimal(text: &str) -> Option<usize> {
    usize::from_str_radix(text, 16).ok()
}

/// Bytes that are the agent's alone as long as it has this. Dropping it gives the memory back to the system.
pub(crate) struct Slab {
    cage: Arc<Cage>,
    start: usize,
    size: usize,
}

/// What takes slabs back.
pub(crate) trait Home: Send + Sync + 'static {
    /// Called on any thread, while the collector runs: it may not call JavaScriptCore.
    fn take_back(&self, slab: Slab);
}

/// A slab that a page's ArrayBuffer shows.
struct Lent<H: Home> {
    slab: Slab,
    home: Arc<H>,
}

impl Slab {
    /// How many bytes there are.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn base(&self) -> NonNull<u8> {
        // SAFETY: `start` and all of the slab behind it are in the stretch.
        unsafe { self.cage.base.add(self.start) }
    }

    /// The first bytes of it.
    pub(crate) fn start(&mut self, length: usize) -> &mut [u8] {
        assert!(length <= self.size, "outside the slab");
        // SAFETY: this part of the stretch is this slab's alone, and no ArrayBuffer shows it while this value exists. All bytes are initialised: the kernel's are zero.
        unsafe { std::slice::from_raw_parts_mut(self.base().as_ptr(), length) }
    }

    /// An ArrayBuffer over the first bytes, in the realm of the running call; when nobody has it any more the slab goes back to `home`.
    pub(crate) fn lend<'a, H: Home>(self, call: &Args<'a>, length: usize, home: &Arc<H>) -> Option<Value<'a>> {
        assert!(length <= self.size, "outside the slab");
        let bytes = self.base().as_ptr().cast::<c_void>();
        // SAFETY: the context of the running call.
        unsafe { JSReportExtraMemoryCost(call.context(), length.saturating_mul(WEIGHT)) };
        let lent = Box::into_raw(Box::new(Lent { slab: self, home: Arc::clone(home) }));
        let mut exception = ptr::null_mut();
        // SAFETY: the context of the running call. The bytes are the ArrayBuffer's until the deallocator is called, which happens exactly once, also when this
        // fails: the slab is in `lent`, which only the deallocator takes back.
        let raw = unsafe {
            JSObjectMakeArrayBufferWithBytesNoCopy(call.context(), bytes, length, take_back::<H>, lent.cast::<c_void>(), &mut exception)
        };
        (!raw.is_null() && exception.is_null()).then(|| Value::new(call.context(), raw))
    }
}

impl Slab {
    fn advise(&self, advice: Advice) {
        // SAFETY: whole pages of private memory that is this slab's alone. How they are made changes nothing, without them it reads as zero, and if the kernel
        // does neither they stay as they are.
        let _ = unsafe { madvise(self.base().as_ptr().cast::<c_void>(), self.size, advice) };
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        self.advise(Advice::LinuxDontNeed);
        self.cage.free().give_back(self.start, self.size);
    }
}

extern "C" fn take_back<H: Home>(_bytes: *mut c_void, lent: *mut c_void) {
    guarded("the return of a slab", (), || {
        // SAFETY: made in `lend`, and JavaScriptCore calls this once.
        let Lent { slab, home } = *unsafe { Box::from_raw(lent.cast::<Lent<H>>()) };
        home.take_back(slab);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
1000-3000 ---p 00000000 00:00 0
3000-4000 ---p 00000000 00:00 0
4000-5000 rw-p 00000000 00:00 0
6000-7000 ---p 00000000 00:00 0
7000-8000 ---s 00000000 00:00 0
9000-a000 ---p 00000000 00:00 0 [x]
";

    #[test]
    fn only_vacant_addresses_are_vacant() {
        let cases = [
            (0x1000, 0x4000, true),
            (0x2000, 0x4000, true),
            (0x9000, 0xa000, true),
            // Something is there, nothing is mapped, it is shared, or the list ends.
            (0x3000, 0x5000, false),
            (0x5000, 0x7000, false),
            (0x0, 0x2000, false),
            (0x7000, 0x8000, false),
            (0x9000, 0xb000, false),
            (0xb000, 0xc000, false),
        ];
        for (first, end, vacant) in cases {
            assert_eq!(is_vacant(MAPS, first, end), vacant, "{first:x}-{end:x}");
        }
        assert!(!is_vacant("", 0x1000, 0x2000) && !is_vacant("nonsense", 0x1000, 0x2000) && !is_vacant("1000-g ---p", 0x1000, 0x2000));
    }
}
