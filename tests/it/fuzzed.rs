//! What the fuzzers in `fuzz/` do without end, done a few thousand times: to real reports, and to
//! real reports with something wrong.

use crate::fuzz_bodies as bodies;
use std::fs;

const TURNS: u64 = 3000;

/// `SplitMix64`.
fn number(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn below(seed: u64, bound: usize) -> usize {
    usize::try_from(number(seed) % bound.max(1) as u64).unwrap()
}

/// An input with one thing wrong: octets changed, cut out, doubled, or put in from another.
fn spoilt(input: &[u8], other: &[u8], turn: u64) -> Vec<u8> {
    let at = below(turn, input.len());
    let end = (at + below(turn ^ 1, 40)).min(input.len());
    let from = below(turn ^ 2, other.len());
    match number(turn ^ 3) % 4 {
        0 => [&input[..at], &number(turn ^ 4).to_le_bytes(), &input[end..]].concat(),
        1 => [&input[..at], &input[end..]].concat(),
        2 => [&input[..end], &input[at..]].concat(),
        _ => [&input[..at], &other[from..], &input[end..]].concat(),
    }
}

fn try_all(fuzzer: impl Fn(&[u8]), inputs: &[Vec<u8>]) {
    for input in inputs {
        fuzzer(input);
    }
    fuzzer(b"");
    for turn in 0..TURNS {
        let (input, other) = (&inputs[below(turn ^ 5, inputs.len())], &inputs[below(turn ^ 6, inputs.len())]);
        fuzzer(&spoilt(input, other, turn));
    }
}

fn reports() -> Vec<Vec<u8>> {
    let files = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/inbound")).unwrap();
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn reports_and_complaints_that_are_spoilt_are_read_all_the_same() {
    try_all(bodies::dsn, &reports());
    try_all(bodies::arf, &reports());
}

#[test]
fn spoilt_tokens_are_not_believed() {
    let inputs = texts(&["bounces+abcdefghijklmnopqrstuvwx@example.org", "abcdefghijklmnopqrstuvwx", "日本語"]);
    try_all(bodies::verp, &inputs);
    try_all(bodies::token, &inputs);
}

#[test]
fn spoilt_replies_name_nobody() {
    let inputs = texts(&[
        "5.1.1 <kim.lee+news@feather.example.org>: Recipient address rejected: User unknown in local recipient table",
        "4.7.1 greylisted, see https://feather.example.org/why?to=kim.lee%2Bnews%40feather.example.org",
        "550-5.7.26 This mail is unauthenticated\n550 5.7.26 xn--bcher-kva.example kim.lee=feather.example.org",
    ]);
    try_all(bodies::smtp_reply, &inputs);
}

#[test]
fn spoilt_addresses_and_schedules_are_refused_or_sound() {
    try_all(bodies::address, &texts(&["Kim Lee <kim.lee+news@feather.example.org>", "kim@bücher.example", "基金 <a@例え.テスト>"]));
    try_all(bodies::cron, &texts(&["0 8 * * Mon", "*/15 0-6,20 1,15 * Tue-Fri", "@weekly", "0 0 29 2 *", "30 2 * * *"]));
}
