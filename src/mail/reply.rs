//! What a relay answers (RFC 5321 §4.2), without anybody's address.

use crate::address::Address;
use std::fmt;

/// The longest text that is kept.
const MAX_CHARS: usize = 300;
/// With this a relay closes the connection (RFC 5321 §3.8).
pub(super) const CLOSES: u16 = 421;

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

    /// Whether the relay closes the connection with it.
    pub fn closes(&self) -> bool {
        self.code == CLOSES
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Removes addresses from what a relay says, and what is left of the recipient's standing alone:
/// the local part (“user kim unknown”), with and without its tag, and the domain (“name service
/// error for name=example.org”), so that it can be kept and shown (S19).
pub(super) fn scrub(text: &str, recipient: Option<&Address>) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let traces = recipient.map(Traces::of);
    let words: Vec<String> = shown.split_whitespace().map(|word| scrub_word(word, traces.as_ref())).collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}

fn scrub_word(word: &str, traces: Option<&Traces>) -> String {
    const PUNCTUATION: &str = "<>()[]{}\"'“”‘’`,;:.!?";
    let core = word.trim_matches(|c| PUNCTUATION.contains(c));
    let folded = core.to_lowercase();
    let is_address = folded.contains('@') || folded.contains("=40") || folded.contains("%40");
    let names_recipient = traces.is_some_and(|traces| traces.are_in(&folded));
    if core.is_empty() || !(is_address || names_recipient) { word.to_owned() } else { word.replace(core, "…") }
}

/// What would give a recipient away, in lower case.
struct Traces {
    /// The local part, and what is before its tag.
    locals: [String; 2],
    /// The domain as A-labels and as people read it.
    domains: [String; 2],
}

impl Traces {
    fn of(recipient: &Address) -> Self {
        let (local, domain) = (recipient.local().to_lowercase(), recipient.domain().to_lowercase());
        let untagged = local.split('+').next().filter(|untagged| !untagged.is_empty()).unwrap_or(&local).to_owned();
        let readable = idna::domain_to_unicode(&domain).0;
        Self { locals: [local, untagged], domains: [domain, readable] }
    }

    /// Whether a word in lower case names the recipient, also inside of something else:
    /// “local=domain” of a bounce address, “to=<kim”, “mx.example.org”.
    fn are_in(&self, word: &str) -> bool {
        self.locals.iter().any(|local| stands_in(word, local)) || self.domains.iter().any(|domain| word.contains(domain.as_str()))
    }
}

/// Whether a local part stands in a word by itself: “5” is not in “5.1.1”.
fn stands_in(word: &str, local: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || ".-_".contains(c));
    word.match_indices(local).any(|(at, _)| !goes_on(word[..at].chars().next_back()) && !goes_on(word[at + local.len()..].chars().next()))
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
        let tagged = Address::parse("kim+news@bücher.example").unwrap();
        for (said, kept) in [
            ("5.1.1 user kim+news unknown", "5.1.1 user … unknown"),
            ("5.1.1 user Kim unknown, not kimchi", "5.1.1 user … unknown, not kimchi"),
            ("4.4.3 Name service error for name=xn--bcher-kva.example type=MX", "4.4.3 Name service error for … type=MX"),
            ("connect to mx.BÜCHER.example[192.0.2.1]:25: timed out", "connect to …: timed out"),
        ] {
            assert_eq!(Reply::new(450, said, &tagged).text, kept);
        }
        assert_eq!(Reply::new(550, "5.1.1 no 5 here", &Address::parse("5@example.org").unwrap()).text, "5.1.1 no … here");
        assert_eq!(scrub(&"long ".repeat(200), None).len(), MAX_CHARS);
    }
}
