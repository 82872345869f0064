//! Tokens: what a link in a mail proves. No number in a URL is authority by itself.

use super::{Vault, encode, mac};
use crate::clock::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

const MAC: usize = 32;
const HEAD: usize = 16;
/// Longer than any token we make.
const MAX_TEXT: usize = 512;

/// What a token may be used for. A token made for one purpose fails for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Leave: the subject is a person. Never expires.
    Unsubscribe,
    /// Confirm a sign-up: the subject is its row.
    Confirm,
    /// Change choices: the subject is a person.
    Preferences,
    /// Approve what a petition will send: see `petition`.
    Approve,
    /// Stop a petition: see `petition`.
    Stop,
    /// "I have done it": the subject is a person, the note petition and edition.
    Act,
    /// When a form was made, against robots.
    FormAge,
    /// The envelope sender of a delivery.
    Bounce,
    /// See an article that is not public yet: the subject is its row.
    Preview,
}

impl Purpose {
    fn label(self) -> &'static str {
        match self {
            Self::Unsubscribe => "unsubscribe",
            Self::Confirm => "confirm",
            Self::Preferences => "preferences",
            Self::Approve => "approve",
            Self::Stop => "stop",
            Self::Act => "act",
            Self::FormAge => "form",
            Self::Bounce => "bounce",
            Self::Preview => "preview",
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// What it may be used for.
    pub purpose: Purpose,
    /// A row, by the purpose.
    pub subject: i64,
    /// More, by the purpose. It can be read by who holds the token.
    pub note: String,
    /// Until when, in Unix milliseconds; `None` for ever.
    pub expires: Option<i64>,
}

impl Claims {
    /// Claims that never expire.
    pub fn lasting(purpose: Purpose, subject: i64) -> Self {
        Self { purpose, subject, note: String::new(), expires: None }
    }

    /// Claims that hold until an instant.
    pub fn until(purpose: Purpose, subject: i64, expires: Timestamp) -> Self {
        Self { purpose, subject, note: String::new(), expires: Some(expires.as_millis()) }
    }

    /// The same claims with a note.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// Not ours, changed, cut short, or made for something else.
    #[error("the link is not complete or not ours")]
    Invalid,
    /// It was ours, but its time is over.
    #[error("the link is too old")]
    Expired,
}

impl Vault {
    /// Makes the token of some claims, in letters that a URL carries as they are. The same
    /// claims give the same token.
    pub fn token(&self, claims: &Claims) -> String {
        let payload = payload(claims);
        // A keyring is never empty, so neither is this list.
        let key = &self.0.tokens[self.0.tokens.len() - 1];
        let mac = mac(key, &[claims.purpose.label().as_bytes(), &payload]);
        encode(&[&payload[..], &mac].concat())
    }

    /// Reads a token that must have been made for `purpose`.
    pub fn read_token(&self, purpose: Purpose, token: &str, now: Timestamp) -> Result<Claims, TokenRefused> {
        if token.len() > MAX_TEXT {
            return Err(TokenRefused::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenRefused::Invalid)?;
        let at = bytes.len().checked_sub(MAC).ok_or(TokenRefused::Invalid)?;
        let (payload, found) = bytes.split_at(at);
        let genuine = self.0.tokens.iter().any(|key| mac(key, &[purpose.label().as_bytes(), payload]).ct_eq(found).into());
        if !genuine {
            return Err(TokenRefused::Invalid);
        }
        let claims = parse(purpose, payload).ok_or(TokenRefused::Invalid)?;
        match claims.expires {
            Some(expires) if expires < now.as_millis() => Err(TokenRefused::Expired),
            _ => Ok(claims),
        }
    }
}

/// Subject and expiry as big-endian integers (expiry 0: never), then the note.
fn payload(claims: &Claims) -> Vec<u8> {
    let mut bytes = claims.subject.to_be_bytes().to_vec();
    bytes.extend(claims.expires.unwrap_or(0).to_be_bytes());
    bytes.extend(claims.note.as_bytes());
    bytes
}

fn parse(purpose: Purpose, payload: &[u8]) -> Option<Claims> {
    let (head, note) = payload.split_at_checked(HEAD)?;
    let (subject, expires) = head.split_at(8);
    let expires = i64::from_be_bytes(expires.try_into().ok()?);
    Some(Claims {
        purpose,
        subject: i64::from_be_bytes(subject.try_into().ok()?),
        note: String::from_utf8(note.to_vec()).ok()?,
        expires: (expires != 0).then_some(expires),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{Keyring, random};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_token_is_read_back_for_its_own_purpose_only() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let claims = Claims::lasting(Purpose::Unsubscribe, 42).with_note("news");
        let token = vault.token(&claims);
        assert_eq!(vault.read_token(Purpose::Unsubscribe, &token, NOW), Ok(claims));
        for other in [
            Purpose::Confirm,
            Purpose::Preferences,
            Purpose::Approve,
            Purpose::Stop,
            Purpose::Act,
            Purpose::FormAge,
            Purpose::Bounce,
            Purpose::Preview,
        ] {
            assert_eq!(vault.read_token(other, &token, NOW), Err(TokenRefused::Invalid));
        }
    }

    #[test]
    fn a_token_ends_at_its_time() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let token = vault.token(&Claims::until(Purpose::Confirm, 1, NOW));
        assert!(vault.read_token(Purpose::Confirm, &token, NOW).is_ok());
        let later = Timestamp::from_millis(NOW.as_millis() + 1);
        assert_eq!(vault.read_token(Purpose::Confirm, &token, later), Err(TokenRefused::Expired));
    }

    #[test]
    fn no_changed_token_is_accepted() {
        let vault = Vault::from_keyring(&Keyring::generate());
        let claims = Claims::lasting(Purpose::Unsubscribe, 42);
        let token = vault.token(&claims);
        let genuine = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for _ in 0..20_000 {
            let [at, with, cut, ..] = random::<8>();
            let mut bytes = genuine.clone();
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= with.max(1);
            bytes.truncate(bytes.len() - usize::from(cut % 3));
            assert_eq!(vault.read_token(Purpose::Unsubscribe, &encode(&bytes), NOW), Err(TokenRefused::Invalid));
        }
        for odd in ["", "A", "====", "日本", &token[1..], &format!("{token}="), &"A".repeat(4096)] {
            assert_eq!(vault.read_token(Purpose::Unsubscribe, odd, NOW), Err(TokenRefused::Invalid), "{odd}");
        }
    }
}
