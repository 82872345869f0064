//! Mail addresses: a grammar stricter than RFC 5321 §4.1.2 allows and than lettre checks.
//!
//! No quoted local parts, no comments, no controls, no address literals; the domain as A-labels
//! (UTS 46), so that what is stored, compared and sent is one spelling.

use crate::problem::{FromNode, Reason, Value};
use std::fmt;
use zeroize::Zeroize;

/// An address that Clarion may write to. It is never printed by `Debug`, wiped when dropped,
/// and shown only where somebody asks for [`Address::expose`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Drop for Address {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The longest path that SMTP carries (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_OCTETS: usize = 254;
/// The longest local part (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL: usize = 64;

impl Address {
    /// Parses what a person typed. The message never repeats it, since messages reach logs.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let refusal = |what: &str| Reason::new(what, "write it like name@example.org");
        let (local, domain) = text.trim().rsplit_once('@').ok_or_else(|| refusal("a mail address needs an @"))?;
        if local.is_empty() || local.len() > MAX_LOCAL {
            return Err(refusal("the part of the mail address before the @ is empty or too long"));
        }
        let dots_are_fine = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
        if !dots_are_fine || !local.chars().all(is_atext_or_dot) {
            return Err(refusal("the part of the mail address before the @ has a character that is not allowed there"));
        }
        let domain = idna::domain_to_ascii_strict(domain.trim_end_matches('.'))
            .map_err(|_| refusal("the part of the mail address after the @ is not a domain"))?;
        let labels_are_fine = domain.split('.').count() >= 2 && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
        let top = domain.rsplit('.').next().unwrap_or_default();
        if !labels_are_fine || top.chars().all(|c| c.is_ascii_digit()) {
            return Err(refusal("the part of the mail address after the @ is not a domain"));
        }
        let address = format!("{local}@{domain}");
        if address.len() > MAX_OCTETS {
            return Err(refusal("the mail address is too long"));
        }
        Ok(Self(address))
    }

    /// The address itself. Whoever calls this must not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The domain, as A-labels.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What two spellings of one mailbox have in common, for the lookup index. Providers treat
    /// the local part without regard to case, so people do too.
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

/// RFC 5322 `atext` and the dot; beyond ASCII, letters and digits (RFC 6531), but nothing
/// invisible.
fn is_atext_or_dot(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) } else { c.is_alphanumeric() }
}

/// Says only that there is an address.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl FromNode for Address {
    const EXPECTED: &'static str = "write a mail address like \"name@example.org\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(Self::parse(text))
    }
}

/// An address with the name shown beside it: `LFNKR <news@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown, without controls; empty when there is none.
    pub name: String,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// Parses `Name <address>` or a bare address.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        // lettre panics on these (evidence: 0.11.23).
        if name.chars().any(char::is_control) {
            return Err(Reason::new("the name beside the mail address has a line break or control character", "write it on one line"));
        }
        Ok(Self { name: name.to_owned(), address: Address::parse(address)? })
    }
}

impl FromNode for Mailbox {
    const EXPECTED: &'static str = "write a sender like \"Our name <news@example.org>\"";

    fn from_value(value: &Value) -> Option<Result<Self, Reason>> {
        let Value::Text(text) = value else { return None };
        Some(Self::parse(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_accepted_and_domains_become_a_labels() {
        for (typed, stored) in [
            ("kim@example.org", "kim@example.org"),
            (" o'neil+news@Example.ORG ", "o'neil+news@example.org"),
            ("kim@例え.example.org", "kim@xn--r8jz45g.example.org"),
            ("kim@example.org.", "kim@example.org"),
            ("김@example.org", "김@example.org"),
        ] {
            assert_eq!(Address::parse(typed).unwrap().expose(), stored);
        }
    }

    #[test]
    fn everything_else_is_refused_without_repeating_it() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("a@{}.org", "a.".repeat(130));
        for wrong in [
            "",
            "kim",
            "@example.org",
            "kim@",
            "kim@localhost",
            "\"a@b\"@example.org",
            "a b@example.org",
            "a@example.org\r\nRCPT TO:<b@example.org>",
            "a@example.org>",
            "<a@example.org>",
            ".a@example.org",
            "a..b@example.org",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@-x.org",
            "a@exa mple.org",
            "a\u{200b}@example.org",
            "a(c)@example.org",
            &long_local,
            &long,
        ] {
            let error = Address::parse(wrong).expect_err(wrong);
            assert!(wrong.len() < 4 || !error.message.contains(wrong), "{wrong}");
        }
        assert_eq!(format!("{:?}", Address::parse("kim@example.org").unwrap()), "Address(…)");
    }

    #[test]
    fn a_mailbox_has_a_name_on_one_line() {
        let mailbox = Mailbox::parse("LFNKR News <news@example.org>").unwrap();
        assert_eq!((mailbox.name.as_str(), mailbox.address.expose()), ("LFNKR News", "news@example.org"));
        assert!(Mailbox::parse("A\nBcc: b@example.org <news@example.org>").is_err());
    }
}
