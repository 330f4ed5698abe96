//! The frames that nodes exchange, as bytes.
//!
//! A frame is written back to front: the kind is the last byte, before it the fixed fields, before
//! them the fields of variable length, first of all a message's data. So a received buffer of any
//! size becomes the message's data when its end is cut off. Integers are little endian.
//!
//! ```text
//! message   data | descriptors (flow_state 0 or 45, side 16, neighbour 16, has flow_state 1)* | hops 2 | ports 4 | from 16 | to 16 | kind
//! lent      as a message without data; before the kind: arena 1 | page 4 | length 8
//! shared    data | length 8 | kind
//! event     fields | from 16 | to 16 | kind
//! control   fields | kind
//! ```

use smallvec::SmallVec;

use crate::body::Body;
use crate::flow::HighWaterMark;
use crate::link::RING_PARTS;
use crate::link::arena::Reference;
use crate::message::CloseReason;
use crate::name::{Addr, NodeName, SideName};
use crate::router::{Consumed, CreditPolicy, Descriptor, Event, FlowState, Frame};
use crate::shared_buffer::SharedBuffer;
use crate::{MAX_DATA, MAX_PORTS};

/// The protocol's version. The welcome carries it, and a node does not join a network of another
/// version.
pub(crate) const VERSION: u32 = 7;

/// The longest frame: the largest message, with the most ports.
pub(crate) const MAX_FRAME: usize = MAX_DATA + MAX_PORTS * (DESCRIPTOR + BAGGAGE) + 64;

const NAME: usize = 16;
const DESCRIPTOR: usize = 2 * NAME + 1;
/// The additional length of a descriptor whose port has flow state.
const BAGGAGE: usize = 45;
pub(crate) const MESSAGE_TAIL: usize = 2 + 4 + 2 * NAME + 1;

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    Event(Frame),
    /// A message whose data is in a block of the sender's arena; its own data is empty.
    Lent(Frame, Reference),
    /// A shared buffer of the next message: its length, and its bytes unless the frame carries a
    /// descriptor.
    Shared(u64, Vec<u8>),
    Control(Control),
}

/// The messages of nodes about themselves and each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// The broker's first frame: the names of both nodes, and of the sides of the bootstrap
    /// channel. If it carries ring parts, all later frames go through the rings.
    Welcome { version: u32, you: NodeName, broker: NodeName, yours: SideName, mine: SideName },
    /// To the broker: a request for a link to this node.
    Introduce(NodeName),
    /// From the broker, with a socket to this node, and ring parts if there are some.
    Introduction(NodeName),
    /// From the broker: there will be no link to this node.
    Unreachable(NodeName),
    /// From the broker: the close reason to report when this node ends.
    Departing(NodeName, CloseReason),
    /// From the broker: this node has ended.
    PeerDied(NodeName, CloseReason),
    /// The sender's last frame: it leaves.
    Goodbye(CloseReason),
    /// An arena of the sender's, with its descriptor. Without, the descriptor could not be sent.
    Offer(u8),
    /// Whether the sender has mapped the receiver's arena.
    Answer(u8, bool),
    /// The sender releases the block at this page of the receiver's arena.
    Done(u8, u32),
    /// The sender has withdrawn an arena of its own.
    Withdraw(u8),
}

impl Control {
    /// Whether the control message may carry `count` descriptors.
    pub(crate) fn takes_descriptors(&self, count: usize) -> bool {
        match self {
            Self::Welcome { .. } => count == 0 || count == RING_PARTS,
            Self::Introduction(_) => count == 1 || count == 1 + RING_PARTS,
            Self::Offer(_) => count <= 1,
            _ => count == 0,
        }
    }
}

/// The end of a frame; only ports make it longer than 72 bytes.
pub(crate) type Tail = SmallVec<[u8; 72]>;

/// A frame to send: first `data`, then `tail`.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    pub(crate) data: Vec<u8>,
    pub(crate) tail: Tail,
    /// Whether the frame carries a program's message.
    pub(crate) message: bool,
    /// The peer is not signalled: it receives the frame with the next one, or when it polls.
    pub(crate) quiet: bool,
    pub(crate) fallback: Fallback,
}

/// The replacement for a frame whose descriptors cannot be sent because too many of the user's
/// descriptors are in flight.
#[derive(Debug, Default)]
pub(crate) enum Fallback {
    /// Nothing: the link fails.
    #[default]
    Nothing,
    /// The frame without its descriptors.
    Bare,
    /// The frame carries the descriptor of these bytes; as a fallback it carries the bytes.
    Bytes(SharedBuffer),
    /// Another frame.
    Frame(Box<Encoded>),
}

/// The reasons for which bytes are not a valid frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("malformed frame: it is shorter than its fields")]
    Short,
    #[error("malformed frame: it is {0} bytes longer than its fields")]
    Long(usize),
    #[error("malformed frame: unknown kind {0}")]
    Kind(u8),
    #[error("malformed frame: unknown close reason {0}")]
    Reason(u8),
    #[error("malformed frame: {0} ports are more than {MAX_PORTS}")]
    Ports(usize),
    #[error("malformed frame: invalid flags {0:#b}")]
    Flags(u8),
    #[error("malformed frame: {0} bytes of data are more than {MAX_DATA}")]
    Data(u64),
    #[error("malformed frame: answer {0} is neither 0 nor 1")]
    Answer(u8),
}

mod kind {
    pub(super) const MESSAGE: u8 = 1;
    pub(super) const CLOSE: u8 = 2;
    pub(super) const LOCK: u8 = 3;
    pub(super) const GRANTED: u8 = 4;
    pub(super) const UNLOCK: u8 = 5;
    pub(super) const EXPECT: u8 = 6;
    pub(super) const EXPECTING: u8 = 7;
    pub(super) const CANNOT_REACH: u8 = 8;
    pub(super) const BYPASS: u8 = 9;
    pub(super) const FENCE: u8 = 10;
    pub(super) const LENT: u8 = 11;
    pub(super) const CONSUMED: u8 = 12;
    pub(super) const CREDIT_POLICY: u8 = 13;
    pub(super) const SHARED: u8 = 14;
    pub(super) const WELCOME: u8 = 32;
    pub(super) const INTRODUCE: u8 = 33;
    pub(super) const INTRODUCTION: u8 = 34;
    pub(super) const UNREACHABLE: u8 = 35;
    pub(super) const DEPARTING: u8 = 36;
    pub(super) const PEER_DIED: u8 = 37;
    pub(super) const GOODBYE: u8 = 38;
    pub(super) const OFFER: u8 = 39;
    pub(super) const ANSWER: u8 = 40;
    pub(super) const DONE: u8 = 41;
    pub(super) const WITHDRAW: u8 = 42;
}

const REASONS: [CloseReason; 6] =
    [CloseReason::Closed, CloseReason::Dropped, CloseReason::Unloaded, CloseReason::Exited, CloseReason::Crashed, CloseReason::Unreachable];

fn reason_byte(reason: CloseReason) -> u8 {
    REASONS.iter().position(|r| *r == reason).expect("every reason is listed") as u8
}

/// Encodes a frame.
pub(crate) fn encode(packet: Packet) -> Encoded {
    match packet {
        Packet::Event(frame) => encode_event(frame, None),
        Packet::Lent(frame, block) => encode_event(frame, Some(block)),
        Packet::Shared(length, data) => {
            let mut tail = Tail::new();
            tail.extend_from_slice(&length.to_le_bytes());
            tail.push(kind::SHARED);
            Encoded { data, tail, message: true, ..Encoded::default() }
        }
        Packet::Control(control) => Encoded { tail: encode_control(control), ..Encoded::default() },
    }
}

/// The end of a frame for a message without ports that no proxy has forwarded. The message's data
/// goes before it.
pub(crate) fn message_tail(from: SideName, to: SideName) -> [u8; MESSAGE_TAIL] {
    let mut tail = [0; MESSAGE_TAIL];
    tail[6..22].copy_from_slice(&from.0.to_le_bytes());
    tail[22..38].copy_from_slice(&to.0.to_le_bytes());
    tail[38] = kind::MESSAGE;
    tail
}

/// The source side, the target side and the hops of a frame, if it is a message without ports. Its
/// data are the bytes before [`MESSAGE_TAIL`].
pub(crate) fn plain_message(frame: &[u8]) -> Option<(SideName, SideName, u16)> {
    let (data, tail) = frame.split_last_chunk::<MESSAGE_TAIL>()?;
    let plain = tail[MESSAGE_TAIL - 1] == kind::MESSAGE && tail[2..6] == [0; 4] && data.len() <= MAX_DATA;
    let name = |at: usize| SideName(u128::from_le_bytes(tail[at..at + NAME].try_into().expect("16 bytes")));
    plain.then(|| (name(6), name(6 + NAME), u16::from_le_bytes([tail[0], tail[1]])))
}

fn encode_event(Frame { from, to, event }: Frame, block: Option<Reference>) -> Encoded {
    let mut data = Vec::new();
    let mut tail = Tail::new();
    let put_addr = |tail: &mut Tail, addr: Addr| {
        put(tail, addr.node.0);
        put(tail, addr.side.0);
    };
    let kind = match event {
        Event::Message { data: bytes, ports, hops } => {
            data = bytes.into_bytes();
            ports.iter().for_each(|descriptor| put_descriptor(&mut tail, descriptor));
            tail.extend_from_slice(&hops.to_le_bytes());
            tail.extend_from_slice(&u32::try_from(ports.len()).expect("checked when it was posted").to_le_bytes());
            kind::MESSAGE
        }
        Event::Close(reason) => {
            tail.push(reason_byte(reason));
            kind::CLOSE
        }
        Event::Consumed { batch, hops } => {
            put_consumed(&mut tail, batch);
            tail.extend_from_slice(&hops.to_le_bytes());
            kind::CONSUMED
        }
        Event::CreditPolicy { policy, hops } => {
            put_policy(&mut tail, policy);
            tail.extend_from_slice(&hops.to_le_bytes());
            kind::CREDIT_POLICY
        }
        Event::Lock => kind::LOCK,
        Event::Granted => kind::GRANTED,
        Event::Unlock => kind::UNLOCK,
        Event::Expect(next) => {
            put_addr(&mut tail, next);
            kind::EXPECT
        }
        Event::Expecting => kind::EXPECTING,
        Event::CannotReach => kind::CANNOT_REACH,
        Event::Bypass(next) => {
            put_addr(&mut tail, next);
            kind::BYPASS
        }
        Event::Fence => kind::FENCE,
    };
    put(&mut tail, from.0);
    put(&mut tail, to.0);
    let message = kind == kind::MESSAGE;
    if let Some(Reference { arena, page, length }) = block {
        tail.push(arena);
        tail.extend_from_slice(&page.to_le_bytes());
        tail.extend_from_slice(&length.to_le_bytes());
        tail.push(kind::LENT);
    } else {
        tail.push(kind);
    }
    Encoded { data, tail, message, ..Encoded::default() }
}

fn encode_control(control: Control) -> Tail {
    let mut tail = Tail::new();
    let kind = match control {
        Control::Welcome { version, you, broker, yours, mine } => {
            tail.extend_from_slice(&version.to_le_bytes());
            [you.0, broker.0, yours.0, mine.0].into_iter().for_each(|name| put(&mut tail, name));
            kind::WELCOME
        }
        Control::Introduce(node) => {
            put(&mut tail, node.0);
            kind::INTRODUCE
        }
        Control::Introduction(node) => {
            put(&mut tail, node.0);
            kind::INTRODUCTION
        }
        Control::Unreachable(node) => {
            put(&mut tail, node.0);
            kind::UNREACHABLE
        }
        Control::Departing(node, reason) => {
            put(&mut tail, node.0);
            tail.push(reason_byte(reason));
            kind::DEPARTING
        }
        Control::PeerDied(node, reason) => {
            put(&mut tail, node.0);
            tail.push(reason_byte(reason));
            kind::PEER_DIED
        }
        Control::Goodbye(reason) => {
            tail.push(reason_byte(reason));
            kind::GOODBYE
        }
        Control::Offer(arena) => {
            tail.push(arena);
            kind::OFFER
        }
        Control::Answer(arena, yes) => {
            tail.extend_from_slice(&[arena, u8::from(yes)]);
            kind::ANSWER
        }
        Control::Done(arena, page) => {
            tail.push(arena);
            tail.extend_from_slice(&page.to_le_bytes());
            kind::DONE
        }
        Control::Withdraw(arena) => {
            tail.push(arena);
            kind::WITHDRAW
        }
    };
    tail.push(kind);
    tail
}

fn put(tail: &mut Tail, name: u128) {
    tail.extend_from_slice(&name.to_le_bytes());
}

/// The encoding of a missing mark.
const NO_MARK: u64 = u64::MAX;

/// The encoding of a missing policy, apart from its flags.
const NO_POLICY: CreditPolicy = CreditPolicy { messages: 0, bytes: 0, drained: false };
const HAS_POLICY: u8 = 1;
const REPORT_DRAINED: u8 = 2;

fn put_descriptor(tail: &mut Tail, Descriptor { side, neighbour, flow_state }: &Descriptor) {
    let has_baggage = *flow_state != FlowState::default();
    if has_baggage {
        tail.extend_from_slice(&flow_state.out_messages.to_le_bytes());
        tail.extend_from_slice(&flow_state.out_bytes.to_le_bytes());
        put_consumed(tail, flow_state.pending);
        for mark in [flow_state.mark.messages, flow_state.mark.bytes] {
            tail.extend_from_slice(&mark.map_or(NO_MARK, |mark| mark as u64).to_le_bytes());
        }
        put_policy(tail, flow_state.policy);
        tail.push(u8::from(flow_state.observed));
    }
    put(tail, side.0);
    put(tail, neighbour.0);
    tail.push(u8::from(has_baggage));
}

fn put_consumed(tail: &mut Tail, batch: Consumed) {
    tail.extend_from_slice(&batch.messages.to_le_bytes());
    tail.extend_from_slice(&batch.bytes.to_le_bytes());
}

fn put_policy(tail: &mut Tail, policy: Option<CreditPolicy>) {
    let CreditPolicy { messages, bytes, drained } = policy.unwrap_or(NO_POLICY);
    tail.extend_from_slice(&messages.to_le_bytes());
    tail.extend_from_slice(&bytes.to_le_bytes());
    tail.push(if policy.is_some() { HAS_POLICY } else { 0 } | if drained { REPORT_DRAINED } else { 0 });
}

/// Decodes a frame, which must fill `bytes`.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Packet, DecodeError> {
    let mut end = End(bytes);
    let kind = end.byte()?;
    if (kind::WELCOME..=kind::WITHDRAW).contains(&kind) {
        let control = decode_control(kind, &mut end)?;
        return end.exhausted(Packet::Control(control));
    }
    if kind == kind::SHARED {
        let length = u64::from_le_bytes(end.take()?);
        return if length > MAX_DATA as u64 { Err(DecodeError::Data(length)) } else { Ok(Packet::Shared(length, end.0)) };
    }
    let block = if kind == kind::LENT { Some(decode_reference(&mut end)?) } else { None };
    let to = SideName(end.name()?);
    let from = SideName(end.name()?);
    let event = match kind {
        kind::MESSAGE => {
            let (ports, hops) = decode_ports(&mut end)?;
            let data = end.0;
            if data.len() > MAX_DATA {
                return Err(DecodeError::Data(data.len() as u64));
            }
            return Ok(Packet::Event(Frame { from, to, event: Event::Message { data: data.into(), ports, hops } }));
        }
        kind::LENT => {
            let (ports, hops) = decode_ports(&mut end)?;
            Event::Message { data: Body::default(), ports, hops }
        }
        kind::CLOSE => Event::Close(end.reason()?),
        kind::CONSUMED => {
            let hops = u16::from_le_bytes(end.take()?);
            Event::Consumed { batch: end.consumed()?, hops }
        }
        kind::CREDIT_POLICY => {
            let hops = u16::from_le_bytes(end.take()?);
            Event::CreditPolicy { policy: end.policy()?, hops }
        }
        kind::LOCK => Event::Lock,
        kind::GRANTED => Event::Granted,
        kind::UNLOCK => Event::Unlock,
        kind::EXPECT => Event::Expect(end.addr()?),
        kind::EXPECTING => Event::Expecting,
        kind::CANNOT_REACH => Event::CannotReach,
        kind::BYPASS => Event::Bypass(end.addr()?),
        kind::FENCE => Event::Fence,
        other => return Err(DecodeError::Kind(other)),
    };
    let frame = Frame { from, to, event };
    end.exhausted(match block {
        Some(block) => Packet::Lent(frame, block),
        None => Packet::Event(frame),
    })
}

fn decode_reference(end: &mut End) -> Result<Reference, DecodeError> {
    let length = u64::from_le_bytes(end.take()?);
    if length > MAX_DATA as u64 {
        return Err(DecodeError::Data(length));
    }
    Ok(Reference { length, page: u32::from_le_bytes(end.take()?), arena: end.byte()? })
}

fn decode_ports(end: &mut End) -> Result<(Vec<Descriptor>, u16), DecodeError> {
    let count = u32::from_le_bytes(end.take()?) as usize;
    let hops = u16::from_le_bytes(end.take()?);
    if count > MAX_PORTS {
        return Err(DecodeError::Ports(count));
    }
    // The claimed number is used only if the bytes for it are present.
    if end.0.len() < count * DESCRIPTOR {
        return Err(DecodeError::Short);
    }
    let mut ports = (0..count).map(|_| end.descriptor()).collect::<Result<Vec<_>, _>>()?;
    ports.reverse();
    Ok((ports, hops))
}

fn decode_control(kind: u8, end: &mut End) -> Result<Control, DecodeError> {
    Ok(match kind {
        kind::WELCOME => {
            let mine = SideName(end.name()?);
            let yours = SideName(end.name()?);
            let broker = NodeName(end.name()?);
            let you = NodeName(end.name()?);
            Control::Welcome { version: u32::from_le_bytes(end.take()?), you, broker, yours, mine }
        }
        kind::INTRODUCE => Control::Introduce(NodeName(end.name()?)),
        kind::INTRODUCTION => Control::Introduction(NodeName(end.name()?)),
        kind::UNREACHABLE => Control::Unreachable(NodeName(end.name()?)),
        kind::DEPARTING => {
            let reason = end.reason()?;
            Control::Departing(NodeName(end.name()?), reason)
        }
        kind::PEER_DIED => {
            let reason = end.reason()?;
            Control::PeerDied(NodeName(end.name()?), reason)
        }
        kind::GOODBYE => Control::Goodbye(end.reason()?),
        kind::OFFER => Control::Offer(end.byte()?),
        kind::ANSWER => {
            let yes = match end.byte()? {
                0 => false,
                1 => true,
                other => return Err(DecodeError::Answer(other)),
            };
            Control::Answer(end.byte()?, yes)
        }
        kind::DONE => {
            let page = u32::from_le_bytes(end.take()?);
            Control::Done(end.byte()?, page)
        }
        kind::WITHDRAW => Control::Withdraw(end.byte()?),
        other => return Err(DecodeError::Kind(other)),
    })
}

/// A buffer that is read from its end.
struct End(Vec<u8>);

impl End {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let start = self.0.len().checked_sub(N).ok_or(DecodeError::Short)?;
        let bytes = self.0[start..].try_into().expect("N bytes");
        self.0.truncate(start);
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take::<1>()?[0])
    }

    fn name(&mut self) -> Result<u128, DecodeError> {
        Ok(u128::from_le_bytes(self.take()?))
    }

    fn addr(&mut self) -> Result<Addr, DecodeError> {
        let side = SideName(self.name()?);
        Ok(Addr { node: NodeName(self.name()?), side })
    }

    fn reason(&mut self) -> Result<CloseReason, DecodeError> {
        let byte = self.byte()?;
        REASONS.get(usize::from(byte)).copied().ok_or(DecodeError::Reason(byte))
    }

    fn descriptor(&mut self) -> Result<Descriptor, DecodeError> {
        let has_baggage = self.flags(1)? == 1;
        let neighbour = SideName(self.name()?);
        let side = SideName(self.name()?);
        let flow_state = if has_baggage { self.flow_state()? } else { FlowState::default() };
        if has_baggage && flow_state == FlowState::default() {
            return Err(DecodeError::Flags(1));
        }
        Ok(Descriptor { side, neighbour, flow_state })
    }

    fn flow_state(&mut self) -> Result<FlowState, DecodeError> {
        let observed = self.flags(1)? == 1;
        let policy = self.policy()?;
        let bytes = self.mark()?;
        let messages = self.mark()?;
        let pending = self.consumed()?;
        let out_bytes = u64::from_le_bytes(self.take()?);
        let out_messages = u32::from_le_bytes(self.take()?);
        Ok(FlowState { out_messages, out_bytes, pending, mark: HighWaterMark { messages, bytes }, observed, policy })
    }

    fn mark(&mut self) -> Result<Option<usize>, DecodeError> {
        let mark = u64::from_le_bytes(self.take()?);
        Ok(usize::try_from(mark).ok().filter(|_| mark != NO_MARK))
    }

    fn consumed(&mut self) -> Result<Consumed, DecodeError> {
        let bytes = u32::from_le_bytes(self.take()?);
        Ok(Consumed { messages: u32::from_le_bytes(self.take()?), bytes })
    }

    fn policy(&mut self) -> Result<Option<CreditPolicy>, DecodeError> {
        let flags = self.flags(HAS_POLICY | REPORT_DRAINED)?;
        let bytes = u32::from_le_bytes(self.take()?);
        let messages = u32::from_le_bytes(self.take()?);
        let policy = CreditPolicy { messages, bytes, drained: flags & REPORT_DRAINED != 0 };
        match flags & HAS_POLICY {
            0 if policy != NO_POLICY => Err(DecodeError::Flags(flags)),
            0 => Ok(None),
            _ => Ok(Some(policy)),
        }
    }

    fn flags(&mut self, known: u8) -> Result<u8, DecodeError> {
        let flags = self.byte()?;
        if flags & !known == 0 { Ok(flags) } else { Err(DecodeError::Flags(flags)) }
    }

    fn exhausted(self, packet: Packet) -> Result<Packet, DecodeError> {
        if self.0.is_empty() { Ok(packet) } else { Err(DecodeError::Long(self.0.len())) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(packet: Packet) -> Vec<u8> {
        let Encoded { mut data, tail, .. } = encode(packet);
        data.extend(tail);
        data
    }

    fn side() -> impl Strategy<Value = SideName> {
        any::<u128>().prop_map(SideName)
    }

    fn node() -> impl Strategy<Value = NodeName> {
        any::<u128>().prop_map(NodeName)
    }

    fn addr() -> impl Strategy<Value = Addr> {
        (node(), side()).prop_map(|(node, side)| Addr { node, side })
    }

    fn reason() -> impl Strategy<Value = CloseReason> {
        proptest::sample::select(&REASONS[..])
    }

    fn consumed() -> impl Strategy<Value = Consumed> {
        (any::<u32>(), any::<u32>()).prop_map(|(messages, bytes)| Consumed { messages, bytes })
    }

    fn policy() -> impl Strategy<Value = Option<CreditPolicy>> {
        proptest::option::of((any::<u32>(), any::<u32>(), any::<bool>()))
            .prop_map(|policy| policy.map(|(messages, bytes, drained)| CreditPolicy { messages, bytes, drained }))
    }

    fn flow_state() -> impl Strategy<Value = FlowState> {
        let mark = || proptest::option::of(0..usize::MAX);
        let some = (any::<u32>(), any::<u64>(), consumed(), mark(), mark(), any::<bool>(), policy()).prop_map(
            |(out_messages, out_bytes, pending, messages, bytes, observed, policy)| FlowState {
                out_messages,
                out_bytes,
                pending,
                mark: HighWaterMark { messages, bytes },
                observed,
                policy,
            },
        );
        prop_oneof![Just(FlowState::default()), some]
    }

    fn packet() -> impl Strategy<Value = Packet> {
        let descriptor =
            (side(), side(), flow_state()).prop_map(|(side, neighbour, flow_state)| Descriptor { side, neighbour, flow_state });
        let message = (any::<Vec<u8>>(), proptest::collection::vec(descriptor, 0..5), any::<u16>());
        let event = prop_oneof![
            message.prop_map(|(data, ports, hops)| Event::Message { data: data.into(), ports, hops }),
            reason().prop_map(Event::Close),
            (consumed(), any::<u16>()).prop_map(|(batch, hops)| Event::Consumed { batch, hops }),
            (policy(), any::<u16>()).prop_map(|(policy, hops)| Event::CreditPolicy { policy, hops }),
            Just(Event::Lock),
            Just(Event::Granted),
            Just(Event::Unlock),
            addr().prop_map(Event::Expect),
            Just(Event::Expecting),
            Just(Event::CannotReach),
            addr().prop_map(Event::Bypass),
            Just(Event::Fence),
        ];
        let control = prop_oneof![
            (any::<u32>(), node(), node(), side(), side()).prop_map(|(version, you, broker, yours, mine)| Control::Welcome {
                version,
                you,
                broker,
                yours,
                mine
            }),
            node().prop_map(Control::Introduce),
            node().prop_map(Control::Introduction),
            node().prop_map(Control::Unreachable),
            (node(), reason()).prop_map(|(n, r)| Control::Departing(n, r)),
            (node(), reason()).prop_map(|(n, r)| Control::PeerDied(n, r)),
            reason().prop_map(Control::Goodbye),
            any::<u8>().prop_map(Control::Offer),
            any::<(u8, bool)>().prop_map(|(arena, yes)| Control::Answer(arena, yes)),
            any::<(u8, u32)>().prop_map(|(arena, page)| Control::Done(arena, page)),
            any::<u8>().prop_map(Control::Withdraw),
        ];
        let event = (side(), side(), event).prop_map(|(from, to, event)| Packet::Event(Frame { from, to, event }));
        let descriptor =
            (side(), side(), flow_state()).prop_map(|(side, neighbour, flow_state)| Descriptor { side, neighbour, flow_state });
        let empty = (proptest::collection::vec(descriptor, 0..5), any::<u16>());
        let empty = empty.prop_map(|(ports, hops)| Event::Message { data: Vec::new().into(), ports, hops });
        let block = (any::<u8>(), any::<u32>(), 0..=MAX_DATA as u64).prop_map(|(arena, page, length)| Reference { arena, page, length });
        let lent = (side(), side(), empty, block).prop_map(|(from, to, event, block)| Packet::Lent(Frame { from, to, event }, block));
        let shared = (0..=MAX_DATA as u64, any::<Vec<u8>>()).prop_map(|(length, data)| Packet::Shared(length, data));
        prop_oneof![3 => event, 1 => lent, 1 => shared, 1 => control.prop_map(Packet::Control)]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(packet in packet()) {
            prop_assert_eq!(decode(bytes(packet.clone())), Ok(packet));
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut noise in any::<Vec<u8>>(), kind in 0u8..64) {
            let _ = decode(noise.clone());
            noise.push(kind);
            let _ = decode(noise);
        }

        #[test]
        fn what_has_no_data_decodes_only_whole(packet in packet(), cut in 1usize..20) {
            prop_assume!(!matches!(packet, Packet::Event(Frame { event: Event::Message { .. }, .. }) | Packet::Shared(..)));
            let whole = bytes(packet);
            prop_assert!(decode(whole[cut.min(whole.len())..].to_vec()).is_err());
            prop_assert!(decode([&[0; 3], &whole[..]].concat()).is_err());
        }
    }

    #[test]
    fn a_message_in_two_pieces_is_the_same() {
        let (from, to) = (SideName(u128::MAX / 3), SideName(77));
        let whole = Packet::Event(Frame { from, to, event: Event::Message { data: vec![1, 2].into(), ports: vec![], hops: 0 } });
        assert_eq!([&[1, 2][..], &message_tail(from, to)].concat(), bytes(whole));
    }

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_one_does(packet in packet()) {
            let bytes = bytes(packet);
            if let Some((from, to, hops)) = plain_message(&bytes) {
                let data = bytes[..bytes.len() - MESSAGE_TAIL].to_vec();
                let whole = Packet::Event(Frame { from, to, event: Event::Message { data: data.into(), ports: vec![], hops } });
                prop_assert_eq!(decode(bytes), Ok(whole));
            } else {
                let plain = matches!(decode(bytes), Ok(Packet::Event(Frame { event: Event::Message { ports, .. }, .. })) if ports.is_empty());
                prop_assert!(!plain);
            }
        }
    }

    #[test]
    fn a_claim_of_ports_that_are_not_there_is_refused() {
        let message = Packet::Event(Frame {
            from: SideName(1),
            to: SideName(2),
            event: Event::Message { data: vec![].into(), ports: vec![], hops: 0 },
        });
        for (claim, expected) in [
            (1u32, DecodeError::Short),
            (1_024, DecodeError::Short),
            (1_025, DecodeError::Ports(1_025)),
            (u32::MAX, DecodeError::Ports(u32::MAX as usize)),
        ] {
            let mut bytes = bytes(message.clone());
            bytes[2..6].copy_from_slice(&claim.to_le_bytes());
            assert_eq!(decode(bytes), Err(expected));
        }
    }
}
