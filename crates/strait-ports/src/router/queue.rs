//! The queue of an endpoint: events that its program has not received yet.

use std::collections::{VecDeque, vec_deque};
use std::iter;
use std::mem;
use std::ops::Deref;

use super::ElementKey;
use crate::body::Body;
use crate::limits::{MESSAGE_COST, PORT_COST};
use crate::message::CloseReason;

/// A queued event.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Item {
    /// A message without ports, shared buffers and arena blocks.
    Plain {
        data: Plain,
        hops: u16,
    },
    /// Any other message.
    Rich(Box<Rich>),
    Close(CloseReason),
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Rich {
    data: Body,
    ports: Vec<ElementKey>,
    hops: u16,
}

/// Messages of up to 46 bytes are stored in the item itself. An item then takes 56 bytes, less than
/// a cache line.
const SMALL: usize = 46;

/// A message's bytes.
///
/// Memory that one thread allocates and another frees is expensive, because allocators keep freed
/// memory for the freeing thread. So a few bytes that are posted from one thread to another are
/// copied twice instead.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub(super) enum Plain {
    Small { length: u8, bytes: [u8; SMALL] },
    Heap(Vec<u8>),
}

impl Plain {
    /// Stores the bytes in place if they are few.
    fn compact(data: Vec<u8>) -> Self {
        if data.len() > SMALL {
            return Self::Heap(data);
        }
        let mut bytes = [0; SMALL];
        bytes[..data.len()].copy_from_slice(&data);
        Self::Small { length: data.len() as u8, bytes }
    }

    fn len(&self) -> usize {
        match self {
            Self::Small { length, .. } => usize::from(*length),
            Self::Heap(bytes) => bytes.len(),
        }
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Small { length, bytes } => bytes[..usize::from(length)].to_vec(),
            Self::Heap(bytes) => bytes,
        }
    }
}

impl Item {
    pub(super) fn message(data: Body, ports: Vec<ElementKey>, hops: u16) -> Self {
        match data {
            Body::Bytes(bytes) if ports.is_empty() => Self::Plain { data: Plain::Heap(bytes), hops },
            data => Self::Rich(Box::new(Rich { data, ports, hops })),
        }
    }

    /// A message that was just posted, perhaps for another thread.
    pub(super) fn posted(data: Vec<u8>) -> Self {
        Self::Plain { data: Plain::compact(data), hops: 0 }
    }

    /// Returns the data, ports and hops of a message, or the reason of a close.
    pub(super) fn into_message(self) -> Result<(Body, Vec<ElementKey>, u16), CloseReason> {
        match self {
            Self::Plain { data, hops } => Ok((Body::Bytes(data.into_vec()), Vec::new(), hops)),
            Self::Rich(rich) => {
                let Rich { data, ports, hops } = *rich;
                Ok((data, ports, hops))
            }
            Self::Close(reason) => Err(reason),
        }
    }

    /// Returns the ports of a message.
    pub(super) fn into_ports(self) -> Vec<ElementKey> {
        if let Self::Rich(rich) = self { rich.ports } else { Vec::new() }
    }

    fn port_count(&self) -> u32 {
        if let Self::Rich(rich) = self { rich.ports.len() as u32 } else { 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Plain { data, .. } => data.len(),
            Self::Rich(rich) => rich.data.len(),
            Self::Close(_) => 0,
        }
    }

    /// The cost of the event, as limits count it.
    pub(super) fn cost(&self) -> usize {
        self.bytes() + MESSAGE_COST + self.port_count() as usize * PORT_COST
    }

    pub(super) fn is_message(&self) -> bool {
        !matches!(self, Self::Close(_))
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. })
    }
}

/// Queued events, in order.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Queue {
    items: VecDeque<Item>,
    /// The number of items that are not plain.
    rich: u32,
    /// The number of ports in all items. More than a `u32` can count do not fit into memory.
    ports: u32,
}

impl Queue {
    pub(super) fn push_back(&mut self, item: Item) {
        self.rich += u32::from(!item.is_plain());
        self.ports += item.port_count();
        self.items.push_back(item);
    }

    pub(super) fn pop_front(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.rich -= u32::from(!item.is_plain());
        self.ports -= item.port_count();
        Some(item)
    }

    /// The number of ports in all messages.
    pub(super) fn ports(&self) -> usize {
        self.ports as usize
    }

    /// Puts plain messages back before all others.
    pub(super) fn put_back(&mut self, plain: &mut VecDeque<Item>) {
        if self.items.len() < plain.len() {
            mem::swap(plain, &mut self.items);
            self.items.append(plain);
        } else {
            plain.drain(..).rev().for_each(|item| self.items.push_front(item));
        }
    }

    /// Moves all items out without touching them, if all are plain and `empty` is empty.
    pub(super) fn swap_plain(&mut self, empty: &mut VecDeque<Item>) -> bool {
        if self.rich > 0 || !empty.is_empty() {
            return false;
        }
        mem::swap(&mut self.items, empty);
        true
    }

    /// Takes plain messages from the front.
    pub(super) fn drain_plain(&mut self) -> impl Iterator<Item = Item> + '_ {
        iter::from_fn(|| if self.items.front()?.is_plain() { self.items.pop_front() } else { None })
    }
}

impl Deref for Queue {
    type Target = VecDeque<Item>;

    fn deref(&self) -> &VecDeque<Item> {
        &self.items
    }
}

impl IntoIterator for Queue {
    type Item = Item;
    type IntoIter = vec_deque::IntoIter<Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
