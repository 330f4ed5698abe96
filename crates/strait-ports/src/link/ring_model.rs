//! The protocol of one ring in the model checker loom: every interleaving of a producer and a
//! consumer, and every value that the memory model permits them to read.
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

use super::ring::{Consumer, HEADER, Memory, PARKED, Producer, Wake, Word};

/// A ring so small that it is often full and empty. Its bytes are cells that detect simultaneous
/// reading and writing.
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
    // SAFETY: the checker fails if the other thread accesses this cell.
    cell.with_mut(|p| unsafe { *p = to });
}

#[allow(unsafe_code)]
fn value(cell: &UnsafeCell<u8>) -> u8 {
    // SAFETY: the checker fails if the other thread writes this cell.
    cell.with(|p| unsafe { *p })
}

/// The model of a doorbell: a waiter sleeps until the doorbell is signalled, and a signal is stored
/// until then. A lost wake-up leaves both sides asleep, which the checker reports.
#[derive(Default)]
struct Doorbell {
    rung: Mutex<bool>,
    ringing: Condvar,
}

impl Doorbell {
    fn signal(&self) {
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

/// The model of a futex: checking whether the word is still `PARKED`, and sleeping, are one atomic
/// step.
#[derive(Default)]
struct Futex {
    kernel: Mutex<()>,
    woken: Condvar,
}

impl Futex {
    fn wake(&self) {
        let _kernel = self.kernel.lock().unwrap();
        self.woken.notify_all();
    }

    fn wait(&self, word: &AtomicU32) {
        let kernel = self.kernel.lock().unwrap();
        if word.load(Ordering::Relaxed) == PARKED {
            drop(self.woken.wait(kernel).unwrap());
        }
    }
}

/// The wake-ups of the two sides.
#[derive(Default)]
struct Alarms {
    to_consumer: Doorbell,
    to_producer: Doorbell,
    consumer_is_parked: Futex,
}

/// Sends as a link does: waits for room, writes, signals.
fn send(producer: &mut Producer<Arc<Small>>, bytes: &[u8], alarms: &Alarms) {
    loop {
        if producer.room(bytes.len()).unwrap().is_some_and(|room| room >= bytes.len()) {
            break;
        }
        if !producer.want_room(bytes.len()).unwrap() {
            alarms.to_producer.wait();
        }
    }
    let (first, second) = bytes.split_at(bytes.len() / 2);
    producer.write(7, [first, second]);
    match producer.wake() {
        Some(Wake::Doorbell) => alarms.to_consumer.signal(),
        Some(Wake::Word) => alarms.consumer_is_parked.wake(),
        None => {}
    }
}

/// Receives as a link does: takes a record, or sleeps until woken.
fn receive(consumer: &mut Consumer<Arc<Small>>, memory: &Arc<Small>, how: Wake, alarms: &Alarms) -> Vec<u8> {
    loop {
        if let Some(header) = consumer.next().unwrap() {
            assert_eq!(header.flags, 7);
            let mut bytes = Vec::new();
            if consumer.take(header, &mut bytes) {
                alarms.to_producer.signal();
            }
            return bytes;
        }
        let check = consumer.prepare_sleep(how).unwrap();
        if check.must_signal {
            alarms.to_producer.signal();
        }
        match how {
            _ if check.record => {}
            Wake::Doorbell => alarms.to_consumer.wait(),
            Wake::Word => alarms.consumer_is_parked.wait(memory.awake()),
        }
    }
}

/// Sends records of these lengths through a ring of `capacity` bytes. All must arrive, complete and
/// in order, and neither side may sleep for ever.
fn passes(capacity: usize, lengths: &'static [usize], sleeps: &'static [Wake], preemptions: Option<usize>) {
    let content = |number: usize| vec![number as u8 + 1; lengths[number]];
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let memory = Small::new(capacity);
        let alarms = Arc::new(Alarms::default());
        let mut producer = Producer::new(Arc::clone(&memory));
        let mut consumer = Consumer::new(Arc::clone(&memory));
        let sender = thread::spawn({
            let alarms = Arc::clone(&alarms);
            move || (0..lengths.len()).for_each(|n| send(&mut producer, &content(n), &alarms))
        });
        for number in 0..lengths.len() {
            assert_eq!(receive(&mut consumer, &memory, sleeps[number % sleeps.len()], &alarms), content(number));
        }
        sender.join().unwrap();
        assert_eq!(consumer.next(), Ok(None));
    });
}

#[test]
fn loom_a_sleeper_is_woken() {
    passes(64, &[1, 2], &[Wake::Doorbell], None);
}

#[test]
fn loom_a_parked_thread_is_woken() {
    passes(64, &[1, 2], &[Wake::Word], None);
}

#[test]
fn loom_now_parked_now_dozing() {
    passes(64, &[1, 2, 3], &[Wake::Word, Wake::Doorbell], Some(3));
}

#[test]
fn loom_a_ring_that_is_exactly_full() {
    // Each record fills the ring: every send waits for room, every receive for a record.
    passes(16, &[8, 8, 8], &[Wake::Doorbell, Wake::Word], Some(3));
}

#[test]
fn loom_records_that_wrap_around() {
    // 16 + 24 of 32 bytes: the second record waits for room, and wraps.
    passes(32, &[8, 12, 3, 0], &[Wake::Doorbell], Some(3));
}
