//! Back-pressure: how much was posted on an endpoint and has not been received at the other end, and who tells whom.
//!
//! The end that posts counts up; the end whose program receives counts what it has not told yet, and tells it in lumps ([`Event::Consumed`]) that travel along the
//! chain as messages do. Sums of lumps do not depend on their order. How large a lump may become is the posting end's wish ([`Event::Grain`]): as long as nobody looks, lumps
//! are coarse. Both ends' counts go along when a port moves ([`Baggage`]), in the same frame as the port.

use super::element::{Element, Endpoint, Line, Place, Stage};
use super::event::{Action, Event};
use super::{ElementKey, Router};
use crate::flow::{Amount, HighWaterMark};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};

/// What was received and is being told in one go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Consumed {
    pub(crate) messages: u32,
    pub(crate) bytes: u32,
}

/// How large a lump may become before it is told, for a posting end that wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Grain {
    pub(crate) messages: u32,
    pub(crate) bytes: u32,
    /// An end that has received everything tells the rest, however little.
    pub(crate) drained: bool,
}

/// A lump is never larger than this many messages. (One message less is what [`Pending`] has room for.)
const COARSE_MESSAGES: u32 = 256;

/// Nor, unless a single message is, than this many bytes.
const COARSE_BYTES: u32 = 256 * 1024;

/// A mark is divided into so many lumps: the posting end goes on well before the other runs dry.
const LUMPS_A_MARK: usize = 4;

/// While this many times a lump waits to be received, the lump may grow: what is told would change next to nothing.
const QUEUE_A_LUMP: usize = 8;

impl Grain {
    /// What a posting end with this mark wants to be told. A lump is never more than the mark: who waits is told before there is nothing left to tell.
    pub(super) fn wanted(mark: HighWaterMark, looked_at: bool) -> Option<Self> {
        let part = |mark: Option<usize>, most: u32| {
            mark.map_or(most, |m| u32::try_from(m / LUMPS_A_MARK).map_or(most, |part| part.clamp(1, most)))
        };
        let wanted = Self { messages: part(mark.messages, COARSE_MESSAGES), bytes: part(mark.bytes, COARSE_BYTES), drained: looked_at };
        (looked_at || mark != HighWaterMark::NONE).then_some(wanted)
    }

    /// The same within limits: it comes from a peer. At the finest, every message is told, which is one small event for each that the peer has sent.
    fn within_limits(self) -> Self {
        Self { messages: self.messages.clamp(1, COARSE_MESSAGES), bytes: self.bytes.clamp(1, COARSE_BYTES), ..self }
    }
}

/// What was received and has not been told: less than 256 messages in the upper 8 bits, less than 16 MiB in the lower 24.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pending(u32);

impl Pending {
    fn get(self) -> Consumed {
        Consumed { messages: self.0 >> 24, bytes: self.0 & 0x00ff_ffff }
    }

    fn take(&mut self) -> Option<Consumed> {
        let all = std::mem::take(self).get();
        (all != Consumed::default()).then_some(all)
    }

    /// Adds a lump; what does not fit any more comes out, all of it.
    fn add(&mut self, more: Consumed) -> Option<Consumed> {
        let have = self.get();
        // Bytes are less than 16 MiB and a message, which is at most 1 GiB.
        let sum = Consumed { messages: have.messages.saturating_add(more.messages), bytes: have.bytes.saturating_add(more.bytes) };
        if sum.messages > 0xff || sum.bytes > 0x00ff_ffff {
            self.0 = 0;
            return Some(sum);
        }
        self.0 = sum.messages << 24 | sum.bytes;
        None
    }
}

/// An endpoint's counts. Small: every endpoint has them.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Flow {
    /// Posted here and not known to be received.
    out_bytes: u64,
    out_messages: u32,
    pending: Pending,
    /// Only where somebody has set a mark or looked.
    rare: Option<Box<Rare>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rare {
    /// For what is posted here.
    mark: HighWaterMark,
    /// The program has asked for the amount.
    looked_at: bool,
    /// What the other end wants to be told of what is received here.
    grain: Option<Grain>,
}

/// What a port that moves to another node takes along of this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Baggage {
    pub(crate) out_messages: u32,
    pub(crate) out_bytes: u64,
    pub(crate) pending: Consumed,
    pub(crate) mark: HighWaterMark,
    pub(crate) looked_at: bool,
    pub(crate) grain: Option<Grain>,
}

/// Whether it is time to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// The amount is below the mark, or there is no mark.
    Below,
    /// It is not.
    Reached,
    /// The other end is gone.
    Ended,
}

impl Flow {
    /// Counts a message that is posted.
    pub(crate) fn post(&mut self, bytes: usize) {
        self.out_messages = self.out_messages.saturating_add(1);
        self.out_bytes = self.out_bytes.saturating_add(bytes as u64);
    }

    /// What has been received here is worth telling when something goes there anyway: a dialogue has no other reports.
    pub(super) fn rides(&self) -> bool {
        let Consumed { messages, bytes } = self.pending.get();
        messages >= COARSE_MESSAGES / 2 || bytes >= COARSE_BYTES / 2
    }

    pub(super) fn ride(&mut self) -> Option<Consumed> {
        if self.rides() { self.pending.take() } else { None }
    }

    /// The other end has asked to be told finely.
    pub(super) fn is_watched(&self) -> bool {
        self.rare.as_deref().is_some_and(|rare| rare.grain.is_some())
    }

    /// So much was received, and so many messages still wait. Gives what is to be told now.
    pub(super) fn received(&mut self, amount: Amount, waiting: usize, waiting_bytes: usize) -> Option<Consumed> {
        let alone = self.pending == Pending::default() && amount.messages == 1;
        let most = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let too_much = self.pending.add(Consumed { messages: most(amount.messages), bytes: most(amount.bytes) });
        if too_much.is_some() {
            return too_much;
        }
        let have = self.pending.get();
        let due = match self.rare.as_deref().and_then(|rare| rare.grain) {
            // A single message is not told: often enough an answer follows, and the report goes with that.
            None => have.bytes >= COARSE_BYTES && !alone,
            Some(grain) => {
                have.messages as usize >= (grain.messages as usize).max(waiting / QUEUE_A_LUMP)
                    || have.bytes as usize >= (grain.bytes as usize).max(waiting_bytes / QUEUE_A_LUMP)
                    || grain.drained && waiting == 0
            }
        };
        if due { self.pending.take() } else { None }
    }

    /// The other end has received this. True if that brings the amount below the mark.
    fn told(&mut self, told: Consumed) -> bool {
        let before = self.room();
        // More than there was: somebody lies, about its own channel.
        self.out_messages = self.out_messages.saturating_sub(told.messages);
        self.out_bytes = self.out_bytes.saturating_sub(told.bytes.into());
        before != self.room()
    }

    fn amount(&self) -> Amount {
        Amount { messages: self.out_messages as usize, bytes: usize::try_from(self.out_bytes).unwrap_or(usize::MAX) }
    }

    fn rare(&self) -> Rare {
        self.rare.as_deref().copied().unwrap_or_default()
    }

    fn set_rare(&mut self, rare: Rare) {
        if rare == Rare::default() {
            self.rare = None;
        } else {
            **self.rare.get_or_insert_default() = rare;
        }
    }

    fn room(&self) -> Room {
        match &self.rare {
            Some(rare) if !rare.mark.is_above(self.amount()) => Room::Reached,
            _ => Room::Below,
        }
    }

    pub(super) fn pack(&self) -> Baggage {
        let Rare { mark, looked_at, grain } = self.rare();
        Baggage { out_messages: self.out_messages, out_bytes: self.out_bytes, pending: self.pending.get(), mark, looked_at, grain }
    }

    /// Whatever the baggage says is true of one channel only; it is used as far as it makes sense.
    pub(super) fn unpack(Baggage { out_messages, out_bytes, pending, mark, looked_at, grain }: Baggage) -> Self {
        let mut flow = Self { out_bytes, out_messages, pending: Pending::default(), rare: None };
        // An honest node sends no more than fits.
        let _ = flow.pending.add(pending);
        flow.set_rare(Rare { mark, looked_at, grain: grain.map(Grain::within_limits) });
        flow
    }
}

impl Router {
    fn flow(&mut self, key: ElementKey) -> Option<(SideName, Addr, &mut Flow)> {
        match self.elements.get_mut(key) {
            Some(Element::Endpoint(Endpoint { line: Line::Open(side), flow, .. })) => Some((side.name, side.peer, flow)),
            _ => None,
        }
    }

    /// What was posted here and has not been received at the other end, as far as that has been told.
    pub(crate) fn amount(&mut self, key: ElementKey) -> Amount {
        self.flow(key).map(|(_, _, flow)| flow.amount()).unwrap_or_default()
    }

    /// The program wants to know the amount: from now on the other end tells it when it has received everything.
    pub(crate) fn look_at_amount(&mut self, key: ElementKey) -> Amount {
        self.wish(key, |rare| rare.looked_at = true);
        self.amount(key)
    }

    pub(crate) fn mark(&mut self, key: ElementKey) -> HighWaterMark {
        self.flow(key).map(|(_, _, flow)| flow.rare().mark).unwrap_or_default()
    }

    /// Sets the mark for what is posted here.
    pub(crate) fn set_mark(&mut self, key: ElementKey, mark: HighWaterMark) {
        self.wish(key, |rare| rare.mark = mark);
    }

    /// Changes what this end wants to know, and says so to the other if it is something else than before.
    fn wish(&mut self, key: ElementKey, change: impl FnOnce(&mut Rare)) {
        let Some((name, peer, flow)) = self.flow(key) else { return };
        let (room, before) = (flow.room(), flow.rare());
        let mut rare = before;
        change(&mut rare);
        flow.set_rare(rare);
        let wanted = Grain::wanted(rare.mark, rare.looked_at);
        let has_room = room == Room::Reached && flow.room() == Room::Below;
        if has_room {
            self.actions.push_back(Action::Room(key));
        }
        if wanted != Grain::wanted(before.mark, before.looked_at) {
            self.send(name, peer, Event::Grain { grain: wanted, hops: 0 });
            self.run();
        }
    }

    /// Whether a program that heeds its mark would post now.
    pub(crate) fn room(&mut self, key: ElementKey) -> Room {
        self.flow(key).map_or(Room::Ended, |(_, _, flow)| flow.room())
    }

    /// Tells the other end what has been received here.
    pub(super) fn tell(&mut self, key: ElementKey, lump: Consumed) {
        if let Some((name, peer, _)) = self.flow(key) {
            self.send(name, peer, Event::Consumed { lump, hops: 0 });
        }
    }

    pub(super) fn consumed(&mut self, place: Place, lump: Consumed, hops: u16) {
        if let Some((_, _, flow)) = self.flow(place.key) {
            if flow.told(lump) {
                self.actions.push_back(Action::Room(place.key));
            }
        } else if let Some((from, to)) = self.onward(place, hops) {
            self.send(from, to, Event::Consumed { lump, hops: hops + 1 });
        }
    }

    /// The other end wants to know more, or less. What it does not know yet is the answer.
    pub(super) fn grain(&mut self, place: Place, grain: Option<Grain>, hops: u16) {
        self.recall(place.key);
        if let Some((_, _, flow)) = self.flow(place.key) {
            flow.set_rare(Rare { grain: grain.map(Grain::within_limits), ..flow.rare() });
            if let Some(lump) = flow.pending.take() {
                self.tell(place.key, lump);
            }
        } else if let Some((from, to)) = self.onward(place, hops) {
            self.send(from, to, Event::Grain { grain, hops: hops + 1 });
        }
    }

    /// Where a proxy passes on what has come to this side. `None`: nowhere, and the channel ends, for the same reasons as with a message.
    fn onward(&mut self, place: Place, hops: u16) -> Option<(SideName, Addr)> {
        let Some(Element::Proxy(proxy)) = self.elements.get(place.key) else { return None };
        let spent = proxy.stage == (Stage::Leaving { fenced: true }) && place.which == 0;
        let out = &proxy.sides[usize::from(1 - place.which)];
        let onward = (out.name, out.peer);
        if spent || hops >= self.max_hops {
            self.cut(place, if spent { CloseReason::Crashed } else { CloseReason::Dropped });
            return None;
        }
        Some(onward)
    }
}
