//! What every link must do, tried on the socket.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use proptest::prelude::*;
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, sendmsg, socketpair};

use super::{Flushed, Incoming, LinkError, MAX_DESCRIPTORS, MAX_PACKET, Socket};
use crate::wire::Encoded;

fn raw_pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

fn pair() -> (Socket, Socket) {
    let (a, b) = raw_pair();
    (Socket::new(a).unwrap(), Socket::new(b).unwrap())
}

fn frame(bytes: &[u8]) -> Encoded {
    let (data, tail) = bytes.split_at(bytes.len() / 2);
    Encoded { data: data.to_vec(), tail: tail.to_vec(), message: true }
}

/// Receives until something else than a part has come.
fn receive(socket: &mut Socket) -> Result<Incoming, LinkError> {
    let mut buffer = vec![0; MAX_PACKET];
    loop {
        match socket.receive(&mut buffer) {
            Ok(Incoming::Part) => {}
            other => return other,
        }
    }
}

fn bytes(socket: &mut Socket) -> Vec<u8> {
    match receive(socket) {
        Ok(Incoming::Frame(frame)) => frame.bytes,
        other => panic!("{other:?}"),
    }
}

fn raw_send(fd: &OwnedFd, packet: &[u8], descriptors: &[OwnedFd]) {
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
    fn frames_of_any_length_arrive_whole_and_in_order(lengths in proptest::collection::vec(
        prop_oneof![0usize..100, MAX_PACKET - 3..MAX_PACKET + 3, 2 * MAX_PACKET - 5..2 * MAX_PACKET + 2, 300_000usize..400_000], 1..8
    )) {
        let (mut a, mut b) = pair();
        let content = |i: usize, length: usize| -> Vec<u8> { (0..length).map(|n| (n * 7 + i) as u8).collect() };
        lengths.iter().enumerate().for_each(|(i, length)| a.push(frame(&content(i, *length)), None));
        let mut got = Vec::new();
        for _ in 0..10_000 {
            a.flush().unwrap();
            match receive(&mut b).unwrap() {
                Incoming::Frame(frame) => got.push(frame.bytes),
                Incoming::Nothing => {}
                other => panic!("{other:?}"),
            }
            if got.len() == lengths.len() {
                break;
            }
        }
        prop_assert_eq!(got, lengths.iter().enumerate().map(|(i, length)| content(i, *length)).collect::<Vec<_>>());
        prop_assert_eq!((a.data_backlog(), a.control_backlog()), (0, 0));
    }

    #[test]
    fn arbitrary_packets_never_panic(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let (raw, ours) = raw_pair();
        let mut socket = Socket::new(ours).unwrap();
        packets.iter().for_each(|packet| raw_send(&raw, packet, &[]));
        while let Ok(Incoming::Frame(_)) = receive(&mut socket) {}
    }
}

#[test]
fn a_full_socket_keeps_the_rest_for_later() {
    let (mut a, mut b) = pair();
    for i in 0..5000u32 {
        a.push(frame(&[&i.to_le_bytes()[..], &[1; 1000]].concat()), None);
    }
    assert_eq!(a.flush().unwrap(), Flushed::Full);
    assert!(a.data_backlog() > 1_000_000);
    let mut next = 0u32;
    while next < 5000 {
        match receive(&mut b).unwrap() {
            Incoming::Frame(frame) => {
                assert_eq!(frame.bytes[..4], next.to_le_bytes());
                next += 1;
            }
            Incoming::Nothing => {
                a.flush().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(a.flush().unwrap(), Flushed::All);
    assert_eq!((a.data_backlog(), a.control_backlog()), (0, 0));
}

#[test]
fn a_descriptor_rides_with_its_frame() {
    let (mut a, mut b) = pair();
    let (kept, sent) = raw_pair();
    a.push(frame(&[1]), None);
    a.push(frame(&vec![2; 10 * MAX_PACKET]), Some(sent));
    a.push(frame(&[3]), None);
    assert_eq!(a.flush().unwrap(), Flushed::Full);
    assert_eq!(bytes(&mut b), [1]);
    let descriptors = loop {
        a.flush().unwrap();
        match receive(&mut b).unwrap() {
            Incoming::Frame(frame) => {
                assert_eq!(frame.bytes.len(), 10 * MAX_PACKET);
                break frame.descriptors;
            }
            Incoming::Nothing => {}
            other => panic!("{other:?}"),
        }
    };
    a.flush().unwrap();
    assert_eq!(bytes(&mut b), [3]);
    // It is the very socket, and closed on exec.
    let [received] = <[OwnedFd; 1]>::try_from(descriptors).unwrap();
    assert!(rustix::io::fcntl_getfd(&received).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    raw_send(&kept, b"x", &[]);
    assert_eq!(rustix::io::read(&received, &mut [0; 8]).unwrap(), 1);
}

/// Packets that no link sends, and what becomes of them.
#[test]
fn nonsense_ends_the_link() {
    type Packets = Vec<(Vec<u8>, usize)>;
    type Expected = fn(&LinkError) -> bool;
    let table: [(&str, Packets, Expected); 6] = [
        ("unknown flag", vec![(vec![7, 1, 2], 0)], |e| matches!(e, LinkError::Flag(7))),
        ("a part that brings nothing", vec![(vec![1], 0)], |e| matches!(e, LinkError::Flag(1))),
        ("too large", vec![(vec![0; MAX_PACKET + 1], 0)], |e| matches!(e, LinkError::PacketTooLarge)),
        ("descriptors in the middle", vec![(vec![1, 1], 0), (vec![0, 1], 1)], |e| matches!(e, LinkError::StrayDescriptors)),
        ("too many descriptors", vec![(vec![0, 1], MAX_DESCRIPTORS + 1)], |e| matches!(e, LinkError::DescriptorsLost)),
        ("far too many descriptors", vec![(vec![0, 1], 16)], |e| matches!(e, LinkError::DescriptorsLost)),
    ];
    for (what, packets, expected) in table {
        let (raw, ours) = raw_pair();
        let mut socket = Socket::new(ours).unwrap();
        for (packet, descriptors) in packets {
            let descriptors: Vec<OwnedFd> = (0..descriptors).map(|_| rustix::io::dup(&raw).unwrap()).collect();
            raw_send(&raw, &packet, &descriptors);
        }
        match receive(&mut socket) {
            Err(error) if expected(&error) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_frame_without_end_is_given_up() {
    let (raw, ours) = raw_pair();
    let mut socket = Socket::new(ours).unwrap();
    socket.max_frame = 1000;
    for _ in 0..3 {
        raw_send(&raw, &[&[1][..], &[0; 400]].concat(), &[]);
    }
    assert!(matches!(receive(&mut socket), Err(LinkError::FrameTooLong)));
}

#[test]
fn what_was_sent_before_the_end_is_received_first() {
    for unread in [false, true] {
        let (mut a, mut b) = pair();
        if unread {
            // Closing with something unread makes the kernel report a reset, before the data.
            b.push(frame(&[9, 9]), None);
            b.flush().unwrap();
        }
        a.push(frame(&[1, 2]), None);
        a.push(frame(&[3, 4]), None);
        a.flush().unwrap();
        drop(a);
        assert_eq!(bytes(&mut b), [1, 2]);
        // Writing is in vain and no error.
        b.push(frame(&[5]), None);
        assert_eq!(b.flush().unwrap(), Flushed::All);
        assert_eq!(bytes(&mut b), [3, 4]);
        assert!(matches!(receive(&mut b), Ok(Incoming::Ended)));
    }
}

#[test]
fn only_seqpacket_sockets_are_links() {
    let (stream, _other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    assert_eq!(Socket::new(stream).err().unwrap().kind(), std::io::ErrorKind::InvalidInput);
}
