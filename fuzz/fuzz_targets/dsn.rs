//! Messages that come in: as they are, and as the machine's part of a delivery report. None may be
//! taken for a wish of a person, and what is read of a report is bounded.
#![no_main]

use clarion::address::Address;
use clarion::inbound::{Doors, Letter, Sorted, sort};
use clarion::mail::EnvelopePattern;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static DOORS: LazyLock<Doors> = LazyLock::new(|| Doors {
    envelope: EnvelopePattern::parse("bounces+{token}@example.org").unwrap(),
    own: Address::parse("news@example.org").unwrap(),
    join: Address::parse("join@example.org").ok(),
    leave: Address::parse("leave@example.org").ok(),
});

const HEAD: &[u8] = b"To: bounces+abcdefghijklmnopqrstuvwx@example.org\r\nContent-Type: multipart/report; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n";

fuzz_target!(|data: &[u8]| {
    sort(data, &DOORS);
    Letter::read(data);
    if let Sorted::Bounce { tokens, diagnosis, .. } = sort(&[HEAD, data].concat(), &DOORS) {
        assert!(tokens.iter().flatten().all(|token| token.len() <= 64) && tokens.iter().flatten().count() <= 60);
        assert!(diagnosis.status.len() <= 11);
    }
});
