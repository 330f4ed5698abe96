//! A node that violates the protocol of arenas and blocks: only its own link is affected.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use super::*;
use crate::link::arena::{ARENA_SIZES, PAGE, Reference};
use crate::link::memory::arena::Arena;

over_both!(
    a_lie_about_arenas_ends_the_liar_only,
    an_honest_lender_is_told_what_is_done,
    a_peer_that_cannot_see_arenas_gets_bytes,
    a_peer_that_gives_nothing_back_gets_bytes,
    an_arena_that_is_not_used_is_given_up,
);

impl Forger {
    fn control(&mut self, control: Control) {
        self.packet(Packet::Control(control), None);
    }

    /// Offers a valid arena.
    fn offer(&mut self, arena: u8) {
        let (_, fd) = Arena::make(ARENA_SIZES[usize::from(arena)]).unwrap();
        self.packet(Packet::Control(Control::Offer(arena)), Some(fd));
    }

    /// Sends a message whose data is in a block.
    fn lend(&mut self, arena: u8, page: u32, length: u64) {
        let frame = Frame { from: self.mine, to: self.theirs, event: message(b"", &[]) };
        self.packet(Packet::Lent(frame, Reference { arena, page, length }), None);
    }
}

fn memory(length: usize, seals: SealFlags) -> OwnedFd {
    let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&fd, length as u64).unwrap();
    fcntl_add_seals(&fd, seals).unwrap();
    fd
}

const FIXED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);
const GOOD: SealFlags = FIXED.union(SealFlags::FUTURE_WRITE);
const PAGES: u32 = (ARENA_SIZES[0] / PAGE) as u32;

fn share(f: &mut Forger, length: u64, fd: OwnedFd) {
    f.packet(Packet::Shared(length, vec![]), Some(fd));
}

fn offer_of(f: &mut Forger, fd: OwnedFd) {
    f.packet(Packet::Control(Control::Offer(0)), Some(fd));
}

fn a_lie_about_arenas_ends_the_liar_only(kind: LinkKind) {
    let table: [(&str, Offence); 28] = [
        ("an arena of no size", |f| {
            let fd = memory(1 << 20, GOOD);
            f.packet(Packet::Control(Control::Offer(4)), Some(fd));
        }),
        ("an arena twice", |f| (0..2).for_each(|_| f.offer(0))),
        ("an arena that can be written", |f| offer_of(f, memory(ARENA_SIZES[0], FIXED))),
        ("an arena that can shrink", |f| offer_of(f, memory(ARENA_SIZES[0], GOOD.difference(SealFlags::SHRINK)))),
        ("an arena that is too small", |f| offer_of(f, memory(ARENA_SIZES[0] - 1, GOOD))),
        ("an arena that is too large", |f| offer_of(f, memory(ARENA_SIZES[1], GOOD))),
        ("an arena that is a socket", |f| offer_of(f, pair().0)),
        ("a block of no arena", |f| f.lend(0, 0, 1)),
        ("a block of an arena that cannot be", |f| f.lend(255, 0, 1)),
        ("a block behind the end", |f| {
            f.offer(0);
            f.lend(0, PAGES, 0);
        }),
        ("a block that is too long", |f| {
            f.offer(0);
            f.lend(0, 1, ARENA_SIZES[0] as u64 - PAGE as u64 + 1);
        }),
        ("a block that is far too long", |f| {
            f.offer(0);
            f.lend(0, u32::MAX, u64::MAX);
        }),
        ("a block twice", |f| {
            f.offer(0);
            (0..2).for_each(|_| f.lend(0, 3, 1));
        }),
        ("a block in a block", |f| {
            f.offer(0);
            f.lend(0, 3, 3 * PAGE as u64);
            f.lend(0, 5, 1);
        }),
        ("a block around a block", |f| {
            f.offer(0);
            f.lend(0, 3, 1);
            f.lend(0, 2, 2 * PAGE as u64);
        }),
        ("an answer to no offer", |f| f.control(Control::Answer(0, true))),
        ("an answer about no arena", |f| f.control(Control::Answer(77, false))),
        ("a block of nobody's given back", |f| f.control(Control::Done(0, 0))),
        ("a block of no arena given back", |f| f.control(Control::Done(9, 0))),
        ("an arena withdrawn that is none", |f| f.control(Control::Withdraw(0))),
        ("an arena withdrawn while it is used", |f| {
            f.offer(0);
            f.lend(0, 3, 1);
            f.control(Control::Withdraw(0));
        }),
        ("a shared buffer that can be written", |f| {
            let fd = memory(8192, SealFlags::SHRINK | SealFlags::GROW);
            rustix::io::pwrite(&fd, &[1; 8192], 0).unwrap();
            share(f, 8192, fd);
        }),
        ("a shared buffer that is shorter", |f| share(f, 8193, memory(8192, FIXED | SealFlags::WRITE))),
        ("a shared buffer that is not there", |f| share(f, 8192, memory(8192, FIXED | SealFlags::WRITE))),
        ("a shared buffer without bytes", |f| f.packet(Packet::Shared(5, vec![1]), None)),
        ("a shared buffer twice", |f| {
            let fd = memory(8192, FIXED | SealFlags::WRITE);
            f.packet(Packet::Shared(1, vec![1]), Some(fd));
        }),
        ("shared buffers without end", |f| (0..=crate::MAX_BUFFERS).for_each(|_| f.packet(Packet::Shared(1, vec![1]), None))),
        ("a descriptor with a block", |f| {
            f.offer(0);
            let frame = Frame { from: f.mine, to: f.theirs, event: message(b"", &[]) };
            f.packet(Packet::Lent(frame, Reference { arena: 0, page: 0, length: 1 }), Some(pair().0));
        }),
    ];
    // Messages in blocks that it loaned before the violation are received, unless they are the
    // violation.
    for (what, offence) in table {
        only_the_offender_pays_after(kind, what, offence);
    }
}

/// As [`only_the_offender_pays`], but the frames before the violation may include messages.
fn only_the_offender_pays_after(kind: LinkKind, what: &str, offence: Offence) {
    let broker = Node::broker_with(kind).unwrap();
    let honest = Honest::joins(&broker);
    let (mut forger, port) = Forger::joins(&broker);
    offence(&mut forger);
    turn(&broker);
    let last = std::iter::from_fn(|| port.try_recv()).last();
    assert!(matches!(last, Some(PortEvent::Close(CloseReason::Crashed))), "{what}: {last:?}");
    assert_eq!(forger.hear(), None, "{what}: the link is still open");
    honest.is_well(&broker);
    drop(port);
    assert_eq!((broker.stats().ports, broker.stats().links), (1, 1), "{what}");
}

fn an_honest_lender_is_told_what_is_done(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (mut forger, port) = Forger::joins(&broker);
    forger.offer(0);
    turn(&broker);
    assert_eq!(forger.hear().unwrap(), [Packet::Control(Control::Answer(0, true))]);
    for round in 0..3 {
        forger.lend(0, 3, 10);
        forger.lend(0, 4, ARENA_SIZES[0] as u64 - 4 * PAGE as u64);
        turn(&broker);
        assert_eq!(forger.hear().unwrap(), [], "{round}");
        for page in [3, 4] {
            assert!(matches!(port.try_recv(), Some(PortEvent::Message(m)) if m.data.iter().all(|b| *b == 0)));
            let mut heard = forger.hear().unwrap();
            // Reports of received messages do not matter here.
            heard.retain(|packet| !matches!(packet, Packet::Event(_)));
            assert_eq!(heard, [Packet::Control(Control::Done(0, page))]);
        }
    }
    // Only then the arena may be withdrawn, and another of its size offered.
    forger.control(Control::Withdraw(0));
    forger.offer(0);
    turn(&broker);
    assert_eq!(forger.hear().unwrap(), [Packet::Control(Control::Answer(0, true))]);
    // An offer without a descriptor is not a violation.
    forger.control(Control::Offer(1));
    turn(&broker);
    assert_eq!(forger.hear().unwrap(), [Packet::Control(Control::Answer(1, false))]);
}

/// The number of bytes in the received messages.
fn heard_bytes(packets: Vec<Packet>) -> usize {
    let bytes = |packet| match packet {
        Packet::Event(Frame { event: Event::Message { data, .. }, .. }) => data.len(),
        _ => 0,
    };
    packets.into_iter().map(bytes).sum()
}

fn hear_all(forger: &mut Forger, broker: &Node) -> usize {
    let mut bytes = 0;
    loop {
        let more = heard_bytes(forger.hear().unwrap());
        turn(broker);
        let yet_more = heard_bytes(forger.hear().unwrap());
        bytes += more + yet_more;
        if more + yet_more == 0 && broker.stats().queued_bytes == 0 {
            return bytes;
        }
    }
}

fn a_peer_that_cannot_see_arenas_gets_bytes(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (mut forger, port) = Forger::joins(&broker);
    for round in 0..3 {
        port.post(vec![1; 1 << 20]).unwrap();
        assert_eq!(hear_all(&mut forger, &broker), 1 << 20, "{round}");
        // An arena is offered once, and not again for a message of that size.
        assert_eq!(forger.descriptors.drain(..).count(), usize::from(round == 0), "{round}");
        if round == 0 {
            forger.control(Control::Answer(0, false));
            turn(&broker);
        }
    }
}

fn a_peer_that_gives_nothing_back_gets_bytes(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (mut forger, port) = Forger::joins(&broker);
    port.post(vec![1; 1 << 20]).unwrap();
    hear_all(&mut forger, &broker);
    forger.control(Control::Answer(0, true));
    turn(&broker);
    for _ in 0..4 {
        port.post(vec![1; 1 << 20]).unwrap();
    }
    assert!(matches!(forger.hear().unwrap()[..], [Packet::Lent(..), Packet::Lent(..), Packet::Lent(..), Packet::Lent(..)]));
    for _ in 0..4 {
        port.post(vec![1; 1 << 20]).unwrap();
        assert_eq!(hear_all(&mut forger, &broker), 1 << 20);
    }
    assert_eq!(broker.stats().lent_bytes, 4 << 20);
    // A block that the peer has, and one that it has already released.
    forger.control(Control::Done(0, 0));
    turn(&broker);
    assert_eq!(broker.stats().lent_bytes, 3 << 20);
    forger.control(Control::Done(0, 0));
    turn(&broker);
    assert_eq!(forger.hear(), None);
}

fn an_arena_that_is_not_used_is_given_up(kind: LinkKind) {
    let broker = Node::broker_with(kind).unwrap();
    let (mut forger, port) = Forger::joins(&broker);
    port.post(vec![1; 1 << 20]).unwrap();
    hear_all(&mut forger, &broker);
    forger.control(Control::Answer(0, true));
    turn(&broker);
    port.post(vec![1; 1 << 20]).unwrap();
    assert!(matches!(forger.hear().unwrap()[..], [Packet::Lent(..)]));
    // Not while a block of it is on loan, however many ticks pass.
    let wait = |broker: &Node, patience| {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            let _ = broker.wait(Some(Duration::from_millis(10))).unwrap();
        }
    };
    wait(&broker, Duration::from_millis(1300));
    assert_eq!(forger.hear().unwrap(), []);
    forger.control(Control::Done(0, 0));
    let deadline = Instant::now() + Duration::from_secs(30);
    let heard = loop {
        let _ = broker.wait(Some(Duration::from_secs(1))).unwrap();
        let heard = forger.hear().unwrap();
        if !heard.is_empty() || Instant::now() > deadline {
            break heard;
        }
    };
    assert_eq!(heard, [Packet::Control(Control::Withdraw(0))]);
    // The clock is removed with the last arena, so that idle nodes are not woken.
    assert!(broker.shared.act(|state| state.arena_clock.is_none()));
    // The next arena is a new one.
    port.post(vec![1; 1 << 20]).unwrap();
    assert_eq!(hear_all(&mut forger, &broker), 1 << 20);
    assert_eq!(forger.descriptors.len(), 2);
}
