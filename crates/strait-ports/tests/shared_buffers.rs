//! Shared buffers: written once, read in place by whoever receives them, wherever they go.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use strait_ports::{Event, LinkKind, MAX_BUFFERS, Message, Node, Port, PostErrorReason, SharedBuffer};

macro_rules! over_both {
    ($($test:ident),* $(,)?) => {
        mod sockets {
            $(#[test] fn $test() { super::$test(super::LinkKind::Socket) })*
        }
        mod rings {
            $(#[test] fn $test() { super::$test(super::LinkKind::Rings) })*
        }
    };
}

over_both!(
    many_receivers_read_the_same_memory,
    small_and_empty_ones_arrive_too,
    they_go_with_data_and_ports_in_order,
    they_follow_a_port_that_moves,
    they_outlive_who_sent_them,
    more_than_can_be_kept_open_arrive_all_the_same,
);

fn joined(broker: &Node) -> (Port, Node, Port) {
    let (ours, theirs): (OwnedFd, OwnedFd) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let port = broker.invite(ours).unwrap();
    let (node, bootstrap) = Node::join(theirs).unwrap();
    (port, node, bootstrap)
}

fn settle(nodes: &[&Node]) {
    let mut quiet = 0;
    for _ in 0..100_000 {
        let mut idle = true;
        for node in nodes {
            let now = Timespec { tv_sec: 0, tv_nsec: 0 };
            idle &= poll(&mut [PollFd::new(node, PollFlags::IN)], Some(&now)) == Ok(0);
            let _ = node.dispatch(Duration::ZERO).unwrap();
        }
        quiet = if idle { quiet + 1 } else { 0 };
        if quiet == 3 {
            return;
        }
    }
    panic!("it never settles");
}

fn message(port: &Port) -> Message {
    match port.try_recv() {
        Some(Event::Message(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn is_shared(buffer: &SharedBuffer) -> bool {
    format!("{buffer:?}").contains("shared: true")
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i / 251 + i) as u8).collect()
}

/// Which file a buffer's memory is of.
fn inode(buffer: &SharedBuffer) -> String {
    let address = buffer.as_ptr().addr();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let covers = |line: &&str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        (usize::from_str_radix(start, 16).unwrap()..usize::from_str_radix(end, 16).unwrap()).contains(&address)
    };
    maps.lines().find(covers).unwrap().split_whitespace().nth(4).unwrap().to_owned()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn many_receivers_read_the_same_memory(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let members: Vec<_> = (0..8).map(|_| joined(&broker)).collect();
    let nodes: Vec<&Node> = std::iter::once(&broker).chain(members.iter().map(|m| &m.1)).collect();
    let before = descriptors();
    let buffer = SharedBuffer::build(1 << 20, |bytes| bytes.copy_from_slice(&pattern(1 << 20)));
    assert!(is_shared(&buffer));
    for (port, ..) in &members {
        port.post(Message::with_buffers(vec![], vec![buffer.clone()])).unwrap();
    }
    settle(&nodes);
    let received: Vec<_> = members.iter().map(|(_, _, port)| message(port).buffers.remove(0)).collect();
    for copy in &received {
        assert!(copy[..] == buffer[..] && inode(copy) == inode(&buffer) && copy.as_ptr() != buffer.as_ptr());
    }
    drop((buffer, received));
    assert_eq!(descriptors(), before);
}

fn small_and_empty_ones_arrive_too(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (port, node, at_member) = joined(&broker);
    let buffers: Vec<_> = [0, 1, 5000, 16 * 1024 - 1, 16 * 1024, 100_001].map(|length| SharedBuffer::new(&pattern(length))).into();
    assert_eq!(buffers.iter().map(is_shared).collect::<Vec<_>>(), [false, false, false, false, true, true]);
    port.post(Message::with_buffers(b"all".to_vec(), buffers.clone())).unwrap();
    settle(&[&broker, &node]);
    assert_eq!(at_member.queued(), (1, 3 + buffers.iter().map(|b| b.len()).sum::<usize>()));
    assert_eq!(message(&at_member).buffers, buffers);
    assert_eq!(SharedBuffer::build(100, |bytes| bytes[3] = 4)[2..5], [0, 4, 0]);
}

fn they_go_with_data_and_ports_in_order(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (port, node, at_member) = joined(&broker);
    let other = Node::broker().unwrap();
    let one = SharedBuffer::new(&pattern(20_000));
    for round in 0..30u8 {
        let (keep, give) = broker.channel();
        let large = vec![round; if round % 2 == 0 { 300_000 } else { 3 }];
        let buffers = vec![one.clone(), SharedBuffer::new(&[round; 17_000])];
        port.post(Message { data: large, ports: vec![give], buffers }).unwrap();
        port.post(vec![round]).unwrap();
        settle(&[&broker, &node]);
        let mut whole = message(&at_member);
        assert!(whole.data.iter().all(|b| *b == round) && whole.data.len() >= 3);
        assert_eq!((whole.buffers.remove(0), &whole.buffers[0][..]), (one.clone(), &[round; 17_000][..]));
        let plain = message(&at_member);
        assert!(plain.data == [round] && plain.buffers.is_empty());
        keep.post(vec![1]).unwrap();
        settle(&[&broker, &node]);
        assert_eq!(message(&whole.ports[0]).data, [1]);
    }
    // Nothing is consumed by a post that fails.
    let too_many = vec![one.clone(); MAX_BUFFERS + 1];
    let error = port.post(Message { data: vec![1], ports: vec![broker.channel().0], buffers: too_many }).unwrap_err();
    assert_eq!(error.reason, PostErrorReason::TooManyBuffers { count: MAX_BUFFERS + 1 });
    assert_eq!((error.message.buffers.len(), error.message.ports.len()), (MAX_BUFFERS + 1, 1));
    let foreign = Message { data: vec![1], ports: vec![other.channel().0], buffers: vec![one] };
    assert_eq!(port.post(foreign).unwrap_err().message.buffers.len(), 1);
    assert!(at_member.try_recv().is_none());
}

fn they_follow_a_port_that_moves(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let [(to_one, one, at_one), (to_two, two, at_two)] = [joined(&broker), joined(&broker)];
    let nodes = [&broker, &one, &two];
    let buffer = SharedBuffer::new(&pattern(1 << 20));
    let (near, far) = one.channel();
    // In the queue of a port that goes to the broker, and, without being read, on to another.
    near.post(Message::with_buffers(b"queued".to_vec(), vec![buffer.clone()])).unwrap();
    at_one.post(Message::with_ports(vec![], vec![far])).unwrap();
    settle(&nodes);
    let far = message(&to_one).ports.remove(0);
    near.post(Message::with_buffers(b"arrived".to_vec(), vec![buffer.clone()])).unwrap();
    settle(&nodes);
    to_two.post(Message::with_ports(vec![], vec![far])).unwrap();
    near.post(Message::with_buffers(b"through a proxy".to_vec(), vec![buffer.clone()])).unwrap();
    settle(&nodes);
    let far = message(&at_two).ports.remove(0);
    for expected in ["queued", "arrived", "through a proxy"] {
        let received = message(&far);
        assert_eq!(received.data, expected.as_bytes());
        assert!(received.buffers == std::slice::from_ref(&buffer) && inode(&received.buffers[0]) == inode(&buffer), "{expected}");
    }
    // A port that closes lets go of what was not read.
    let before = descriptors();
    (0..5).for_each(|_| near.post(Message::with_buffers(vec![], vec![buffer.clone()])).unwrap());
    settle(&nodes);
    drop(far);
    settle(&nodes);
    assert_eq!(descriptors(), before);
}

fn they_outlive_who_sent_them(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (port, node, at_member) = joined(&broker);
    at_member.post(Message::with_buffers(vec![], vec![SharedBuffer::new(&pattern(50_000))])).unwrap();
    drop((at_member, node));
    settle(&[&broker]);
    assert_eq!(message(&port).buffers[0][..], pattern(50_000));
    assert!(matches!(port.try_recv(), Some(Event::Close(_))));
}

fn more_than_can_be_kept_open_arrive_all_the_same(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (port, node, at_member) = joined(&broker);
    let mut held = Vec::new();
    for number in 0..200u8 {
        port.post(Message::with_buffers(vec![], vec![SharedBuffer::new(&[number; 20_000])])).unwrap();
        settle(&[&broker, &node]);
        held.extend(message(&at_member).buffers);
    }
    assert!(descriptors() < 90, "{} descriptors", descriptors());
    // And back.
    for buffer in &held {
        at_member.post(Message::with_buffers(vec![], vec![buffer.clone()])).unwrap();
    }
    settle(&[&broker, &node]);
    for number in 0..200u8 {
        assert_eq!(message(&port).buffers[0][..], [number; 20_000]);
    }
}
