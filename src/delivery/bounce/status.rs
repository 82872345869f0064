//! What a refusal says: codes of replies (RFC 5321 §4.2) and enhanced codes (RFC 3463, RFC 5248).

use super::Cause;
use std::fmt;

/// An enhanced status code: `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    class: u8,
    subject: u16,
    detail: u16,
}

impl Status {
    /// Parses a code that stands alone (RFC 3463 §2): class 2, 4 or 5, the others up to three
    /// digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let number = |text: &str| {
            let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u16>().ok()).flatten()
        };
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let status = Self { class, subject: number(subject)?, detail: number(detail)? };
        numbers.next().is_none().then_some(status)
    }

    /// The first code among words: replies put it first, and some put `#` before it.
    fn find(text: &str) -> Option<Self> {
        let words = text.split(|c: char| c.is_whitespace() || "()[]<>,;:#-".contains(c));
        words.take(40).find_map(Self::parse)
    }

    /// What it says of the address, if it says anything.
    fn cause(self) -> Option<Cause> {
        Some(match (self.class, self.subject, self.detail) {
            (2, ..) | (_, 0, _) => return None,
            (5, 1, 1) => Cause::UnknownUser,
            (5, 1, 3 | 6 | 10) => Cause::BadAddress,
            // A domain that takes no mail or is gone (Postfix says 5.4.4 of one that DNS does not
            // know), a mailbox that is switched off, an account that has another owner (RFC 7293):
            // none of them for ever.
            (5, 1, 0 | 2 | 4) | (5, 2, 1) | (5, 4, 4) | (5, 7, 13 | 17 | 18) => Cause::Doubtful,
            (_, 2, 2) => Cause::Full,
            (5, 1, 7 | 8) | (5, 3..=7, _) => Cause::Policy,
            _ => Cause::Unclear,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// What is known of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Why.
    pub cause: Cause,
    /// The enhanced code, else the code of the reply.
    pub status: String,
}

impl Diagnosis {
    /// Of the answer of a relay, code first: `550 5.1.1 no such user`. `None`: it is no refusal.
    pub fn of_reply(text: &str) -> Option<Self> {
        let (code, words) = reply(text)?;
        let status = Status::find(words);
        let cause = read(status.and_then(Status::cause), code, words);
        Some(Self { cause, status: status.map_or_else(|| code.to_string(), |status| status.to_string()) })
    }

    /// Of a report (RFC 3464 §2.3.4, §2.3.6): the `Status` field, and what the remote system said
    /// if it spoke SMTP. Where the two do not agree, what blames the address less is believed.
    pub fn of_report(status: &str, diagnostic: Option<&str>) -> Option<Self> {
        let reported = Status::find(status);
        let said = diagnostic
            .and_then(|text| text.split_once(';'))
            .filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("smtp"))
            .and_then(|(_, words)| reply(words));
        let told = said.and_then(|(_, words)| Status::find(words));
        let cause = match (reported.and_then(Status::cause), told.and_then(Status::cause)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let (code, words) = said.unwrap_or((0, diagnostic.unwrap_or_default()));
        let status = reported.filter(|status| status.subject != 0).or(told).or(reported);
        let status = status.map(|status| status.to_string()).or_else(|| said.map(|(code, _)| code.to_string()))?;
        Some(Self { cause: read(cause, code, words), status })
    }
}

/// A refusal's code, and its words.
fn reply(text: &str) -> Option<(u16, &str)> {
    let text = text.trim_start();
    let (code, words) = (text.get(..3)?, text.get(3..)?);
    let code = code.parse().ok().filter(|code| (400..600).contains(code))?;
    words.chars().next().is_none_or(|c| !c.is_alphanumeric()).then_some((code, words))
}

/// Words by which a filter gives itself away, whatever code it uses.
const OF_FILTERS: [&str; 18] = [
    "spam",
    "block",
    "blacklist",
    "denylist",
    "reputation",
    "dmarc",
    "spf",
    "dkim",
    "policy",
    "rate limit",
    "authenticat",
    // Exim and others give these no enhanced code.
    "relay not permitted",
    "relay access denied",
    "relaying",
    "sender verify",
    "sender rejected",
    "message rejected",
    "content rejected",
];
/// Words of “no such user” where the code does not say it.
const OF_UNKNOWN: [&str; 8] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "does not exist",
    "doesn't exist",
    "unknown recipient",
    "recipient unknown",
];

/// The cause that the enhanced code names, tempered by the words; without one, by the reply's code.
fn read(named: Option<Cause>, code: u16, words: &str) -> Cause {
    let words = words.to_lowercase();
    let says = |list: &[&str]| list.iter().any(|word| words.contains(word));
    match named {
        Some(cause) if cause > Cause::Full && says(&OF_FILTERS) => Cause::Policy,
        Some(cause) => cause,
        None if code == 552 || code == 452 => Cause::Full,
        None if code == 554 || says(&OF_FILTERS) => Cause::Policy,
        None if (550..=553).contains(&code) && says(&OF_UNKNOWN) => Cause::Doubtful,
        None => Cause::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_three_numbers_and_nothing_else() {
        for (text, shown) in [("5.1.1", "5.1.1"), ("4.7.650", "4.7.650"), ("2.0.0", "2.0.0")] {
            assert_eq!(Status::parse(text).unwrap().to_string(), shown);
        }
        for wrong in ["", "5", "5.1", "5.1.", "5.1.1.1", "3.1.1", "5.1.1000", "5.a.1", "5.-1.1", "５.1.1", "55.1.1", "5.1.1 "] {
            assert_eq!(Status::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_reply_is_read_by_its_enhanced_code_its_code_and_its_words() {
        use Cause::{BadAddress, Doubtful, Full, Policy, Unclear, UnknownUser};
        for (reply, cause, status) in [
            ("550 5.1.1 user unknown", UnknownUser, "5.1.1"),
            ("550-5.1.1 The email account that you tried to reach does not exist", UnknownUser, "5.1.1"),
            ("553 5.1.3 bad syntax", BadAddress, "5.1.3"),
            ("556 5.1.10 null MX", BadAddress, "5.1.10"),
            ("550 5.1.2 no such domain", Doubtful, "5.1.2"),
            ("550 5.2.1 mailbox disabled", Doubtful, "5.2.1"),
            ("552 5.2.2 over quota", Full, "5.2.2"),
            ("452 4.2.2 over quota", Full, "4.2.2"),
            ("552 too much mail data", Full, "552"),
            ("550 5.7.1 rejected", Policy, "5.7.1"),
            ("550 5.7.515 Access denied", Policy, "5.7.515"),
            ("550 5.1.8 bad sender", Policy, "5.1.8"),
            ("552 5.3.4 too big", Policy, "5.3.4"),
            ("550 5.4.6 loop", Policy, "5.4.6"),
            ("550 5.4.4 Host or domain name not found", Doubtful, "5.4.4"),
            ("550 relay not permitted", Policy, "550"),
            ("550 Sender verify failed", Policy, "550"),
            ("550 message rejected", Policy, "550"),
            ("550 5.1.1 <x>: Recipient address rejected: User unknown in relay recipient table", UnknownUser, "5.1.1"),
            ("554 5.6.0 bad content", Policy, "5.6.0"),
            ("554 transaction failed", Policy, "554"),
            ("550 5.1.1 blocked by our spam filter", Policy, "5.1.1"),
            ("550 no such user here", Doubtful, "550"),
            ("550 mailbox unavailable", Unclear, "550"),
            ("550 5.0.0 no", Unclear, "5.0.0"),
            ("450 4.7.1 greylisted", Unclear, "4.7.1"),
            ("550 (#5.1.1)", UnknownUser, "5.1.1"),
        ] {
            assert_eq!(Diagnosis::of_reply(reply), Some(Diagnosis { cause, status: status.to_owned() }), "{reply}");
        }
        for none in ["", "5", "250 2.0.0 ok", "no answer came", "5501 x", "日本語", "550日"] {
            assert_eq!(Diagnosis::of_reply(none), None, "{none}");
        }
    }

    #[test]
    fn of_a_report_that_contradicts_itself_the_milder_half_is_believed() {
        use Cause::{Doubtful, Full, Policy, Unclear, UnknownUser};
        for (status, diagnostic, cause) in [
            ("5.1.1", None, UnknownUser),
            ("5.1.1 (bad destination mailbox address)", Some("smtp; 550 5.1.1 <…>: user unknown"), UnknownUser),
            ("5.1.1", Some("SMTP; 550 5.7.1 not accepted"), Policy),
            ("5.1.1", Some("smtp; 550 spam is not wanted here"), Policy),
            ("5.0.0", Some("smtp; 550 5.1.1 unknown"), UnknownUser),
            ("5.0.0", Some("smtp; 550 no such user"), Doubtful),
            ("5.2.2", Some("X-Unix; 122"), Full),
            ("4.4.7", Some("smtp; 421 4.4.0 not now"), Unclear),
            ("5.0.0", None, Unclear),
        ] {
            assert_eq!(Diagnosis::of_report(status, diagnostic).unwrap().cause, cause, "{status} {diagnostic:?}");
        }
        assert_eq!(Diagnosis::of_report("", None), None);
        assert_eq!(Diagnosis::of_report("nonsense", Some("smtp; nonsense")), None);
    }
}
