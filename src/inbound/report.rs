//! Reports of machines: of delivery (RFC 3464) and of complaints (RFC 5965), as far as they can be
//! believed. Addresses in them are read by nobody.

use super::mime::Part;

/// Groups of fields that are read, at most.
const MOST_GROUPS: usize = 50;
/// Octets of the machine's part that are read.
const LONGEST: usize = 64 * 1024;

/// Fields that name the recipient (RFC 3464 §2.3.1, §2.3.2, and one of Sendmail's).
const NAMES: [&str; 3] = ["final-recipient", "original-recipient", "x-actual-recipient"];

/// What a delivery report says of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recipient {
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`, in lower case.
    pub(super) action: String,
    /// As it stands: `5.1.1 (no such user)`.
    pub(super) status: String,
    /// As it stands: `smtp; 550 5.1.1 no such user`.
    pub(super) diagnostic: Option<String>,
    /// Whom it names, to be removed from the words that are kept, and for nothing else.
    pub(super) names: Vec<String>,
}

/// A delivery report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dsn {
    /// What we gave the mail as its name (RFC 3461 §4.4).
    pub(super) envelope_id: Option<String>,
    /// In the order of the report.
    pub(super) recipients: Vec<Recipient>,
}

impl Dsn {
    /// Reads the part `message/delivery-status` (RFC 3464 §2.1): a group about the message, then
    /// one for each recipient. Some systems leave the first one out.
    pub(super) fn parse(text: &str) -> Self {
        let mut dsn = Self::default();
        for group in groups(text) {
            let field = |name: &str| group.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
            dsn.envelope_id = dsn.envelope_id.or_else(|| field("original-envelope-id"));
            if let Some(action) = field("action") {
                dsn.recipients.push(Recipient {
                    action: action.to_lowercase(),
                    status: field("status").unwrap_or_default(),
                    diagnostic: field("diagnostic-code"),
                    names: NAMES.iter().filter_map(|name| field(name)).collect(),
                });
            }
        }
        dsn
    }
}

/// A complaint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Feedback {
    /// `abuse`, `not-spam` and others, in lower case.
    pub(super) kind: String,
    /// The envelope sender and id of the mail complained of, as they stand.
    pub(super) origin: Vec<String>,
}

impl Feedback {
    /// Reads the part `message/feedback-report` (RFC 5965 §3).
    pub(super) fn parse(text: &str) -> Self {
        let mut feedback = Self::default();
        for (name, value) in groups(text).into_iter().flatten() {
            match name.as_str() {
                "feedback-type" if feedback.kind.is_empty() => feedback.kind = value.to_lowercase(),
                "original-mail-from" | "original-envelope-id" => feedback.origin.push(value),
                _ => {}
            }
        }
        feedback
    }
}

/// Fields with their names in lower case, folded lines joined, in groups divided by empty lines.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups = vec![Vec::<(String, String)>::new()];
    for line in cut(text, LONGEST).lines() {
        if line.trim().is_empty() {
            if groups.len() >= MOST_GROUPS {
                break;
            }
            groups.push(Vec::new());
            continue;
        }
        let Some(group) = groups.last_mut() else { break };
        match (line.starts_with([' ', '\t']), group.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => group.push((name.trim().to_lowercase(), value.trim().to_owned())),
            _ => {}
        }
    }
    groups
}

fn cut(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}

/// The machine's part of a report and the head of the mail that it is about (RFC 6522 §3).
pub(super) struct Halves<'x> {
    pub(super) machine: String,
    pub(super) original: Option<Part<'x>>,
}

/// The halves of a report whose machine's part has one of these subtypes of `message`.
pub(super) fn halves<'x>(message: &Part<'x>, subtypes: &[&str]) -> Option<Halves<'x>> {
    let (mut machine, mut original) = (None, None);
    for part in message.parts() {
        let (kind, subtype) = part.media_type();
        match (kind.as_str(), subtype.as_str()) {
            ("message", found) if subtypes.contains(&found) => machine = machine.or_else(|| Some(part.text())),
            ("message", "rfc822" | "global" | "rfc822-headers" | "global-headers") | ("text", "rfc822-headers") => {
                original = original.or(Some(part));
            }
            _ => {}
        }
    }
    machine.map(|machine| Halves { machine, original })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_report_is_read_in_groups_and_what_is_odd_in_it_is_passed_over() {
        let dsn = Dsn::parse(
            "Reporting-MTA: dns; mx.example.net\r\nOriginal-Envelope-Id: abc\r\n\r\nFinal-Recipient: rfc822; a@example.net\r\nAction: Failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550\r\n  5.1.1 unknown\r\n\r\n\r\nno field\r\n: empty\r\n folded from nowhere\r\nACTION: delayed\r\n",
        );
        assert_eq!(dsn.envelope_id.as_deref(), Some("abc"));
        let failed = Recipient {
            action: "failed".to_owned(),
            status: "5.1.1".to_owned(),
            diagnostic: Some("smtp; 550 5.1.1 unknown".to_owned()),
            names: vec!["rfc822; a@example.net".to_owned()],
        };
        let delayed = Recipient { action: "delayed".to_owned(), ..Recipient::default() };
        assert_eq!(dsn.recipients, [failed, delayed]);
        assert_eq!(Dsn::parse(""), Dsn::default());
        assert!(Dsn::parse(&"Action: failed\n\n".repeat(1000)).recipients.len() <= MOST_GROUPS);
        assert!(Dsn::parse(&"é".repeat(LONGEST)).recipients.is_empty());
    }

    #[test]
    fn a_complaint_says_what_kind_it_is_and_of_which_mail() {
        let feedback = Feedback::parse("Feedback-Type: Abuse\nVersion: 1\nOriginal-Mail-From: <b+x@example.org>\n\nFeedback-Type: other");
        assert_eq!(feedback, Feedback { kind: "abuse".to_owned(), origin: vec!["<b+x@example.org>".to_owned()] });
    }
}
