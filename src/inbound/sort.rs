//! What a message is, told by its structure and by the address it was sent to (M13a). No word of
//! it is believed: what it is about is said by our own signed tokens alone.

use super::Doors;
use super::mime::Part;
use super::report::{Dsn, Feedback, Recipient, halves};
use crate::address::Address;
use crate::delivery::{CONFIRM, Cause, Diagnosis, LEAVE};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Letters and digits of a token.
const TOKEN: usize = 24;
/// What a report says of a recipient whom the mail reached (RFC 3464 §2.3.3).
const REACHED: [&str; 3] = ["delivered", "relayed", "expanded"];
/// Tokens that are tried of one place.
const MOST_TOKENS: usize = 20;
/// Where a mail server says whom a message was for.
const RECIPIENTS: [&str; 9] = [
    "To",
    "Cc",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Delivered-To",
    "X-Original-Recipient",
    "X-Forwarded-To",
];
/// Headers that only programs write.
const OF_PROGRAMS: [&str; 7] =
    ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response", "X-Mail-Autoreply", "List-Id", "Feedback-ID"];

/// A message told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sorted {
    /// A report that a mail was not delivered. The tokens it shows, the better places first.
    Bounce {
        /// Places, each with the tokens found there.
        tokens: Vec<Vec<String>>,
        /// Why it was not delivered.
        diagnosis: Diagnosis,
        /// What the remote system said, as it stands.
        words: String,
        /// Whom the report names, to be removed from the words.
        names: Vec<Address>,
    },
    /// A report of a mail that arrived, or may still.
    Delay,
    /// A complaint of a mail.
    Complaint {
        /// Places, each with the tokens found there.
        tokens: Vec<Vec<String>>,
    },
    /// An answer that nobody wrote.
    AutoReply,
    /// Somebody wants to be subscribed.
    Join {
        /// Who says so.
        from: Address,
        /// What they wrote, for its language.
        words: String,
    },
    /// The recipient of a delivery wants no more.
    Leave {
        /// Its token.
        token: String,
    },
    /// Somebody wants no more, and shows no token.
    AskToLeave {
        /// Who says so.
        from: Address,
        /// What they wrote, for its language.
        words: String,
    },
    /// The recipient of a confirmation mail confirms.
    Confirm {
        /// Its token.
        token: String,
    },
    /// Something for people to read.
    Unclear,
}

/// Tells a message apart. Whatever it is, this does not panic.
pub fn sort(message: &[u8], doors: &Doors) -> Sorted {
    // The parser says that it never panics; a mail server would take one for our last word.
    catch_unwind(AssertUnwindSafe(|| tell_apart(&Part::parse(message), doors))).unwrap_or(Sorted::Unclear)
}

fn tell_apart(message: &Part<'_>, doors: &Doors) -> Sorted {
    if message.media_type() == ("multipart".to_owned(), "report".to_owned()) {
        return report(message, doors);
    }
    // Some providers write it themselves when their user presses a button.
    if let Some(token) = token_for(LEAVE, message, doors) {
        return Sorted::Leave { token };
    }
    if is_of_a_mail_server(message) {
        // An old or private form of report: not understood (RFC 3464 is twenty years old).
        return Sorted::Unclear;
    }
    if is_of_a_program(message, doors) {
        return Sorted::AutoReply;
    }
    errand(message, doors)
}

fn report(message: &Part<'_>, doors: &Doors) -> Sorted {
    if let Some(halves) = halves(message, &["delivery-status", "global-delivery-status"]) {
        let dsn = Dsn::parse(&halves.machine);
        let named = dsn.envelope_id.iter().flat_map(|id| tokens_in(&decode_xtext(id))).collect();
        let tokens = vec![addressed(message, doors), named, halves.original.iter().flat_map(tokens_of_head).collect()];
        return delivery(&dsn, tokens);
    }
    if let Some(halves) = halves(message, &["feedback-report"]) {
        let feedback = Feedback::parse(&halves.machine);
        let named = feedback.origin.iter().flat_map(|origin| tokens_in(&decode_xtext(origin))).collect();
        let tokens = vec![named, halves.original.iter().flat_map(tokens_of_head).collect()];
        return match feedback.kind.as_str() {
            "abuse" | "opt-out" | "opt-out-list" => Sorted::Complaint { tokens },
            // “Not spam” undoes nothing; what is left are reports to the postmaster.
            _ => Sorted::Unclear,
        };
    }
    // Read receipts (RFC 8098) and what there may be else.
    if is_of_a_program(message, doors) || message.attribute("report-type") == Some("disposition-notification") {
        return Sorted::AutoReply;
    }
    Sorted::Unclear
}

/// Our mails have one recipient. A report about several is of somebody who passed the mail on:
/// where it reached one of those, it reached ours, and did not come back (S11).
fn delivery(dsn: &Dsn, tokens: Vec<Vec<String>>) -> Sorted {
    if dsn.recipients.iter().any(|recipient| REACHED.iter().any(|action| recipient.action.starts_with(action))) {
        return Sorted::Delay;
    }
    let is = |recipient: &&Recipient, action: &str| recipient.action.starts_with(action);
    let failed: Vec<&Recipient> = dsn.recipients.iter().filter(|recipient| is(recipient, "failed")).collect();
    let read: Option<Vec<Diagnosis>> =
        failed.iter().map(|failed| Diagnosis::of_report(&failed.status, failed.diagnostic.as_deref())).collect();
    let mildest = read.and_then(|all| all.into_iter().zip(&failed).min_by_key(|(diagnosis, _)| diagnosis.cause));
    let Some((diagnosis, recipient)) = mildest else {
        return if failed.is_empty() && !dsn.recipients.is_empty() { Sorted::Delay } else { Sorted::Unclear };
    };
    let cause = if failed.len() == dsn.recipients.len() { diagnosis.cause } else { diagnosis.cause.min(Cause::Unclear) };
    let words = recipient.diagnostic.clone().unwrap_or_else(|| recipient.status.clone());
    let all_names = dsn.recipients.iter().flat_map(|recipient| &recipient.names);
    let names = all_names.filter_map(|name| Address::parse(name.rsplit(';').next()?.trim().trim_matches(['<', '>'])).ok()).collect();
    Sorted::Bounce { tokens, diagnosis: Diagnosis { cause, ..diagnosis }, words, names }
}

/// What somebody wants, by the address they wrote to.
fn errand(message: &Part<'_>, doors: &Doors) -> Sorted {
    if let Some(token) = token_for(CONFIRM, message, doors) {
        return Sorted::Confirm { token };
    }
    let addresses = recipients(message);
    let is_to = |door: &Option<Address>| door.as_ref().is_some_and(|door| addresses.contains(&door.normalised()));
    let Some(from) = author(message) else { return Sorted::Unclear };
    let words = || {
        let subject = message.head().and_then(|head| head.subject()).unwrap_or_default();
        format!("{subject} {}", message.readable().unwrap_or_default()).chars().take(2000).collect()
    };
    match (is_to(&doors.leave), is_to(&doors.join)) {
        // Who writes to both wants it to end.
        (true, _) => Sorted::AskToLeave { from, words: words() },
        (_, true) => Sorted::Join { from, words: words() },
        _ => Sorted::Unclear,
    }
}

/// The token of an address for one purpose, if the message was sent to one.
fn token_for(purpose: &str, message: &Part<'_>, doors: &Doors) -> Option<String> {
    let mut inner = recipients(message).into_iter().filter_map(|address| doors.envelope.token_in(&address));
    inner.find_map(|inner| inner.strip_prefix(purpose).map(str::to_owned))
}

/// The one author; a message of several is nobody's wish.
fn author(message: &Part<'_>) -> Option<Address> {
    let mut authors = message.head()?.from()?.iter();
    let author = authors.next()?.address()?;
    authors.next().is_none().then(|| Address::parse(author).ok()).flatten()
}

/// Whether a mail server wrote it, to tell that it could not deliver something.
fn is_of_a_mail_server(message: &Part<'_>) -> bool {
    let local = author(message).map(|from| from.local().to_lowercase()).unwrap_or_default();
    matches!(local.as_str(), "mailer-daemon" | "postmaster" | "mail-daemon" | "mdaemon")
        || message.raw_header("X-Failed-Recipients").is_some()
}

/// Whether nobody wrote it (RFC 3834 §2, §5, and what came before it), or we did.
fn is_of_a_program(message: &Part<'_>, doors: &Doors) -> bool {
    let says = |name: &str, words: &[&str]| {
        message.raw_headers(name).any(|value| {
            let value = value.to_lowercase();
            let word = value.split([';', ' ', '(']).next().unwrap_or_default();
            words.contains(&word)
        })
    };
    let submitted = message.raw_header("Auto-Submitted").is_some() && !says("Auto-Submitted", &["no"]);
    let without_sender = message.raw_header("Return-Path").is_some_and(|path| path == "<>");
    submitted
        || without_sender
        || says("Precedence", &["bulk", "junk", "list", "auto_reply"])
        || says("X-Auto-Response-Suppress", &["all", "autoreply", "oof"])
        || OF_PROGRAMS.iter().any(|name| message.raw_header(name).is_some())
        || author(message).is_some_and(|from| from.normalised() == doors.own.normalised())
}

/// Every address that a message was sent to, in lower case.
fn recipients(message: &Part<'_>) -> Vec<String> {
    let values = RECIPIENTS.iter().flat_map(|name| message.raw_headers(name));
    let mut addresses: Vec<String> = values
        .flat_map(|value| {
            let words = value.split(|c: char| c.is_whitespace() || "<>,;:\"()[]".contains(c));
            words.filter(|word| word.contains('@')).map(str::to_lowercase).collect::<Vec<_>>()
        })
        .take(MOST_TOKENS * 5)
        .collect();
    addresses.dedup();
    addresses
}

/// The tokens of the addresses that a message was sent to.
fn addressed(message: &Part<'_>, doors: &Doors) -> Vec<String> {
    recipients(message).iter().filter_map(|address| doors.envelope.token_in(address)).take(MOST_TOKENS).collect()
}

/// The tokens in the head of a mail that came back.
fn tokens_of_head(original: &Part<'_>) -> Vec<String> {
    let bytes = original.decoded();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(32 * 1024)]);
    let head = text.split_once("\n\n").or_else(|| text.split_once("\r\n\r\n")).map_or(&*text, |(head, _)| head);
    tokens_in(head)
}

/// What may be a token: a word of the right length. Whether it is one, its signature says.
fn tokens_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == TOKEN);
    let mut tokens: Vec<String> = words.map(str::to_lowercase).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens.truncate(MOST_TOKENS);
    tokens
}

/// `+2B` is a plus (RFC 3461 §4): in what is quoted so, a token would have two letters before it.
fn decode_xtext(text: &str) -> String {
    let mut parts = text.split('+');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octet = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii_graphic);
        let rest = octet.and_then(|_| part.get(2..));
        decoded.push(octet.map_or('+', char::from));
        decoded.push_str(rest.unwrap_or(part));
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::EnvelopePattern;

    fn doors() -> Doors {
        let address = |text| Address::parse(text).unwrap();
        Doors {
            envelope: EnvelopePattern::parse("Bounces+{token}@example.org").unwrap(),
            own: address("news@example.org"),
            join: Some(address("join@example.org")),
            leave: Some(address("leave@example.org")),
        }
    }

    fn sorted(head: &str) -> Sorted {
        sort(format!("{head}\r\n\r\nHello\r\n").as_bytes(), &doors())
    }

    const TOKEN_TEXT: &str = "abcdefghijklmnopqrstuvwx";

    #[test]
    fn what_people_want_is_told_by_the_address_they_write_to() {
        let kim = Address::parse("kim@example.net").unwrap();
        let words = "hi Hello\r\n".to_owned();
        assert_eq!(
            sorted("From: kim@example.net\r\nTo: <JOIN@example.org>\r\nSubject: hi"),
            Sorted::Join { from: kim.clone(), words: words.clone() }
        );
        assert_eq!(
            sorted("From: Kim <kim@example.net>\r\nTo: join@example.org, leave@example.org\r\nSubject: hi"),
            Sorted::AskToLeave { from: kim, words }
        );
        let leave =
            format!("From: kim@example.net\r\nTo: x@example.net\r\nDelivered-To: BOUNCES+LEAVE-{}@example.org", TOKEN_TEXT.to_uppercase());
        assert_eq!(sorted(&leave), Sorted::Leave { token: TOKEN_TEXT.to_owned() });
        assert_eq!(sorted(&format!("{leave}\r\nAuto-Submitted: auto-generated")), Sorted::Leave { token: TOKEN_TEXT.to_owned() });
        let confirm = format!("From: kim@example.net\r\nTo: bounces+confirm-{TOKEN_TEXT}@example.org");
        assert_eq!(sorted(&confirm), Sorted::Confirm { token: TOKEN_TEXT.to_owned() });
        for unclear in [
            "From: kim@example.net\r\nTo: office@example.org",
            "To: join@example.org",
            "From: a@example.net, b@example.net\r\nTo: join@example.org",
            "",
        ] {
            assert_eq!(sorted(unclear), Sorted::Unclear, "{unclear}");
        }
    }

    #[test]
    fn what_no_person_wrote_asks_for_nothing() {
        let join = "From: kim@example.net\r\nTo: join@example.org\r\n";
        for automatic in [
            "Auto-Submitted: auto-replied",
            "Auto-Submitted: auto-generated (rejected)",
            "Precedence: bulk",
            "X-Autoreply: yes",
            "Return-Path: <>",
            "List-Id: <x.example.net>",
            "X-Auto-Response-Suppress: All",
        ] {
            assert_eq!(sorted(&format!("{join}{automatic}")), Sorted::AutoReply, "{automatic}");
        }
        assert_eq!(sorted("From: news@example.org\r\nTo: join@example.org"), Sorted::AutoReply);
        assert!(matches!(sorted(&format!("{join}Auto-Submitted: no")), Sorted::Join { .. }));
        assert_eq!(sorted("From: MAILER-DAEMON@example.net\r\nTo: join@example.org\r\nAuto-Submitted: auto-replied"), Sorted::Unclear);
    }

    #[test]
    fn a_token_is_found_in_quoted_text_and_in_no_longer_word() {
        assert_eq!(tokens_in(&decode_xtext(&format!("bounces+2B{TOKEN_TEXT}"))), [TOKEN_TEXT]);
        assert_eq!(tokens_in(&format!("Return-Path: <b+{}@x.org>", TOKEN_TEXT.to_uppercase())), [TOKEN_TEXT]);
        assert!(tokens_in(&format!("{TOKEN_TEXT}a a{TOKEN_TEXT} {}", &TOKEN_TEXT[1..])).is_empty());
        assert_eq!(decode_xtext("a+b+2Bc+3Dd+zz+é"), "a+b+c=d+zz+é");
    }
}
