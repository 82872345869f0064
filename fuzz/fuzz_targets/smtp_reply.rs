//! What a relay answers: kept in one line, without the recipient, and classified.
#![no_main]

use clarion::address::Address;
use clarion::delivery::Diagnosis;
use clarion::mail::Reply;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KIM: LazyLock<Address> = LazyLock::new(|| Address::parse("kim.lee+news@feather.example.org").unwrap());

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let reply = Reply::new(550, &text, &KIM);
    assert!(!reply.text.contains(char::is_control) && !reply.text.contains('@') && reply.text.chars().count() <= 300);
    assert!(!reply.text.to_lowercase().contains("feather.example.org"));
    assert!(Diagnosis::of_reply(&reply.to_string()).is_some());
    Diagnosis::of_reply(&text);
    let (status, diagnostic) = text.split_once('\n').unwrap_or((&text, ""));
    Diagnosis::of_report(status, Some(diagnostic));
});
