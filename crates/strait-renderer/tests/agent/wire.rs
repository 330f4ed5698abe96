//! The few values the tests send and read, written by hand so that nothing of ours is on both sides.

/// A string as V8 writes it (Latin-1 only).
pub(crate) fn of_string(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 15, b'"'];
    varint(&mut bytes, text.len());
    bytes.extend(text.bytes());
    bytes
}

/// The string in a message: Latin-1, UTF-8 or UTF-16.
pub(crate) fn string(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes.strip_prefix(&[0xff, 15])?;
    while let [0, tail @ ..] = rest {
        rest = tail;
    }
    let (tag, rest) = rest.split_first()?;
    let (length, rest) = read_varint(rest)?;
    let data = rest.get(..length)?;
    match tag {
        b'"' => Some(data.iter().map(|&byte| char::from(byte)).collect()),
        b'S' => String::from_utf8(data.to_vec()).ok(),
        b'c' => {
            let units: Vec<u16> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}
