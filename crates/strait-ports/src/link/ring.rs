//! One direction of a pair of rings: the positions of both sides, and their wake-ups.
//!
//! A ring is a range of memory and four words:
//!
//! | word | content |
//! |---|---|
//! | `tail` | position up to which the producer has written; only grows, and wraps |
//! | `head` | position up to which the consumer has read; only grows, and wraps |
//! | `awake` | how the consumer sleeps; set by a producer that wakes it |
//! | `wanting` | 1 while the producer waits for room; cleared by a consumer that signals it |
//!
//! A sleeper sets its word, executes a fence, and polls once more before it sleeps. A waker moves
//! its position, executes a fence, and then reads the word. The fences ensure that one of the two
//! notices the other.
//!
//! The ring contains records: a header of 8 bytes (length, flags), the bytes, and padding to a
//! multiple of 8. A record becomes visible as a whole, because the tail moves last.
//!
//! The other side may be hostile and write any bytes, anywhere, at any time. So each side relies
//! only on its own copy of its own position. It checks each step of the other's position, and
//! copies a header or a record before it reads the contents.

use std::sync::atomic::Ordering;

/// The most bytes of a record. Far less than a ring, so that the receiver can start with the first
/// records of a long frame while the others are written.
pub(super) const MAX_RECORD: usize = 16 * 1024;

/// The size of a record's header. Records start at multiples of it.
pub(super) const HEADER: usize = 8;

/// The consumer sleeps, and is woken by its doorbell.
pub(super) const ASLEEP: u32 = 0;
/// The consumer polls.
pub(super) const AWAKE: u32 = 1;
/// The consumer is parked on this word.
pub(super) const PARKED: u32 = 2;

/// The way to wake the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Doorbell,
    Word,
}

/// A word that both sides can read and write.
pub(super) trait Word {
    fn load(&self, ordering: Ordering) -> u32;
    fn store(&self, value: u32, ordering: Ordering);
    fn swap(&self, value: u32, ordering: Ordering) -> u32;
}

/// The memory of one ring, initially zero.
pub(super) trait Memory {
    type Word: Word;
    fn tail(&self) -> &Self::Word;
    fn head(&self) -> &Self::Word;
    fn awake(&self) -> &Self::Word;
    fn wanting(&self) -> &Self::Word;
    /// A sequentially consistent fence.
    fn fence(&self);
    /// The ring's size in bytes: a power of two, at least 16.
    fn capacity(&self) -> u32;
    /// Copies into the ring, at a position modulo the capacity.
    fn put(&self, position: u32, bytes: &[u8]);
    /// Appends `length` bytes from the ring.
    fn get(&self, position: u32, length: usize, into: &mut Vec<u8>);
    /// The 8 bytes at a multiple of 8.
    fn header(&self, position: u32) -> [u8; HEADER];
}

/// The other side violates the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("ring position moved by {0} bytes: outside the ring, or not to the start of a record")]
    Position(u32),
    #[error("record of {0} bytes is longer than the written part of the ring, or than {MAX_RECORD} bytes")]
    Length(u32),
    #[error("invalid record flags {0:#x}")]
    Flags(u32),
}

/// The size in the ring of a record of `length` bytes.
pub(super) fn space(length: usize) -> u32 {
    (HEADER + length.next_multiple_of(HEADER)) as u32
}

/// The writing side.
pub(super) struct Producer<M> {
    memory: M,
    tail: u32,
    /// The consumer's position when it was last read.
    head: u32,
}

impl<M: Memory> Producer<M> {
    pub(super) fn new(memory: M) -> Self {
        Self { memory, tail: 0, head: 0 }
    }

    /// Reads and checks the consumer's position.
    fn look(&mut self) -> Result<(), Broken> {
        let head = self.memory.head().load(Ordering::Acquire);
        let step = head.wrapping_sub(self.head);
        if step > self.tail.wrapping_sub(self.head) {
            return Err(Broken::Position(step));
        }
        self.head = head;
        Ok(())
    }

    fn fitting(&self) -> usize {
        let free = self.memory.capacity() - self.tail.wrapping_sub(self.head);
        (free as usize & !(HEADER - 1)).saturating_sub(HEADER)
    }

    /// The largest size of the next record, at most `wanted` bytes; `None` if not even a header
    /// fits.
    pub(super) fn room(&mut self, wanted: usize) -> Result<Option<usize>, Broken> {
        if self.tail.wrapping_sub(self.head) + space(wanted) > self.memory.capacity() {
            self.look()?;
        }
        let none = self.tail.wrapping_sub(self.head) + HEADER as u32 > self.memory.capacity();
        Ok((!none).then(|| self.fitting().min(wanted)))
    }

    /// Writes a record, for which there must be room, and makes it visible.
    pub(super) fn write(&mut self, flags: u32, pieces: [&[u8]; 2]) {
        let length = pieces[0].len() + pieces[1].len();
        assert!(self.tail.wrapping_sub(self.head) + space(length) <= self.memory.capacity(), "there is no room");
        let header = u64::from(length as u32) | u64::from(flags) << 32;
        self.memory.put(self.tail, &header.to_le_bytes());
        let start = self.tail.wrapping_add(HEADER as u32);
        self.memory.put(start, pieces[0]);
        self.memory.put(start.wrapping_add(pieces[0].len() as u32), pieces[1]);
        self.tail = self.tail.wrapping_add(space(length));
        self.memory.tail().store(self.tail, Ordering::Release);
    }

    /// After writing: how to wake the consumer, if it sleeps.
    #[must_use]
    pub(super) fn wake(&self) -> Option<Wake> {
        self.memory.fence();
        let awake = self.memory.awake();
        if awake.load(Ordering::Relaxed) == AWAKE {
            return None;
        }
        match awake.swap(AWAKE, Ordering::Relaxed) {
            AWAKE => None,
            PARKED => Some(Wake::Word),
            _ => Some(Wake::Doorbell),
        }
    }

    /// How to wake the other side that waits for room in *its* ring: it may be parked as the
    /// consumer of this ring.
    #[must_use]
    pub(super) fn wake_for_room(&self) -> Wake {
        let awake = self.memory.awake();
        if awake.load(Ordering::Relaxed) == PARKED && awake.swap(AWAKE, Ordering::Relaxed) == PARKED { Wake::Word } else { Wake::Doorbell }
    }

    /// The word on which a parked consumer sleeps.
    pub(super) fn word(&self) -> &M::Word {
        self.memory.awake()
    }

    /// Whether room was requested and not granted yet.
    pub(super) fn waits_for_room(&self) -> bool {
        self.memory.wanting().load(Ordering::Relaxed) == 1
    }

    /// Requests a signal for room. True if there is room for `wanted` bytes already.
    pub(super) fn want_room(&mut self, wanted: usize) -> Result<bool, Broken> {
        self.memory.wanting().store(1, Ordering::Relaxed);
        self.memory.fence();
        Ok(self.room(wanted)?.is_some_and(|room| room >= wanted))
    }
}

/// A record's header, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) length: usize,
    pub(super) flags: u32,
}

/// The result of the last check before the consumer sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SleepCheck {
    /// There is a record already: the consumer must not sleep.
    pub(super) record: bool,
    /// The producer waits for the room that there is now, and must be signalled.
    pub(super) must_signal: bool,
}

/// The reading side.
pub(super) struct Consumer<M> {
    memory: M,
    head: u32,
    /// The head that was last written for the producer.
    published: u32,
    /// The producer's position when it was last read.
    tail: u32,
}

impl<M: Memory> Consumer<M> {
    pub(super) fn new(memory: M) -> Self {
        Self { memory, head: 0, published: 0, tail: 0 }
    }

    /// Reads and checks the producer's position.
    fn look(&mut self) -> Result<(), Broken> {
        let tail = self.memory.tail().load(Ordering::Acquire);
        let step = tail.wrapping_sub(self.tail);
        if step > self.memory.capacity() - self.tail.wrapping_sub(self.published) || !(step as usize).is_multiple_of(HEADER) {
            return Err(Broken::Position(step));
        }
        self.tail = tail;
        Ok(())
    }

    /// The header of the next record, if there is one. The record must be taken before the next
    /// call.
    pub(super) fn next(&mut self) -> Result<Option<Header>, Broken> {
        if self.head == self.tail {
            self.look()?;
        }
        let there = self.tail.wrapping_sub(self.head);
        if there == 0 {
            return Ok(None);
        }
        let header = u64::from_le_bytes(self.memory.header(self.head));
        let (length, flags) = (header as u32, (header >> 32) as u32);
        if length as usize > MAX_RECORD || space(length as usize) > there {
            return Err(Broken::Length(length));
        }
        Ok(Some(Header { length: length as usize, flags }))
    }

    /// The unread bytes up to the last known tail.
    pub(super) fn there(&self) -> usize {
        self.tail.wrapping_sub(self.head) as usize
    }

    /// The unread bytes up to the present tail; 0 if that is invalid.
    pub(super) fn there_now(&mut self) -> usize {
        if self.look().is_ok() { self.there() } else { 0 }
    }

    /// Copies the record of the last `next`, and moves past it. True if the producer waits for the
    /// room that there is now, and must be signalled.
    pub(super) fn take(&mut self, header: Header, into: &mut Vec<u8>) -> bool {
        self.memory.get(self.head.wrapping_add(HEADER as u32), header.length, into);
        self.head = self.head.wrapping_add(space(header.length));
        // Not after every record, because the producer would then read a cache line that changes
        // often.
        if self.head.wrapping_sub(self.published) < self.memory.capacity() / 4 {
            return false;
        }
        self.publish();
        // A producer that is woken for little room would soon sleep again. It is signalled when the
        // ring is empty at the latest.
        if self.tail.wrapping_sub(self.head) > self.memory.capacity() / 2 {
            return false;
        }
        self.memory.fence();
        self.wanted()
    }

    fn publish(&mut self) {
        if self.published != self.head {
            self.published = self.head;
            self.memory.head().store(self.head, Ordering::Release);
        }
    }

    fn wanted(&self) -> bool {
        let wanting = self.memory.wanting();
        wanting.load(Ordering::Relaxed) != 0 && wanting.swap(0, Ordering::Relaxed) != 0
    }

    /// After `next` has returned `None`: from now on this side must be woken, by its doorbell or,
    /// if it is parked, by its word.
    pub(super) fn prepare_sleep(&mut self, how: Wake) -> Result<SleepCheck, Broken> {
        self.publish();
        // A store would be enough with the fences. But loom cannot rule out that a store after a
        // swap is ordered into the swap, and reports a lost wake-up.
        self.memory.awake().swap(if how == Wake::Doorbell { ASLEEP } else { PARKED }, Ordering::Relaxed);
        self.memory.fence();
        let must_signal = self.wanted();
        self.look()?;
        Ok(SleepCheck { record: self.head != self.tail, must_signal })
    }

    /// This side polls until it sleeps again; no signal is needed.
    pub(super) fn stay_awake(&self) {
        self.memory.awake().store(AWAKE, Ordering::Relaxed);
    }

    /// Whether data may have arrived since the last `next`: one load, no check.
    pub(super) fn has_input(&self) -> bool {
        self.head != self.tail || self.memory.tail().load(Ordering::Relaxed) != self.tail
    }

    /// The memory, for waiting on its words.
    pub(super) fn memory(&self) -> &M {
        &self.memory
    }
}
