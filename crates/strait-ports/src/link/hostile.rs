//! Rings whose other side violates the protocol: the link ends with an error, without panic and
//! without an endless loop.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;
use rustix::event::{Timespec, epoll};

use super::memory::{self, CAPACITY, Half};
use super::ring::{Broken, MAX_RECORD, Memory};
use super::tests::{frame, raw_pair, raw_send};
use super::{Flushed, Link, LinkError, MAX_DESCRIPTORS, MAX_PACKET, ReceiveOutcome, RingParts, Rings, Socket};

/// A link under attack, and everything that its peer can access.
struct Victim {
    link: Rings,
    /// Watches the link's socket as a node does.
    epoll: OwnedFd,
    buffer: Vec<u8>,
    socket: OwnedFd,
    /// The ring that the peer should write, and the one that it should only read.
    to_victim: Half,
    from_victim: Half,
    /// Wakes the victim.
    doorbell: OwnedFd,
    _reader: OwnedFd,
}

impl Victim {
    fn new() -> Self {
        let ((ours, socket), [parts, its]) = (raw_pair(), RingParts::pair().unwrap());
        let [memory, doorbell, reader] = its.into_descriptors();
        let [from_victim, to_victim] = memory::map(&memory).unwrap();
        let link = Rings::new(Socket::new(ours).unwrap(), parts, true).unwrap();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        epoll::add(&epoll, &link, epoll::EventData::new_u64(0), link.interest()).unwrap();
        Self { link, epoll, buffer: vec![0; MAX_PACKET], socket, to_victim, from_victim, doorbell, _reader: reader }
    }

    /// Writes a header and bytes, and moves the tail by `step`.
    fn record(&self, length: u32, flags: u32, bytes: &[u8], step: u32) {
        let tail = self.to_victim.tail().load(Relaxed);
        self.to_victim.put(tail, &[&length.to_le_bytes()[..], &flags.to_le_bytes(), bytes].concat());
        self.to_victim.tail().store(tail.wrapping_add(step), Relaxed);
    }

    /// Whether the socket has woken the link.
    fn has_input(&self) -> bool {
        let mut event = [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }];
        epoll::wait(&self.epoll, &mut event[..], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
    }

    /// Receives until the outcome is neither a frame nor a part; the bound detects an endless loop.
    fn receive(&mut self) -> Result<ReceiveOutcome, LinkError> {
        for _ in 0..100_000 {
            let readable = self.has_input();
            if readable {
                self.link.woken();
            }
            match self.link.receive(&mut self.buffer) {
                Ok(ReceiveOutcome::Frame(_) | ReceiveOutcome::Part) => {}
                Ok(ReceiveOutcome::Nothing) if readable || self.link.prepare_sleep()? => {}
                other => return other,
            }
        }
        panic!("it spins");
    }
}

/// The violations of a peer, and the resulting errors.
#[test]
fn a_lie_in_the_ring_ends_the_link() {
    type ArenaViolation = fn(&Victim);
    type Expected = fn(&LinkError) -> bool;
    let table: [(&str, ArenaViolation, Expected); 16] = [
        ("tail too far", |v| v.record(1, 0, &[1], CAPACITY as u32 + 8), |e| matches!(e, LinkError::Ring(Broken::Position(_)))),
        ("tail backwards", |v| v.record(1, 0, &[1], 8u32.wrapping_neg()), |e| matches!(e, LinkError::Ring(Broken::Position(_)))),
        ("tail between records", |v| v.record(1, 0, &[1], 17), |e| matches!(e, LinkError::Ring(Broken::Position(17)))),
        ("longer than what is there", |v| v.record(9, 0, &[1], 16), |e| matches!(e, LinkError::Ring(Broken::Length(9)))),
        (
            "longer than records are",
            |v| v.record(MAX_RECORD as u32 + 1, 0, &[], CAPACITY as u32 / 2),
            |e| matches!(e, LinkError::Ring(Broken::Length(_))),
        ),
        ("endless", |v| v.record(u32::MAX, 0, &[1], 16), |e| matches!(e, LinkError::Ring(Broken::Length(u32::MAX)))),
        ("unknown flags", |v| v.record(1, 4, &[1], 16), |e| matches!(e, LinkError::Ring(Broken::Flags(4)))),
        ("a part that brings nothing", |v| v.record(0, 1, &[], 8), |e| matches!(e, LinkError::Ring(Broken::Flags(1)))),
        ("descriptors that are not there", |v| v.record(1, 2, &[1], 16), |e| matches!(e, LinkError::DescriptorsMissing)),
        (
            "descriptors in the middle",
            |v| {
                raw_send(&v.socket, &[2], &[raw_pair().0]);
                v.record(1, 1, &[1], 16);
                v.record(1, 2, &[1], 16);
            },
            |e| matches!(e, LinkError::StrayDescriptors),
        ),
        (
            "descriptors with a part",
            |v| {
                raw_send(&v.socket, &[2], &[raw_pair().0]);
                v.record(1, 1 | 2, &[1], 16);
            },
            |e| matches!(e, LinkError::StrayDescriptors),
        ),
        (
            "too many descriptors",
            |v| {
                raw_send(&v.socket, &[2], &[(); MAX_DESCRIPTORS + 1].map(|()| raw_pair().0));
                v.record(1, 2, &[1], 16);
            },
            |e| matches!(e, LinkError::DescriptorsLost),
        ),
        (
            "a packet that is none, for descriptors",
            |v| {
                raw_send(&v.socket, &[7], &[raw_pair().0]);
                v.record(1, 2, &[1], 16);
            },
            |e| matches!(e, LinkError::StrayPacket),
        ),
        ("a carrier of nothing", |v| raw_send(&v.socket, &[2], &[]), |e| matches!(e, LinkError::StrayPacket)),
        ("a packet that is none", |v| raw_send(&v.socket, &[9], &[]), |e| matches!(e, LinkError::StrayPacket)),
        ("a frame over the socket", |v| raw_send(&v.socket, &[0; 40], &[]), |e| matches!(e, LinkError::PacketTooLarge)),
    ];
    for (what, lie, expected) in table {
        let mut victim = Victim::new();
        // A frame that it sent before is still received.
        victim.record(3, 0, &[7, 7, 7], 16);
        assert!(matches!(victim.link.receive(&mut victim.buffer), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [7, 7, 7]), "{what}");
        lie(&victim);
        match victim.receive() {
            Err(error) if expected(&error) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// Descriptors without a record stay in the kernel, wake the link only once, and do not hide its
/// end.
#[test]
fn descriptors_without_records_are_not_taken() {
    let mut victim = Victim::new();
    assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Nothing)));
    for _ in 0..50 {
        raw_send(&victim.socket, &[2], &[raw_pair().0]);
        assert!(victim.has_input() && !victim.has_input());
        victim.link.woken();
        assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Nothing)));
    }
    victim.record(2, 2, &[1, 2], 16);
    assert!(
        matches!(victim.link.receive(&mut victim.buffer), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [1, 2] && f.descriptors.len() == 1)
    );
    victim.record(1, 0, &[3], 16);
    victim.socket = raw_pair().0;
    assert!(victim.has_input());
    victim.link.woken();
    assert!(matches!(victim.link.receive(&mut victim.buffer), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [3]));
    assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Ended)));
}

#[test]
fn a_reader_that_lies_about_its_place_ends_the_link() {
    for head in [8, CAPACITY as u32, 8u32.wrapping_neg(), u32::MAX, 1 << 31] {
        let mut victim = Victim::new();
        victim.from_victim.head().store(head, Relaxed);
        // More than fits, so the writer has to read the position.
        victim.link.push(frame(&vec![1; 2 * CAPACITY]), vec![]);
        let flushed = victim.link.flush();
        // Eight bytes are less than what is written by then, so that position could be true.
        let possible = head == 8;
        assert_eq!(flushed.is_err(), !possible, "{head}: {flushed:?}");
        // A position must never go backwards.
        victim.from_victim.head().store(head.wrapping_sub(8), Relaxed);
        // As a reader that makes room does; otherwise the victim would wait.
        victim.from_victim.wanting().store(0, Relaxed);
        assert!(matches!(victim.link.flush(), Err(LinkError::Ring(Broken::Position(_)))), "{head}");
    }
}

/// Flags that are always cleared or always set only change the number of signals.
#[test]
fn flags_that_stand_still_do_no_harm() {
    for (awake, wanting) in [(0, 1), (1, 1), (2, 1), (u32::MAX, u32::MAX), (1, 0)] {
        let mut victim = Victim::new();
        for _ in 0..3000 {
            victim.from_victim.awake().store(awake, Relaxed);
            victim.to_victim.wanting().store(wanting, Relaxed);
            victim.record(1, 0, &[1], 16);
            assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Nothing)));
            victim.link.push(frame(&[1, 2]), vec![]);
            assert_eq!(victim.link.flush().unwrap(), Flushed::All);
        }
        drop(victim.socket);
    }
}

/// A pipe full of signals, and one that its signaller empties, neither block the victim nor keep it
/// busy.
#[test]
fn bells_without_end_do_no_harm() {
    let mut victim = Victim::new();
    while rustix::io::write(&victim.doorbell, &[1; 4096]).is_ok() {}
    for _ in 0..5000 {
        victim.link.rung();
        assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Nothing)));
    }
    // The peer receives no signal: its own pipe is full, then gone.
    for _ in 0..10_000 {
        victim.from_victim.awake().store(0, Relaxed);
        victim.from_victim.head().store(victim.from_victim.tail().load(Relaxed), Relaxed);
        victim.link.push(frame(&[1, 2]), vec![]);
        assert_eq!(victim.link.flush().unwrap(), Flushed::All);
    }
    victim._reader = raw_pair().0;
    victim.from_victim.awake().store(0, Relaxed);
    victim.link.push(frame(&[1, 2]), vec![]);
    assert_eq!(victim.link.flush().unwrap(), Flushed::All);
}

#[test]
fn only_pipes_are_bells() {
    for wrong in 0..2 {
        let [ours, _theirs] = RingParts::pair().unwrap();
        let mut descriptors = ours.into_descriptors();
        descriptors[1 + wrong] = raw_pair().0;
        let parts = RingParts::from_descriptors(&mut descriptors.into_iter()).unwrap();
        assert!(Rings::new(Socket::new(raw_pair().0).unwrap(), parts, true).is_err());
    }
    // Nor the wrong end of one: writing to it could raise `SIGPIPE`.
    let [ours, _theirs] = RingParts::pair().unwrap();
    let [memory, doorbell, reader] = ours.into_descriptors();
    let parts = RingParts::from_descriptors(&mut [memory, reader, doorbell].into_iter()).unwrap();
    assert!(Rings::new(Socket::new(raw_pair().0).unwrap(), parts, true).is_err());
}

/// A process that dies while it writes: complete records are received, the rest is not visible.
#[test]
fn half_a_record_is_never_visible() {
    let mut victim = Victim::new();
    for number in 0..10u8 {
        victim.record(1, 0, &[number], 16);
    }
    let tail = victim.to_victim.tail().load(Relaxed);
    victim.to_victim.put(tail, &[5, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    victim.socket = raw_pair().0;
    victim.link.woken();
    for number in 0..10u8 {
        assert!(matches!(victim.link.receive(&mut victim.buffer), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [number]));
    }
    assert!(matches!(victim.receive(), Ok(ReceiveOutcome::Ended)));
}

#[test]
fn only_sealed_memory_of_the_right_size_is_mapped() {
    use super::memory::shared_memory;
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fstat, ftruncate, memfd_create};
    let length = fstat(shared_memory().unwrap()).unwrap().st_size as u64;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    for (length, seals) in [(length, SealFlags::GROW | SealFlags::SEAL), (length - 1, seals), (0, seals), (length, SealFlags::empty())] {
        let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&fd, length).unwrap();
        fcntl_add_seals(&fd, seals).unwrap();
        assert!(memory::map(&fd).is_err());
    }
    assert!(memory::map(&raw_pair().0).is_err());
    // Valid memory keeps its size and seals.
    let memory = shared_memory().unwrap();
    assert!(ftruncate(&memory, 0).is_err() && fcntl_add_seals(&memory, SealFlags::WRITE).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Arbitrary bytes in the ring, and words that change at any time.
    #[test]
    fn arbitrary_rings_never_panic_nor_spin(
        garbage in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..40, any::<u8>()], 0..2000),
        words in proptest::collection::vec((0usize..8, prop_oneof![0u32..64, (0u32..300).prop_map(|n| n * 8), any::<u32>()]), 1..30),
    ) {
        let mut victim = Victim::new();
        victim.to_victim.put(0, &garbage);
        for (word, value) in words {
            let half = if word < 4 { &victim.to_victim } else { &victim.from_victim };
            [half.tail(), half.head(), half.awake(), half.wanting()][word % 4].store(value, Relaxed);
            let received = victim.receive();
            victim.link.push(frame(&[1; 50_000]), vec![]);
            if received.is_err() || victim.link.flush().is_err() {
                break;
            }
        }
    }
}
