//! Flow control: how much is outstanding on a channel, and how its receiver reports.
//!
//! The posting end counts what it posts. The receiving end accumulates received messages and bytes and
//! reports them in batches ([`Event::Consumed`]), which travel along the chain as messages do. The
//! order of batches does not matter: only their sum counts. The posting end sets how large a batch may
//! become ([`Event::CreditPolicy`]); while its program uses neither a mark nor the amount, batches are
//! large. Both counts move with a port ([`FlowState`]), in the same frame.

use super::element::{Element, Endpoint, Line, SideId, Stage};
use super::event::{Action, Event};
use super::{ElementKey, Router};
use crate::flow::{Amount, HighWaterMark};
use crate::message::CloseReason;
use crate::name::{Addr, SideName};

/// One batch: what the receiver reports as received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Consumed {
    pub(crate) messages: u32,
    pub(crate) bytes: u32,
}

/// How large a batch may become before it is reported. Only a posting end that has a mark, or whose program has asked for the amount, sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CreditPolicy {
    pub(crate) messages: u32,
    pub(crate) bytes: u32,
    /// A receiver whose queue is empty reports at once, however little.
    pub(crate) drained: bool,
}

/// The most messages of a batch. ([`Pending`] holds one less.)
const MAX_BATCH_MESSAGES: u32 = 256;

/// The most bytes of a batch of several messages.
const MAX_BATCH_BYTES: u32 = 256 * 1024;

/// A batch is at most this part of the mark, so that the sender continues before the receiver has nothing left.
const BATCHES_PER_MARK: usize = 4;

/// A batch may grow to this part of the receiver's queue: with a long queue a report changes little.
const QUEUE_PER_BATCH: usize = 8;

impl CreditPolicy {
    /// The policy of a posting end with this mark; `None` if it needs no reports. A batch is smaller than the mark, so a blocked sender always gets a report.
    pub(super) fn wanted(mark: HighWaterMark, observed: bool) -> Option<Self> {
        let part = |mark: Option<usize>, most: u32| {
            mark.map_or(most, |m| u32::try_from(m / BATCHES_PER_MARK).map_or(most, |part| part.clamp(1, most)))
        };
        let wanted =
            Self { messages: part(mark.messages, MAX_BATCH_MESSAGES), bytes: part(mark.bytes, MAX_BATCH_BYTES), drained: observed };
        (observed || mark != HighWaterMark::NONE).then_some(wanted)
    }

    /// The same within limits, as it comes from a peer. The smallest batch is one message: one small event for each message that the peer has sent.
    fn within_limits(self) -> Self {
        Self { messages: self.messages.clamp(1, MAX_BATCH_MESSAGES), bytes: self.bytes.clamp(1, MAX_BATCH_BYTES), ..self }
    }
}

/// Received and not yet reported: less than 256 messages in the upper 8 bits, less than 16 MiB in the lower 24.
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

    /// Adds to it. If the sum does not fit, takes all of it out and gives it.
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
    /// Outstanding: posted here and not reported as received.
    out_bytes: u64,
    out_messages: u32,
    pending: Pending,
    /// Only if a mark is set, the amount was asked for, or the other end has sent a policy.
    rare: Option<Box<Rare>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rare {
    /// For what is posted here.
    mark: HighWaterMark,
    /// The program has asked for the amount.
    observed: bool,
    /// How the other end wants what is received here to be reported.
    policy: Option<CreditPolicy>,
}

/// The part of [`Flow`] that moves with a port to another node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FlowState {
    pub(crate) out_messages: u32,
    pub(crate) out_bytes: u64,
    pub(crate) pending: Consumed,
    pub(crate) mark: HighWaterMark,
    pub(crate) observed: bool,
    pub(crate) policy: Option<CreditPolicy>,
}

/// Whether a sender may post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// The outstanding amount is below the mark, or there is no mark.
    Available,
    /// The amount has reached the mark.
    Blocked,
    /// The other end is gone.
    Ended,
}

impl Flow {
    /// Counts a message that is posted.
    pub(crate) fn post(&mut self, bytes: usize) {
        self.out_messages = self.out_messages.saturating_add(1);
        self.out_bytes = self.out_bytes.saturating_add(bytes as u64);
    }

    /// Whether a report should go along with the next message: in a dialogue there are no other reports.
    pub(super) fn should_piggyback(&self) -> bool {
        let Consumed { messages, bytes } = self.pending.get();
        messages >= MAX_BATCH_MESSAGES / 2 || bytes >= MAX_BATCH_BYTES / 2
    }

    pub(super) fn take_piggyback(&mut self) -> Option<Consumed> {
        if self.should_piggyback() { self.pending.take() } else { None }
    }

    /// Whether the other end has set a policy.
    pub(super) fn has_policy(&self) -> bool {
        self.rare.as_deref().is_some_and(|rare| rare.policy.is_some())
    }

    /// Counts received messages; `waiting` are still queued. Gives the batch that is due.
    pub(super) fn received(&mut self, amount: Amount, waiting: usize, waiting_bytes: usize) -> Option<Consumed> {
        let alone = self.pending == Pending::default() && amount.messages == 1;
        let most = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let too_much = self.pending.add(Consumed { messages: most(amount.messages), bytes: most(amount.bytes) });
        if too_much.is_some() {
            return too_much;
        }
        let have = self.pending.get();
        let due = match self.rare.as_deref().and_then(|rare| rare.policy) {
            // A single message is not reported: mostly an answer follows, and the report goes along with it.
            None => have.bytes >= MAX_BATCH_BYTES && !alone,
            Some(policy) => {
                have.messages as usize >= (policy.messages as usize).max(waiting / QUEUE_PER_BATCH)
                    || have.bytes as usize >= (policy.bytes as usize).max(waiting_bytes / QUEUE_PER_BATCH)
                    || policy.drained && waiting == 0
            }
        };
        if due { self.pending.take() } else { None }
    }

    /// Applies a report of the other end. True if that brings the amount below the mark.
    fn report_received(&mut self, report: Consumed) -> bool {
        let before = self.credit();
        // A report of more than is outstanding is false, and harms this channel only.
        self.out_messages = self.out_messages.saturating_sub(report.messages);
        self.out_bytes = self.out_bytes.saturating_sub(report.bytes.into());
        before != self.credit()
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

    fn credit(&self) -> Credit {
        match &self.rare {
            Some(rare) if !rare.mark.is_above(self.amount()) => Credit::Blocked,
            _ => Credit::Available,
        }
    }

    pub(super) fn pack(&self) -> FlowState {
        let Rare { mark, observed, policy } = self.rare();
        FlowState { out_messages: self.out_messages, out_bytes: self.out_bytes, pending: self.pending.get(), mark, observed, policy }
    }

    /// The state comes from a peer: it affects one channel only, and is clamped to the limits.
    pub(super) fn unpack(FlowState { out_messages, out_bytes, pending, mark, observed, policy }: FlowState) -> Self {
        let mut flow = Self { out_bytes, out_messages, pending: Pending::default(), rare: None };
        // An honest node sends no more than fits.
        let _ = flow.pending.add(pending);
        flow.set_rare(Rare { mark, observed, policy: policy.map(CreditPolicy::within_limits) });
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

    /// What is outstanding here.
    pub(crate) fn amount(&mut self, key: ElementKey) -> Amount {
        self.flow(key).map(|(_, _, flow)| flow.amount()).unwrap_or_default()
    }

    /// The same for a program that asks: from now on the other end reports when it has received everything.
    pub(crate) fn observe_amount(&mut self, key: ElementKey) -> Amount {
        self.update(key, |rare| rare.observed = true);
        self.amount(key)
    }

    pub(crate) fn mark(&mut self, key: ElementKey) -> HighWaterMark {
        self.flow(key).map(|(_, _, flow)| flow.rare().mark).unwrap_or_default()
    }

    /// Sets the mark for what is posted here.
    pub(crate) fn set_mark(&mut self, key: ElementKey, mark: HighWaterMark) {
        self.update(key, |rare| rare.mark = mark);
    }

    /// Changes the mark or `observed`, and sends the policy to the other end if it has changed.
    fn update(&mut self, key: ElementKey, change: impl FnOnce(&mut Rare)) {
        let Some((name, peer, flow)) = self.flow(key) else { return };
        let (credit, before) = (flow.credit(), flow.rare());
        let mut rare = before;
        change(&mut rare);
        flow.set_rare(rare);
        let wanted = CreditPolicy::wanted(rare.mark, rare.observed);
        let unblocked = credit == Credit::Blocked && flow.credit() == Credit::Available;
        if unblocked {
            self.actions.push_back(Action::CreditAvailable(key));
        }
        if wanted != CreditPolicy::wanted(before.mark, before.observed) {
            self.send(name, peer, Event::CreditPolicy { policy: wanted, hops: 0 });
            self.run();
        }
    }

    /// Whether the sender may post; a program may ignore it.
    pub(crate) fn credit(&mut self, key: ElementKey) -> Credit {
        self.flow(key).map_or(Credit::Ended, |(_, _, flow)| flow.credit())
    }

    /// Reports to the other end what has been received here.
    pub(super) fn report(&mut self, key: ElementKey, batch: Consumed) {
        if let Some((name, peer, _)) = self.flow(key) {
            self.send(name, peer, Event::Consumed { batch, hops: 0 });
        }
    }

    pub(super) fn consumed(&mut self, place: SideId, batch: Consumed, hops: u16) {
        if let Some((_, _, flow)) = self.flow(place.key) {
            if flow.report_received(batch) {
                self.actions.push_back(Action::CreditAvailable(place.key));
            }
        } else if let Some((from, to)) = self.onward(place, hops) {
            self.send(from, to, Event::Consumed { batch, hops: hops + 1 });
        }
    }

    /// The other end has changed its policy: what is not yet reported is reported at once.
    pub(super) fn set_policy(&mut self, place: SideId, policy: Option<CreditPolicy>, hops: u16) {
        self.recall(place.key);
        if let Some((_, _, flow)) = self.flow(place.key) {
            flow.set_rare(Rare { policy: policy.map(CreditPolicy::within_limits), ..flow.rare() });
            if let Some(batch) = flow.pending.take() {
                self.report(place.key, batch);
            }
        } else if let Some((from, to)) = self.onward(place, hops) {
            self.send(from, to, Event::CreditPolicy { policy, hops: hops + 1 });
        }
    }

    /// The side to which a proxy forwards what has come to this one. `None`: the channel ends, for the same reasons as with a message.
    fn onward(&mut self, place: SideId, hops: u16) -> Option<(SideName, Addr)> {
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
