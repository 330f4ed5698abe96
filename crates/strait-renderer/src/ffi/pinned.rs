//! Pinned arrays of the glue, through which bytes and handles enter and leave a realm.

use std::ffi::c_void;
use std::ptr;

use super::jsc::{Context, Object, TYPED_ARRAY_UINT8, TYPED_ARRAY_UINT32, Value};

/// A `Uint8Array` or `Uint32Array` of the glue, whose address is read once. JavaScriptCore pins a
/// buffer that it has shown through its C interface. So the buffer is neither moved nor detached
/// while the array lives, and this object keeps the array. No script of a page can reach it.
pub(crate) struct Pinned {
    object: Object,
    start: *mut c_void,
    /// The number of elements; each has `width` bytes.
    length: usize,
    width: usize,
}

impl Pinned {
    /// Keeps a `Uint8Array`.
    pub(crate) fn bytes(array: Value<'_>, context: &Context) -> Option<Self> {
        Self::new(array, context, TYPED_ARRAY_UINT8, 1)
    }

    /// Keeps a `Uint32Array`.
    pub(crate) fn words(array: Value<'_>, context: &Context) -> Option<Self> {
        Self::new(array, context, TYPED_ARRAY_UINT32, 4)
    }

    fn new(array: Value<'_>, context: &Context, kind: std::os::raw::c_int, width: usize) -> Option<Self> {
        let (start, length) = array.elements(kind, width)?;
        Some(Self { object: array.protect(context)?, start, length, width })
    }

    /// Whether the value is this very array.
    pub(crate) fn is(&self, value: &Value<'_>) -> bool {
        self.object.value().identity() == value.identity()
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// A copy of the first `length` bytes.
    pub(crate) fn copy(&self, length: usize) -> Option<Vec<u8>> {
        // SAFETY: in bounds of pinned memory that lives as long as the array; only this thread has
        // it, and this thread runs no script meanwhile.
        (length <= self.length).then(|| unsafe { std::slice::from_raw_parts(self.start.cast::<u8>(), length) }.to_vec())
    }

    /// Copies `bytes` to the start; false if the array is too small.
    pub(crate) fn write(&self, bytes: &[u8]) -> bool {
        self.fill(bytes.len(), |place| {
            place.copy_from_slice(bytes);
            true
        })
    }

    /// Calls `fill` to write the first `length` bytes; false if the array is shorter. `fill` runs
    /// no script.
    pub(crate) fn fill(&self, length: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> bool {
        // SAFETY: as in `copy`; every byte is initialised, as always in typed arrays.
        length <= self.length && fill(unsafe { std::slice::from_raw_parts_mut(self.start.cast::<u8>(), length) })
    }

    /// Copies `words` to the start; false if the array is too small or has elements of another
    /// size.
    pub(crate) fn write_words(&self, words: &[u32]) -> bool {
        if self.width != size_of::<u32>() || words.len() > self.length {
            return false;
        }
        // SAFETY: as in `copy`; typed arrays are aligned for their element, and the source is
        // Rust's memory, which no typed array shows.
        unsafe { ptr::copy_nonoverlapping(words.as_ptr(), self.start.cast::<u32>(), words.len()) };
        true
    }
}
