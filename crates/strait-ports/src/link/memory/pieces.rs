//! Copying what is large.

use std::ptr;

/// So many bytes at a time are copied. From about two kibibytes on the C library may leave the whole to one instruction of the processor (`rep movsb`), and some processors take several times as
/// long over it as over ordinary loads and stores if source and target do not lie alike in their pages: what comes out of the middle of a message never does.
const PIECE: usize = 2048;

/// As `ptr::copy_nonoverlapping`, in pieces.
///
/// # Safety
/// As there.
pub(crate) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    let mut done = 0;
    while done < length {
        let piece = (length - done).min(PIECE);
        // SAFETY: a part of what the caller vouches for.
        unsafe { ptr::copy_nonoverlapping(from.add(done), to.add(done), piece) };
        done += piece;
    }
}

/// As `to.copy_from_slice(from)`, for many bytes that lie anywhere: faster where processors copy long stretches slowly.
///
/// # Panics
/// If the two are not of the same length.
pub fn copy_bytes(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len(), "the same number of bytes on both sides");
    // SAFETY: both are slices of this length, and one is exclusive.
    unsafe { copy(from.as_ptr(), to.as_mut_ptr(), from.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_copied_once_whatever_the_length() {
        let from: Vec<u8> = (0..3 * PIECE + 1).map(|n| (n % 251) as u8).collect();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE] {
            for start in [0, 1] {
                let mut to = vec![255; length + 1];
                copy_bytes(&from[start..start + length], &mut to[..length]);
                assert_eq!(to[..length], from[start..start + length]);
                assert_eq!(to[length], 255);
            }
        }
    }

    #[test]
    #[should_panic(expected = "the same number")]
    fn other_lengths_are_refused() {
        copy_bytes(&[1, 2], &mut [0]);
    }
}
