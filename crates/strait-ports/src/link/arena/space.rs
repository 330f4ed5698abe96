//! The table of an arena's pages and blocks. Pure, and private to the writer: the reader cannot
//! access it.

use std::collections::BTreeMap;

/// Blocks start at multiples of this and take whole pages, so that no two blocks share a page. It
/// is the arena's unit and independent of the kernel's page size: larger kernel pages do no harm.
pub(crate) const PAGE: usize = 4096;

/// A release of a block that is not on loan, or an answer for an arena that is not on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer released a block that is not on loan, or answered for an arena that is not on offer")]
pub(crate) struct NotLoaned;

/// A block in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    pages: u32,
    /// Whether the block is on loan to the reader.
    out: bool,
}

/// The free and taken pages of an arena.
#[derive(Debug)]
pub(crate) struct Space {
    /// Free ranges: first page and length. Adjacent ranges are joined.
    free: BTreeMap<u32, u32>,
    taken: BTreeMap<u32, Taken>,
}

impl Space {
    /// An arena of `pages` free pages.
    pub(crate) fn new(pages: usize) -> Self {
        let pages = u32::try_from(pages).expect("arenas have fewer pages than that");
        Self { free: BTreeMap::from([(0, pages)]), taken: BTreeMap::new() }
    }

    /// Takes a block of `length` bytes and returns its first page. It is in the first range that is
    /// long enough, because those pages are the most likely to be in the cache.
    pub(crate) fn take(&mut self, length: usize) -> Option<u32> {
        let pages = u32::try_from(length.div_ceil(PAGE).max(1)).ok()?;
        let (&start, &there) = self.free.iter().find(|(_, there)| **there >= pages)?;
        self.free.remove(&start);
        if there > pages {
            self.free.insert(start + pages, there - pages);
        }
        self.taken.insert(start, Taken { pages, out: false });
        Some(start)
    }

    /// Marks a block as on loan to the reader.
    pub(crate) fn lend(&mut self, start: u32) {
        let taken = self.taken.get_mut(&start).expect("a block is lent by its holder");
        assert!(!taken.out, "a block is lent once");
        taken.out = true;
    }

    /// Frees a block that the reader has released.
    pub(crate) fn release_blocks(&mut self, start: u32) -> Result<(), NotLoaned> {
        if !self.taken.get(&start).is_some_and(|taken| taken.out) {
            return Err(NotLoaned);
        }
        self.release(start);
        Ok(())
    }

    /// Frees a block that is not on loan.
    pub(crate) fn free(&mut self, start: u32) {
        assert!(self.taken.get(&start).is_some_and(|taken| !taken.out), "a block is freed by its holder");
        self.release(start);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.taken.is_empty()
    }

    /// The bytes of blocks on loan, in whole pages.
    pub(crate) fn lent(&self) -> usize {
        self.taken.values().filter(|taken| taken.out).map(|taken| taken.pages as usize * PAGE).sum()
    }

    fn release(&mut self, start: u32) {
        let Some(Taken { pages, .. }) = self.taken.remove(&start) else { return };
        let (mut start, mut pages) = (start, pages);
        if let Some(behind) = self.free.remove(&(start + pages)) {
            pages += behind;
        }
        if let Some((&before, &length)) = self.free.range(..start).next_back()
            && before + length == start
        {
            (start, pages) = (before, length + pages);
        }
        self.free.insert(start, pages);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGES: u32 = 64;

    #[derive(Debug, Clone)]
    enum Step {
        Take(usize),
        Lend(usize),
        Free(usize),
        GiveBack(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0usize..20 * PAGE).prop_map(Step::Take),
            2 => any::<usize>().prop_map(Step::Lend),
            2 => any::<usize>().prop_map(Step::Free),
            2 => (0..PAGES + 2).prop_map(Step::GiveBack),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a map of single pages.
        #[test]
        fn a_page_has_one_owner(steps in proptest::collection::vec(step(), 1..200)) {
            let mut space = Space::new(PAGES as usize);
            let mut owners = vec![None; PAGES as usize];
            let mut held: Vec<u32> = Vec::new();
            let mut out: Vec<u32> = Vec::new();
            let clear = |owners: &mut Vec<Option<u32>>, block| owners.iter_mut().filter(|o| **o == Some(block)).for_each(|o| *o = None);
            for step in steps {
                match step {
                    Step::Take(length) => {
                        let pages = length.div_ceil(PAGE).max(1);
                        // First fit, and nothing is refused that fits.
                        let place = owners.windows(pages).position(|window| window.iter().all(Option::is_none));
                        prop_assert_eq!(space.take(length), place.map(|p| p as u32));
                        if let Some(place) = place {
                            owners[place..place + pages].fill(Some(place as u32));
                            held.push(place as u32);
                        }
                    }
                    Step::Lend(which) if !held.is_empty() => {
                        let block = held.swap_remove(which % held.len());
                        space.lend(block);
                        out.push(block);
                    }
                    Step::Free(which) if !held.is_empty() => {
                        let block = held.swap_remove(which % held.len());
                        space.free(block);
                        clear(&mut owners, block);
                    }
                    Step::GiveBack(block) => match out.iter().position(|b| *b == block) {
                        Some(index) => {
                            out.swap_remove(index);
                            prop_assert_eq!(space.release_blocks(block), Ok(()));
                            clear(&mut owners, block);
                        }
                        None => prop_assert_eq!(space.release_blocks(block), Err(NotLoaned)),
                    },
                    Step::Lend(_) | Step::Free(_) => {}
                }
                prop_assert_eq!(space.is_idle(), held.is_empty() && out.is_empty());
                prop_assert_eq!(space.lent(), owners.iter().flatten().filter(|owner| out.contains(owner)).count() * PAGE);
            }
        }
    }

    #[test]
    fn what_is_longer_than_everything_is_refused() {
        let mut space = Space::new(4);
        for length in [4 * PAGE + 1, usize::MAX] {
            assert_eq!(space.take(length), None);
        }
        assert_eq!(space.take(4 * PAGE), Some(0));
        assert_eq!(space.take(0), None);
    }
}
