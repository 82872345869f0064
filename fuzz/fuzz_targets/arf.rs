//! Complaints: the machine's part, and the head of the mail complained of.
#![no_main]

use clarion::address::Address;
use clarion::inbound::{Doors, Sorted, sort};
use clarion::mail::EnvelopePattern;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static DOORS: LazyLock<Doors> = LazyLock::new(|| Doors {
    envelope: EnvelopePattern::parse("bounces+{token}@example.org").unwrap(),
    own: Address::parse("news@example.org").unwrap(),
    join: Address::parse("join@example.org").ok(),
    leave: Address::parse("leave@example.org").ok(),
});

const HEAD: &[u8] =
    b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n";
const BETWEEN: &[u8] = b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n";

fuzz_target!(|data: &[u8]| {
    let (machine, original) = data.split_at(data.len() / 2);
    match sort(&[HEAD, machine, BETWEEN, original].concat(), &DOORS) {
        Sorted::Complaint { tokens } => assert!(tokens.iter().flatten().all(|token| token.len() == 24)),
        Sorted::Join { .. } | Sorted::Leave { .. } | Sorted::Confirm { .. } | Sorted::AskToLeave { .. } => panic!("a report wants nothing"),
        _ => {}
    }
});
