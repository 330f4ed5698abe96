//! Copies of bytes that another process may write, or read, at the same time.
//!
//! An ordinary copy of such bytes is a data race, which is undefined behaviour: the compiler may
//! read a byte twice and assume equal values. All copies out of and into shared memory go through
//! [`from_shared`] and [`to_shared`]. Their accesses to shared memory are relaxed atomic ones. So a
//! peer that writes meanwhile affects the values of the copied bytes, and nothing else.
//!
//! On x86-64 the copy is a block of machine code, because the compiler neither joins atomic
//! accesses nor makes vector instructions of them: from 1 KiB on, words of 8 bytes take twice the
//! time of `memcpy`. For the compiler the block has the effects of its instructions: relaxed atomic
//! accesses of single bytes in any order. Other processors, Miri, and sanitizers, which cannot
//! check machine code (`--cfg sanitizers`), use atomic words.
//!
//! The block never uses `rep movsb`, as `memcpy` does from about 2 KiB on. Some processors take
//! several times as long for it unless source and target have the same offset in their pages, and
//! the middle of a message never has. So [`copy_bytes`], for private memory, uses the block too.

#[cfg(all(target_arch = "x86_64", not(miri), not(sanitizers)))]
use machine as portable_or_machine;
#[cfg(not(all(target_arch = "x86_64", not(miri), not(sanitizers))))]
use words as portable_or_machine;

/// Copies bytes that a peer may write meanwhile.
///
/// # Safety
/// `length` bytes must be readable at `from` and writable at `to`, and the two must not overlap.
/// The target must be exclusive. Others may access the source, by atomic accesses or from other
/// processes.
pub(crate) unsafe fn from_shared(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller's obligations are the same.
    unsafe { portable_or_machine::from_shared(from, to, length) }
}

/// Copies bytes to memory that a peer may read or write meanwhile.
///
/// # Safety
/// `length` bytes must be readable at `from` and writable at `to`, and the two must not overlap.
/// The source must not change. Others may access the target, by atomic accesses or from other
/// processes.
pub(crate) unsafe fn to_shared(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: the caller's obligations are the same.
    unsafe { portable_or_machine::to_shared(from, to, length) }
}

/// As `to.copy_from_slice(from)`, for many bytes at any alignment: faster on processors that copy
/// long ranges slowly.
///
/// # Panics
/// If the two slices have different lengths.
pub fn copy_bytes(from: &[u8], to: &mut [u8]) {
    assert_eq!(from.len(), to.len(), "the same number of bytes on both sides");
    // SAFETY: both are slices of this length, and one is exclusive.
    unsafe { portable_or_machine::private(from, to) }
}

/// Copies bytes that others may write meanwhile: from a buffer that several threads or processes
/// share.
///
/// # Safety
/// `to.len()` bytes must be readable at `from`, outside of `to`. Others must write them only by
/// atomic accesses, from other processes, or by code in another language than Rust.
pub unsafe fn copy_shared_bytes(from: *const u8, to: &mut [u8]) {
    // SAFETY: the slice is exclusive; the rest is the caller's obligation.
    unsafe { from_shared(from, to.as_mut_ptr(), to.len()) }
}

#[cfg(target_arch = "x86_64")]
#[cfg_attr(any(miri, sanitizers), expect(dead_code, reason = "atomic words are used instead"))]
mod machine {
    use std::arch::asm;
    use std::is_x86_feature_detected;

    /// From this size on, the wider registers are worth the check whether the processor has them.
    const WIDE_FROM: usize = 256;
    /// From this size on, the target's cache lines are prefetched. In a ring, the lines behind a
    /// small record may be in use by the reader.
    const AHEAD_FROM: usize = 16 << 10;
    /// Bytes that one turn of the wide loop copies.
    const WIDE: usize = 128;
    /// Bytes that one turn of the narrow loop copies.
    const NARROW: usize = 16;

    #[cfg_attr(any(miri, sanitizers), expect(unused_imports, reason = "atomic words are used instead"))]
    pub(super) use {copy as from_shared, copy as to_shared};

    /// # Safety
    /// Both slices must have the same length.
    pub(super) unsafe fn private(from: &[u8], to: &mut [u8]) {
        // SAFETY: two slices of this length, one of them exclusive.
        unsafe { copy(from.as_ptr(), to.as_mut_ptr(), from.len()) }
    }

    /// # Safety
    /// As for [`super::from_shared`] or [`super::to_shared`].
    pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
        let mut done = 0;
        if length >= WIDE_FROM && is_x86_feature_detected!("avx") {
            let turns = length / WIDE;
            // SAFETY: the processor has the registers; the range is a part of the caller's.
            unsafe { if length < AHEAD_FROM { wide(from, to, turns) } else { wide_ahead(from, to, turns) } };
            done = length / WIDE * WIDE;
        }
        // SAFETY: the rest of the caller's ranges. Every access is to bytes in the two ranges.
        unsafe {
            while length - done >= NARROW {
                asm!(
                    "movups {bytes}, [{from}]",
                    "movups [{to}], {bytes}",
                    bytes = out(xmm_reg) _,
                    from = in(reg) from.add(done),
                    to = in(reg) to.add(done),
                    options(nostack, preserves_flags)
                );
                done += NARROW;
            }
            if length - done >= 8 {
                asm!(
                    "mov {bytes}, [{from}]",
                    "mov [{to}], {bytes}",
                    bytes = out(reg) _,
                    from = in(reg) from.add(done),
                    to = in(reg) to.add(done),
                    options(nostack, preserves_flags)
                );
                done += 8;
            }
            while done < length {
                asm!(
                    "mov {byte}, [{from}]",
                    "mov [{to}], {byte}",
                    byte = out(reg_byte) _,
                    from = in(reg) from.add(done),
                    to = in(reg) to.add(done),
                    options(nostack, preserves_flags)
                );
                done += 1;
            }
        }
    }

    /// A function that copies [`WIDE`] bytes `turns` times, at least once, and executes `ahead`
    /// before each of them.
    macro_rules! wide {
        ($(#[$doc:meta])* $name:ident $(, $ahead:literal)*) => {
            $(#[$doc])*
            ///
            /// # Safety
            /// As for [`copy`].
            #[target_feature(enable = "avx")]
            unsafe fn $name(from: *const u8, to: *mut u8, turns: usize) {
                // SAFETY: the loop ends after `turns` turns, each of which reads and writes the
                // next bytes of the two ranges. A prefetch accesses nothing.
                unsafe {
                    asm!(
                        "2:",
                        $($ahead,)*
                        "vmovups {a}, [{from}]",
                        "vmovups {b}, [{from} + 32]",
                        "vmovups {c}, [{from} + 64]",
                        "vmovups {d}, [{from} + 96]",
                        "vmovups [{to}], {a}",
                        "vmovups [{to} + 32], {b}",
                        "vmovups [{to} + 64], {c}",
                        "vmovups [{to} + 96], {d}",
                        "add {from}, 128",
                        "add {to}, 128",
                        "dec {turns}",
                        "jnz 2b",
                        // Some processors would slow down the following instructions for narrow
                        // registers otherwise.
                        "vzeroupper",
                        from = inout(reg) from => _,
                        to = inout(reg) to => _,
                        turns = inout(reg) turns => _,
                        a = out(ymm_reg) _,
                        b = out(ymm_reg) _,
                        c = out(ymm_reg) _,
                        d = out(ymm_reg) _,
                        options(nostack)
                    );
                }
            }
        };
    }

    wide!(
        /// For few bytes.
        wide
    );
    wide!(
        /// For many bytes: prefetches the target's cache lines for writing, 1 KiB ahead. Copying to
        /// memory that is not in the cache then takes three quarters of the time, to other memory
        /// the same time. Processors without `prefetchw` ignore it.
        wide_ahead,
        "prefetchw [{to} + 1024]",
        "prefetchw [{to} + 1088]"
    );
}

#[cfg(any(test, miri, sanitizers, not(target_arch = "x86_64")))]
#[cfg_attr(all(target_arch = "x86_64", not(miri), not(sanitizers)), expect(dead_code, reason = "only tests use it here"))]
mod words {
    use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

    const WORD: usize = size_of::<u64>();

    /// # Safety
    /// Both slices must have the same length.
    pub(super) unsafe fn private(from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
    }

    /// # Safety
    /// As for [`super::from_shared`].
    pub(super) unsafe fn from_shared(from: *const u8, to: *mut u8, length: usize) {
        let byte = |at: usize| {
            // SAFETY: `at` is less than `length`; the source is used by atomic accesses only, the
            // target is exclusive.
            unsafe { to.add(at).write(AtomicU8::from_ptr(from.add(at).cast_mut()).load(Ordering::Relaxed)) }
        };
        let word = |at: usize| {
            // SAFETY: `edges` returns offsets at multiples of a word in the source, a whole word
            // before the end; otherwise as above.
            unsafe {
                let word = AtomicU64::from_ptr(from.add(at).cast_mut().cast::<u64>()).load(Ordering::Relaxed);
                to.add(at).cast::<u64>().write_unaligned(word);
            }
        };
        let (first, last) = edges(from, length);
        (0..first).for_each(byte);
        (first..last).step_by(WORD).for_each(word);
        (last..length).for_each(byte);
    }

    /// # Safety
    /// As for [`super::to_shared`].
    pub(super) unsafe fn to_shared(from: *const u8, to: *mut u8, length: usize) {
        let byte = |at: usize| {
            // SAFETY: `at` is less than `length`; the target is used by atomic accesses only, and
            // the source does not change.
            unsafe { AtomicU8::from_ptr(to.add(at)).store(from.add(at).read(), Ordering::Relaxed) }
        };
        let word = |at: usize| {
            // SAFETY: `edges` returns offsets at multiples of a word in the target, a whole word
            // before the end; otherwise as above.
            unsafe {
                let word = from.add(at).cast::<u64>().read_unaligned();
                AtomicU64::from_ptr(to.add(at).cast::<u64>()).store(word, Ordering::Relaxed);
            }
        };
        let (first, last) = edges(to, length);
        (0..first).for_each(byte);
        (first..last).step_by(WORD).for_each(word);
        (last..length).for_each(byte);
    }

    /// The offsets at which the whole words of `length` bytes at an address begin and end.
    fn edges(start: *const u8, length: usize) -> (usize, usize) {
        let first = (start.addr().next_multiple_of(WORD) - start.addr()).min(length);
        (first, first + (length - first) / WORD * WORD)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;

    use super::*;

    type Copy = unsafe fn(*const u8, *mut u8, usize);

    /// All copy functions of this processor.
    fn ways() -> Vec<Copy> {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        return vec![words::from_shared, words::to_shared, machine::copy];
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        vec![words::from_shared as Copy, words::to_shared]
    }

    #[test]
    fn every_byte_is_copied_and_no_other() {
        const MARGIN: usize = 64;
        let bytes: Vec<u8> = (0..20_000 + MARGIN).map(|n| (n % 251) as u8).collect();
        for copy in ways() {
            for length in (0..=300).chain([511, 512, 1023, 1025, 4096, 16_383, 20_000]) {
                for (from, to) in [(0, 0), (1, 0), (0, 1), (3, 5), (8, 3), (7, 31), (33, 15)] {
                    let source = &bytes[from..from + length];
                    let mut target = vec![255; MARGIN + length + MARGIN];
                    let place = &mut target[MARGIN / 2 + to..][..length];
                    // SAFETY: two slices of this length.
                    unsafe { copy(source.as_ptr(), place.as_mut_ptr(), length) };
                    let (before, rest) = target.split_at(MARGIN / 2 + to);
                    let (copied, behind) = rest.split_at(length);
                    assert_eq!(copied, source, "{length} bytes from {from} to {to}");
                    assert!(before.iter().chain(behind).all(|byte| *byte == 255), "{length} bytes from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn slices_are_copied_whole() {
        let from: Vec<u8> = (0..7_001).map(|n| (n % 251) as u8).collect();
        let mut to = vec![0; 7_000];
        copy_bytes(&from[1..], &mut to);
        assert_eq!(to, from[1..]);
        // SAFETY: both buffers have `length` bytes and are exclusive.
        unsafe { copy_shared_bytes(from.as_ptr(), &mut to) };
        assert_eq!(to, from[..7_000]);
    }

    #[test]
    #[should_panic(expected = "the same number")]
    fn other_lengths_are_refused() {
        copy_bytes(&[1, 2], &mut [0]);
    }

    /// Faults that `cargo xtask sanitize` must find; the variable `STRAIT_PLANTED` selects one.
    #[cfg(sanitizers)]
    fn planted(shared: *const u8, copy: &mut [u8]) {
        match std::env::var("STRAIT_PLANTED").as_deref() {
            Ok("address") => {
                let short = vec![0_u8; 100];
                // SAFETY: none: a byte behind the vector is read.
                unsafe { copy_shared_bytes(std::hint::black_box(short.as_ptr()), &mut copy[..101]) };
            }
            // SAFETY: none: a peer writes these bytes meanwhile.
            Ok("thread") => unsafe { std::ptr::copy_nonoverlapping(shared, copy.as_mut_ptr(), copy.len()) },
            _ => {}
        }
    }

    /// `cargo xtask sanitize` runs this under ThreadSanitizer, which reports an ordinary copy.
    #[test]
    fn a_peer_that_writes_meanwhile_is_no_data_race() {
        const WORDS: usize = 512;
        const ROUNDS: u64 = 200;
        let shared: Vec<AtomicU64> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        let start = shared.as_ptr().cast_mut().cast::<u8>();
        let mut copy = vec![0; WORDS * 8];
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let peer = scope.spawn(|| {
                // Until the copies are made, however late this thread starts.
                for round in (1..=ROUNDS).cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
                    shared.iter().for_each(|word| word.store(round, Ordering::Relaxed));
                }
            });
            while shared[0].load(Ordering::Relaxed) == 0 {
                thread::yield_now();
            }
            for _ in 0..ROUNDS {
                // SAFETY: the range has this length; the peer uses atomic accesses.
                unsafe { from_shared(start, copy.as_mut_ptr(), WORDS * 8) };
                assert!(copy.chunks(8).all(|word| u64::from_ne_bytes(word.try_into().unwrap()) <= ROUNDS));
                #[cfg(sanitizers)]
                planted(start, &mut copy);
            }
            stop.store(true, Ordering::Relaxed);
            // ThreadSanitizer uses the order that a join makes, but not that of the scope's end.
            peer.join().unwrap();
            let peer = scope.spawn(|| shared.iter().map(|word| word.load(Ordering::Relaxed)).filter(|word| *word > ROUNDS + 1).count());
            let from = [(ROUNDS + 1); WORDS];
            // SAFETY: as above.
            unsafe { to_shared(from.as_ptr().cast::<u8>(), start, WORDS * 8) };
            assert_eq!(peer.join().unwrap(), 0);
        });
        assert!(shared.iter().all(|word| word.load(Ordering::Relaxed) == ROUNDS + 1));
    }
}
