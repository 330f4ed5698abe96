//! Links whose other side writes arbitrary bytes.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use rustix::event::{Timespec, epoll};
use rustix::fs::fstat;
use rustix::io::{pread, pwrite};

use super::input::Input;
use super::peer::{self, MOST_DESCRIPTORS, readable};
use crate::link::{self, Link, MAX_CARRIED, MAX_DESCRIPTORS, MAX_PACKET, ReceiveOutcome, Received, RingParts, Socket};
use crate::wire::Encoded;

/// A ring or a socket cannot contain more pieces at a time: a reader that takes more is in an
/// endless loop.
const MOST_PIECES: usize = 100_000;

/// A link under attack.
struct Victim {
    link: Box<dyn Link>,
    buffer: Vec<u8>,
    /// Watches the link's socket as a node does.
    epoll: OwnedFd,
}

/// The outcome of a victim's turn.
#[derive(Debug, PartialEq)]
enum Turn {
    Idle,
    Ended,
    /// The link is cut.
    Cut,
}

impl Victim {
    fn new(link: Box<dyn Link>) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
        epoll::add(&epoll, &link, epoll::EventData::new_u64(0), link.interest()).expect("a descriptor");
        Self { link, buffer: vec![0; MAX_PACKET], epoll }
    }

    /// Whether the socket has woken the link.
    fn has_input(&self) -> bool {
        let mut event = [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }];
        epoll::wait(&self.epoll, &mut event[..], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// Receives the available data, as a node does.
    fn turn(&mut self, mut heard: impl FnMut(Received)) -> Turn {
        for _ in 0..MOST_PIECES {
            let before = self.link.received();
            match self.link.receive(&mut self.buffer) {
                Ok(ReceiveOutcome::Frame(frame)) => heard(frame),
                Ok(ReceiveOutcome::Part) => assert!(self.link.received() > before, "a part of nothing"),
                Ok(ReceiveOutcome::Nothing) if self.has_input() => self.link.woken(),
                Ok(ReceiveOutcome::Nothing) => match self.link.prepare_sleep() {
                    // A signal of the doorbell makes no difference to the received data.
                    Ok(true) => self.link.rung(),
                    Ok(false) => return Turn::Idle,
                    Err(_) => return Turn::Cut,
                },
                Ok(ReceiveOutcome::Ended) => return Turn::Ended,
                Err(_) => return Turn::Cut,
            }
            assert!(self.link.received() >= before && self.link.arrived() >= self.link.received(), "the counts go backwards");
        }
        panic!("it spins");
    }

    fn send(&mut self, frame: Encoded) -> Turn {
        // The fast path, where there is one.
        match self.link.write([&frame.data, &frame.tail]) {
            Ok(true) => {}
            Ok(false) => self.link.push(frame, Vec::new()),
            Err(_) => return Turn::Cut,
        }
        self.link.flush().map_or(Turn::Cut, |_| Turn::Idle)
    }
}

fn frame(bytes: Vec<u8>) -> Encoded {
    Encoded { data: bytes, tail: [0].into_iter().collect(), message: true, ..Encoded::default() }
}

/// The expected results of packets on a socket link.
#[derive(Default)]
struct Model {
    /// The bytes of frames, and their numbers of descriptors.
    frames: VecDeque<(Vec<u8>, usize)>,
    partial: Option<Vec<u8>>,
    /// The next packet may carry descriptors.
    announced: bool,
    /// Set by the first packet that ends the link.
    over: Option<Turn>,
}

impl Model {
    fn packet(&mut self, packet: &[u8], descriptors: usize) {
        if self.over.is_some() {
            return;
        }
        let announced = std::mem::take(&mut self.announced);
        let most = if announced { MAX_DESCRIPTORS } else { 0 };
        let part = self.partial.is_some();
        let (more, piece) = match packet {
            _ if descriptors > most || packet.len() > MAX_PACKET => return self.over = Some(Turn::Cut),
            [] => return self.over = Some(Turn::Ended),
            [3] if !announced && !part => return self.announced = true,
            [0, piece @ ..] if !part || descriptors == 0 => (false, piece),
            [1, piece @ ..] if !piece.is_empty() && descriptors == 0 => (true, piece),
            _ => return self.over = Some(Turn::Cut),
        };
        let mut frame = self.partial.take().unwrap_or_default();
        frame.extend(piece);
        if more { self.partial = Some(frame) } else { self.frames.push_back((frame, descriptors)) }
    }
}

/// Arbitrary packets with arbitrary descriptors on a socket link: exactly the frames in them are
/// received, and the link ends where it must.
pub fn socket_link(bytes: &[u8]) {
    let (ours, theirs) = peer::pair();
    let mut victim = Victim::new(Box::new(Socket::new(ours).expect("a socket")));
    let (mut input, mut model) = (Input::new(bytes), Model::default());
    let mut theirs = Some(theirs);
    let turn = |victim: &mut Victim, model: &mut Model| {
        let turn = victim.turn(|received| {
            let expected = model.frames.pop_front().expect("a frame that nobody sent");
            assert!(expected.0 == received.bytes && expected.1 == received.descriptors.len(), "another frame than was sent");
        });
        assert!(model.frames.is_empty(), "frames are missing");
        assert_eq!(turn, model.over.take().unwrap_or(Turn::Idle));
        turn
    };
    while let Some(step) = input.step() {
        let Some(socket) = &theirs else { break };
        match step % 8 {
            0..4 => {
                let descriptors = usize::from(step / 32).min(MOST_DESCRIPTORS);
                let length = if step % 8 == 3 { usize::from(input.word()) * 4 } else { usize::from(input.byte()) };
                let mut packet = input.bytes(length.min(64)).to_vec();
                // Bytes that the input lacks are made up.
                packet.resize(length, step);
                if step % 8 == 2 && peer::send(socket, &[3], 0) {
                    model.packet(&[3], 0);
                }
                if peer::send(socket, &packet, descriptors) {
                    model.packet(&packet, descriptors);
                }
            }
            4 => assert_ne!(victim.send(frame(input.bytes(usize::from(step)).to_vec())), Turn::Cut),
            5 => while peer::swallow(socket) {},
            6 => theirs = None,
            _ => {
                if turn(&mut victim, &mut model) != Turn::Idle {
                    return;
                }
            }
        }
    }
    drop(theirs);
    model.over.get_or_insert(Turn::Ended);
    turn(&mut victim, &mut model);
}

/// Shared memory as its other owner can write it: arbitrary bytes at arbitrary offsets.
struct Memory {
    fd: OwnedFd,
    length: u64,
}

impl Memory {
    fn poke(&self, offset: u64, bytes: &[u8]) {
        let room = (self.length - offset % self.length) as usize;
        let _ = pwrite(&self.fd, &bytes[..bytes.len().min(room)], offset % self.length);
    }

    /// Adds to one of the words: each has a cache line of its own at the start.
    fn add(&self, line: u8, what: u32) {
        let (offset, mut word) = (u64::from(line % 64) * 64, [0; 4]);
        if pread(&self.fd, &mut word, offset) == Ok(4) {
            self.poke(offset, &u32::from_le_bytes(word).wrapping_add(what).to_le_bytes());
        }
    }
}

/// Arbitrary bytes in the rings and on the socket beside them. The other end is an honest link,
/// whose owner also writes arbitrary bytes. Before the first of these, exactly the sent frames are
/// received; after it any result is permitted, but without an endless loop.
pub fn ring_link(bytes: &[u8]) {
    let (ours, theirs) = peer::pair();
    let [parts, its_parts] = RingParts::pair().expect("the parts of rings");
    let its_parts = its_parts.into_descriptors();
    let copies = its_parts.each_ref().map(|fd| fd.try_clone().expect("a descriptor"));
    // The memory is the first of them; a holder of the doorbell can signal at any time.
    let [memory, doorbell, _reader] = copies;
    let its_parts = RingParts::from_descriptors(&mut its_parts.into_iter());
    let mut raw = Some(theirs.try_clone().expect("a descriptor"));
    let over = |socket, parts, first| link::over(Socket::new(socket).expect("a socket"), parts, first).expect("a link");
    let mut input = Input::new(bytes);
    // Either side writes the first ring.
    let first = input.byte().is_multiple_of(2);
    let mut victim = Victim::new(over(ours, Some(parts), first));
    let mut honest = Some(Victim::new(over(theirs, its_parts, !first)));
    let length = fstat(&memory).expect("its size").st_size as u64;
    let memory = Memory { fd: memory, length };
    let mut sent = VecDeque::new();
    let mut lies = false;
    while let Some(step) = input.step() {
        let mut turn = Turn::Idle;
        match step % 16 {
            0..3 => {
                let length = if step % 16 == 2 { usize::from(input.word()) * 2 } else { usize::from(input.byte()) };
                let mut bytes = input.bytes(length.min(64)).to_vec();
                bytes.resize(length, step);
                if let Some(honest) = &mut honest {
                    let descriptors = (0..step / 64).map(|_| peer::descriptor()).collect::<Vec<_>>();
                    if !descriptors.is_empty() {
                        // With the byte that `frame` adds.
                        bytes.truncate(MAX_CARRIED - 1);
                    }
                    sent.push_back((bytes.clone(), descriptors.len()));
                    if descriptors.is_empty() {
                        let _ = honest.send(frame(bytes));
                    } else {
                        honest.link.push(frame(bytes), descriptors);
                        let _ = honest.link.flush();
                    }
                }
            }
            3 => {
                if let Some(honest) = &mut honest {
                    let _ = honest.turn(|_| {});
                    let _ = honest.link.flush();
                }
            }
            4 | 5 => {
                let value = if step % 16 == 4 { input.long() } else { i32::from(input.word() as i16).wrapping_mul(8) as u32 };
                memory.add(input.byte(), value);
                lies = true;
            }
            6 => {
                memory.poke(u64::from(input.long()), input.bytes(usize::from(step / 8)));
                lies = true;
            }
            7 => {
                // The location of the first records of each ring.
                let ring = if step & 0x80 == 0 { 4096 } else { 4096 + (length - 4096) / 2 };
                memory.poke(ring + u64::from(input.word()), input.bytes(usize::from(step % 128 / 4)));
                lies = true;
            }
            8 => {
                if let Some(raw) = &raw {
                    lies |= peer::send(raw, input.bytes(usize::from(step / 64)), usize::from(input.byte()) % (MOST_DESCRIPTORS + 1));
                }
            }
            9 => {
                if let Some(raw) = &raw {
                    lies |= peer::swallow(raw);
                }
                let _ = rustix::io::write(&doorbell, &vec![1; usize::from(step) * 16]);
            }
            10 | 11 => turn = victim.send(frame(vec![step; usize::from(input.word())])),
            12 => {
                (honest, raw) = (None, None);
            }
            _ => {
                turn = victim.turn(|received| {
                    let expected = sent.pop_front().map(|(mut bytes, descriptors): (Vec<u8>, usize)| {
                        bytes.push(0);
                        (bytes, descriptors)
                    });
                    assert!(lies || expected == Some((received.bytes, received.descriptors.len())), "another frame than was sent");
                });
            }
        }
        let gone = honest.is_none();
        match turn {
            Turn::Idle => {}
            Turn::Ended => assert!(lies || gone, "it has ended by itself"),
            Turn::Cut => assert!(lies, "an honest link is cut"),
        }
        if turn != Turn::Idle {
            return;
        }
    }
    if lies {
        return;
    }
    // Frames that wait for room get it.
    for _ in 0..MOST_PIECES {
        let before = victim.link.received();
        let _ = victim.turn(|_| drop(sent.pop_front()));
        let Some(honest) = &mut honest else { return };
        assert_ne!(honest.turn(|_| {}), Turn::Cut);
        let _ = (honest.link.flush(), victim.link.flush());
        if sent.is_empty() {
            return;
        }
        assert!(victim.link.received() > before || readable(&victim.link), "frames are stuck");
    }
    panic!("it spins");
}
