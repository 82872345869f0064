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

/// What a token is made for. The number alone would do until a database is restored from a
/// backup: the same numbers then name mails to other people.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The number of the delivery.
    pub delivery: i64,
    /// What makes its mailing itself.
    pub mailing_key: &'a str,
    /// Whom it is to, as the ledger has it.
    pub recipient: &'a str,
}

/// The token of a delivery: 24 letters and digits.
pub fn bounce_token(vault: &Vault, subject: Subject<'_>) -> String {
    let number = subject.delivery.to_be_bytes();
    let mut bytes = [0; NUMBER + PROOF];
    bytes[..NUMBER].copy_from_slice(&number[8 - NUMBER..]);
    bytes[NUMBER..].copy_from_slice(&proof(vault, subject));
    encode(&bytes)
}

/// A token as it was written, of which nothing is proven yet.
#[derive(Clone, Copy, Debug)]
pub struct ClaimedToken {
    /// The delivery that it names.
    pub delivery: i64,
    proof: [u8; PROOF],
}

impl ClaimedToken {
    /// Reads a token in whatever case.
    pub fn read(token: &str) -> Option<Self> {
        let bytes = decode(token)?;
        let delivery = bytes[..NUMBER].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
        let proof = bytes[NUMBER..].try_into().ok()?;
        Some(Self { delivery, proof })
    }

    /// Whether it was made for this.
    pub fn is_for(&self, vault: &Vault, subject: Subject<'_>) -> bool {
        self.delivery == subject.delivery && bool::from(proof(vault, subject).ct_eq(&self.proof))
    }
}

/// Eighty bits of the vault's keyed hash.
fn proof(vault: &Vault, Subject { delivery, mailing_key, recipient }: Subject<'_>) -> [u8; PROOF] {
    let name = vault.identity("bounce", &[&delivery.to_string(), mailing_key, recipient]);
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

    const KIM: Subject<'static> = Subject { delivery: 42, mailing_key: "digest:1", recipient: "p:7" };

    fn is_believed(vault: &Vault, token: &str, subject: Subject<'_>) -> bool {
        ClaimedToken::read(token).is_some_and(|claimed| claimed.is_for(vault, subject))
    }

    #[test]
    fn a_token_names_its_delivery_in_any_case_and_fits_a_local_part() {
        let vault = Vault::from_keyring(&Keyring::generate());
        for delivery in [1, 42, 1_000_000, (1 << 40) - 1] {
            let subject = Subject { delivery, ..KIM };
            let token = bounce_token(&vault, subject);
            assert_eq!(token.len(), TOKEN);
            assert!(token.bytes().all(|byte| ALPHABET.contains(&byte)));
            assert_eq!(ClaimedToken::read(&token).map(|claimed| claimed.delivery), Some(delivery));
            assert!(is_believed(&vault, &token, subject) && is_believed(&vault, &token.to_uppercase(), subject));
        }
    }

    #[test]
    fn no_other_token_is_believed() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let token = bounce_token(&vault, KIM);
        for at in 0..TOKEN {
            for letter in ALPHABET {
                let mut changed = token.clone().into_bytes();
                changed[at] = *letter;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(is_believed(&vault, &changed, KIM), changed == token);
            }
        }
        let other = Vault::from_keyring(&Keyring::generate());
        for wrong in ["", "a", &token[1..], &format!("{token}a"), &"a".repeat(TOKEN), "日本語日本語日本", &bounce_token(&other, KIM)]
        {
            assert!(!is_believed(&vault, wrong, KIM), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_for_one_mailing_and_one_recipient_whatever_else_has_its_number() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let token = bounce_token(&vault, KIM);
        for other in [Subject { mailing_key: "digest:2", ..KIM }, Subject { recipient: "p:8", ..KIM }, Subject { delivery: 43, ..KIM }] {
            assert!(!is_believed(&vault, &token, other), "{other:?}");
        }
    }
}
