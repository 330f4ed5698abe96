//! The allocator of ranges in the buffer pool's address space.

use std::collections::BTreeMap;

/// The free ranges: size by start. No two of them are adjacent.
pub(crate) struct RangeAllocator(BTreeMap<usize, usize>);

impl RangeAllocator {
    /// Allocates from `0..size`; all of it is free.
    pub(crate) fn new(size: usize) -> Self {
        Self(BTreeMap::from([(0, size)]))
    }

    /// Takes the first free range of `size` bytes, which is at least 1, and returns its start.
    pub(crate) fn take(&mut self, size: usize) -> Option<usize> {
        assert!(size > 0, "nothing has no place");
        let (&start, &there) = self.0.iter().find(|(_, there)| **there >= size)?;
        self.0.remove(&start);
        if there > size {
            self.0.insert(start + size, there - size);
        }
        Some(start)
    }

    /// Frees a range that was taken.
    pub(crate) fn give_back(&mut self, mut start: usize, mut size: usize) {
        if let Some(behind) = self.0.remove(&(start + size)) {
            size += behind;
        }
        if let Some((&before, &length)) = self.0.range(..start).next_back() {
            assert!(before + length <= start, "it was free already");
            if before + length == start {
                (start, size) = (before, length + size);
            }
        }
        self.0.insert(start, size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the allocator with a map of single units, in a sequence that is the same in each
    /// run.
    #[test]
    fn every_unit_has_one_owner() {
        const UNITS: usize = 64;
        let mut ranges = RangeAllocator::new(UNITS);
        let mut owned = [false; UNITS];
        let mut held = Vec::new();
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for _ in 0..20_000 {
            if random(2) == 0 {
                let size = 1 + random(20);
                let place = owned.windows(size).position(|window| window.iter().all(|owned| !owned));
                assert_eq!(ranges.take(size), place, "the first place that is large enough, and one if there is one");
                if let Some(start) = place {
                    owned[start..start + size].fill(true);
                    held.push((start, size));
                }
            } else if !held.is_empty() {
                let (start, size) = held.swap_remove(random(held.len()));
                ranges.give_back(start, size);
                owned[start..start + size].fill(false);
            }
        }
        held.into_iter().for_each(|(start, size)| ranges.give_back(start, size));
        assert_eq!(ranges.0, BTreeMap::from([(0, UNITS)]));
    }

    #[test]
    #[should_panic(expected = "free already")]
    fn nothing_is_given_back_twice() {
        let mut ranges = RangeAllocator::new(8);
        assert_eq!((ranges.take(2), ranges.take(2)), (Some(0), Some(2)));
        ranges.give_back(0, 2);
        ranges.give_back(1, 1);
    }
}
