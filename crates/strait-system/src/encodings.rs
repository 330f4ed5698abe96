//! Texts as bytes and back, for engines that interpret: what `js/encodings.js` does letter by letter, at once (https://nodejs.org/api/buffer.html#buffers-and-character-encodings).

/// The bytes of a text in the encoding of that name there; nothing if there is none.
pub fn encode(text: &str, encoding: &str) -> Option<Vec<u8>> {
    Some(match encoding {
        // Of UTF-16's units the lower bytes.
        "latin1" | "ascii" => text.encode_utf16().map(|unit| unit as u8).collect(),
        "utf16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "hex" => from_hexadecimal(text),
        "base64" | "base64url" => from_base64(text),
        _ => return None,
    })
}

/// The text of bytes; nothing if there is no such encoding, or the text is none that Rust has (half a pair of UTF-16's units).
pub fn decode(bytes: &[u8], encoding: &str) -> Option<String> {
    Some(match encoding {
        "latin1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 127)).collect(),
        "utf16le" => {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()?
        }
        "hex" => hexadecimal(bytes),
        "base64" => base64(bytes, b'+', b'/', true),
        "base64url" => base64(bytes, b'-', b'_', false),
        _ => return None,
    })
}

/// Two digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// As far as there are digits, two by two.
fn from_hexadecimal(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.as_bytes().chunks_exact(2).map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn base64(bytes: &[u8], last_but_one: u8, last: u8, padded: bool) -> String {
    let letter = |value: u32| {
        char::from(match value as u8 {
            value @ 0..26 => b'A' + value,
            value @ 26..52 => b'a' + value - 26,
            value @ 52..62 => b'0' + value - 52,
            62 => last_but_one,
            _ => last,
        })
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().zip([16, 8, 0]).fold(0, |bits, (byte, shift)| bits | u32::from(*byte) << shift);
        text.extend([18, 12, 6, 0].iter().take(three.len() + 1).map(|shift| letter(bits >> shift & 63)));
        if padded {
            text.extend(std::iter::repeat_n('=', 3 - three.len()));
        }
    }
    text
}

/// Of either alphabet; other characters are skipped, and behind `=` nothing is looked at.
fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bytes: Vec<u8> = (0..=255).chain([1, 2, 255]).collect();
        for length in 0..bytes.len() {
            for encoding in ["hex", "base64", "base64url", "latin1"] {
                let text = decode(&bytes[..length], encoding).unwrap();
                assert_eq!(encode(&text, encoding).unwrap(), &bytes[..length], "{encoding} {text}");
            }
        }
        assert_eq!(decode(b"\xff\xfe\xfd", "base64").unwrap(), "//79");
        assert_eq!(decode(b"\xff\xfe", "base64url").unwrap(), "__4");
        assert_eq!(decode(b"f", "base64").unwrap(), "Zg==");
        assert_eq!(encode("Z g\n=x", "base64").unwrap(), b"f");
        assert_eq!(encode("0aFfxx00", "hex").unwrap(), [10, 255]);
        assert_eq!(encode("é\u{1f389}", "latin1").unwrap(), [0xe9, 0x3c, 0x89]);
        assert_eq!(encode("a\u{1f389}", "utf16le").unwrap(), [0x61, 0, 0x3c, 0xd8, 0x89, 0xdf]);
        assert_eq!(decode(&[0x61, 0, 0x3c, 0xd8], "utf16le"), None);
        assert_eq!(decode(b"x", "klingon"), None);
    }
}
