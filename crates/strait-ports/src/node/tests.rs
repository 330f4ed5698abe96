//! A joined node that violates the protocol: only its own link and channels are affected.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt};

use super::Node;
use super::epoll_events::EpollEvents;
use super::links::{BYTES_A_ROUND, IdlePolicy, PORTS_A_ROUND};
use crate::MAX_PORTS;
use crate::link::{self, Link, LinkKind, MAX_PACKET, ReceiveOutcome, RingParts, Socket};
use crate::message::{CloseReason, Event as PortEvent, Message};
use crate::name::{Addr, NodeName, SideName};
use crate::port::Port;
use crate::router::{Descriptor, Event, FlowState, Frame};
use crate::wire::{Control, Encoded, Packet, VERSION, decode, encode};

/// Runs every test over both kinds of link.
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

mod large;

over_both!(
    an_offence_against_the_protocol_ends_the_offender_only,
    forged_names_reach_nobody,
    a_bypass_to_a_stranger_leads_nowhere,
    requests_for_introductions_leave_nothing_behind,
    a_node_that_never_reads_is_cut_off,
    the_brokers_word_counts_even_if_the_end_is_seen_first,
    peer_died_ends_a_link_that_another_process_keeps_open,
    the_descriptor_is_readable_exactly_while_there_is_something_to_do,
    frames_before_peer_died_are_received_and_later_ones_are_not,
    a_dead_nodes_flood_ends_its_link,
    a_busy_broker_does_not_hide_the_end_of_another_link,
    a_round_is_limited_in_packets_bytes_and_ports,
);

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// A hostile member: it has a link, and sends any frame.
struct Forger {
    link: Box<dyn Link>,
    buffer: Vec<u8>,
    /// The descriptors that it received.
    descriptors: Vec<OwnedFd>,
    me: NodeName,
    broker: NodeName,
    /// The names of the bootstrap channel's sides: the forger's and the broker's.
    mine: SideName,
    theirs: SideName,
}

impl Forger {
    fn joins(broker: &Node) -> (Self, Port) {
        let (ours, theirs) = pair();
        let port = broker.invite(theirs).unwrap();
        let mut socket = Socket::new(ours).unwrap();
        let mut buffer = vec![0; MAX_PACKET];
        let ReceiveOutcome::Frame(frame) = socket.receive(&mut buffer).unwrap() else { panic!("no welcome") };
        let Packet::Control(Control::Welcome { you, broker, yours, mine, .. }) = decode(frame.bytes).unwrap() else { panic!("no welcome") };
        let link = link::over(socket, RingParts::from_descriptors(&mut frame.descriptors.into_iter()), you < broker).unwrap();
        (Self { link, buffer, descriptors: Vec::new(), me: you, broker, mine: yours, theirs: mine }, port)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.link.push(Encoded { data: bytes.to_vec(), tail: Default::default(), message: true, ..Encoded::default() }, Vec::new());
        self.link.flush().unwrap();
    }

    fn packet(&mut self, packet: Packet, descriptor: Option<OwnedFd>) {
        self.link.push(encode(packet), descriptor.into_iter().collect());
        self.link.flush().unwrap();
    }

    fn event(&mut self, from: SideName, to: SideName, event: Event<Descriptor>) {
        self.packet(Packet::Event(Frame { from, to, event }), None);
    }

    /// Returns the broker's frames since the last call; `None` once the link has ended.
    fn hear(&mut self) -> Option<Vec<Packet>> {
        let mut heard = Vec::new();
        self.link.woken();
        loop {
            match self.link.receive(&mut self.buffer) {
                Ok(ReceiveOutcome::Frame(frame)) => {
                    self.descriptors.extend(frame.descriptors);
                    heard.push(decode(frame.bytes).unwrap());
                }
                Ok(ReceiveOutcome::Nothing) => return Some(heard),
                Ok(ReceiveOutcome::Part) => {}
                Ok(ReceiveOutcome::Ended) | Err(_) => return None,
            }
        }
    }
}

fn message(data: &[u8], ports: &[(u128, u128)]) -> Event<Descriptor> {
    let ports = ports
        .iter()
        .map(|(side, neighbour)| Descriptor { side: SideName(*side), neighbour: SideName(*neighbour), flow_state: FlowState::default() })
        .collect();
    Event::Message { data: data.to_vec().into(), ports, hops: 0 }
}

/// An honest member with its channel to the broker. The forger must not affect it.
struct Honest {
    node: Node,
    at_broker: Port,
    at_member: Port,
}

impl Honest {
    fn joins(broker: &Node) -> Self {
        let (ours, theirs) = pair();
        let at_broker = broker.invite(ours).unwrap();
        let (node, at_member) = Node::join(theirs).unwrap();
        Self { node, at_broker, at_member }
    }

    fn is_well(&self, broker: &Node) {
        self.at_broker.post(vec![1]).unwrap();
        self.at_member.post(vec![2]).unwrap();
        turn(broker);
        turn(&self.node);
        assert!(matches!(self.at_member.try_recv(), Some(PortEvent::Message(m)) if m.data == [1]));
        assert!(matches!(self.at_broker.try_recv(), Some(PortEvent::Message(m)) if m.data == [2]));
    }
}

fn turn(node: &Node) {
    while node.dispatch(Duration::from_millis(1)).unwrap() == super::Progress::More {}
}

type Offence = fn(&mut Forger);

fn an_offence_against_the_protocol_ends_the_offender_only(kind: LinkKind) {
    let table: [(&str, Offence); 12] = [
        ("garbage", |f| f.bytes(b"\x01\x02\x03 this is no frame")),
        ("nothing", |f| f.bytes(b"")),
        ("unknown kind", |f| f.bytes(&[0; 33])),
        ("unknown reason", |f| f.bytes(&[9, 38])),
        ("descriptor with an event", |f| {
            let (mine, theirs) = (f.mine, f.theirs);
            f.packet(Packet::Event(Frame { from: mine, to: theirs, event: message(b"", &[]) }), Some(pair().0));
        }),
        ("a port under a name that exists", |f| {
            let (mine, theirs) = (f.mine, f.theirs);
            f.event(mine, theirs, message(b"", &[(theirs.0, 1)]));
        }),
        ("two ports under one name", |f| {
            let (mine, theirs) = (f.mine, f.theirs);
            f.event(mine, theirs, message(b"", &[(5, 1), (5, 2)]));
        }),
        ("introduction by a member", |f| f.packet(Packet::Control(Control::Introduction(NodeName(1))), Some(pair().0))),
        ("introduction without a descriptor", |f| f.packet(Packet::Control(Control::Introduction(NodeName(1))), None)),
        ("welcome by a member", |f| {
            let (broker, me, side) = (f.broker, f.me, f.mine);
            f.packet(Packet::Control(Control::Welcome { version: 1, you: broker, broker: me, yours: side, mine: side }), None);
        }),
        ("PeerDied by a member", |f| f.packet(Packet::Control(Control::PeerDied(NodeName(3), CloseReason::Exited)), None)),
        ("departure of another", |f| f.packet(Packet::Control(Control::Departing(NodeName(3), CloseReason::Exited)), None)),
    ];
    only_the_offender_pays(kind, &table);
}

fn only_the_offender_pays(kind: LinkKind, table: &[(&str, Offence)]) {
    for (what, offence) in table {
        let broker = Node::broker_with(kind).unwrap();
        let honest = Honest::joins(&broker);
        let (mut forger, port) = Forger::joins(&broker);
        let (mine, theirs) = (forger.mine, forger.theirs);
        forger.event(mine, theirs, message(b"before", &[(77, 78)]));
        offence(&mut forger);
        turn(&broker);
        // Frames that the forger sent before count; then all its ports close.
        let Some(PortEvent::Message(before)) = port.try_recv() else { panic!("{what}: what was sent before is lost") };
        assert!(matches!(port.try_recv(), Some(PortEvent::Close(CloseReason::Crashed))), "{what}: no close");
        assert!(matches!(before.ports[0].try_recv(), Some(PortEvent::Close(CloseReason::Crashed))), "{what}: no close of a port it sent");
        assert!(port.try_recv().is_none());
        assert_eq!(forger.hear(), None, "{what}: the link is still open");
        assert_eq!(broker.stats().links, 1);
        honest.is_well(&broker);
        drop((port, before));
        assert_eq!(broker.stats().ports, 1, "{what}: only the honest member's port is left");
    }
}

/// Forged names have no effect, and forged events on the forger's own channels end only those.
fn forged_names_reach_nobody(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    // The test gives the forger the sides and nodes of a channel between two others.
    let (ours, theirs, member) = broker.shared.act(|state| {
        let honest = honest.at_broker.element();
        let peer = state.router.peer_of(honest).unwrap();
        (state.router.name_of(honest).unwrap(), peer.side, peer.node)
    });
    let (mine, its) = (forger.mine, forger.theirs);
    let victim = Addr { node: member, side: theirs };
    for from in [mine, theirs, SideName(1)] {
        for event in [
            message(b"forged", &[]),
            message(b"forged", &[(1000 + from.0 % 1000, 1)]),
            Event::Close(CloseReason::Closed),
            Event::Lock,
            Event::Granted,
            Event::Unlock,
            Event::Expect(victim),
            Event::Bypass(victim),
            Event::Fence,
        ] {
            forger.event(from, ours, event);
        }
    }
    turn(&broker);
    assert!(honest.at_broker.try_recv().is_none());
    honest.is_well(&broker);
    // A port in a discarded message is closed again.
    let closed = |packet: &Packet| matches!(packet, Packet::Event(Frame { event: Event::Close(CloseReason::Dropped), .. }));
    assert!(forger.hear().expect("benign as far as anyone can tell").iter().any(closed));
    // Events of a bypass that is not in progress end their channel.
    forger.event(mine, its, Event::Granted);
    turn(&broker);
    assert!(matches!(port.try_recv(), Some(PortEvent::Close(CloseReason::Crashed))));
    assert!(forger.hear().is_some());
    honest.is_well(&broker);
}

/// A bypass that names a victim has no effect: the victim accepts only events of an announced
/// neighbour.
fn a_bypass_to_a_stranger_leads_nowhere(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let victim = broker.shared.act(|state| state.router.peer_of(honest.at_broker.element()).unwrap());
    let (mine, its) = (forger.mine, forger.theirs);
    forger.event(mine, its, Event::Lock);
    forger.event(mine, its, Event::Bypass(victim));
    turn(&broker);
    port.post(Message::new(b"to the victim?".to_vec())).unwrap();
    turn(&broker);
    turn(&honest.node);
    assert!(honest.at_member.try_recv().is_none());
    honest.is_well(&broker);
}

fn requests_for_introductions_leave_nothing_behind(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, _port) = Forger::joins(&broker);
    for n in 0..1000 {
        forger.packet(Packet::Control(Control::Introduce(NodeName(n))), None);
        turn(&broker);
        assert_eq!(forger.hear().unwrap(), [Packet::Control(Control::Unreachable(NodeName(n)))]);
    }
    let (me, other) = (forger.me, broker.shared.act(|state| state.router.peer_of(honest.at_broker.element()).unwrap().node));
    for node in [me, forger.broker] {
        forger.packet(Packet::Control(Control::Introduce(node)), None);
        turn(&broker);
        assert_eq!(forger.hear().unwrap(), [Packet::Control(Control::Unreachable(node))]);
    }
    // A node is introduced to another whose name it may have, once.
    for expected in [Control::Introduction(other), Control::Unreachable(other), Control::Unreachable(other)] {
        forger.packet(Packet::Control(Control::Introduce(other)), None);
        turn(&broker);
        assert_eq!(forger.hear().unwrap(), [Packet::Control(expected)]);
    }
    turn(&honest.node);
    assert_eq!(honest.node.stats().links, 2);
    honest.is_well(&broker);
}

/// A node that causes replies and does not read is cut off before the replies fill the memory.
fn a_node_that_never_reads_is_cut_off(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, _port) = Forger::joins(&broker);
    let (mine, deadline) = (forger.mine, Instant::now() + Duration::from_secs(60));
    // Each port in an undeliverable message is answered by a close.
    let ports: Vec<(u128, u128)> = (0..MAX_PORTS as u128).map(|n| (n + 1_000_000, n)).collect();
    while broker.stats().links == 2 {
        assert!(Instant::now() < deadline, "hoards without end");
        forger.event(mine, SideName(1), message(b"", &ports));
        turn(&broker);
    }
    honest.is_well(&broker);
}

/// Makes a channel directly between the forger, which keeps to the protocol here, and the honest
/// member; returns the member's end.
fn straight_channel(broker: &Node, honest: &Honest, forger: &mut Forger, port: &Port) -> Port {
    let (mine, its) = (forger.mine, forger.theirs);
    forger.event(mine, its, message(b"", &[(500, 501)]));
    turn(broker);
    let Some(PortEvent::Message(message)) = port.try_recv() else { panic!("no port came") };
    honest.at_broker.post(message).unwrap();
    for _ in 0..20 {
        turn(broker);
        turn(&honest.node);
        for packet in forger.hear().unwrap() {
            let Packet::Event(Frame { from, to, event }) = packet else { continue };
            match event {
                Event::Lock => forger.event(to, from, Event::Granted),
                Event::Bypass(_) => forger.event(to, from, Event::Fence),
                _ => {}
            }
        }
    }
    assert_eq!((broker.stats().proxies, honest.node.stats().links), (0, 2));
    let Some(PortEvent::Message(mut message)) = honest.at_member.try_recv() else { panic!("no port came") };
    message.ports.remove(0)
}

fn the_brokers_word_counts_even_if_the_end_is_seen_first(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let straight = straight_channel(&broker, &honest, &mut forger, &port);
    // The direct link ends before the broker's report arrives. Both are present when the member
    // reads.
    forger.descriptors.clear();
    broker.expect_departure(&port, CloseReason::Unloaded);
    turn(&honest.node);
    assert!(matches!(straight.try_recv(), Some(PortEvent::Close(CloseReason::Unloaded))));
    drop(forger);
    turn(&broker);
    assert!(matches!(port.try_recv(), Some(PortEvent::Close(CloseReason::Unloaded))));
    honest.is_well(&broker);
}

fn peer_died_ends_a_link_that_another_process_keeps_open(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let straight = straight_channel(&broker, &honest, &mut forger, &port);
    // For example a forked process has a copy.
    let _kept = std::mem::take(&mut forger.descriptors);
    drop(forger);
    turn(&broker);
    turn(&honest.node);
    assert!(matches!(straight.try_recv(), Some(PortEvent::Close(CloseReason::Crashed))));
    assert_eq!(honest.node.stats().links, 1);
    honest.is_well(&broker);
}

/// A loop that only watches the node's descriptor leaves no frame unread in a ring.
fn the_descriptor_is_readable_exactly_while_there_is_something_to_do(kind: LinkKind) {
    let readable = |node: &Node| {
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut [rustix::event::PollFd::new(node, rustix::event::PollFlags::IN)], Some(&now)).unwrap() > 0
    };
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    for round in 0..3u16 {
        assert!(!readable(&broker));
        for number in 0..500u16 {
            honest.at_member.post(number.to_le_bytes().to_vec()).unwrap();
        }
        let mut turns = 0;
        while readable(&broker) {
            let _ = broker.dispatch(Duration::ZERO).unwrap();
            // A socket had no room for all frames.
            let _ = honest.node.dispatch(Duration::ZERO).unwrap();
            // More frames arrive while the link is awake, without a signal.
            if turns == round {
                honest.at_member.post(vec![]).unwrap();
            }
            turns += 1;
        }
        assert!(turns > 5, "one dispatch is not to take everything");
        assert_eq!(honest.at_broker.queued().0, 501);
        while honest.at_broker.try_recv().is_some() {}
    }
}

#[test]
fn without_memory_a_link_is_a_socket_alone() {
    let (ours, theirs) = pair();
    let mut socket = Socket::new(ours).unwrap();
    let (member, broker, yours, mine) = (NodeName(1), NodeName(2), SideName(3), SideName(4));
    socket.push(encode(Packet::Control(Control::Welcome { version: crate::wire::VERSION, you: member, broker, yours, mine })), Vec::new());
    // An introduction too, to a node that is only a socket.
    let (one, other) = pair();
    socket.push(encode(Packet::Control(Control::Introduction(NodeName(9)))), vec![one]);
    socket.push(encode(Packet::Event(Frame { from: mine, to: yours, event: message(b"hello", &[]) })), Vec::new());
    socket.flush().unwrap();
    let (node, port) = Node::join(theirs).unwrap();
    turn(&node);
    assert!(matches!(port.try_recv(), Some(PortEvent::Message(m)) if m.data == b"hello"));
    assert_eq!(node.stats().links, 2);
    port.post(vec![5; 60_000]).unwrap();
    let mut buffer = vec![0; MAX_PACKET];
    let answer = loop {
        match socket.receive(&mut buffer).unwrap() {
            ReceiveOutcome::Frame(frame) => break decode(frame.bytes).unwrap(),
            ReceiveOutcome::Part => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        answer,
        Packet::Event(Frame { from: yours, to: mine, event: Event::Message { data: vec![5; 60_000].into(), ports: vec![], hops: 0 } })
    );
    drop(other);
    turn(&node);
    assert_eq!(node.stats().links, 1);
}

/// The forger's raw end of its direct link, and the channel's sides there (the forger's, the
/// member's).
fn direct_link(forger: &mut Forger, honest: &Honest, straight: &Port) -> (Box<dyn Link>, SideName, SideName) {
    let (its, member, members) = honest.node.shared.act(|state| {
        let key = straight.element();
        (state.router.peer_of(key).unwrap().side, state.router.me(), state.router.name_of(key).unwrap())
    });
    let mut descriptors = std::mem::take(&mut forger.descriptors).into_iter();
    let socket = Socket::new(descriptors.next().unwrap()).unwrap();
    (link::over(socket, RingParts::from_descriptors(&mut descriptors), forger.me < member).unwrap(), its, members)
}

fn frames_before_peer_died_are_received_and_later_ones_are_not(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let straight = straight_channel(&broker, &honest, &mut forger, &port);
    let (mut direct, its, members) = direct_link(&mut forger, &honest, &straight);
    let mut say = |data: &[u8]| {
        direct.push(encode(Packet::Event(Frame { from: its, to: members, event: message(data, &[]) })), Vec::new());
        direct.flush().unwrap();
    };
    let lost = forger.me;
    let is_reported_dead = || honest.node.shared.act(|state| state.peers.get(lost).is_some_and(|peer| peer.reported_dead_at.is_some()));
    (0..100u8).for_each(|n| say(&[n]));
    forger.packet(Packet::Control(Control::Goodbye(CloseReason::Unloaded)), None);
    turn(&broker);
    // The link is never idle again; a dispatch without time takes one packet.
    let (mut dispatches, mut said, mut said_in_time) = (0, 0, None);
    while honest.node.stats().links == 2 {
        assert!(dispatches < 300, "still heard");
        let before = straight.queued().0;
        let _ = honest.node.dispatch(Duration::ZERO).unwrap();
        assert!(straight.queued().0 <= before + 1, "PeerDied does not raise the limit of a turn");
        if said_in_time.is_none() && is_reported_dead() {
            said_in_time = Some(said);
        }
        say(b"late");
        say(b"late");
        said += 2;
        dispatches += 1;
    }
    for n in 0..100u8 {
        assert!(matches!(straight.try_recv(), Some(PortEvent::Message(m)) if m.data == [n]));
    }
    for _ in 0..said_in_time.expect("PeerDied has come") {
        assert!(matches!(straight.try_recv(), Some(PortEvent::Message(m)) if m.data == b"late"), "heard up to the mark");
    }
    let close = straight.try_recv();
    assert!(matches!(close, Some(PortEvent::Close(CloseReason::Unloaded))), "heard past the mark: {close:?}");
    drop(forger);
    honest.is_well(&broker);
}

/// Sends frames that cost more to receive than to send, and reads nothing, until the other end
/// closes the link (true) or a time limit ends.
fn flood(mut link: Box<dyn Link>, from: SideName) -> std::thread::JoinHandle<bool> {
    let ports: Vec<(u128, u128)> = (0..MAX_PORTS as u128).map(|n| (n + 1_000_000, n)).collect();
    let to_nobody = encode(Packet::Event(Frame { from, to: SideName(1), event: message(b"", &ports) })).tail;
    // Many frames are queued before the thread starts.
    for _ in 0..6 {
        link.push(Encoded { data: to_nobody.to_vec(), tail: Default::default(), message: true, ..Encoded::default() }, Vec::new());
    }
    link.flush().unwrap();
    std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            link.push(Encoded { data: to_nobody.to_vec(), tail: Default::default(), message: true, ..Encoded::default() }, Vec::new());
            link.flush().unwrap();
            while link.data_backlog() > 0 && Instant::now() < deadline && !hung_up(&*link) {
                link.flush().unwrap();
            }
            // The end of the link shows here by the unread data.
            if hung_up(&*link) {
                return true;
            }
            link.woken();
            if matches!(link.receive(&mut vec![0; MAX_PACKET]), Ok(ReceiveOutcome::Ended) | Err(_)) {
                return true;
            }
        }
        false
    })
}

/// Whether the link has ended. A writer to a full ring would not detect that by writing.
fn hung_up(link: &dyn Link) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut fds = [rustix::event::PollFd::new(&link, rustix::event::PollFlags::empty())];
    rustix::event::poll(&mut fds, Some(&now)).unwrap() > 0
}

/// The same from another thread at full speed, while the member reads.
fn a_dead_nodes_flood_ends_its_link(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let straight = straight_channel(&broker, &honest, &mut forger, &port);
    let (direct, its, _) = direct_link(&mut forger, &honest, &straight);
    let flood = flood(direct, its);
    forger.packet(Packet::Control(Control::Goodbye(CloseReason::Exited)), None);
    turn(&broker);
    while honest.node.stats().links == 2 && !flood.is_finished() {
        let _ = honest.node.dispatch(Duration::ZERO).unwrap();
    }
    assert!(flood.join().unwrap(), "heard for as long as it liked to speak");
    assert!(matches!(straight.try_recv(), Some(PortEvent::Close(CloseReason::Exited))));
    drop(forger);
    honest.is_well(&broker);
}

/// When another link ends, the broker's frames are read up to their number at that time, not as
/// long as the broker sends.
fn a_busy_broker_does_not_hide_the_end_of_another_link(kind: LinkKind) {
    let (ours, theirs) = pair();
    let mut socket = Socket::new(ours).unwrap();
    let (parts, its_parts) = if kind == LinkKind::Rings { RingParts::pair().unwrap().map(Some).into() } else { (None, None) };
    let (me, other, side) = (NodeName(1), NodeName(3), SideName(4));
    let welcome = Control::Welcome { version: VERSION, you: NodeName(2), broker: me, yours: SideName(5), mine: side };
    let (direct, its) = pair();
    socket.push(encode(Packet::Control(welcome)), its_parts.into_iter().flat_map(RingParts::into_descriptors).collect());
    let mut broker = link::over(socket, parts, true).unwrap();
    broker.push(encode(Packet::Control(Control::Introduction(other))), vec![its]);
    broker.flush().unwrap();
    let (node, _port) = Node::join(theirs).unwrap();
    turn(&node);
    assert_eq!(node.stats().links, 2);
    let flood = flood(broker, side);
    drop(direct);
    while node.stats().links == 2 && !flood.is_finished() {
        let _ = node.dispatch(Duration::ZERO).unwrap();
    }
    assert!(!flood.is_finished(), "heard for as long as it spoke");
    node.leave(CloseReason::Exited);
    assert!(flood.join().unwrap());
}

/// The amount that one dispatch takes from a busy peer: counted, not timed.
fn a_round_is_limited_in_packets_bytes_and_ports(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    let (mine, its) = (forger.mine, forger.theirs);
    let far = Instant::now() + Duration::from_secs(3600);
    let empty = |what: &str| {
        turn(&broker);
        let count = std::iter::from_fn(|| port.try_recv()).count();
        assert!(count > 0, "{what}: the rest came later");
    };

    // The time is over at once: one packet is taken of many.
    (0..100).for_each(|_| forger.event(mine, its, message(b"x", &[])));
    for n in 1..=40 {
        assert_eq!(broker.dispatch(Duration::ZERO).unwrap(), super::Progress::More);
        assert_eq!(port.queued().0, n);
    }
    empty("packets");

    // A message with as many ports as a round takes is the round's last.
    let mut name = 1_000_000;
    for _ in 0..4 {
        let ports: Vec<_> = (0..PORTS_A_ROUND as u128 / 2).map(|n| (name + n, n)).collect();
        name += ports.len() as u128;
        forger.event(mine, its, message(b"", &ports));
    }
    assert!(broker.shared.act(|state| state.turn(&EpollEvents::now(&broker.shared.epoll).unwrap(), far, IdlePolicy::Sleep)));
    assert_eq!(port.queued().0, 2);
    empty("ports");

    // The same for bytes; and the honest member has its turn in the next round.
    sockopt::set_socket_send_buffer_size(&forger.link, 1 << 20).unwrap();
    (0..8).for_each(|_| forger.event(mine, its, message(&[0; 60_000], &[])));
    honest.at_member.post(vec![5]).unwrap();
    let mut rounds = 0;
    while honest.at_broker.try_recv().is_none() {
        let before = port.queued().1 as u64;
        let more = broker.shared.act(|state| state.turn(&EpollEvents::now(&broker.shared.epoll).unwrap(), far, IdlePolicy::Sleep));
        assert!(more || rounds > 0);
        assert!(port.queued().1 as u64 - before <= BYTES_A_ROUND + MAX_PACKET as u64);
        rounds += 1;
        assert!(rounds <= 2, "starved");
    }
    empty("bytes");
    honest.is_well(&broker);
}
