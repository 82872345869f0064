//! See `smtp_reply` in `bodies.rs`.
#![no_main]

#[allow(dead_code, reason = "each fuzzer has one of them")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::smtp_reply(data));
