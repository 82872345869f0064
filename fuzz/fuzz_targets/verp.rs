//! Tokens of envelope senders: whatever is believed was made by us, letter for letter.
#![no_main]

use clarion::delivery::{ClaimedToken, Subject, bounce_token};
use clarion::mail::EnvelopePattern;
use clarion::vault::{Keyring, Vault};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::from_keyring(&Keyring::generate()));
static PATTERN: LazyLock<EnvelopePattern> = LazyLock::new(|| EnvelopePattern::parse("Bounces+{token}@example.org").unwrap());

fn subject(delivery: i64) -> Subject<'static> {
    Subject { delivery, mailing_key: "digest:weekly:1", recipient: "p:7" }
}

/// Of a token that is believed, what we would have written.
fn believed(token: &str) -> Option<String> {
    let claimed = ClaimedToken::read(token)?;
    claimed.is_for(&VAULT, subject(claimed.delivery)).then(|| bounce_token(&VAULT, subject(claimed.delivery)))
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(ours) = believed(&text) {
        assert_eq!(ours, text.to_lowercase());
    }
    if let Some(inner) = PATTERN.token_in(&text) {
        assert_eq!(text.to_lowercase(), format!("bounces+{inner}@example.org"));
    }
    // A genuine one with the input laid over it.
    let genuine = bounce_token(&VAULT, subject(42));
    assert_eq!(believed(&genuine).as_ref(), Some(&genuine));
    let mut changed = genuine.clone().into_bytes();
    changed.iter_mut().zip(data).for_each(|(letter, octet)| *letter ^= octet & 0x1f);
    if let Ok(changed) = String::from_utf8(changed)
        && changed.to_lowercase() != genuine
    {
        assert_eq!(believed(&changed), None);
    }
});
