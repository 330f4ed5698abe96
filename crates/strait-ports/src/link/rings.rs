//! The link over two rings in shared memory, with a socket beside them.
//!
//! Frames go through the rings, as one record or several. Over the socket go bells, each a packet of one byte, and only to who sleeps; descriptors, which are sent
//! *before* the record that says "the next descriptors belong here" is visible; and the link's end.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::memory::{self, Half};
use super::queue::{Assembly, Queue};
use super::ring::{Broken, Consumer, Header, MAX_RECORD, Producer, space};
use super::socket::{arrived, is_full, is_gone, receive_packet, send_packet};
use super::{Flushed, Incoming, Link, LinkError, MAX_DESCRIPTORS, Socket};
use crate::wire::Encoded;

/// Flag of a record whose frame goes on.
const MORE: u32 = 1;
/// Flag of a frame's first record: descriptors go with it.
const DESCRIPTORS: u32 = 2;

/// A frame is not cut into pieces shorter than this for lack of room.
const MIN_RECORD: usize = 1024;

/// The packet that wakes.
const BELL: u8 = 1;
/// The packet that brings descriptors.
const CARRIER: u8 = 2;

/// See the module.
pub(crate) struct Rings {
    /// What it has queued goes before everything else: a welcome.
    socket: Socket,
    queue: Queue,
    to: Producer<Half>,
    from: Consumer<Half>,
    assembly: Assembly,
    /// Something is to be read from the socket.
    woken: bool,
    /// What was taken from the ring: records with their headers.
    received: u64,
    /// Nothing more will be read from the socket, which ended when this much had been written. What comes later was not sent by who has ended.
    end: Option<u64>,
    /// Descriptors that have come before their record was looked at, a packet each.
    descriptors: VecDeque<Vec<OwnedFd>>,
}

/// What the socket has given.
enum Heard {
    Something,
    Nothing,
    End,
}

impl Rings {
    /// A link over `socket` and `memory`. The `first` of the two nodes writes the first ring.
    pub(crate) fn new(socket: Socket, memory: &OwnedFd, first: bool) -> io::Result<Self> {
        let [one, other] = memory::map(memory)?;
        let (to, from) = if first { (one, other) } else { (other, one) };
        Ok(Self {
            socket,
            queue: Queue::default(),
            to: Producer::new(to),
            from: Consumer::new(from),
            assembly: Assembly::default(),
            woken: false,
            received: 0,
            end: None,
            descriptors: VecDeque::new(),
        })
    }

    fn ring(&mut self) -> Result<(), LinkError> {
        loop {
            match send(&self.socket, &[BELL], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                // Full of what the other side has not read yet. It looks at the rings after everything that it reads there.
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) if is_gone(error) => {
                    self.deafen();
                    return Ok(());
                }
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    fn deafen(&mut self) {
        self.socket.deafen();
        self.queue.clear();
    }

    /// Takes one packet from the socket.
    fn hear(&mut self, buffer: &mut [u8]) -> Result<Heard, LinkError> {
        match receive_packet(&self.socket, &mut buffer[..2])? {
            None => Ok(Heard::Nothing),
            Some((0, _)) => Ok(Heard::End),
            Some((1, descriptors)) if buffer[0] == BELL && descriptors.is_empty() => Ok(Heard::Something),
            Some((1, descriptors)) if buffer[0] == CARRIER && !descriptors.is_empty() => {
                // They come one packet before the record, and records are read first.
                if self.descriptors.len() >= MAX_DESCRIPTORS {
                    return Err(LinkError::StrayDescriptors);
                }
                self.descriptors.push_back(descriptors);
                Ok(Heard::Something)
            }
            Some(_) => Err(LinkError::StrayPacket),
        }
    }

    /// The descriptors for the record at hand: they have been sent before it became visible.
    fn fetch_descriptors(&mut self, buffer: &mut [u8]) -> Result<Vec<OwnedFd>, LinkError> {
        // As far as there is something now: bells could be rung for as long as they are heard.
        let mut left = arrived(&self.socket);
        loop {
            if let Some(descriptors) = self.descriptors.pop_front() {
                return Ok(descriptors);
            }
            if left == 0 {
                return Err(LinkError::DescriptorsMissing);
            }
            left -= 1;
            match self.hear(buffer)? {
                Heard::Something => {}
                Heard::Nothing | Heard::End => return Err(LinkError::DescriptorsMissing),
            }
        }
    }

    fn take(&mut self, header: Header, buffer: &mut [u8]) -> Result<Incoming, LinkError> {
        let more = header.flags & MORE != 0;
        // A part that brings nothing could be repeated for ever.
        if header.flags & !(MORE | DESCRIPTORS) != 0 || (more && header.length == 0) {
            return Err(Broken::Flags(header.flags).into());
        }
        let descriptors = if header.flags & DESCRIPTORS == 0 { Vec::new() } else { self.fetch_descriptors(buffer)? };
        let (there, from, mut must_ring) = (self.from.there(), &mut self.from, false);
        // What is in the ring has come: mostly it is the rest of this frame.
        let room = if more { there } else { header.length };
        let incoming = self.assembly.add(more, header.length, room, descriptors, |bytes| must_ring = from.take(header, bytes))?;
        self.received += u64::from(space(header.length));
        if must_ring {
            self.ring()?;
        }
        Ok(incoming)
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
        if !next.descriptors.is_empty() {
            match send_packet(&self.socket, &[&[CARRIER], &[], &[]], &next.descriptors) {
                Ok(()) => flags |= DESCRIPTORS,
                Err(Errno::INTR) => return Ok(Step::On),
                Err(error) if is_full(error) => return Ok(Step::Stop(Flushed::Full)),
                Err(error) if is_gone(error) => {
                    self.deafen();
                    return Ok(Step::On);
                }
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        self.to.write(flags, next.piece(room));
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
    fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>) {
        if !self.socket.deaf() {
            self.queue.push(frame, descriptors);
        }
    }

    fn flush(&mut self) -> Result<Flushed, LinkError> {
        if self.socket.flush()? == Flushed::Full {
            return Ok(Flushed::Full);
        }
        let mut written = false;
        loop {
            match self.send_next()? {
                Step::On => written = true,
                // Once, and last: a bell is often answered on this very processor, by taking it away from us.
                Step::Stop(flushed) => {
                    if written && self.to.must_ring() {
                        self.ring()?;
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

    fn woken(&mut self) {
        self.woken = true;
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<Incoming, LinkError> {
        loop {
            if self.end.is_some_and(|end| self.received >= end) {
                return Ok(Incoming::Ended);
            }
            if let Some(header) = self.from.next()? {
                return self.take(header, buffer);
            }
            // The socket comes second: as long as there are records an unread bell keeps the descriptor readable. After it the ring is looked at again, which is
            // what somebody relies on who found no room for a bell.
            if std::mem::take(&mut self.woken) {
                match self.hear(buffer)? {
                    Heard::Something | Heard::Nothing => {}
                    Heard::End => self.end = Some(self.arrived()),
                }
                continue;
            }
            let doze = self.from.doze()?;
            if doze.must_ring {
                self.ring()?;
            }
            if !doze.record {
                return Ok(Incoming::Nothing);
            }
        }
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn arrived(&mut self) -> u64 {
        // What is in the socket says nothing by itself: a bell, or descriptors for a record that is in the ring already or was never finished.
        self.received + self.from.there_now() as u64
    }

    fn data_backlog(&self) -> usize {
        self.socket.data_backlog() + self.queue.data()
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
