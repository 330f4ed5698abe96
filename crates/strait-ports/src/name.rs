//! Names: what makes a node or a side addressable.

use std::fmt;

/// The name of a node: 128 random bits, given by the broker. Nobody chooses its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeName(pub(crate) u128);

/// The name of one side of an element, local to its node: 128 random bits, known to its neighbour and to nobody else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SideName(pub(crate) u128);

/// A side in the world: where events go and where they come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Addr {
    pub(crate) node: NodeName,
    pub(crate) side: SideName,
}

// Names are secrets between neighbours: logs get enough of them to tell two apart and no more.
impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{:06x}", self.0 as u32 & 0xff_ffff)
    }
}

impl fmt::Debug for SideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{:06x}", self.0 as u32 & 0xff_ffff)
    }
}

/// Where a router gets the names of its sides from; injected so that schedules can be replayed.
pub(crate) trait NameSource: Send {
    /// A name that was never given before and cannot be guessed.
    fn next(&mut self) -> u128;
}

/// How maps whose keys are names, or numbers of ours, find their entries. A peer picks the names of the ports that it sends: keys that it does not know keep it from picking names that
/// all fall on one place.
pub(crate) type RandomKeys = foldhash::fast::RandomState;

/// Names from the system's generator, taken a page at a time: one system call for 256 names.
///
/// A process that forks must make its node after the fork, as every owner of sockets must: the pool would be the same in both.
pub(crate) struct SystemNames {
    pool: Box<[u8; SystemNames::POOL]>,
    used: usize,
}

impl SystemNames {
    const POOL: usize = 4096;

    pub(crate) fn new() -> Self {
        Self { pool: Box::new([0; Self::POOL]), used: Self::POOL }
    }
}

impl NameSource for SystemNames {
    fn next(&mut self) -> u128 {
        if self.used == Self::POOL {
            // Without randomness there is no security to offer; no system that runs this lacks it after boot.
            getrandom::fill(&mut self.pool[..]).expect("the system gives random bytes");
            self.used = 0;
        }
        let bytes = &mut self.pool[self.used..self.used + 16];
        self.used += 16;
        let name = u128::from_le_bytes(bytes[..].try_into().expect("16 bytes"));
        bytes.fill(0);
        name
    }
}
