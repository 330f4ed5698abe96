//! Large payloads: moving messages' data into and out of arenas, and the control messages for
//! arenas.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, epoll};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};

use super::links::Offence;
use super::peers::{Slot, Token};
use super::state::NodeState;
use super::{Shared, poll_until};
use crate::MAX_BUFFERS;
use crate::body::Body;
use crate::link::arena::{ArenaViolation, NotLoaned, Reference};
use crate::link::memory::arena::Block;
use crate::name::NodeName;
use crate::router::{ElementKey, Event, Frame};
use crate::shared_buffer::SharedBuffer;
use crate::wire::{self, Control, Encoded, Fallback, Packet};

/// The period of the arena clock. An arena is withdrawn after it was unused for one to two periods.
const ARENA_IDLE: Duration = if cfg!(test) { Duration::from_millis(400) } else { Duration::from_secs(2) };

/// From this size on, a message waits for the answer to an arena offer before it goes through the
/// ring.
const WORTH_WAITING: usize = 4 << 20;

/// The longest wait for that answer. The path through the ring takes longer.
const ANSWER_WAIT: Duration = Duration::from_millis(10);

/// The longest pause between two checks: another thread may receive the answer.
const LOOK_EVERY: Duration = Duration::from_micros(200);

impl Shared {
    /// As [`NodeState::block`]. For very large messages it waits, once for each arena, until the
    /// peer has mapped it.
    pub(crate) fn block(&self, port: ElementKey, length: usize) -> Option<Block> {
        let block = self.act(|state| state.block(port, length));
        if block.is_some() || length < WORTH_WAITING || !self.act(|state| state.await_answer(port, length)) {
            return block;
        }
        let deadline = Instant::now() + ANSWER_WAIT;
        while Instant::now() < deadline {
            // `block` handles the frames of that node. Other readable links are left to the threads
            // that drive the node.
            poll_until(&mut [PollFd::new(&*self.epoll, PollFlags::IN)], Some(Instant::now() + LOOK_EVERY)).ok()?;
            if let Some(block) = self.act(|state| state.block(port, length)) {
                return Some(block);
            }
        }
        None
    }
}

impl NodeState {
    fn await_answer(&mut self, port: ElementKey, length: usize) -> bool {
        let node = self.router.remote_neighbour(port);
        node.and_then(|node| self.peers.get_mut(node)).is_some_and(|peer| peer.arena_writer.await_answer(length))
    }

    /// Takes a block of `length` bytes in an arena for the port's neighbour node, if one has room.
    /// Otherwise it may offer a larger arena for later.
    pub(crate) fn block(&mut self, port: ElementKey, length: usize) -> Option<Block> {
        let mut node = self.router.remote_neighbour(port)?;
        let writer = &mut self.peers.get_mut(node)?.arena_writer;
        if let Some(block) = writer.block(length) {
            return Some(block);
        }
        if writer.has_arenas() {
            // The peer may have released blocks quietly: read its frames.
            self.listen(self.peers.slot(node)?);
            node = self.router.remote_neighbour(port)?;
            if let Some(block) = self.peers.get_mut(node)?.arena_writer.block(length) {
                return Some(block);
            }
        }
        let writer = &mut self.peers.get_mut(node)?.arena_writer;
        let (arena, descriptor) = writer.enlarge(length)?;
        self.watch_arenas();
        let offer = wire::encode(Packet::Control(Control::Offer(arena)));
        let slot = self.peers.slot(node)?;
        // Without its descriptor the offer is still answered, with a refusal.
        self.say_frame(slot, Encoded { fallback: Fallback::Bare, ..offer }, vec![descriptor]);
        None
    }

    /// Makes the packet for a frame. Data in a block that the node can read is only referred to.
    pub(super) fn packet(&mut self, node: NodeName, mut frame: Frame) -> Packet {
        let Event::Message { data, .. } = &mut frame.event else { return Packet::Event(frame) };
        if let Body::Bytes(_) = data {
            return Packet::Event(frame);
        }
        let (body, buffers) = std::mem::take(data).split();
        for buffer in buffers {
            self.share(node, buffer);
        }
        if let Body::Bytes(_) = body {
            *data = body;
            return Packet::Event(frame);
        }
        match self.lend(node, body) {
            Ok(block) => Packet::Lent(frame, block),
            Err(bytes) => {
                *data = Body::Bytes(bytes);
                Packet::Event(frame)
            }
        }
    }

    /// Puts data into an arena that the node can read. It is there already unless its port has
    /// moved. Without room, returns the bytes.
    fn lend(&mut self, node: NodeName, body: Body) -> Result<Reference, Vec<u8>> {
        let Some(writer) = self.peers.get_mut(node).map(|peer| &mut peer.arena_writer) else { return Err(body.into_bytes()) };
        let body = match body {
            Body::Own(block) => match writer.lend(*block) {
                Ok(reference) => return Ok(reference),
                Err(block) => Body::Own(Box::new(block)),
            },
            body => body,
        };
        let Some(mut block) = writer.block(body.len()) else { return Err(body.into_bytes()) };
        body.copy_into(&mut block);
        writer.lend(block).map_err(|block| block.to_vec())
    }

    /// The data to which a node's message refers.
    pub(super) fn borrow(&mut self, node: NodeName, block: Reference) -> Result<Body, Offence> {
        let Some(peer) = self.peers.get_mut(node) else { return Ok(Body::default()) };
        Ok(Body::Lent(Box::new(peer.arena_reader.borrow(block)?)))
    }

    /// Sends a shared buffer right before its message.
    fn share(&mut self, node: NodeName, buffer: SharedBuffer) {
        let Some(slot) = self.peers.slot(node) else { return };
        let length = buffer.len() as u64;
        let frame = if buffer.descriptor().is_some() {
            Encoded { fallback: Fallback::Bytes(buffer), ..wire::encode(Packet::Shared(length, Vec::new())) }
        } else {
            wire::encode(Packet::Shared(length, buffer.to_vec()))
        };
        self.say_frame(slot, frame, Vec::new());
    }

    /// Handles a shared buffer that arrived before its message. Descriptors on loan are not kept.
    pub(super) fn shared(
        &mut self,
        node: NodeName,
        length: u64,
        bytes: Vec<u8>,
        descriptors: Vec<OwnedFd>,
        loan: bool,
    ) -> Result<(), Offence> {
        if descriptors.len() > 1 {
            return Err(Offence::Descriptors);
        }
        let Some(peer) = self.peers.get_mut(node) else { return Ok(()) };
        if peer.gathered.len() >= MAX_BUFFERS {
            return Err(Offence::TooManyShared);
        }
        peer.gathered.push(SharedBuffer::received(length, bytes, descriptors.into_iter().next(), !loan)?);
        self.gathered += 1;
        Ok(())
    }

    /// Takes the shared buffers that arrived before a message.
    pub(super) fn gathered(&mut self, node: NodeName) -> Vec<SharedBuffer> {
        if self.gathered == 0 {
            return Vec::new();
        }
        let gathered = self.peers.get_mut(node).map(|peer| std::mem::take(&mut peer.gathered)).unwrap_or_default();
        self.gathered -= gathered.len();
        gathered
    }

    /// Adds the shared buffers that arrived before it to a message.
    pub(super) fn gather(&mut self, node: NodeName, data: &mut Body) {
        let buffers = self.gathered(node);
        if !buffers.is_empty() {
            *data = std::mem::take(data).with(buffers);
        }
    }

    /// Handles an arena offer.
    pub(super) fn offered(&mut self, node: NodeName, arena: u8, descriptors: Vec<OwnedFd>) -> Result<(), ArenaViolation> {
        let Some(peer) = self.peers.get_mut(node) else { return Ok(()) };
        let seen = peer.arena_reader.offered(arena, descriptors.into_iter().next())?;
        self.say(node, Packet::Control(Control::Answer(arena, seen)), Vec::new());
        Ok(())
    }

    /// Handles the answer to an offer.
    pub(super) fn answered(&mut self, node: NodeName, arena: u8, accepted: bool) -> Result<(), NotLoaned> {
        self.peers.get_mut(node).map_or(Ok(()), |peer| peer.arena_writer.answered(arena, accepted))
    }

    /// Handles the release of a block.
    pub(super) fn released(&mut self, node: NodeName, arena: u8, page: u32) -> Result<(), NotLoaned> {
        self.peers.get(node).map_or(Ok(()), |peer| peer.arena_writer.released(arena, page))
    }

    /// Handles the withdrawal of a peer's arena.
    pub(super) fn withdrawn(&mut self, node: NodeName, arena: u8) -> Result<(), ArenaViolation> {
        self.peers.get_mut(node).map_or(Ok(()), |peer| peer.arena_reader.withdrawn(arena))
    }

    /// Starts the clock that calls [`NodeState::retire_arenas`] every [`ARENA_IDLE`].
    fn watch_arenas(&mut self) {
        if self.arena_clock.is_some() {
            return;
        }
        match self.clock() {
            Ok(clock) => self.arena_clock = Some(clock),
            // Arenas then last as long as their links.
            Err(why) => tracing::debug!("no clock for arenas: {why}"),
        }
    }

    fn clock(&self) -> io::Result<OwnedFd> {
        let clock = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let period = Timespec { tv_sec: ARENA_IDLE.as_secs() as _, tv_nsec: ARENA_IDLE.subsec_nanos() as _ };
        timerfd_settime(&clock, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: period, it_value: period })?;
        epoll::add(&self.epoll, &clock, Token::Clock.data(), epoll::EventFlags::IN)?;
        Ok(clock)
    }

    /// Withdraws the arenas that were unused for a while.
    pub(super) fn retire_arenas(&mut self) {
        let Some(clock) = &self.arena_clock else { return };
        // Reading resets the timer; its count is not needed. If another thread was faster, there is
        // nothing to read.
        if rustix::io::read(clock, &mut [0; 8]).is_err() {
            return;
        }
        // Peers release blocks quietly: read their frames before the next check.
        self.lent_to().into_iter().for_each(|slot| self.is_unread(slot));
        let retired: Vec<_> = self.peers.iter_mut().map(|peer| (peer.name, peer.arena_writer.retire())).collect();
        for (node, arenas) in retired {
            arenas.into_iter().for_each(|arena| self.say(node, Packet::Control(Control::Withdraw(arena)), Vec::new()));
        }
        if !self.peers.iter().any(|peer| peer.arena_writer.has_arenas()) {
            self.arena_clock = None;
        }
    }

    /// The links to nodes with blocks of this node on loan.
    fn lent_to(&self) -> Vec<Slot> {
        let lent = self.peers.iter().filter(|peer| peer.arena_writer.lent() > 0);
        lent.filter_map(|peer| self.peers.slot(peer.name)).collect()
    }

    /// The bytes of blocks that are on loan.
    pub(super) fn lent_bytes(&mut self) -> usize {
        self.lent_to().into_iter().for_each(|slot| self.listen(slot));
        self.peers.iter().map(|peer| peer.arena_writer.lent()).sum()
    }

    /// Sends `Done` for blocks that were read or dropped.
    pub(super) fn release_blocks(&mut self) {
        if !self.some_done.load(Ordering::Relaxed) || !self.some_done.swap(false, Ordering::Acquire) {
            return;
        }
        let done: Vec<_> = self.peers.iter_mut().map(|peer| (peer.name, peer.arena_reader.done())).filter(|(_, d)| !d.is_empty()).collect();
        for (node, blocks) in done {
            let Some(slot) = self.peers.slot(node) else { continue };
            for (arena, page) in blocks {
                // Quietly: this must not wake a peer that waits for a reply. A writer without room
                // reads its link by itself.
                let done = wire::encode(Packet::Control(Control::Done(arena, page)));
                self.say_frame(slot, Encoded { quiet: true, ..done }, Vec::new());
            }
        }
    }
}
