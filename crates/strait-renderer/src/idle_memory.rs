//! Unused memory blocks: which are kept, and for how long.

use std::collections::BTreeMap;

/// The most bytes that are kept (128 MiB).
pub(crate) const MAX_IDLE: usize = 128 << 20;

/// A block of memory, which returns to the system when it is dropped.
pub(crate) trait Region {
    /// The size in bytes.
    fn size(&self) -> usize;
}

/// The unused blocks. The last one added is the first one taken, because more of it is in the
/// processor's cache.
pub(crate) struct IdleMemory<R> {
    /// The blocks by size, each with the round in which it was added.
    shelves: BTreeMap<usize, Vec<(u64, R)>>,
    bytes: usize,
    round: u64,
}

impl<R> Default for IdleMemory<R> {
    fn default() -> Self {
        Self { shelves: BTreeMap::new(), bytes: 0, round: 0 }
    }
}

impl<R: Region> IdleMemory<R> {
    /// The size of a new block for `length` bytes. It is at most a quarter larger, so that the
    /// block can serve for other lengths of about that size.
    pub(crate) fn size_for(length: usize) -> usize {
        let step = (length.checked_next_power_of_two().unwrap_or(length) / 8).max(4096);
        length.checked_next_multiple_of(step).unwrap_or(length)
    }

    /// Takes a block for `length` bytes that is less than twice as large as a new one.
    pub(crate) fn take(&mut self, length: usize) -> Option<R> {
        let least = Self::size_for(length);
        let (&size, shelf) = self.shelves.range_mut(least..least.saturating_mul(2)).next()?;
        let (_, room) = shelf.pop()?;
        if shelf.is_empty() {
            self.shelves.remove(&size);
        }
        self.bytes -= size;
        Some(room)
    }

    /// Keeps a block, or returns it if the limit would be exceeded.
    pub(crate) fn put(&mut self, room: R) -> Option<R> {
        let size = room.size();
        if size > MAX_IDLE - self.bytes {
            return Some(room);
        }
        self.bytes += size;
        self.shelves.entry(size).or_default().push((self.round, room));
        None
    }

    /// Ends a round. Returns the blocks that were added in an earlier round and not taken since.
    pub(crate) fn retire(&mut self) -> Vec<R> {
        let mut retired = Vec::new();
        for (size, shelf) in &mut self.shelves {
            // The oldest blocks are in front.
            let old = shelf.partition_point(|(round, _)| *round < self.round);
            self.bytes -= size * old;
            retired.extend(shelf.drain(..old).map(|(_, room)| room));
        }
        self.shelves.retain(|_, shelf| !shelf.is_empty());
        self.round += 1;
        retired
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[derive(Debug)]
    struct Plain {
        number: u32,
        size: usize,
    }

    impl Region for Plain {
        fn size(&self) -> usize {
            self.size
        }
    }

    fn room(number: u32, length: usize) -> Plain {
        Plain { number, size: IdleMemory::<Plain>::size_for(length) }
    }

    fn numbers(rooms: impl IntoIterator<Item = Plain>) -> Vec<u32> {
        rooms.into_iter().map(|room| room.number).collect()
    }

    #[test]
    fn rooms_are_a_quarter_too_large_at_most() {
        for length in [1, 4096, 4097, 65_536, 100_000, MIB - 1, MIB, MIB + 1, 64 * MIB, 64 * MIB + 1, 1 << 30, usize::MAX] {
            let size = IdleMemory::<Plain>::size_for(length);
            assert!(size >= length && (size - length <= length / 4 || size - length < 4096), "{length}: {size}");
        }
    }

    #[test]
    fn the_warmest_that_fits_is_taken() {
        let mut idle = IdleMemory::default();
        for (number, length) in [(1, MIB), (2, MIB), (3, 2 * MIB), (4, 64 * MIB)] {
            assert!(idle.put(room(number, length)).is_none());
        }
        let mut take = |length| idle.take(length).map(|room| room.number);
        assert_eq!(take(MIB - 5), Some(2));
        assert_eq!(take(MIB), Some(1));
        // A block of twice the size would be a waste, and a smaller one does not fit.
        assert_eq!(take(MIB), None);
        assert_eq!(take(2 * MIB + 1), None);
        assert_eq!(take(MIB + MIB / 4), Some(3));
        assert_eq!(take(64 * MIB), Some(4));
        assert!(idle.is_empty());
    }

    #[test]
    fn there_is_a_limit() {
        let mut idle = IdleMemory::default();
        let refused = (0..10_000).filter_map(|number| idle.put(room(number, MIB))).count();
        assert_eq!((idle.bytes, refused), (MAX_IDLE, 10_000 - MAX_IDLE / MIB));
        assert_eq!(numbers(idle.put(room(1, 1))), [1]);
        // A taken block leaves room for others.
        let taken = idle.take(MIB).unwrap();
        assert!(idle.put(room(2, 1)).is_none());
        assert!(idle.put(taken).is_some());
        assert!(IdleMemory::default().put(room(3, MAX_IDLE + 1)).is_some());
    }

    #[test]
    fn what_nobody_uses_goes() {
        let mut idle = IdleMemory::default();
        (0..3).for_each(|number| assert!(idle.put(room(number, MIB)).is_none()));
        assert!(idle.retire().is_empty(), "they came in this round");
        let used = idle.take(MIB).unwrap();
        assert!(idle.put(used).is_none());
        assert_eq!(numbers(idle.retire()), [0, 1]);
        assert_eq!((numbers(idle.retire()), idle.is_empty()), (vec![2], true));
        assert!(idle.take(MIB).is_none());
    }
}
