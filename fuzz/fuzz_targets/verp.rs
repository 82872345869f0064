//! Tokens of envelope senders: whatever is read was made by us, letter for letter.
#![no_main]

use clarion::delivery::{bounce_token, read_bounce_token};
use clarion::mail::EnvelopePattern;
use clarion::vault::{Keyring, Vault};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::from_keyring(&Keyring::generate()));
static PATTERN: LazyLock<EnvelopePattern> = LazyLock::new(|| EnvelopePattern::parse("Bounces+{token}@example.org").unwrap());

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(delivery) = read_bounce_token(&VAULT, &text) {
        assert_eq!(bounce_token(&VAULT, delivery), text.to_lowercase());
    }
    if let Some(inner) = PATTERN.token_in(&text) {
        assert_eq!(text.to_lowercase(), format!("bounces+{inner}@example.org"));
    }
    // A genuine one with the input laid over it.
    let genuine = bounce_token(&VAULT, 42);
    let mut changed = genuine.clone().into_bytes();
    changed.iter_mut().zip(data).for_each(|(letter, octet)| *letter ^= octet & 0x1f);
    if let Ok(changed) = String::from_utf8(changed)
        && changed.to_lowercase() != genuine
    {
        assert_eq!(read_bounce_token(&VAULT, &changed), None);
    }
});
