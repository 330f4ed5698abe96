//! The order of the program's queued entries: lanes that are served in turns.
//!
//! Entries of one lane keep their order. Lanes are served round robin, one [`Turn`] each. A lane
//! that spends more than its turn, because one entry is large, is passed over until the excess is
//! paid. A *barrier* keeps its place among all lanes: it follows everything that was pushed before
//! it and precedes everything pushed after it.
//!
//! Pure: the caller supplies the time.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use strait_child::turn::{TURN_BYTES, Turn};

/// A lane is passed over at most this many times, however large its last entry was.
const MAX_ROUNDS_OWED: usize = 16;

/// The number of a lane: a window's, or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lane(pub(crate) u32);

/// The result of [`FairQueue::next`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Entry(T),
    /// A turn is over and other entries are queued: the caller lets other tasks run, then calls
    /// `next` again.
    TurnOver,
    Empty,
}

/// The queue that the module describes.
#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    /// One more than the number of barriers. Entries are pushed into the last section and taken
    /// from the first.
    sections: VecDeque<Section<T>>,
    /// The amount that the present turn has used.
    turn: Turn,
    /// The lane that has the present turn, while it has more entries.
    served: Option<Lane>,
    len: usize,
    /// The storage of a lane that ran empty, for the next lane.
    spare: VecDeque<Entry<T>>,
}

#[derive(Debug)]
struct Section<T> {
    lanes: HashMap<Lane, Waiting<T>>,
    /// The lanes that have entries, in the order of their turns.
    turns: VecDeque<Lane>,
    /// The barrier that follows all of these.
    barrier: Option<T>,
}

#[derive(Debug)]
struct Waiting<T> {
    entries: VecDeque<Entry<T>>,
    /// Cost that earlier turns spent beyond their limit.
    reserved: usize,
}

#[derive(Debug)]
struct Entry<T> {
    cost: usize,
    value: T,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), turns: VecDeque::new(), barrier: None }
    }
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self { sections: VecDeque::from([Section::default()]), turn: Turn::default(), served: None, len: 0, spare: VecDeque::new() }
    }
}

impl<T> FairQueue<T> {
    /// The number of queued entries.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry behind those of its lane.
    pub(crate) fn push(&mut self, lane: Lane, cost: usize, value: T) {
        self.len += 1;
        let Some(section) = self.sections.back_mut() else { return };
        let spare = &mut self.spare;
        let waiting = section.lanes.entry(lane).or_insert_with(|| {
            section.turns.push_back(lane);
            Waiting { entries: std::mem::take(spare), reserved: 0 }
        });
        waiting.entries.push_back(Entry { cost, value });
    }

    /// Adds an entry that comes after everything pushed before it, and before everything pushed
    /// after it.
    pub(crate) fn push_barrier(&mut self, value: T) {
        self.len += 1;
        if let Some(section) = self.sections.back_mut() {
            section.barrier = Some(value);
        }
        self.sections.push_back(Section::default());
    }

    /// Moves the entries of one lane behind those of another.
    pub(crate) fn join(&mut self, from: Lane, to: Lane) {
        for section in &mut self.sections {
            let Some(moved) = section.lanes.remove(&from) else { continue };
            section.turns.retain(|lane| *lane != from);
            match section.lanes.get_mut(&to) {
                Some(waiting) => waiting.entries.extend(moved.entries),
                None => {
                    section.lanes.insert(to, moved);
                    section.turns.push_back(to);
                }
            }
        }
        self.served.take_if(|lane| *lane == from);
    }

    /// The next entry, or the end of a turn.
    pub(crate) fn next(&mut self, now: Instant) -> Next<T> {
        if self.turn.is_over(now) {
            self.end_turn();
            return if self.len == 0 { Next::Empty } else { Next::TurnOver };
        }
        let Some(section) = self.sections.front_mut() else { return Next::Empty };
        // Pays the lanes' excess: one turn's worth each time a lane is passed over.
        while let Some(lane) = section.turns.front().copied()
            && section.turns.len() > 1
            && let Some(waiting) = section.lanes.get_mut(&lane)
            && waiting.reserved > 0
        {
            waiting.reserved = waiting.reserved.saturating_sub(TURN_BYTES);
            section.turns.rotate_left(1);
        }
        let Some(lane) = section.turns.front().copied() else {
            let Some(barrier) = section.barrier.take() else { return Next::Empty };
            self.sections.pop_front();
            self.len -= 1;
            return Next::Entry(barrier);
        };
        let Some(waiting) = section.lanes.get_mut(&lane) else { return Next::Empty };
        let Some(Entry { cost, value }) = waiting.entries.pop_front() else { return Next::Empty };
        self.len -= 1;
        self.turn.spend(cost, now);
        self.served = Some(lane);
        if waiting.entries.is_empty() {
            section.turns.pop_front();
            self.spare = section.lanes.remove(&lane).map(|waiting| waiting.entries).unwrap_or_default();
            self.served = None;
            if !section.turns.is_empty() {
                // An empty lane ends its turn.
                self.turn.spend(TURN_BYTES, now);
            }
        }
        Next::Entry(value)
    }

    /// All entries, in unspecified order.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        self.len = 0;
        let sections = std::mem::replace(&mut self.sections, VecDeque::from([Section::default()]));
        let entries = |section: Section<T>| {
            let values = section.lanes.into_values().flat_map(|waiting| waiting.entries).map(|entry| entry.value);
            values.chain(section.barrier).collect::<Vec<_>>()
        };
        sections.into_iter().flat_map(entries).collect()
    }

    /// The lane that was served goes behind the others. An emptied lane has been removed already,
    /// with its excess.
    fn end_turn(&mut self) {
        let over = self.turn.end();
        let (Some(section), Some(lane)) = (self.sections.front_mut(), self.served.take()) else { return };
        if let Some(waiting) = section.lanes.get_mut(&lane) {
            waiting.reserved = over.min(MAX_ROUNDS_OWED * TURN_BYTES);
            section.turns.rotate_left(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use strait_child::turn::{MESSAGE_COST, TURN_TIME};

    use super::*;

    const A_TURN: usize = TURN_BYTES / MESSAGE_COST;

    fn queue(entries: &[(u32, usize, usize)]) -> FairQueue<(u32, usize)> {
        let mut queue = FairQueue::default();
        for &(lane, count, cost) in entries {
            (0..count).for_each(|number| queue.push(Lane(lane), cost, (lane, number)));
        }
        queue
    }

    /// All entries in order; each takes `each` to handle.
    fn order(queue: &mut FairQueue<(u32, usize)>, each: Duration) -> Vec<(u32, usize)> {
        let (mut now, mut order) = (Instant::now(), Vec::new());
        loop {
            match queue.next(now) {
                Next::Entry(entry) => order.push(entry),
                Next::TurnOver => {}
                Next::Empty => return order,
            }
            now += each;
        }
    }

    /// The lanes in the order of their turns, and the number of entries in each turn.
    fn turns(order: &[(u32, usize)]) -> Vec<(u32, usize)> {
        let parts = order.chunk_by(|(one, _), (two, _)| one == two);
        parts.map(|part| (part[0].0, part.len())).collect()
    }

    #[test]
    fn a_flood_is_passed_after_one_turn() {
        let mut queue = queue(&[(1, 10_000, MESSAGE_COST), (2, 1, MESSAGE_COST)]);
        let order = order(&mut queue, Duration::ZERO);
        assert_eq!(turns(&order), [(1, A_TURN), (2, 1), (1, 10_000 - A_TURN)]);
        assert!(order.iter().filter(|(lane, _)| *lane == 1).map(|(_, number)| *number).eq(0..10_000), "a lane keeps its order");
    }

    #[test]
    fn slow_entries_end_a_turn_by_time() {
        let mut queue = queue(&[(1, 100, 1), (2, 2, 1), (3, 1, 1)]);
        let order = order(&mut queue, TURN_TIME);
        assert_eq!(turns(&order)[..5], [(1, 1), (2, 1), (3, 1), (1, 1), (2, 1)]);
    }

    #[test]
    fn a_large_entry_is_paid_by_later_turns() {
        let mut queue = queue(&[(1, 2, 3 * TURN_BYTES), (2, 10 * A_TURN, MESSAGE_COST)]);
        let order = order(&mut queue, Duration::ZERO);
        assert_eq!(turns(&order), [(1, 1), (2, 3 * A_TURN), (1, 1), (2, 7 * A_TURN)]);
    }

    #[test]
    fn what_a_lane_owes_has_a_limit() {
        let mut queue = queue(&[(1, 2, 1 << 30), (2, 100 * A_TURN, MESSAGE_COST)]);
        let order = order(&mut queue, Duration::ZERO);
        assert_eq!(turns(&order)[1], (2, (MAX_ROUNDS_OWED + 1) * A_TURN));
        // A single lane is served whatever its excess.
        let mut queue = self::queue(&[(1, 3, 1 << 30)]);
        assert_eq!(self::order(&mut queue, Duration::ZERO).len(), 3);
    }

    #[test]
    fn a_turn_over_is_reported_once() {
        let mut queue = queue(&[(1, 1, 1), (2, 1, 1)]);
        let now = Instant::now();
        let next: Vec<_> = (0..4).map(|_| queue.next(now)).collect();
        assert_eq!(next, [Next::Entry((1, 0)), Next::TurnOver, Next::Entry((2, 0)), Next::Empty]);
        queue.push(Lane(3), 1, (3, 0));
        assert_eq!(queue.next(now), Next::Entry((3, 0)));
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn joined_lanes_are_one() {
        let mut queue = queue(&[(1, 2, MESSAGE_COST), (2, 2, MESSAGE_COST)]);
        queue.push_barrier((9, 0));
        queue.push(Lane(2), MESSAGE_COST, (2, 2));
        assert_eq!(queue.next(Instant::now()), Next::Entry((1, 0)));
        queue.join(Lane(2), Lane(1));
        queue.push(Lane(1), MESSAGE_COST, (1, 2));
        let order = order(&mut queue, Duration::ZERO);
        assert_eq!(order, [(1, 1), (2, 0), (2, 1), (9, 0), (2, 2), (1, 2)]);
    }

    #[test]
    fn a_barrier_keeps_its_place() {
        let mut queue = queue(&[(1, 3, MESSAGE_COST), (2, 1, MESSAGE_COST)]);
        queue.push_barrier((9, 0));
        queue.push(Lane(2), 1, (2, 1));
        queue.push_barrier((9, 1));
        queue.push_barrier((9, 2));
        let order = order(&mut queue, Duration::ZERO);
        assert_eq!(order, [(1, 0), (1, 1), (1, 2), (2, 0), (9, 0), (2, 1), (9, 1), (9, 2)]);
        queue.push(Lane(1), 1, (1, 7));
        queue.push_barrier((9, 3));
        assert_eq!((queue.drain().len(), queue.len()), (2, 0));
    }
}
