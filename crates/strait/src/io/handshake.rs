//! The packets that admit a process: issued tokens, each valid once. Pure; `fuzz/src/handshake.rs`
//! compiles this file too.

use std::collections::VecDeque;

use strait_protocol::Nonce;

/// The limit of issued and unused tokens. A further one invalidates the oldest, whose process never
/// started.
pub(crate) const MAX_TOKENS: usize = 256;

/// Bytes to receive a token into: one more than a token has, so that a longer packet is detected.
pub(crate) const PACKET: usize = size_of::<Nonce>() + 1;

/// The issued and unused tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens(VecDeque<Nonce>);

impl Tokens {
    /// Adds an issued token.
    pub(crate) fn add(&mut self, token: Nonce) {
        if self.0.len() == MAX_TOKENS {
            self.0.pop_front();
        }
        self.0.push_back(token);
    }

    /// Whether a process's first packet is a valid token, which is invalid afterwards.
    pub(crate) fn redeem(&mut self, packet: &[u8]) -> bool {
        let place = self.0.iter().position(|token| token == packet);
        place.is_some_and(|place| self.0.remove(place).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_once() {
        let mut tokens = Tokens::default();
        let (one, two) = ([1; 16], [2; 16]);
        tokens.add(one);
        tokens.add(two);
        assert!(!tokens.redeem(&one[..15]));
        assert!(!tokens.redeem(&[1; PACKET]));
        assert!(!tokens.redeem(&[]));
        assert!(tokens.redeem(&one));
        assert!(!tokens.redeem(&one));
        assert!(tokens.redeem(&two));
    }

    #[test]
    fn unused_tokens_are_bounded() {
        let mut tokens = Tokens::default();
        (0..=MAX_TOKENS).for_each(|n| tokens.add((n as u128).to_le_bytes()));
        assert!(!tokens.redeem(&0_u128.to_le_bytes()) && tokens.redeem(&1_u128.to_le_bytes()));
    }
}
