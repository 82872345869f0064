//! A mail as bytes (RFC 5322, RFC 2045): the same draft gives the same bytes.

use super::Mailbox;
use crate::address::Address;
use crate::clock::Timestamp;
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, MultiPart, MultiPartKind, SinglePart};
use std::time::{Duration, SystemTime};

/// The longest line, without its end (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;

/// Everything that a mail to one recipient is made of.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// The visible sender.
    pub from: &'a Mailbox,
    /// The one recipient, who is also the only visible one (S10).
    pub to: &'a Address,
    /// Where answers go.
    pub reply_to: Option<&'a Address>,
    /// One line.
    pub subject: &'a str,
    /// The plain text.
    pub text: &'a str,
    /// A whole HTML document.
    pub html: &'a str,
    /// When it was first tried.
    pub date: Timestamp,
    /// At least 32 letters, digits, hyphens and underscores that stand for this mail to this
    /// recipient and reveal neither: its `Message-ID` and boundary (M3).
    pub identity: &'a str,
    /// `List-Id` (RFC 2919), without brackets: `news.www.example.org`.
    pub list_id: &'a str,
    /// The link that leaves the list (RFC 2369, RFC 8058); none where nobody can leave.
    pub unsubscribe: Option<&'a str>,
    /// The same as a `mailto:` link, where somebody reads it (RFC 2369 §3.2).
    pub unsubscribe_mail: Option<&'a str>,
    /// By which Gmail groups its complaints: `mailing:stream:language:sender`.
    pub feedback_id: &'a str,
}

impl Draft<'_> {
    /// Builds the mail: CRLF line ends only, every part encoded, no line over 998 octets.
    pub fn build(&self) -> anyhow::Result<Vec<u8>> {
        self.refuse_controls()?;
        let message = self.headers()?.multipart(self.body()?).context("the mail cannot be built")?;
        let bytes = message.formatted();
        ensure_transparent(&bytes)?;
        Ok(bytes)
    }

    /// lettre panics on some of these and folds others into header lines of their own.
    fn refuse_controls(&self) -> anyhow::Result<()> {
        let lines = [
            ("sender's name", self.from.name.as_str()),
            ("subject", self.subject),
            ("identity", self.identity),
            ("List-Id", self.list_id),
            ("way out", self.unsubscribe.unwrap_or_default()),
            ("way out by mail", self.unsubscribe_mail.unwrap_or_default()),
            ("Feedback-ID", self.feedback_id),
        ];
        for (what, line) in lines {
            ensure!(!line.chars().any(char::is_control), "the {what} of a mail has a line break or another control character");
        }
        ensure!(self.identity.len() >= 32, "the identity of a mail is too short");
        Ok(())
    }

    fn headers(&self) -> anyhow::Result<lettre::message::MessageBuilder> {
        let name = (!self.from.name.is_empty()).then(|| self.from.name.clone());
        let mut headers = lettre::Message::builder()
            .from(lettre::message::Mailbox::new(name, spoken(&self.from.address)?))
            .to(lettre::message::Mailbox::new(None, spoken(self.to)?))
            .subject(self.subject)
            .date(instant(self.date))
            .message_id(Some(format!("<{}@{}>", self.identity, self.from.address.domain())));
        if let Some(reply_to) = self.reply_to {
            headers = headers.reply_to(lettre::message::Mailbox::new(None, spoken(reply_to)?));
        }
        // RFC 3834 §5: no automatic answers, please.
        let mut more = vec![("Auto-Submitted", "auto-generated".to_owned()), ("List-Id", format!("<{}>", self.list_id))];
        if let Some(link) = self.unsubscribe {
            let by_mail = self.unsubscribe_mail.map_or_else(String::new, |link| format!(", <{link}>"));
            more.push(("List-Unsubscribe", format!("<{link}>{by_mail}")));
            more.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        more.push(("Feedback-ID", self.feedback_id.to_owned()));
        Ok(more
            .into_iter()
            .fold(headers, |headers, (name, value)| headers.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value))))
    }

    /// Plain text first, HTML last (RFC 2046 §5.1.4).
    fn body(&self) -> anyhow::Result<MultiPart> {
        // Neither encoding of a part can produce “=_”, so no body can hold the boundary.
        let boundary = format!("=_{}", &self.identity[..32]);
        Ok(MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            .boundary(boundary)
            .singlepart(part(ContentType::TEXT_PLAIN, self.text)?)
            .singlepart(part(ContentType::TEXT_HTML, self.html)?))
    }
}

/// One part. ASCII is readable as quoted-printable; for Japanese, base64 is less than half the
/// size. Nothing is sent as it is (S8).
fn part(kind: ContentType, text: &str) -> anyhow::Result<SinglePart> {
    let encoding = if text.is_ascii() { ContentTransferEncoding::QuotedPrintable } else { ContentTransferEncoding::Base64 };
    let lines = with_line_ends(text);
    let body = match encoding {
        ContentTransferEncoding::Base64 => Body::dangerous_pre_encoded(in_base64(&lines), encoding),
        // As bytes: in a string lettre looks for line ends itself, and moves all that follows for each.
        _ => Body::new_with_encoding(lines, encoding).ok().context("a text cannot be encoded")?,
    };
    Ok(SinglePart::builder().header(kind).body(body))
}

/// The text with CRLF at the end of each line (RFC 2046 §4.1.1), whatever was there, and of the last.
fn with_line_ends(text: &str) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 16 + 2);
    let mut rest = text.as_bytes();
    while let Some(end) = memchr::memchr2(b'\r', b'\n', rest) {
        lines.extend_from_slice(&rest[..end]);
        lines.extend_from_slice(b"\r\n");
        rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.extend_from_slice(rest);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// In base64, in lines of 76 (RFC 2045 §6.8). At once and then cut: a line at a time, as lettre does
/// it, takes three times as long.
fn in_base64(octets: &[u8]) -> Vec<u8> {
    const LINE: usize = 76;
    let coded = BASE64.encode(octets);
    let mut lines = Vec::with_capacity(coded.len() + coded.len() / LINE * 2 + 2);
    for line in coded.as_bytes().chunks(LINE) {
        if !lines.is_empty() {
            lines.extend_from_slice(b"\r\n");
        }
        lines.extend_from_slice(line);
    }
    lines
}

/// lettre's own form of an address that was parsed by stricter rules.
pub(super) fn spoken(address: &Address) -> anyhow::Result<lettre::Address> {
    lettre::Address::new(address.local(), address.domain()).ok().context("an address is not one that lettre can send to")
}

fn instant(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_seconds()).unwrap_or(0))
}

/// A bare CR or LF lets a mail smuggle another one past some relays (RUSTSEC-2026-0561), so
/// none leaves whatever the builder did.
fn ensure_transparent(bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(bytes.ends_with(b"\r\n"), "the mail does not end with a line end");
    ensure!(!bytes.contains(&0), "the mail has a NUL");
    let (mut start, mut ends) = (0, memchr::memchr2_iter(b'\r', b'\n', bytes));
    while let Some(end) = ends.next() {
        ensure!(bytes[end] == b'\r', "the mail has a bare line feed");
        ensure!(ends.next() == Some(end + 1) && bytes[end + 1] == b'\n', "the mail has a bare carriage return");
        ensure!(end - start <= LONGEST_LINE, "the mail has a line of {} octets", end - start);
        start = end + 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_crlf_whatever_ended_it() {
        for text in ["a\nb", "a\r\nb\n", "a\rb\r", "a\r\nb\r\n"] {
            assert_eq!(with_line_ends(text), b"a\r\nb\r\n", "{text:?}");
        }
        assert_eq!(with_line_ends("a\n\r\r\n川"), "a\r\n\r\n\r\n川\r\n".as_bytes());
        assert_eq!(with_line_ends(""), b"\r\n");
    }

    #[test]
    fn base64_has_lines_of_76() {
        assert_eq!(in_base64(b"\r\n"), b"DQo=");
        assert_eq!(in_base64(&[0; 57]), "A".repeat(76).into_bytes());
        assert_eq!(in_base64(&[0; 60]), format!("{}\r\nAAAA", "A".repeat(76)).into_bytes());
    }

    #[test]
    fn no_bare_line_end_nul_or_endless_line_passes() {
        assert!(ensure_transparent(b"Subject: x\r\n\r\n.\r\n").is_ok());
        let long = [vec![b'a'; 999], b"\r\n".to_vec()].concat();
        for wrong in [&b"a"[..], b"a\n", b"a\r", b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"a\n.\r\n", b"a\0\r\n", b"", &long] {
            assert!(ensure_transparent(wrong).is_err(), "{wrong:?}");
        }
    }
}
