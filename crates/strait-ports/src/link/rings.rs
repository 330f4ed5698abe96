//! The link over two rings in shared memory, with a socket and two doorbells beside them.
//!
//! Frames go through the rings, as one record or several. A doorbell wakes a sleeping peer. The
//! socket carries descriptors, and shows the end of the link. Descriptors are sent *before* the
//! record to which they belong becomes visible.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::thread::futex;

use super::doorbell::{self, Doorbell, DoorbellReader};
use super::memory::{self, Half};
use super::packets::{Carried, is_ended, is_full, is_gone, peek_packet, receive_carrier, send_packet};
use super::queue::{Assembly, Queue};
use super::ring::{Broken, Consumer, Header, MAX_RECORD, Producer, Wake, space};
use super::{Flushed, Link, LinkError, MAX_CARRIED, ReceiveOutcome, Socket};
use crate::wire::Encoded;

/// Flag of a record whose frame continues.
const MORE: u32 = 1;
/// Flag of a frame's first record: the frame has descriptors.
const DESCRIPTORS: u32 = 2;

/// A frame is not cut into shorter pieces than this for lack of room.
const MIN_RECORD: usize = 1024;
const _: () = assert!(MIN_RECORD >= MAX_CARRIED, "a frame with descriptors is one record");

/// The packet that carries descriptors. There is no other kind.
const CARRIER: u8 = 2;

/// The number of descriptors in [`RingParts`].
pub(crate) const RING_PARTS: usize = 3;

/// The parts that one node needs for rings, besides its socket. The broker sends them as
/// descriptors.
pub(crate) struct RingParts {
    memory: OwnedFd,
    /// Wakes the other node.
    doorbell: OwnedFd,
    /// Wakes this one.
    reader: OwnedFd,
}

impl RingParts {
    /// The parts of both nodes.
    pub(crate) fn pair() -> io::Result<[Self; 2]> {
        let memory = memory::shared_memory()?;
        let ((doorbell, its_reader), (its_doorbell, reader)) = (doorbell::pair()?, doorbell::pair()?);
        Ok([Self { memory: memory.try_clone()?, doorbell, reader }, Self { memory, doorbell: its_doorbell, reader: its_reader }])
    }

    pub(crate) fn into_descriptors(self) -> [OwnedFd; RING_PARTS] {
        [self.memory, self.doorbell, self.reader]
    }

    /// The parts in received descriptors; `None` if there are none.
    pub(crate) fn from_descriptors(descriptors: &mut impl Iterator<Item = OwnedFd>) -> Option<Self> {
        Some(Self { memory: descriptors.next()?, doorbell: descriptors.next()?, reader: descriptors.next()? })
    }
}

/// A link of two rings, as the module describes it.
pub(crate) struct Rings {
    /// Frames in its queue, which can only be a welcome, go before all others.
    socket: Socket,
    queue: Queue,
    to: Producer<Half>,
    from: Consumer<Half>,
    doorbell: Doorbell,
    reader: DoorbellReader,
    assembly: Assembly,
    /// The socket may be readable.
    woken: bool,
    /// The number of bytes taken from the ring: records with their headers.
    received: u64,
    /// Records were written for which the peer has yet to be woken.
    untold: bool,
    /// Quiet records were written: they wake the peer only if there is no room for more.
    quiet: bool,
    /// The position of the ring when the socket ended. Nothing more is read from the socket, and
    /// later records are ignored: the peer that has ended did not send them.
    end: Option<u64>,
}

impl Rings {
    /// A link over `socket` and `parts`. The `first` of the two nodes writes the first ring.
    pub(crate) fn new(socket: Socket, parts: RingParts, first: bool) -> io::Result<Self> {
        let [one, other] = memory::map(&parts.memory)?;
        let (to, from) = if first { (one, other) } else { (other, one) };
        Ok(Self {
            socket,
            queue: Queue::default(),
            to: Producer::new(to),
            from: Consumer::new(from),
            doorbell: Doorbell::new(parts.doorbell)?,
            reader: DoorbellReader::new(parts.reader)?,
            assembly: Assembly::default(),
            woken: false,
            received: 0,
            untold: false,
            quiet: false,
            end: None,
        })
    }

    fn wake(&mut self, how: Wake) -> Result<(), LinkError> {
        match how {
            Wake::Doorbell => self.doorbell.signal()?,
            // All sleepers: the peer's process has one node on this link, but perhaps several
            // threads.
            Wake::Word => drop(futex::wake(self.to.word(), futex::Flags::empty(), i32::MAX as u32)),
        }
        Ok(())
    }

    fn deafen(&mut self) {
        self.socket.deafen();
        self.queue.clear();
    }

    /// Checks the socket; true if it has ended. Descriptors stay in it until their records are
    /// read. So a peer cannot make this process keep descriptors without records, for which it may
    /// have no room.
    fn hear(&mut self, buffer: &mut [u8]) -> Result<bool, LinkError> {
        match peek_packet(&self.socket, &mut buffer[..2])? {
            None => Ok(false),
            Some((0, _)) => Ok(true),
            // The packet stays in the socket, so it hides the end: check for that too.
            Some((1, true)) if buffer[0] == CARRIER => Ok(is_ended(&self.socket)),
            Some(_) => Err(LinkError::StrayPacket),
        }
    }

    /// Receives the descriptors of a record. They were sent before the record became visible.
    fn fetch_descriptors(&mut self, buffer: &mut [u8]) -> Result<Carried, LinkError> {
        match receive_carrier(&self.socket, &mut buffer[..2])? {
            None | Some((0, _)) => Err(LinkError::DescriptorsMissing),
            Some((1, carried)) if buffer[0] == CARRIER && !carried.descriptors.is_empty() => Ok(carried),
            Some(_) => Err(LinkError::StrayPacket),
        }
    }

    fn take(&mut self, header: Header, buffer: &mut [u8]) -> Result<ReceiveOutcome, LinkError> {
        let more = header.flags & MORE != 0;
        // An empty part could be repeated without end.
        if header.flags & !(MORE | DESCRIPTORS) != 0 || (more && header.length == 0) {
            return Err(Broken::Flags(header.flags).into());
        }
        let carried = if header.flags & DESCRIPTORS == 0 { Carried::default() } else { self.fetch_descriptors(buffer)? };
        let (there, from, mut must_signal) = (self.from.there(), &mut self.from, false);
        // Bytes in the ring have arrived; mostly they are the rest of this frame.
        let room = if more { there } else { header.length };
        let incoming = self.assembly.add(more, header.length, room, carried, |bytes| must_signal = from.take(header, bytes))?;
        self.received += u64::from(space(header.length));
        if must_signal {
            self.wake(self.to.wake_for_room())?;
        }
        Ok(incoming)
    }

    /// From now on this side must be woken; true if there is a record already.
    fn sleep(&mut self, how: Wake) -> Result<bool, LinkError> {
        let check = self.from.prepare_sleep(how)?;
        if check.must_signal {
            self.wake(self.to.wake_for_room())?;
        }
        Ok(check.record)
    }

    /// Sends the next record.
    fn send_next(&mut self) -> Result<Step, LinkError> {
        let Some(next) = self.queue.first() else { return Ok(Step::Stop(Flushed::All)) };
        let left = next.left();
        let wanted = left.min(MAX_RECORD);
        let enough = wanted.min(MIN_RECORD);
        let room = match self.to.room(wanted)? {
            Some(room) if room >= enough => room,
            _ if self.to.want_room(enough)? => return Ok(Step::On),
            _ => return Ok(Step::Stop(Flushed::Waits)),
        };
        let mut flags = if room < left { MORE } else { 0 };
        let descriptors = next.descriptors();
        let carried = (!descriptors.is_empty()).then(|| send_packet(&self.socket, &[&[CARRIER], &[], &[]], &descriptors));
        drop(descriptors);
        if let Some(carried) = carried {
            match carried {
                Ok(()) => flags |= DESCRIPTORS,
                Err(Errno::INTR) => return Ok(Step::On),
                Err(Errno::TOOMANYREFS) if self.queue.fall_back() => return Ok(Step::On),
                Err(error) if is_full(error) => return Ok(Step::Stop(Flushed::Full)),
                Err(error) if is_gone(error) => {
                    self.deafen();
                    return Ok(Step::On);
                }
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        let Some(next) = self.queue.first() else { return Ok(Step::On) };
        self.to.write(flags, next.piece(room));
        *(if next.is_quiet() { &mut self.quiet } else { &mut self.untold }) = true;
        self.queue.descriptors_sent();
        self.queue.sent(room);
        Ok(Step::On)
    }
}

enum Step {
    On,
    Stop(Flushed),
}

impl Link for Rings {
    fn write(&mut self, frame: [&[u8]; 2]) -> Result<bool, LinkError> {
        let length = frame[0].len() + frame[1].len();
        if length > MAX_RECORD || self.queue.first().is_some() || self.socket.deaf() || self.socket.control_backlog() > 0 {
            return Ok(false);
        }
        let fits = self.to.room(length)?.is_some_and(|room| room == length);
        if fits {
            self.to.write(0, frame);
            self.untold = true;
        }
        Ok(fits)
    }

    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>) {
        if !self.socket.deaf() {
            self.queue.push(frame, descriptors);
        }
    }

    fn flush(&mut self) -> Result<Flushed, LinkError> {
        if self.socket.flush()? == Flushed::Full {
            return Ok(Flushed::Full);
        }
        if !self.untold && self.to.waits_for_room() {
            // The peer will signal when there is room, so there is no need to check at each push.
            return Ok(Flushed::Waits);
        }
        loop {
            match self.send_next()? {
                Step::On => {}
                // Once and at the end, because a woken reader often takes this thread's processor.
                Step::Stop(flushed) => {
                    let must_wake = self.untold || (self.quiet && flushed != Flushed::All);
                    if must_wake {
                        (self.untold, self.quiet) = (false, false);
                        if let Some(how) = self.to.wake() {
                            self.wake(how)?;
                        }
                    }
                    return Ok(flushed);
                }
            }
        }
    }

    #[cfg(test)]
    fn max_frame(&mut self) -> &mut usize {
        &mut self.assembly.max_frame
    }

    /// Edge-triggered: descriptors that wait in the socket must not wake the reader repeatedly.
    fn interest(&self) -> epoll::EventFlags {
        epoll::EventFlags::IN | epoll::EventFlags::ET
    }

    fn woken(&mut self) {
        self.woken = true;
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<ReceiveOutcome, LinkError> {
        loop {
            if self.end.is_some_and(|end| self.received >= end) {
                return Ok(ReceiveOutcome::Ended);
            }
            if let Some(header) = self.from.next()? {
                return self.take(header, buffer);
            }
            // The socket comes second, because data in the rings is older. Then the ring is checked
            // again, because records come before the end.
            if std::mem::take(&mut self.woken) {
                if self.hear(buffer)? {
                    self.end = Some(self.arrived());
                }
                continue;
            }
            return Ok(ReceiveOutcome::Nothing);
        }
    }

    fn prepare_sleep(&mut self) -> Result<bool, LinkError> {
        self.sleep(Wake::Doorbell)
    }

    fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        Some(self.reader.as_fd())
    }

    fn rung(&mut self) {
        self.reader.signalled();
    }

    fn stay_awake(&mut self) -> bool {
        self.from.stay_awake();
        true
    }

    fn has_input(&self) -> bool {
        self.from.has_input()
    }

    fn park(&mut self) -> Result<Option<Half>, LinkError> {
        Ok(if self.sleep(Wake::Word)? { None } else { Some(self.from.memory().clone()) })
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn arrived(&mut self) -> u64 {
        // Data in the socket does not count: descriptors belong to a record that is in the ring
        // already, or was never finished.
        self.received + self.from.there_now() as u64
    }

    fn data_backlog(&self) -> usize {
        self.socket.data_backlog() + self.queue.data()
    }

    fn waiting(&self) -> usize {
        self.socket.waiting() + self.queue.waiting()
    }

    fn control_backlog(&self) -> usize {
        self.socket.control_backlog() + self.queue.control()
    }
}

impl AsFd for Rings {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
