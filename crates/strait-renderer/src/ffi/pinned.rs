//! Arrays of the glue through which bytes and handles go in and out.

use std::ffi::c_void;
use std::ptr;

use super::jsc::{Context, Object, TYPED_ARRAY_UINT8, TYPED_ARRAY_UINT32, Value};

/// A `Uint8Array` or `Uint32Array` of the glue's, whose memory is looked up once: JavaScriptCore pins a buffer that has been shown through its C interface, so it is neither moved nor detached as
/// long as the array lives, which is kept. No script of a page can get hold of it.
pub(crate) struct Pinned {
    object: Object,
    start: *mut c_void,
    /// In elements, of so many bytes.
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

    /// Is it this very array?
    pub(crate) fn is(&self, value: &Value<'_>) -> bool {
        self.object.value().identity() == value.identity()
    }

    /// How many elements it has.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// A copy of the first `length` bytes.
    pub(crate) fn copy(&self, length: usize) -> Option<Vec<u8>> {
        // SAFETY: in bounds of pinned memory that lives as long as the array; this thread is the only one that has it, and it runs no script meanwhile.
        (length <= self.length).then(|| unsafe { std::slice::from_raw_parts(self.start.cast::<u8>(), length) }.to_vec())
    }

    /// Copies `bytes` to the start; false if it is too small.
    pub(crate) fn write(&self, bytes: &[u8]) -> bool {
        self.fill(bytes.len(), |place| {
            place.copy_from_slice(bytes);
            true
        })
    }

    /// Lets `fill` write the first `length` bytes; false if it is shorter. `fill` runs no script.
    pub(crate) fn fill(&self, length: usize, fill: impl FnOnce(&mut [u8]) -> bool) -> bool {
        // SAFETY: as in `copy`; every byte is initialised, as typed arrays are.
        length <= self.length && fill(unsafe { std::slice::from_raw_parts_mut(self.start.cast::<u8>(), length) })
    }

    /// Copies `words` to the start; false if it is too small, or has no words.
    pub(crate) fn write_words(&self, words: &[u32]) -> bool {
        if self.width != size_of::<u32>() || words.len() > self.length {
            return false;
        }
        // SAFETY: as in `copy`; typed arrays are aligned for their element, and the source is Rust's memory, which no typed array shows.
        unsafe { ptr::copy_nonoverlapping(words.as_ptr(), self.start.cast::<u32>(), words.len()) };
        true
    }
}
