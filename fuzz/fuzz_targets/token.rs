//! Tokens of links: none that we did not make is accepted.
#![no_main]

use clarion::clock::Timestamp;
use clarion::vault::{Claims, Keyring, Purpose, Vault};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static VAULT: LazyLock<Vault> = LazyLock::new(|| Vault::from_keyring(&Keyring::generate()));

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let text = String::from_utf8_lossy(data);
    assert!(VAULT.read_token(Purpose::Unsubscribe, &text, now).is_err());
    let note: String = text.chars().take(100).collect();
    let claims = Claims::lasting(Purpose::Confirm, i64::try_from(data.len()).unwrap()).with_note(note);
    let token = VAULT.token(&claims);
    assert!(VAULT.read_token(Purpose::Unsubscribe, &token, now).is_err());
    if token.len() <= 512 {
        assert_eq!(VAULT.read_token(Purpose::Confirm, &token, now), Ok(claims));
    }
});
