//! The conformance suite of links, run on each kind; and peers that send invalid packets over a
//! socket.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use proptest::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg, socketpair};

use super::ring::MAX_RECORD;
use super::{Flushed, Link, LinkError, MAX_CARRIED, MAX_DESCRIPTORS, MAX_PACKET, ReceiveOutcome, RingParts, Rings, Socket};
use crate::wire::Encoded;

pub(super) fn raw_pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// A link, and an `epoll` that watches its descriptors.
struct End {
    link: Box<dyn Link>,
    epoll: OwnedFd,
}

type Pair = (End, End);

fn sockets() -> Pair {
    let (a, b) = raw_pair();
    (End::new(Box::new(Socket::new(a).unwrap())), End::new(Box::new(Socket::new(b).unwrap())))
}

fn rings() -> Pair {
    let ((a, b), [parts, parts_of_other]) = (raw_pair(), RingParts::pair().unwrap());
    let end = |fd, parts, first| End::new(Box::new(Rings::new(Socket::new(fd).unwrap(), parts, first).unwrap()));
    (end(a, parts, true), end(b, parts_of_other, false))
}

impl End {
    fn new(link: Box<dyn Link>) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        epoll::add(&epoll, link.as_fd(), epoll::EventData::new_u64(0), link.interest()).unwrap();
        if let Some(doorbell) = link.doorbell() {
            epoll::add(&epoll, doorbell, epoll::EventData::new_u64(1), epoll::EventFlags::IN | epoll::EventFlags::ET).unwrap();
        }
        Self { link, epoll }
    }

    /// Whether the loop would be woken.
    fn readable(&self) -> bool {
        poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&NOW)).unwrap() > 0
    }

    /// Takes the events as a loop does. True if there were any.
    fn stirred(&mut self) -> bool {
        let mut events = [const { epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) } }; 2];
        let count = epoll::wait(&self.epoll, &mut events[..], Some(&NOW)).unwrap();
        for event in &events[..count] {
            match event.data.u64() {
                0 => self.link.woken(),
                _ => self.link.rung(),
            }
        }
        count > 0
    }

    /// Receives until a frame has arrived or no data is left; then the link sleeps.
    fn receive(&mut self) -> Result<ReceiveOutcome, LinkError> {
        let mut buffer = vec![0; MAX_PACKET];
        loop {
            self.stirred();
            match self.link.receive(&mut buffer) {
                Ok(ReceiveOutcome::Part) => {}
                // As in a loop: a link with data has another turn.
                Ok(ReceiveOutcome::Nothing) if self.link.prepare_sleep()? || self.readable() => {}
                other => return other,
            }
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        match self.receive() {
            Ok(ReceiveOutcome::Frame(frame)) => frame.bytes,
            other => panic!("{other:?}"),
        }
    }
}

impl std::ops::Deref for End {
    type Target = dyn Link;

    fn deref(&self) -> &(dyn Link + 'static) {
        &*self.link
    }
}

impl std::ops::DerefMut for End {
    fn deref_mut(&mut self) -> &mut (dyn Link + 'static) {
        &mut *self.link
    }
}

const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Runs every test on each kind of link.
macro_rules! conformance {
    ($($test:ident),* $(,)?) => {
        mod socket {
            $(#[test] fn $test() { super::$test(super::sockets) })*
        }
        mod rings {
            $(#[test] fn $test() { super::$test(super::rings) })*
        }
    };
}

conformance!(
    frames_of_any_length_arrive_whole_and_in_order,
    a_full_link_keeps_the_rest_for_later,
    a_descriptor_rides_with_its_frame,
    a_frame_beyond_the_limit_is_given_up,
    what_was_sent_before_the_end_is_received_first,
    two_full_links_are_emptied_by_each_other,
    who_sleeps_is_woken,
    a_link_that_is_full_of_descriptors_recovers,
);

pub(super) fn frame(bytes: &[u8]) -> Encoded {
    let (data, tail) = bytes.split_at(bytes.len() / 2);
    Encoded { data: data.to_vec(), tail: tail.into(), message: true, ..Encoded::default() }
}

pub(super) fn raw_send(fd: &OwnedFd, packet: &[u8], descriptors: &[OwnedFd]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    if !descriptors.is_empty() {
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    }
    sendmsg(fd, &[IoSlice::new(packet)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_packets_never_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let (raw, ours) = raw_pair();
        let mut socket = End::new(Box::new(Socket::new(ours).unwrap()));
        packets.iter().for_each(|packet| raw_send(&raw, packet, &[]));
        while let Ok(ReceiveOutcome::Frame(_)) = socket.receive() {}
    }
}

fn frames_of_any_length_arrive_whole_and_in_order(pair: fn() -> Pair) {
    let length = prop_oneof![
        0usize..100,
        MAX_RECORD - 3..MAX_RECORD + 3,
        MAX_PACKET - 3..MAX_PACKET + 3,
        2 * MAX_PACKET - 5..2 * MAX_PACKET + 2,
        300_000usize..400_000
    ];
    let content = |i: usize, length: usize| -> Vec<u8> { (0..length).map(|n| (n * 7 + i) as u8).collect() };
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(lengths in proptest::collection::vec(length, 1..8))| {
        let (mut a, mut b) = pair();
        lengths.iter().enumerate().for_each(|(i, length)| a.push(frame(&content(i, *length)), vec![]));
        let mut got = Vec::new();
        for _ in 0..10_000 {
            a.flush().unwrap();
            match b.receive().unwrap() {
                ReceiveOutcome::Frame(frame) => got.push(frame.bytes),
                ReceiveOutcome::Nothing => {}
                other => panic!("{other:?}"),
            }
            if got.len() == lengths.len() {
                break;
            }
        }
        prop_assert_eq!(got, lengths.iter().enumerate().map(|(i, length)| content(i, *length)).collect::<Vec<_>>());
        prop_assert_eq!((a.data_backlog(), a.control_backlog()), (0, 0));
    });
}

fn a_full_link_keeps_the_rest_for_later(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    for i in 0..5000u32 {
        a.push(frame(&[&i.to_le_bytes()[..], &[1; 1000]].concat()), vec![]);
    }
    assert_ne!(a.flush().unwrap(), Flushed::All);
    assert!(a.data_backlog() > 1_000_000);
    let mut next = 0u32;
    while next < 5000 {
        match b.receive().unwrap() {
            ReceiveOutcome::Frame(frame) => {
                assert_eq!(frame.bytes[..4], next.to_le_bytes());
                next += 1;
            }
            ReceiveOutcome::Nothing => {
                a.flush().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(a.flush().unwrap(), Flushed::All);
    assert_eq!((a.data_backlog(), a.control_backlog()), (0, 0));
}

fn a_descriptor_rides_with_its_frame(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    let (kept, sent) = raw_pair();
    a.push(frame(&[1]), vec![]);
    a.push(frame(&vec![2; 10 * MAX_PACKET]), vec![]);
    a.push(frame(&[2; MAX_CARRIED]), vec![sent]);
    a.push(frame(&[3]), vec![]);
    assert_ne!(a.flush().unwrap(), Flushed::All);
    assert_eq!(b.bytes(), [1]);
    let descriptors = loop {
        a.flush().unwrap();
        match b.receive().unwrap() {
            ReceiveOutcome::Frame(frame) => {
                if frame.descriptors.is_empty() {
                    assert_eq!(frame.bytes.len(), 10 * MAX_PACKET);
                    continue;
                }
                assert_eq!(frame.bytes, [2; MAX_CARRIED]);
                break frame.descriptors;
            }
            ReceiveOutcome::Nothing => {}
            other => panic!("{other:?}"),
        }
    };
    a.flush().unwrap();
    assert_eq!(b.bytes(), [3]);
    // The received descriptor is the same socket, and close-on-exec.
    let [received] = <[OwnedFd; 1]>::try_from(descriptors).unwrap();
    assert!(rustix::io::fcntl_getfd(&received).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    raw_send(&kept, b"x", &[]);
    assert_eq!(rustix::io::read(&received, &mut [0; 8]).unwrap(), 1);
}

/// Packets that no link sends, and the resulting errors.
#[test]
fn nonsense_ends_the_link() {
    type Packets = Vec<(Vec<u8>, usize)>;
    type Expected = fn(&LinkError) -> bool;
    let announcement = || (vec![3], 0);
    let table: [(&str, Packets, Expected); 14] = [
        ("unknown flag", vec![(vec![7, 1, 2], 0)], |e| matches!(e, LinkError::Flag(7))),
        ("a part that brings nothing", vec![(vec![1], 0)], |e| matches!(e, LinkError::Flag(1))),
        ("too large", vec![(vec![0; MAX_PACKET + 1], 0)], |e| matches!(e, LinkError::PacketTooLarge)),
        ("descriptors unannounced", vec![(vec![0, 1], 1)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("descriptors in the middle", vec![(vec![1, 1], 0), (vec![0, 1], 1)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("announced in the middle", vec![(vec![1, 1], 0), announcement(), (vec![0, 1], 1)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("descriptors with a part", vec![announcement(), (vec![1, 1], 1), (vec![0, 1], 0)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("an announcement with descriptors", vec![(vec![3], 1), (vec![0, 1], 1)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("an announcement of one", vec![announcement(), announcement(), (vec![0, 1], 1)], |e| matches!(e, LinkError::Flag(3))),
        ("an announcement with more", vec![(vec![3, 0], 0)], |e| matches!(e, LinkError::Flag(3))),
        ("too large, announced", vec![announcement(), (vec![0; MAX_PACKET + 1], 0)], |e| matches!(e, LinkError::PacketTooLarge)),
        ("two packets announced once", vec![announcement(), (vec![0, 1], 1), (vec![0, 1], 1)], |e| {
            matches!(e, LinkError::StrayDescriptors)
        }),
        ("too many descriptors", vec![announcement(), (vec![0, 1], MAX_DESCRIPTORS + 1)], |e| matches!(e, LinkError::DescriptorsLost)),
        ("far too many descriptors", vec![announcement(), (vec![0, 1], 16)], |e| matches!(e, LinkError::DescriptorsLost)),
    ];
    for (what, packets, expected) in table {
        let (raw, ours) = raw_pair();
        let mut socket = End::new(Box::new(Socket::new(ours).unwrap()));
        for (packet, descriptors) in packets {
            let descriptors: Vec<OwnedFd> = (0..descriptors).map(|_| rustix::io::dup(&raw).unwrap()).collect();
            raw_send(&raw, &packet, &descriptors);
        }
        let outcome = loop {
            match socket.receive() {
                Ok(ReceiveOutcome::Frame(_)) => {}
                other => break other,
            }
        };
        match outcome {
            Err(error) if expected(&error) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// An announcement whose descriptors could not be sent has no effect, and the end of the link is
/// detected at every point.
#[test]
fn announcements_may_be_in_vain() {
    let (raw, ours) = raw_pair();
    let mut socket = End::new(Box::new(Socket::new(ours).unwrap()));
    raw_send(&raw, &[3], &[]);
    assert!(matches!(socket.receive(), Ok(ReceiveOutcome::Nothing)));
    raw_send(&raw, &[1, 1], &[]);
    raw_send(&raw, &[0, 2], &[]);
    assert!(matches!(socket.receive(), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [1, 2] && f.descriptors.is_empty()));
    raw_send(&raw, &[3], &[]);
    raw_send(&raw, &[0, 3], &[rustix::io::dup(&raw).unwrap()]);
    assert!(matches!(socket.receive(), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [3] && f.descriptors.len() == 1));
    raw_send(&raw, &[3], &[]);
    drop(raw);
    assert!(matches!(socket.receive(), Ok(ReceiveOutcome::Ended)));
}

fn a_frame_beyond_the_limit_is_given_up(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    *b.max_frame() = 100_000;
    for (length, expected) in [(100_000, true), (100_001, false)] {
        a.push(frame(&vec![0; length]), vec![]);
        a.flush().unwrap();
        match b.receive() {
            Ok(ReceiveOutcome::Frame(frame)) => assert!(expected && frame.bytes.len() == length),
            Err(LinkError::FrameTooLong) => assert!(!expected),
            other => panic!("{other:?}"),
        }
    }
}

/// Both sides send more than fits before either reads.
fn two_full_links_are_emptied_by_each_other(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    let mut received = [0u32; 2];
    for number in 0..4000u32 {
        for link in [&mut a, &mut b] {
            link.push(frame(&[&number.to_le_bytes()[..], &[1; 500]].concat()), vec![]);
        }
    }
    assert!(a.flush().unwrap() != Flushed::All && b.flush().unwrap() != Flushed::All);
    for _ in 0..1000 {
        for (link, received) in [&mut a, &mut b].into_iter().zip(&mut received) {
            link.flush().unwrap();
            // Only a part, so that both stay full for long.
            for _ in 0..50 {
                match link.receive().unwrap() {
                    ReceiveOutcome::Frame(frame) => {
                        assert_eq!(frame.bytes[..4], received.to_le_bytes());
                        *received += 1;
                    }
                    ReceiveOutcome::Nothing => break,
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(received, [4000; 2]);
}

/// The view of a loop that only watches descriptors: they are readable while the link has work, and
/// quiet otherwise.
fn who_sleeps_is_woken(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    let mut buffer = vec![0; MAX_PACKET];
    assert!(matches!(b.receive(), Ok(ReceiveOutcome::Nothing)));
    for number in 0..100u8 {
        assert!(!b.readable());
        a.push(frame(&[number]), vec![]);
        a.push(frame(&[number, 0]), vec![]);
        assert_eq!(a.flush().unwrap(), Flushed::All);
        assert!(b.readable() && b.stirred());
        for length in [1, 2] {
            assert!(matches!(b.link.receive(&mut buffer), Ok(ReceiveOutcome::Frame(f)) if f.bytes.len() == length && f.bytes[0] == number));
        }
        assert!(matches!(b.link.receive(&mut buffer), Ok(ReceiveOutcome::Nothing)));
        assert!(!b.prepare_sleep().unwrap());
        // While the link was awake, more frames arrived than it has taken. It must be signalled, or
        // find them before it sleeps again.
        b.push(frame(&[number]), vec![]);
        b.flush().unwrap();
        assert_eq!(a.bytes(), [number]);
        assert!(matches!(a.receive(), Ok(ReceiveOutcome::Nothing)));
    }
    // A writer that waits for room is notified by the descriptor, which becomes readable or
    // writable.
    a.push(frame(&vec![1; 1 << 20]), vec![]);
    while a.flush().unwrap() != Flushed::All {
        while !matches!(b.receive().unwrap(), ReceiveOutcome::Nothing) {}
        let writable = poll(&mut [PollFd::new(&a.as_fd(), PollFlags::OUT)], Some(&NOW)).unwrap() > 0;
        assert!(a.readable() || writable);
        assert!(matches!(a.receive(), Ok(ReceiveOutcome::Nothing)));
    }
    assert_eq!(b.bytes().len(), 1 << 20);
}

/// A quiet frame wakes no peer, and is received with the next frame that does.
#[test]
fn who_sleeps_is_not_woken_for_what_is_quiet() {
    let (mut a, mut b) = rings();
    let quiet = |bytes: &[u8]| Encoded { quiet: true, ..frame(bytes) };
    assert!(matches!(b.receive(), Ok(ReceiveOutcome::Nothing)));
    a.push(quiet(&[1]), vec![]);
    assert_eq!(a.flush().unwrap(), Flushed::All);
    a.push(quiet(&[2]), vec![]);
    assert_eq!(a.flush().unwrap(), Flushed::All);
    assert!(!b.readable());
    // A peer that polls receives it.
    assert!(matches!(b.link.receive(&mut vec![0; MAX_PACKET]), Ok(ReceiveOutcome::Frame(f)) if f.bytes == [1]));
    assert!(!b.readable());
    a.push(frame(&[3]), vec![]);
    a.push(quiet(&[4]), vec![]);
    a.flush().unwrap();
    assert!(b.readable());
    for number in 2..=4 {
        assert_eq!(b.bytes(), [number]);
    }
    // A ring full of quiet frames is different: the peer must be woken to make room.
    assert!(matches!(b.receive(), Ok(ReceiveOutcome::Nothing)));
    let mut count = 0u32;
    loop {
        a.push(quiet(&[5; 1000]), vec![]);
        count += 1;
        if a.flush().unwrap() != Flushed::All {
            break;
        }
        assert!(!b.readable(), "{count}");
    }
    assert!(b.readable());
    for _ in 1..count {
        assert_eq!(b.bytes().len(), 1000);
    }
    assert!(matches!(b.receive(), Ok(ReceiveOutcome::Nothing)));
    assert!(a.readable() && a.stirred());
    assert_eq!(a.flush().unwrap(), Flushed::All);
    assert_eq!(b.bytes().len(), 1000);
}

fn a_link_that_is_full_of_descriptors_recovers(pair: fn() -> Pair) {
    let (mut a, mut b) = pair();
    for number in 0..600u32 {
        a.push(frame(&number.to_le_bytes()), vec![raw_pair().0]);
        a.flush().unwrap();
    }
    for number in 0..600u32 {
        match b.receive().unwrap() {
            ReceiveOutcome::Frame(frame) => assert_eq!((&frame.bytes[..], frame.descriptors.len()), (&number.to_le_bytes()[..], 1)),
            other => panic!("{other:?}"),
        }
        a.flush().unwrap();
    }
    assert!(matches!(b.receive(), Ok(ReceiveOutcome::Nothing)));
}

fn what_was_sent_before_the_end_is_received_first(pair: fn() -> Pair) {
    for unread in [false, true] {
        let (mut a, mut b) = pair();
        if unread {
            // Closing with unread data makes the kernel report a reset before the data.
            b.push(frame(&[9, 9]), vec![]);
            b.flush().unwrap();
        }
        a.push(frame(&[1, 2]), vec![]);
        a.push(frame(&[3, 4]), vec![]);
        a.flush().unwrap();
        drop(a);
        assert_eq!(b.bytes(), [1, 2]);
        // Writing has no effect and returns no error.
        b.push(frame(&[5]), vec![]);
        assert_eq!(b.flush().unwrap(), Flushed::All);
        assert_eq!(b.bytes(), [3, 4]);
        assert!(matches!(b.receive(), Ok(ReceiveOutcome::Ended)));
    }
}

#[test]
fn only_seqpacket_sockets_are_links() {
    let (stream, _other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    assert_eq!(Socket::new(stream).err().unwrap().kind(), std::io::ErrorKind::InvalidInput);
}
