//! The nodes to which this node has links.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::event::epoll;

use crate::link::Link;
use crate::link::arena::{ArenaReader, ArenaWriter};
use crate::message::CloseReason;
use crate::name::{NodeName, RandomKeys};
use crate::shared_buffer::SharedBuffer;

/// A node to which this node has a link.
pub(super) struct Peer {
    pub(super) name: NodeName,
    pub(super) link: Box<dyn Link>,
    /// Unsent frames wait for room.
    pub(super) waits: bool,
    /// A frame was pushed while the backlog exceeded the limit.
    pub(super) over_limit: bool,
    /// `epoll` reports when the socket has room.
    pub(super) wants_room: bool,
    /// The link has frames to flush, and is in `NodeState::unflushed`.
    pub(super) unflushed: bool,
    /// The link may have frames to receive, and is in `NodeState::unread`.
    pub(super) unread: bool,
    /// The close reason for an end without `Goodbye`.
    pub(super) departure: Option<CloseReason>,
    /// Set when the broker has reported the node as ended: the link is removed after this many
    /// received bytes.
    pub(super) reported_dead_at: Option<u64>,
    /// The arenas that this node writes, and those that the peer writes.
    pub(super) arena_writer: ArenaWriter,
    pub(super) arena_reader: ArenaReader,
    /// Received shared buffers of the next message.
    pub(super) gathered: Vec<SharedBuffer>,
}

/// The index of a peer. It is reused after the peer is gone: a caller that keeps an index while it
/// does not hold the lock may find another peer there.
pub(super) type Slot = u32;

/// All peers, by name and by index.
#[derive(Default)]
pub(super) struct Peers {
    slots: Vec<Option<Peer>>,
    free: Vec<Slot>,
    names: HashMap<NodeName, Slot, RandomKeys>,
    /// The number of peers, for readers without the lock.
    count: Arc<AtomicU32>,
}

/// Identifies the descriptor of an `epoll` event.
pub(super) enum Token {
    Socket(Slot),
    Doorbell(Slot),
    /// A foreign descriptor.
    Source(u32),
    /// The node's own eventfd, readable while links are unread; also that of a driver.
    Note,
    /// The node's own timer, active while there are arenas.
    Clock,
}

impl Token {
    pub(super) fn data(self) -> epoll::EventData {
        epoll::EventData::new_u64(match self {
            Self::Socket(slot) => u64::from(slot) << 2,
            Self::Doorbell(slot) => u64::from(slot) << 2 | 1,
            Self::Source(number) => u64::from(number) << 2 | 2,
            Self::Note => 3,
            Self::Clock => 1 << 2 | 3,
        })
    }

    pub(super) fn of(data: u64) -> Self {
        let number = (data >> 2) as u32;
        match data & 3 {
            0 => Self::Socket(number),
            1 => Self::Doorbell(number),
            2 => Self::Source(number),
            _ if number == 0 => Self::Note,
            _ => Self::Clock,
        }
    }
}

impl Peers {
    /// Adds a peer, and watches its descriptors.
    pub(super) fn add(&mut self, epoll: &OwnedFd, name: NodeName, link: Box<dyn Link>, arena_reader: ArenaReader) -> std::io::Result<()> {
        let slot = self.free.last().copied().unwrap_or(self.slots.len() as Slot);
        epoll::add(epoll, link.as_fd(), Token::Socket(slot).data(), link.interest())?;
        if let Some(doorbell) = link.doorbell()
            && let Err(why) = epoll::add(epoll, doorbell, Token::Doorbell(slot).data(), epoll::EventFlags::IN | epoll::EventFlags::ET)
        {
            let _ = epoll::delete(epoll, link.as_fd());
            return Err(why.into());
        }
        let (departure, reported_dead_at, arena_writer) = (None, None, ArenaWriter::default());
        let (waits, wants_room, unflushed, unread) = (false, false, false, false);
        let over_limit = false;
        let peer = Peer {
            name,
            link,
            waits,
            over_limit,
            wants_room,
            unflushed,
            unread,
            departure,
            reported_dead_at,
            arena_writer,
            arena_reader,
            gathered: Vec::new(),
        };
        self.names.insert(name, slot);
        self.count.fetch_add(1, Ordering::Relaxed);
        match self.free.pop() {
            Some(slot) => self.slots[slot as usize] = Some(peer),
            None => self.slots.push(Some(peer)),
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, epoll: &OwnedFd, name: NodeName) -> Option<Peer> {
        let slot = self.names.remove(&name)?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.free.push(slot);
        let peer = self.slots[slot as usize].take()?;
        // Removed explicitly: other processes may hold copies of the descriptors, so closing this
        // node's would not be enough.
        let _ = epoll::delete(epoll, peer.link.as_fd());
        if let Some(doorbell) = peer.link.doorbell() {
            let _ = epoll::delete(epoll, doorbell);
        }
        Some(peer)
    }

    /// The counter of peers.
    pub(super) fn count(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.count)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn slot(&self, name: NodeName) -> Option<Slot> {
        self.names.get(&name).copied()
    }

    pub(super) fn contains(&self, name: NodeName) -> bool {
        self.names.contains_key(&name)
    }

    pub(super) fn at(&mut self, slot: Slot) -> Option<&mut Peer> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn get(&self, name: NodeName) -> Option<&Peer> {
        self.slots[self.slot(name)? as usize].as_ref()
    }

    pub(super) fn get_mut(&mut self, name: NodeName) -> Option<&mut Peer> {
        let slot = self.slot(name)?;
        self.at(slot)
    }

    pub(super) fn slots(&self) -> std::ops::Range<Slot> {
        0..self.slots.len() as Slot
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.slots.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.slots.iter_mut().flatten()
    }
}
