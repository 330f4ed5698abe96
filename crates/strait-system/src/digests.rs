//! Digests of bytes, as in Node's `crypto` (<https://nodejs.org/api/crypto.html>).

use hmac::{Hmac, Mac};
use md5::Md5;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::{Call, Gives, Outcome};

fn of(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    Some(match name {
        "md5" => Md5::digest(data).to_vec(),
        "sha1" => Sha1::digest(data).to_vec(),
        "sha256" => Sha256::digest(data).to_vec(),
        "sha384" => Sha384::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        _ => return None,
    })
}

/// The HMAC (RFC 2104) with a key of any length.
fn with_key(name: &str, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    fn keyed<M: Mac + hmac::digest::KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let mut mac = <M as Mac>::new_from_slice(key).ok()?;
        mac.update(data);
        Some(mac.finalize().into_bytes().to_vec())
    }
    match name {
        "md5" => keyed::<Hmac<Md5>>(key, data),
        "sha1" => keyed::<Hmac<Sha1>>(key, data),
        "sha256" => keyed::<Hmac<Sha256>>(key, data),
        "sha384" => keyed::<Hmac<Sha384>>(key, data),
        "sha512" => keyed::<Hmac<Sha512>>(key, data),
        _ => None,
    }
}

/// `first`: the algorithm. Gives hexadecimal digits; null for an unknown algorithm.
pub(crate) fn digest(call: &Call) -> Outcome {
    Ok(Gives::Json(json!(of(&call.first, &call.data).map(|bytes| hexadecimal(&bytes)))))
}

/// Like `digest`, with a key: the first `numbers[0]` bytes of `data`.
pub(crate) fn hmac(call: &Call) -> Outcome {
    let parts = call.data.split_at_checked(call.numbers[0] as usize);
    let bytes = parts.and_then(|(key, data)| with_key(&call.first, key, data));
    Ok(Gives::Json(json!(bytes.map(|bytes| hexadecimal(&bytes)))))
}

/// Two hexadecimal digits for each byte.
fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // Test vectors of RFC 1321, FIPS 180-2, RFC 2202 and RFC 4231.
        let of = |name: &str, data: &str| of(name, data.as_bytes()).map(|bytes| hexadecimal(&bytes)).unwrap_or_default();
        assert_eq!(of("md5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(of("sha1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(of("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(of("sha384", "abc").starts_with("cb00753f45a35e8b") && of("sha512", "abc").starts_with("ddaf35a193617aba"));
        assert_eq!(of("sha3", "abc"), "");
        let keyed =
            |name: &str| with_key(name, b"Jefe", b"what do ya want for nothing?").map(|bytes| hexadecimal(&bytes)).unwrap_or_default();
        assert_eq!(keyed("md5"), "750c783e6ab0b503eaa86e310a5db738");
        assert_eq!(keyed("sha1"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert!(keyed("sha256").starts_with("5bdcc146bf60754e") && keyed("sha512").starts_with("164b7a7bfcf819e2"));
    }
}
