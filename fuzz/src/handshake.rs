//! What admits a process to main's socket: any packets, from any number of connections.

use strait_protocol::Nonce;

use crate::sources::handshake::{MAX_TOKENS, PACKET, Tokens};

/// Bytes as steps: tokens that main hands out, and first packets of connections. Main cuts off what is longer than its buffer. A packet is accepted exactly if
/// it is a token that was handed out, is not among those that were forgotten, and has not been shown before.
pub fn packets(bytes: &[u8]) {
    let mut tokens = Tokens::default();
    let mut outstanding: Vec<Nonce> = Vec::new();
    let mut rest = bytes;
    while let [step, behind @ ..] = rest {
        rest = behind;
        let index = usize::from(*step >> 3);
        match step & 7 {
            0 => {
                // As many as a program with many windows could need.
                for number in 0..=index * 16 {
                    issue(&mut tokens, &mut outstanding, nonce(rest, number));
                }
            }
            1 => issue(&mut tokens, &mut outstanding, nonce(rest, 0)),
            2 => show(&mut tokens, &mut outstanding, &rest[..rest.len().min(index)]),
            3 => {
                // One that is known, but for its length or a bit of it.
                if let Some(token) = outstanding.get(index % outstanding.len().max(1)).copied() {
                    let packet = [&token[..], rest].concat();
                    let length = rest.first().map_or(0, |byte| usize::from(byte % 20));
                    show(&mut tokens, &mut outstanding, &packet[..length.min(packet.len())]);
                }
            }
            4 => {
                if let Some(mut token) = outstanding.get(index % outstanding.len().max(1)).copied() {
                    let at = rest.first().map_or(0, |byte| usize::from(byte % 128));
                    token[at / 8] ^= 1 << (at % 8);
                    show(&mut tokens, &mut outstanding, &token);
                }
            }
            _ => {
                if let Some(token) = outstanding.get(index % outstanding.len().max(1)).copied() {
                    show(&mut tokens, &mut outstanding, &token);
                    assert!(!tokens.redeem(&token) || outstanding.contains(&token), "a token was good twice");
                    forget(&mut outstanding, &token);
                }
            }
        }
    }
    for token in outstanding {
        assert!(tokens.redeem(&token), "a token was forgotten");
    }
}

fn nonce(bytes: &[u8], number: usize) -> Nonce {
    let mut nonce = Nonce::default();
    nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    nonce[14] ^= (number >> 8) as u8;
    nonce[15] ^= number as u8;
    nonce
}

fn issue(tokens: &mut Tokens, outstanding: &mut Vec<Nonce>, token: Nonce) {
    tokens.add(token);
    if outstanding.len() == MAX_TOKENS {
        outstanding.remove(0);
    }
    outstanding.push(token);
}

fn show(tokens: &mut Tokens, outstanding: &mut Vec<Nonce>, packet: &[u8]) {
    // As `recv` does with the buffer that the listener gives it.
    let packet = &packet[..packet.len().min(PACKET)];
    let good = outstanding.iter().any(|token| token == packet);
    assert_eq!(tokens.redeem(packet), good, "{}", packet.escape_ascii());
    forget(outstanding, packet);
}

/// Removes one.
fn forget(outstanding: &mut Vec<Nonce>, packet: &[u8]) {
    if let Some(place) = outstanding.iter().position(|token| token == packet) {
        outstanding.remove(place);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_and_their_mutants() {
        let seeds = [
            ("token", &b"\x01AAAAAAAAAAAAAAAA\x05\x05"[..]),
            ("forged", b"\x01AAAAAAAAAAAAAAAA\x82AAAAAAAAAAAAAAAA\x82BBBBBBBBBBBBBBBB"),
            ("longer", b"\x01AAAAAAAAAAAAAAAA\x03\x11\x03\x0f\x03\x10"),
            ("near", b"\x01AAAAAAAAAAAAAAAA\x04\x07\x04\x7f\x05"),
            ("many", b"\xf8AAAAAAAAAAAAAAAA\x85\x0d\x05\x2d"),
            ("empty", b"\x02\x03\x04\x05"),
        ];
        crate::replay("handshake", &seeds.map(|(name, bytes)| (name.into(), bytes.into())), 20_000, super::packets);
    }
}
