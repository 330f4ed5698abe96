//! The protocol of one ring under a model checker: every interleaving of a producer and a consumer, and every value that the memory model lets them see.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p strait-ports --release --lib loom_
//! ```

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, fence};
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::ring::{Consumer, HEADER, Memory, Producer, Word};

/// A ring so small that it is full and empty all the time. Its bytes are cells that tell when one side reads what the other is writing.
struct Small {
    words: [AtomicU32; 4],
    cells: Vec<UnsafeCell<u8>>,
}

impl Small {
    fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { words: std::array::from_fn(|_| AtomicU32::new(0)), cells: (0..capacity).map(|_| UnsafeCell::new(0)).collect() })
    }

    fn cell(&self, position: u32) -> &UnsafeCell<u8> {
        &self.cells[position as usize % self.cells.len()]
    }
}

impl Word for AtomicU32 {
    fn load(&self, ordering: Ordering) -> u32 {
        self.load(ordering)
    }

    fn store(&self, value: u32, ordering: Ordering) {
        self.store(value, ordering);
    }

    fn swap(&self, value: u32, ordering: Ordering) -> u32 {
        self.swap(value, ordering)
    }
}

impl Memory for Arc<Small> {
    type Word = AtomicU32;

    fn tail(&self) -> &AtomicU32 {
        &self.words[0]
    }

    fn head(&self) -> &AtomicU32 {
        &self.words[1]
    }

    fn awake(&self) -> &AtomicU32 {
        &self.words[2]
    }

    fn wanting(&self) -> &AtomicU32 {
        &self.words[3]
    }

    fn fence(&self) {
        fence(Ordering::SeqCst);
    }

    fn capacity(&self) -> u32 {
        self.cells.len() as u32
    }

    fn put(&self, position: u32, bytes: &[u8]) {
        for (n, byte) in bytes.iter().enumerate() {
            set(self.cell(position.wrapping_add(n as u32)), *byte);
        }
    }

    fn get(&self, position: u32, length: usize, into: &mut Vec<u8>) {
        into.extend((0..length).map(|n| value(self.cell(position.wrapping_add(n as u32)))));
    }

    fn header(&self, position: u32) -> [u8; HEADER] {
        std::array::from_fn(|n| value(self.cell(position.wrapping_add(n as u32))))
    }
}

#[allow(unsafe_code)]
fn set(cell: &UnsafeCell<u8>, to: u8) {
    // SAFETY: the checker fails when anybody else is at this cell.
    cell.with_mut(|p| unsafe { *p = to });
}

#[allow(unsafe_code)]
fn value(cell: &UnsafeCell<u8>) -> u8 {
    // SAFETY: the checker fails when somebody writes this cell.
    cell.with(|p| unsafe { *p })
}

/// What the socket is to a link: who waits here sleeps until the bell is rung, which is remembered. A wake-up that gets lost leaves both asleep, which the
/// checker reports.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.ringing.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.ringing.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// As a link sends: waits for room, writes, rings.
fn send(producer: &mut Producer<Arc<Small>>, bytes: &[u8], to_consumer: &Bell, to_producer: &Bell) {
    loop {
        if producer.room(bytes.len()).unwrap().is_some_and(|room| room >= bytes.len()) {
            break;
        }
        if !producer.want_room(bytes.len()).unwrap() {
            to_producer.wait();
        }
    }
    let (first, second) = bytes.split_at(bytes.len() / 2);
    producer.write(7, [first, second]);
    if producer.must_ring() {
        to_consumer.ring();
    }
}

/// As a link receives: takes, or sleeps until rung for.
fn receive(consumer: &mut Consumer<Arc<Small>>, to_consumer: &Bell, to_producer: &Bell) -> Vec<u8> {
    loop {
        if let Some(header) = consumer.next().unwrap() {
            assert_eq!(header.flags, 7);
            let mut bytes = Vec::new();
            if consumer.take(header, &mut bytes) {
                to_producer.ring();
            }
            return bytes;
        }
        let doze = consumer.doze().unwrap();
        if doze.must_ring {
            to_producer.ring();
        }
        if !doze.record {
            to_consumer.wait();
        }
    }
}

/// Sends records of these lengths through a ring of `capacity` bytes: all arrive, whole and in order, and nobody sleeps for ever.
fn passes(capacity: usize, lengths: &'static [usize], preemptions: Option<usize>) {
    let content = |number: usize| vec![number as u8 + 1; lengths[number]];
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let memory = Small::new(capacity);
        let bells = Arc::new([Bell::default(), Bell::default()]);
        let mut producer = Producer::new(Arc::clone(&memory));
        let mut consumer = Consumer::new(memory);
        let sender = thread::spawn({
            let bells = Arc::clone(&bells);
            move || (0..lengths.len()).for_each(|n| send(&mut producer, &content(n), &bells[0], &bells[1]))
        });
        for number in 0..lengths.len() {
            assert_eq!(receive(&mut consumer, &bells[0], &bells[1]), content(number));
        }
        sender.join().unwrap();
        assert_eq!(consumer.next(), Ok(None));
    });
}

#[test]
fn loom_a_sleeper_is_woken() {
    passes(64, &[1, 2], None);
}

#[test]
fn loom_a_ring_that_is_exactly_full() {
    // Each record fills it: every send waits for room, every receive for a record.
    passes(16, &[8, 8, 8], Some(3));
}

#[test]
fn loom_records_that_wrap_around() {
    // 16 + 24 of 32 bytes: the second waits for room, and wraps.
    passes(32, &[8, 12, 3, 0], Some(3));
}
