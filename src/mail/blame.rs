//! Whose fault a refusal is, by its codes (RFC 5321 §4.2, RFC 3463, RFC 5248): the address's, or
//! nothing that the recipient can help.

use std::fmt;

/// An enhanced status code (RFC 3463 §2): `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// 2: done, 4: not now, 5: never.
    pub class: u8,
    /// What it is about: 1 the address, 2 the mailbox, 7 policy.
    pub subject: u16,
    /// What precisely.
    pub detail: u16,
}

impl Status {
    /// Reads a word such as `5.1.1`; whatever surrounds it is not one.
    pub fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('.');
        let mut number = |longest: usize| {
            let part = parts.next().filter(|part| (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class).ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        parts.next().is_none().then_some(Self { class, subject, detail })
    }

    /// The first one in what a relay says (RFC 2034 §4: it stands at the beginning).
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || "#()<>[]:;,-".contains(c)).find_map(Self::parse)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// What a refusal is to be held against (M12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Nothing for good: it may be taken later.
    Moment,
    /// The address: nobody has it.
    Address,
    /// The address, if it happens again: relays say this of passing troubles too.
    AddressIfRepeated,
    /// A mailbox that is full: for days, or for ever.
    Full,
    /// The mail, its sender or the way: what one recipient's relay says of it, others will say.
    Mailing,
}

/// Judges a refusal by its reply code (`None` in a report without one) and its enhanced status
/// code. The reply code tells whether it is for good; what it is about, the status tells better.
pub fn blame(code: Option<u16>, status: Option<Status>) -> Blame {
    let transient = match code {
        Some(code) => code < 500,
        None => status.is_some_and(|status| status.class == 4),
    };
    match status {
        Some(Status { subject: 2, detail: 2, .. }) => Blame::Full,
        _ if transient => Blame::Moment,
        Some(Status { class: 5, subject, detail }) => blame_of_status(subject, detail).unwrap_or_else(|| blame_of_code(code)),
        _ => blame_of_code(code),
    }
}

/// RFC 3463 §3, with the registry of RFC 5248. `None`: it says nothing.
fn blame_of_status(subject: u16, detail: u16) -> Option<Blame> {
    Some(match (subject, detail) {
        (1, 1 | 3 | 6 | 10) => Blame::Address,
        // Our own address is wrong, or its domain takes no mail.
        (1, 7 | 8) | (2, 3) => Blame::Mailing,
        // The account is disabled; the mailbox, or the domain, has a new owner (RFC 7293).
        (1 | 2, _) | (7, 13 | 17 | 18) => Blame::AddressIfRepeated,
        (3..=7, _) => Blame::Mailing,
        _ => return None,
    })
}

/// Codes alone (RFC 5321 §4.2.3). A bare 550 says as little as “no”; a bare 554 is what filters
/// say of the mail.
fn blame_of_code(code: Option<u16>) -> Blame {
    match code {
        Some(552) => Blame::Full,
        Some(550 | 551 | 553) | None => Blame::AddressIfRepeated,
        Some(_) => Blame::Mailing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: u16, text: &str) -> Blame {
        blame(Some(code), Status::find(text))
    }

    #[test]
    fn a_status_is_found_where_it_stands_and_nothing_else_is_taken_for_one() {
        let status = |class, subject, detail| Some(Status { class, subject, detail });
        assert_eq!(Status::find("5.1.1 <…>: Recipient address rejected"), status(5, 1, 1));
        assert_eq!(Status::find("#5.1.10 no such user"), status(5, 1, 10));
        assert_eq!(Status::find("host mx said: 550-5.7.26 Unauthenticated"), status(5, 7, 26));
        assert_eq!(Status::find("blocked: 192.0.2.1, see 5.7"), None);
        for not in ["", "5", "5.1", "5.1.1.1", "3.1.1", "5.1.1000", "5..1", "５.1.1", "5.1.1a"] {
            assert_eq!(Status::parse(not), None, "{not}");
        }
        assert_eq!(Status::parse("4.2.2").unwrap().to_string(), "4.2.2");
    }

    #[test]
    fn a_bad_address_is_told_from_a_mail_that_nobody_wants() {
        for (code, text, expected) in [
            (550, "5.1.1 no such user", Blame::Address),
            (550, "5.1.10 null MX", Blame::Address),
            (550, "5.1.2 bad domain", Blame::AddressIfRepeated),
            (550, "5.2.1 mailbox disabled", Blame::AddressIfRepeated),
            (550, "5.7.17 the mailbox has a new owner", Blame::AddressIfRepeated),
            (550, "no such user here", Blame::AddressIfRepeated),
            (550, "5.0.0 no", Blame::AddressIfRepeated),
            (552, "5.2.2 over quota", Blame::Full),
            (452, "4.2.2 over quota", Blame::Full),
            (552, "mailbox full", Blame::Full),
            (552, "5.2.3 too long for this mailbox", Blame::Mailing),
            (550, "5.1.8 bad sender's domain", Blame::Mailing),
            (550, "5.7.1 policy", Blame::Mailing),
            (550, "5.7.26 unauthenticated", Blame::Mailing),
            (552, "5.3.4 too big", Blame::Mailing),
            (554, "no", Blame::Mailing),
            (554, "5.1.1 no such user", Blame::Address),
            (450, "4.7.1 greylisted", Blame::Moment),
            (421, "", Blame::Moment),
            (451, "5.7.1 in two minds", Blame::Moment),
        ] {
            assert_eq!(judged(code, text), expected, "{code} {text}");
        }
    }

    #[test]
    fn a_report_without_a_reply_is_judged_by_its_status() {
        assert_eq!(blame(None, Status::parse("5.1.1")), Blame::Address);
        assert_eq!(blame(None, Status::parse("4.4.7")), Blame::Moment);
        assert_eq!(blame(None, Status::parse("5.4.6")), Blame::Mailing);
        assert_eq!(blame(None, None), Blame::AddressIfRepeated);
    }
}
