//! Envelope senders that name a delivery: a bounce is believed by its token alone (S11).
//!
//! Relays change the case of addresses, so the token is base32 (RFC 4648 §6) in lower case:
//! forty bits of the delivery's number and eighty of a keyed hash.

use crate::vault::Vault;
use subtle::ConstantTimeEq as _;

/// What stands before the token in an address by which its recipient leaves.
pub const LEAVE: &str = "leave-";
/// What stands before the token in an address by which its recipient confirms.
pub const CONFIRM: &str = "confirm-";

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const NUMBER: usize = 5;
const PROOF: usize = 10;
/// Octets of a token: fifteen in base32.
const TOKEN: usize = 24;

/// The token of a delivery: 24 letters and digits.
pub fn bounce_token(vault: &Vault, delivery: i64) -> String {
    let number = delivery.to_be_bytes();
    let mut bytes = [0; NUMBER + PROOF];
    bytes[..NUMBER].copy_from_slice(&number[8 - NUMBER..]);
    bytes[NUMBER..].copy_from_slice(&proof(vault, delivery));
    encode(&bytes)
}

/// The delivery that a token, in whatever case, was made for.
pub fn read_bounce_token(vault: &Vault, token: &str) -> Option<i64> {
    let bytes = decode(token)?;
    let (number, found) = bytes.split_at(NUMBER);
    let delivery = number.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    bool::from(proof(vault, delivery).ct_eq(found)).then_some(delivery)
}

/// Eighty bits of the vault's keyed hash.
fn proof(vault: &Vault, delivery: i64) -> [u8; PROOF] {
    let name = vault.identity("bounce", &[&delivery.to_string()]);
    let mut proof = [0; PROOF];
    // Four letters of base64url are three octets; the vault never gives fewer than forty.
    for (octets, letters) in proof.chunks_mut(3).zip(name.as_bytes().chunks(4)) {
        let bits = letters.iter().fold(0_u32, |sum, letter| sum << 6 | six_bits(*letter));
        let [_, whole @ ..] = bits.to_be_bytes();
        octets.copy_from_slice(&whole[..octets.len()]);
    }
    proof
}

fn six_bits(letter: u8) -> u32 {
    u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        _ => 63,
    })
}

fn encode(bytes: &[u8]) -> String {
    let letters = bytes.chunks(5).flat_map(|chunk| {
        let bits = chunk.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        (0..8).rev().map(move |at| char::from(ALPHABET[(bits >> (at * 5)) & 31]))
    });
    letters.collect()
}

fn decode(token: &str) -> Option<[u8; NUMBER + PROOF]> {
    if token.len() != TOKEN {
        return None;
    }
    let mut bytes = [0; NUMBER + PROOF];
    for (octets, letters) in bytes.chunks_mut(5).zip(token.as_bytes().chunks(8)) {
        let mut bits = 0_u64;
        for letter in letters {
            let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_lowercase())?;
            bits = bits << 5 | value as u64;
        }
        octets.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Keyring;

    #[test]
    fn a_token_names_its_delivery_in_any_case_and_fits_a_local_part() {
        let vault = Vault::from_keyring(&Keyring::generate());
        for delivery in [1, 42, 1_000_000, (1 << 40) - 1] {
            let token = bounce_token(&vault, delivery);
            assert_eq!(token.len(), TOKEN);
            assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)));
            assert_eq!(read_bounce_token(&vault, &token), Some(delivery));
            assert_eq!(read_bounce_token(&vault, &token.to_uppercase()), Some(delivery));
        }
    }

    #[test]
    fn no_other_token_is_believed() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let token = bounce_token(&vault, 42);
        for at in 0..TOKEN {
            for letter in ALPHABET {
                let mut changed = token.clone().into_bytes();
                changed[at] = *letter;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(read_bounce_token(&vault, &changed), (changed == token).then_some(42));
            }
        }
        let other = Vault::from_keyring(&Keyring::generate());
        for wrong in ["", "a", &token[1..], &format!("{token}a"), &"a".repeat(TOKEN), "日本語日本語日本", &bounce_token(&other, 42)]
        {
            assert_eq!(read_bounce_token(&vault, wrong), None, "{wrong}");
        }
    }
}
