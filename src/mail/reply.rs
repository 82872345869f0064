//! What a relay answers (RFC 5321 §4.2), without anybody's address.

use crate::address::Address;
use std::fmt;

/// The longest text that is kept.
const MAX_CHARS: usize = 300;

/// An answer with its code. The text names nobody and is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// The lines after the code, joined; addresses removed.
    pub text: String,
}

impl Reply {
    /// An answer to something about `recipient`, whose traces in the text are removed.
    pub fn new(code: u16, text: &str, recipient: &Address) -> Self {
        Self { code, text: scrub(text, Some(recipient)) }
    }

    /// Whether it says “not now” (4xx).
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether the relay closes the connection with it (RFC 5321 §3.8).
    pub fn closes(&self) -> bool {
        self.code == 421
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Removes addresses from what a relay says, and the recipient's local part standing alone
/// (“user kim unknown”), so that it can be kept and shown (S19).
pub(super) fn scrub(text: &str, recipient: Option<&Address>) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let local = recipient.map(|recipient| recipient.local().to_lowercase());
    let words: Vec<String> = shown.split_whitespace().map(|word| scrub_word(word, local.as_deref())).collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}

fn scrub_word(word: &str, local: Option<&str>) -> String {
    const PUNCTUATION: &str = "<>()[]{}\"'“”‘’`,;:.!?";
    let core = word.trim_matches(|c| PUNCTUATION.contains(c));
    let folded = core.to_lowercase();
    let is_address = folded.contains('@') || folded.contains("=40") || folded.contains("%40");
    // Also what stands for an address: local=domain in bounce addresses, “to=<kim”.
    let names_recipient = local.is_some_and(|local| folded.split(|c: char| "=<>:,;/+\"'".contains(c)).any(|part| part == local));
    if core.is_empty() || !(is_address || names_recipient) { word.to_owned() } else { word.replace(core, "…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_keeps_its_reason_and_loses_every_address() {
        let kim = Address::parse("kim.lee@example.org").unwrap();
        for (said, kept) in [
            ("5.1.1 <kim.lee@example.org>: Recipient address rejected", "5.1.1 <…>: Recipient address rejected"),
            ("5.1.1 user kim.lee unknown", "5.1.1 user … unknown"),
            ("no mailbox \"KIM.LEE\" here", "no mailbox \"…\" here"),
            ("rejected to=<kim.lee@example.org>, from=<b+kim.lee=example.org@x.example>", "rejected …>, …>"),
            ("see https://example.org/why?to=kim.lee%40example.org", "see …"),
            ("2.0.0 Ok: queued as 4F9D195432", "2.0.0 Ok: queued as 4F9D195432"),
            ("a\r\nb\tc\0", "a b c"),
        ] {
            assert_eq!(Reply::new(550, said, &kim).text, kept);
        }
        assert_eq!(scrub(&"long ".repeat(200), None).len(), MAX_CHARS);
    }
}
