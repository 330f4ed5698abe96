//! The common part of all links: queued frames, and the frame that is being received.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use smallvec::SmallVec;

use super::packets::Carried;
use super::{LinkError, MAX_CARRIED, MAX_DESCRIPTORS, ReceiveOutcome, Received};
use crate::limits::MESSAGE_COST;
use crate::wire::{Encoded, Fallback, MAX_FRAME};

/// A frame to send.
pub(super) struct Outgoing {
    frame: Encoded,
    /// Sent with the frame's only piece.
    descriptors: Vec<OwnedFd>,
    /// The number of bytes that have been sent.
    sent: usize,
}

impl Outgoing {
    /// The descriptors of the next piece. A queued shared buffer is sent by its own descriptor, so
    /// queueing takes no additional one.
    pub(super) fn descriptors(&self) -> SmallVec<[BorrowedFd<'_>; MAX_DESCRIPTORS]> {
        let shared = if let Fallback::Bytes(bytes) = &self.frame.fallback { bytes.descriptor() } else { None };
        self.descriptors.iter().map(AsFd::as_fd).chain(shared).collect()
    }

    /// Whether the frame wakes no peer.
    pub(super) fn is_quiet(&self) -> bool {
        self.frame.quiet
    }

    /// The number of unsent bytes.
    pub(super) fn left(&self) -> usize {
        self.frame.data.len() + self.frame.tail.len() - self.sent
    }

    /// The next `limit` bytes, or the rest if it is shorter, in two pieces.
    pub(super) fn piece(&self, limit: usize) -> [&[u8]; 2] {
        let (data, tail) = (&self.frame.data[..], &self.frame.tail[..]);
        let end = self.sent + limit.min(self.left());
        let part = |bytes: &'_ [u8], offset: usize| {
            let at = |position: usize| position.saturating_sub(offset).min(bytes.len());
            (at(self.sent), at(end))
        };
        let ((data_from, data_to), (tail_from, tail_to)) = (part(data, 0), part(tail, data.len()));
        [&data[data_from..data_to], &tail[tail_from..tail_to]]
    }
}

/// Frames that wait for room, in order.
#[derive(Default)]
pub(super) struct Queue {
    frames: VecDeque<Outgoing>,
    /// The bytes in `frames`: the messages' data (`data`), and all bytes of frames without messages
    /// (`control`).
    data: usize,
    control: usize,
    /// The cost of all frames.
    cost: usize,
    fell_back: bool,
}

impl Queue {
    pub(super) fn data(&self) -> usize {
        self.data
    }

    pub(super) fn control(&self) -> usize {
        self.control
    }

    pub(super) fn push(&mut self, frame: Encoded, descriptors: Vec<OwnedFd>) {
        self.data += frame.data.len();
        self.control += control_bytes(&frame);
        self.cost += cost(&frame);
        let (bare, length) = (descriptors.is_empty(), frame.data.len() + frame.tail.len());
        debug_assert!(bare || length <= MAX_CARRIED, "a frame of {length} bytes with descriptors");
        self.frames.push_back(Outgoing { frame, descriptors, sent: 0 });
    }

    /// The cost of the frames behind the first, for [`crate::Limits::link_backlog`].
    pub(super) fn waiting(&self) -> usize {
        self.cost - self.frames.front().map_or(0, |first| cost(&first.frame))
    }

    pub(super) fn first(&self) -> Option<&Outgoing> {
        self.frames.front()
    }

    /// The first frame's descriptors were sent.
    pub(super) fn descriptors_sent(&mut self) {
        if let Some(first) = self.frames.front_mut() {
            first.descriptors.clear();
            self.cost -= cost(&first.frame);
            first.frame.fallback = Fallback::Nothing;
            self.cost += cost(&first.frame);
        }
    }

    /// `bytes` more of the first frame have been sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        let Some(first) = self.frames.front_mut() else { return };
        first.sent += bytes;
        if first.left() == 0 {
            self.data -= first.frame.data.len();
            self.control -= control_bytes(&first.frame);
            self.cost -= cost(&first.frame);
            self.frames.pop_front();
        }
    }

    /// The first frame's descriptors cannot be sent: replaces it by its fallback. True if there is
    /// one.
    pub(super) fn fall_back(&mut self) -> bool {
        let Some(first) = self.frames.front_mut() else { return false };
        first.descriptors.clear();
        self.cost -= cost(&first.frame);
        let way = fall_back(first, &mut self.data, &mut self.control);
        self.cost += cost(&first.frame);
        self.fell_back |= way;
        way
    }

    /// Whether a frame was sent without its descriptors.
    pub(super) fn fell_back(&self) -> bool {
        self.fell_back
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Puts the fallback into a frame whose descriptors cannot be sent, and corrects the sums. True if
/// there is a fallback.
fn fall_back(first: &mut Outgoing, data: &mut usize, control: &mut usize) -> bool {
    match std::mem::take(&mut first.frame.fallback) {
        Fallback::Nothing => return false,
        Fallback::Bare => {}
        Fallback::Bytes(bytes) => {
            first.frame.data = bytes.to_vec();
            *data += bytes.len();
        }
        Fallback::Frame(frame) => {
            *data = *data - first.frame.data.len() + frame.data.len();
            *control = *control - control_bytes(&first.frame) + control_bytes(&frame);
            first.frame = *frame;
        }
    }
    true
}

/// The cost of a queued frame.
fn cost(frame: &Encoded) -> usize {
    let shared = if let Fallback::Bytes(bytes) = &frame.fallback { bytes.len() } else { 0 };
    frame.data.len() + frame.tail.len() + shared + MESSAGE_COST
}

fn control_bytes(frame: &Encoded) -> usize {
    if frame.message { 0 } else { frame.tail.len() }
}

/// The frame that is being received.
pub(super) struct Assembly {
    partial: Option<Vec<u8>>,
    pub(super) max_frame: usize,
}

impl Default for Assembly {
    fn default() -> Self {
        Self { partial: None, max_frame: MAX_FRAME }
    }
}

impl Assembly {
    /// Whether a frame has begun and not ended.
    pub(super) fn has_part(&self) -> bool {
        self.partial.is_some()
    }

    /// Adds a piece of `length` bytes, which `copy` appends. `room` bytes are allocated: data that
    /// has arrived, this piece included, never an announced length.
    pub(super) fn add(
        &mut self,
        more: bool,
        length: usize,
        room: usize,
        carried: Carried,
        copy: impl FnOnce(&mut Vec<u8>),
    ) -> Result<ReceiveOutcome, LinkError> {
        // A frame with descriptors arrives as a whole: otherwise descriptors on loan would have to
        // wait here for the rest.
        if !carried.descriptors.is_empty() && (more || self.partial.is_some()) {
            return Err(LinkError::StrayDescriptors);
        }
        let mut bytes = match self.partial.take() {
            None => Vec::with_capacity(room),
            Some(bytes) if bytes.len() + length > self.max_frame => return Err(LinkError::FrameTooLong),
            Some(bytes) => bytes,
        };
        copy(&mut bytes);
        if more {
            self.partial = Some(bytes);
            return Ok(ReceiveOutcome::Part);
        }
        // A frame of many pieces has grown by doubling.
        if bytes.capacity() - bytes.len() > bytes.len() / 4 {
            bytes.shrink_to_fit();
        }
        Ok(ReceiveOutcome::Frame(Received { bytes, descriptors: carried.descriptors, loan: carried.loan }))
    }
}
