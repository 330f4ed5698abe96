//! Turns: the amount of one source that is handled before the others get their turn.

use std::time::{Duration, Instant};

/// A turn ends after this cost, in bytes. Each message costs its bytes and [`MESSAGE_COST`].
pub const TURN_BYTES: usize = 32 * 1024;
/// A turn ends after this time.
pub const TURN_TIME: Duration = Duration::from_millis(1);
/// The cost of a message besides its bytes: a turn has at most 64 messages.
pub const MESSAGE_COST: usize = 512;

/// The use of one turn. Pure: the caller supplies the time.
#[derive(Debug, Default)]
pub struct Turn {
    began: Option<Instant>,
    spent: usize,
}

impl Turn {
    /// Adds a message of this cost; the first one begins the turn.
    pub fn spend(&mut self, cost: usize, now: Instant) {
        self.began.get_or_insert(now);
        self.spent = self.spent.saturating_add(cost);
    }

    /// Whether the bytes or the time are used up. A turn without a message is never over.
    pub fn is_over(&self, now: Instant) -> bool {
        self.began.is_some_and(|began| self.spent >= TURN_BYTES || now.saturating_duration_since(began) >= TURN_TIME)
    }

    /// Ends the turn; returns the amount beyond [`TURN_BYTES`].
    pub fn end(&mut self) -> usize {
        let over = self.spent.saturating_sub(TURN_BYTES);
        *self = Self::default();
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_by_bytes() {
        let (mut turn, now) = (Turn::default(), Instant::now());
        assert!(!turn.is_over(now + TURN_TIME), "nothing was handled");
        for _ in 1..TURN_BYTES / MESSAGE_COST {
            turn.spend(MESSAGE_COST, now);
            assert!(!turn.is_over(now));
        }
        turn.spend(MESSAGE_COST + 7, now);
        assert!(turn.is_over(now));
        assert_eq!(turn.end(), 7);
        assert!(!turn.is_over(now));
    }

    #[test]
    fn a_turn_ends_by_time() {
        let (mut turn, now) = (Turn::default(), Instant::now());
        turn.spend(1, now);
        assert!(!turn.is_over(now + TURN_TIME / 2));
        assert!(turn.is_over(now + TURN_TIME));
        assert_eq!(turn.end(), 0);
    }
}
