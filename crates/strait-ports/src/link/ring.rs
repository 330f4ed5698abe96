//! One direction of a pair of rings: who may touch which bytes when, and who has to be woken.
//!
//! A ring is a stretch of memory and four words. `tail` is how far the producer has written, `head` how far the consumer has read; both
//! only grow (and wrap). `awake` says how the consumer sleeps, if it does: who has written something then sets it and wakes it. `wanting` is 1 while the producer waits for room:
//! who has read something then clears it and rings. Each sleeper sets its word, and then looks once more before it sleeps; each waker moves its position, and then looks
//! at the word. The fences between make sure that one of the two sees the other.
//!
//! What is in the ring are records: a header of eight bytes (length, flags), the bytes, and filling up to eight. A record is visible once it is whole, as the tail
//! moves last.
//!
//! The other side may be hostile and write what it likes, everywhere, at any time. So each side believes only its own copy of its own position, checks
//! the other's whenever it looks, and copies a header or a record before it looks into it.

use std::sync::atomic::Ordering;

/// The longest record's bytes. Shorter than a ring by far: the receiver begins with a long frame's first records while the others are written.
pub(super) const MAX_RECORD: usize = 16 * 1024;

/// A record's header. Records begin at multiples of it.
pub(super) const HEADER: usize = 8;

/// The consumer sleeps, and hears the bell.
pub(super) const ASLEEP: u32 = 0;
/// The consumer looks by itself.
pub(super) const AWAKE: u32 = 1;
/// The consumer sleeps on this very word.
pub(super) const PARKED: u32 = 2;

/// How somebody is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Doorbell,
    Word,
}

/// A word that both sides see.
pub(super) trait Word {
    fn load(&self, ordering: Ordering) -> u32;
    fn store(&self, value: u32, ordering: Ordering);
    fn swap(&self, value: u32, ordering: Ordering) -> u32;
}

/// The memory of one ring, all zero at first.
pub(super) trait Memory {
    type Word: Word;
    fn tail(&self) -> &Self::Word;
    fn head(&self) -> &Self::Word;
    fn awake(&self) -> &Self::Word;
    fn wanting(&self) -> &Self::Word;
    /// A sequentially consistent fence.
    fn fence(&self);
    /// Bytes in the ring: a power of two, at least 16.
    fn capacity(&self) -> u32;
    /// Copies into the ring, at a position modulo the capacity.
    fn put(&self, position: u32, bytes: &[u8]);
    /// Appends `length` bytes from the ring.
    fn get(&self, position: u32, length: usize, into: &mut Vec<u8>);
    /// The eight bytes at a multiple of eight.
    fn header(&self, position: u32) -> [u8; HEADER];
}

/// The other side does not keep to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("a ring's position jumps by {0}")]
    Position(u32),
    #[error("a record of {0} bytes is longer than what is there")]
    Length(u32),
    #[error("a record's flags are {0:#x}")]
    Flags(u32),
}

/// What a record with so many bytes takes in the ring.
pub(super) fn space(length: usize) -> u32 {
    (HEADER + length.next_multiple_of(HEADER)) as u32
}

/// The side that writes.
pub(super) struct Producer<M> {
    memory: M,
    tail: u32,
    /// The consumer's position as last seen.
    head: u32,
}

impl<M: Memory> Producer<M> {
    pub(super) fn new(memory: M) -> Self {
        Self { memory, tail: 0, head: 0 }
    }

    /// Looks how far the consumer is.
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

    /// How many bytes the next record may have, at most `wanted`; `None` if not even a header fits.
    pub(super) fn room(&mut self, wanted: usize) -> Result<Option<usize>, Broken> {
        if self.tail.wrapping_sub(self.head) + space(wanted) > self.memory.capacity() {
            self.look()?;
        }
        let none = self.tail.wrapping_sub(self.head) + HEADER as u32 > self.memory.capacity();
        Ok((!none).then(|| self.fitting().min(wanted)))
    }

    /// Writes a record for which there is room, and makes it visible.
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

    /// After writing: how the consumer is to be woken, if it sleeps.
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

    /// How the other side, which waits for room in *its* ring, is to be woken: asleep as this ring's consumer, or busy elsewhere.
    #[must_use]
    pub(super) fn wake_for_room(&self) -> Wake {
        let awake = self.memory.awake();
        if awake.load(Ordering::Relaxed) == PARKED && awake.swap(AWAKE, Ordering::Relaxed) == PARKED { Wake::Word } else { Wake::Doorbell }
    }

    /// Where the consumer sleeps if it is parked.
    pub(super) fn word(&self) -> &M::Word {
        self.memory.awake()
    }

    /// It has been asked for room, and there has been none yet.
    pub(super) fn waits_for_room(&self) -> bool {
        self.memory.wanting().load(Ordering::Relaxed) == 1
    }

    /// Asks to be rung for when there is room. True if there is room for `wanted` bytes already.
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

/// What a consumer has found before it sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SleepCheck {
    /// There is a record after all.
    pub(super) record: bool,
    /// The producer waits for the room there is now: ring.
    pub(super) must_signal: bool,
}

/// The side that reads.
pub(super) struct Consumer<M> {
    memory: M,
    head: u32,
    /// The head as the producer sees it.
    published: u32,
    /// The producer's position as last seen.
    tail: u32,
}

impl<M: Memory> Consumer<M> {
    pub(super) fn new(memory: M) -> Self {
        Self { memory, head: 0, published: 0, tail: 0 }
    }

    /// Looks how far the producer is.
    fn look(&mut self) -> Result<(), Broken> {
        let tail = self.memory.tail().load(Ordering::Acquire);
        let step = tail.wrapping_sub(self.tail);
        if step > self.memory.capacity() - self.tail.wrapping_sub(self.published) || !(step as usize).is_multiple_of(HEADER) {
            return Err(Broken::Position(step));
        }
        self.tail = tail;
        Ok(())
    }

    /// The next record, if there is one: to be taken before the next is asked for.
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

    /// Bytes that are known to be there.
    pub(super) fn there(&self) -> usize {
        self.tail.wrapping_sub(self.head) as usize
    }

    /// Bytes that are there now; none if the producer lies.
    pub(super) fn there_now(&mut self) -> usize {
        if self.look().is_ok() { self.there() } else { 0 }
    }

    /// Copies the record that `next` gave and goes on behind it. True: the producer waits for the room there is now, ring.
    pub(super) fn take(&mut self, header: Header, into: &mut Vec<u8>) -> bool {
        self.memory.get(self.head.wrapping_add(HEADER as u32), header.length, into);
        self.head = self.head.wrapping_add(space(header.length));
        // Not for every record: the producer would look at a line of memory that changes under its eyes.
        if self.head.wrapping_sub(self.published) < self.memory.capacity() / 4 {
            return false;
        }
        self.publish();
        // A producer that is woken for little room would soon sleep again. It will be rung for at the latest when the ring is empty.
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

    /// After `next` has given nothing: from now on this side must be woken, by the bell or, if it is parked, by its word.
    pub(super) fn prepare_sleep(&mut self, how: Wake) -> Result<SleepCheck, Broken> {
        self.publish();
        // The fences would do with a store; but loom does not know that a store which comes after a swap cannot be ordered into it, and finds a lost wake-up.
        self.memory.awake().swap(if how == Wake::Doorbell { ASLEEP } else { PARKED }, Ordering::Relaxed);
        self.memory.fence();
        let must_signal = self.wanted();
        self.look()?;
        Ok(SleepCheck { record: self.head != self.tail, must_signal })
    }

    /// This side polls until it sleeps again, and need not be signalled.
    pub(super) fn stay_awake(&self) {
        self.memory.awake().store(AWAKE, Ordering::Relaxed);
    }

    /// Something may have come since `next` gave nothing: one load, no check.
    pub(super) fn has_input(&self) -> bool {
        self.head != self.tail || self.memory.tail().load(Ordering::Relaxed) != self.tail
    }

    /// The memory, for whoever waits on its words.
    pub(super) fn memory(&self) -> &M {
        &self.memory
    }
}
