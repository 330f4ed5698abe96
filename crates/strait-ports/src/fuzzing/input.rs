//! Arbitrary bytes as a sequence of decisions. At the end of the bytes every number is 0.

use crate::wire::{self, Encoded, Packet};

/// The unused bytes.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next step's byte; `None` at the end.
    pub(super) fn step(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.step().unwrap_or(0)
    }

    pub(super) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub(super) fn long(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// An index into a list of `length` elements.
    pub(super) fn index(&mut self, length: usize) -> Option<usize> {
        let byte = usize::from(self.byte());
        (length > 0).then(|| byte % length)
    }

    /// At most `length` bytes.
    pub(super) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// A frame as a forger builds it: pieces, each of them bytes or a name that the forger has,
    /// then the kind. The decoder defines the meaning, so kinds that are added later are built too.
    pub(super) fn frame(&mut self, names: &Names) -> Vec<u8> {
        let mut frame = Vec::new();
        for _ in 0..self.byte() % 8 {
            match self.byte() {
                byte @ 0x80.. => frame.extend(names.get(byte - 0x80).to_le_bytes()),
                byte => frame.extend(self.bytes(usize::from(byte % 32))),
            }
        }
        frame.push(self.byte());
        frame
    }
}

/// Names that a forger has received or made up.
pub(super) struct Names(Vec<u128>);

/// The most names that are stored.
const MAX_NAMES: usize = 0x80;

impl Names {
    /// The number of names that a forger has before it has received any.
    pub(super) const OWN: u8 = 10;

    /// Names of the forger's choice, and some that it can guess: the ends of channels that have
    /// never left their node are numbered (`router/side_table.rs`).
    pub(super) fn new() -> Self {
        let inner = [0, 1, 2, 3, 1 << 32, 1 | 1 << 32].map(|key| 0x1a9e_57a1_7000_0001 << 64 | key);
        let names = Self((1..=4).map(|n| 0xbad << 64 | n).chain(inner).collect());
        debug_assert_eq!(names.0.len(), usize::from(Self::OWN));
        names
    }

    fn get(&self, index: u8) -> u128 {
        self.0[usize::from(index) % self.0.len()]
    }

    pub(super) fn add(&mut self, name: u128) {
        if self.0.len() < MAX_NAMES && !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// Adds every name in a packet, wherever it is. Other bytes at those places do no harm.
    pub(super) fn learn(&mut self, packet: Packet) {
        let Encoded { tail, .. } = wire::encode(packet);
        let fields = &tail[..tail.len() - 1];
        // From the end, as they are read; the names of ports are six bytes further on.
        for part in [fields, &fields[..fields.len().saturating_sub(32 + 6)]] {
            part.rchunks_exact(16).for_each(|name| self.add(u128::from_le_bytes(name.try_into().expect("16 bytes"))));
        }
    }
}
