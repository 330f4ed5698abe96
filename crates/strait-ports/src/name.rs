//! Names: the addresses of nodes and sides.

use std::fmt;

/// The name of a node: 128 random bits, chosen by the broker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeName(pub(crate) u128);

/// The name of one side of an element, local to its node: 128 random bits, sent to its neighbour
/// only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SideName(pub(crate) u128);

/// The global address of a side: the source or target of events.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Addr {
    pub(crate) node: NodeName,
    pub(crate) side: SideName,
}

// // Names are secrets between neighbours. Logs contain only enough of a name to distinguish two.
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

/// The source of a router's side names; injected so that tests can replay schedules.
pub(crate) trait NameSource: Send {
    /// A new name that cannot be guessed.
    fn next(&mut self) -> u128;
}

/// The hasher of maps whose keys are names or this node's own numbers. A peer picks the names of
/// the ports that it sends. The hasher's random keys, which the peer cannot read, prevent it from
/// picking names that collide.
pub(crate) type RandomKeys = foldhash::fast::RandomState;

/// Names from the system's generator, read 4,096 bytes at a time: one system call for 256 names.
///
/// A process that forks must create its node after the fork, as with sockets: otherwise both
/// processes would use the same pool.
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
            // // Without random bytes names would not be secure. Every supported system has them
            // after boot.
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
