//! A mail as bytes (RFC 5322, RFC 2045): the same draft gives the same bytes.

use super::Mailbox;
use super::lines::{has_stray_end, longest_line, with_line_ends};
use crate::address::Address;
use crate::clock::Timestamp;
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, MultiPart, MultiPartKind, SinglePart};
use std::borrow::Cow;
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

/// What the texts of the last mail became. Most of the next one of the same mailing is the same
/// and is not encoded again.
#[derive(Debug, Default)]
pub struct Press {
    text: Coded,
    html: Coded,
}

impl Draft<'_> {
    /// Builds the mail: CRLF line ends only, every part encoded, no line over 998 octets.
    pub fn build(&self) -> anyhow::Result<Vec<u8>> {
        self.print(&mut Press::default())
    }

    /// [`Draft::build`] after others: the bytes are the same, whatever they were.
    pub fn print(&self, press: &mut Press) -> anyhow::Result<Vec<u8>> {
        self.refuse_controls()?;
        let (text, html) = (press.text.encode(self.text)?, press.html.encode(self.html)?);
        let empty = MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            // Neither encoding of a part can produce “=_”, so no body can hold the boundary.
            .boundary(format!("=_{}", &self.identity[..32]))
            // Plain text first, HTML last (RFC 2046 §5.1.4).
            .singlepart(empty_part(ContentType::TEXT_PLAIN, text.encoding))
            .singlepart(empty_part(ContentType::TEXT_HTML, html.encoding));
        let frame = self.headers()?.multipart(empty).context("the mail cannot be built")?.formatted();
        let bytes = with_bodies(&frame, [&text.body, &html.body])?;
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
        let (from, to) = (spoken(&self.from.address)?, spoken(self.to)?);
        // The envelope is ours to make. Left alone, lettre reads it from the fields it has written.
        let envelope = lettre::address::Envelope::new(None, vec![to.clone()]).context("the mail has no recipient")?;
        let mut headers = lettre::Message::builder()
            .envelope(envelope)
            .from(lettre::message::Mailbox::new(name, from))
            .to(lettre::message::Mailbox::new(None, to))
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
}

/// A part that has its header fields only.
fn empty_part(kind: ContentType, encoding: ContentTransferEncoding) -> SinglePart {
    SinglePart::builder().header(kind).body(Body::dangerous_pre_encoded(Vec::new(), encoding))
}

/// A mail with its bodies put where its empty parts have none. lettre would copy them into the part, and
/// from there into a mail that grows as they come.
fn with_bodies(frame: &[u8], bodies: [&[u8]; 2]) -> anyhow::Result<Vec<u8>> {
    // The line that ends the header fields of a part, and the line end before the next boundary.
    const GAP: &[u8] = b"\r\n\r\n\r\n--";
    let gaps: Vec<usize> = memchr::memmem::find_iter(frame, GAP).map(|at| at + 4).collect();
    ensure!(gaps.len() == bodies.len(), "the mail cannot be built: it has {} places for {} bodies", gaps.len(), bodies.len());
    let mut mail = Vec::with_capacity(frame.len() + bodies.iter().map(|body| body.len()).sum::<usize>());
    let mut done = 0;
    for (gap, body) in gaps.into_iter().zip(bodies) {
        mail.extend_from_slice(&frame[done..gap]);
        mail.extend_from_slice(body);
        done = gap;
    }
    mail.extend_from_slice(&frame[done..]);
    Ok(mail)
}

/// A text as it travels.
struct Encoded<'c> {
    body: Cow<'c, [u8]>,
    encoding: ContentTransferEncoding,
}

/// A text and what it is in base64, in lines of 76 (RFC 2045 §6.8).
#[derive(Debug, Default)]
struct Coded {
    octets: Vec<u8>,
    base64: Vec<u8>,
}

impl Coded {
    /// Octets that make a line, and the length of that line with its end.
    const LINE: (usize, usize) = (57, 78);

    /// ASCII is readable as quoted-printable; for Japanese, base64 is less than half the size.
    /// Nothing is sent as it is (S8).
    fn encode(&mut self, text: &str) -> anyhow::Result<Encoded<'_>> {
        let lines = with_line_ends(text);
        if text.is_ascii() {
            // As bytes: in a string lettre looks for line ends itself, and moves all that follows for each.
            let body = Body::new_with_encoding(lines, ContentTransferEncoding::QuotedPrintable);
            let body = body.ok().context("a text cannot be encoded")?.into_vec();
            return Ok(Encoded { body: body.into(), encoding: ContentTransferEncoding::QuotedPrintable });
        }
        self.replace(lines);
        Ok(Encoded { body: self.base64.as_slice().into(), encoding: ContentTransferEncoding::Base64 })
    }

    /// Encodes another text in place of this one, but for the lines that both begin with.
    fn replace(&mut self, octets: Vec<u8>) {
        let (of_text, of_code) = Self::LINE;
        let lines = self.octets.chunks_exact(of_text).zip(octets.chunks_exact(of_text));
        let kept = lines.take_while(|(old, new)| old == new).count();
        // Without the end of the last line that stays: it may be the last of all.
        self.base64.truncate((kept * of_code).saturating_sub(2));
        // At once and then cut: a line at a time, as lettre does it, takes three times as long.
        for line in BASE64.encode(&octets[kept * of_text..]).as_bytes().chunks(of_code - 2) {
            if !self.base64.is_empty() {
                self.base64.extend_from_slice(b"\r\n");
            }
            self.base64.extend_from_slice(line);
        }
        self.octets = octets;
    }
}

/// lettre's own form of an address that was parsed by stricter rules.
fn spoken(address: &Address) -> anyhow::Result<lettre::Address> {
    lettre::Address::new(address.local(), address.domain()).ok().context("an address is not one that lettre can send to")
}

fn instant(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_seconds()).unwrap_or(0))
}

/// What some relay or reader trips over does not leave, whatever the builder did.
fn ensure_transparent(bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(bytes.ends_with(b"\r\n"), "the mail does not end with a line end");
    ensure!(memchr::memchr(0, bytes).is_none(), "the mail has a NUL");
    ensure!(!has_stray_end(bytes), "the mail has a CR or LF that stands alone");
    let longest = longest_line(bytes);
    ensure!(longest <= LONGEST_LINE, "the mail has a line of {longest} octets");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_base64(octets: &[u8]) -> Vec<u8> {
        let mut coded = Coded::default();
        coded.replace(octets.to_vec());
        coded.base64
    }

    #[test]
    fn base64_has_lines_of_76() {
        assert_eq!(in_base64(b"\r\n"), b"DQo=");
        assert_eq!(in_base64(&[0; 57]), "A".repeat(76).into_bytes());
        assert_eq!(in_base64(&[0; 60]), format!("{}\r\nAAAA", "A".repeat(76)).into_bytes());
    }

    #[test]
    fn what_was_encoded_before_does_not_show() {
        let mut coded = Coded::default();
        let texts: Vec<Vec<u8>> = (0..400_usize)
            .map(|n| {
                // Of all lengths around whole lines, and alike up to some place.
                let same = (n * 37) % 300;
                (0..n).map(|at| if at < same { 7 } else { u8::try_from((n + at) % 251).unwrap() }).collect()
            })
            .collect();
        for text in texts.iter().chain(texts.iter().rev()) {
            coded.replace(text.clone());
            let lines: Vec<&[u8]> = coded.base64.split(|byte| *byte == b'\n').collect();
            assert!(lines.iter().rev().skip(1).all(|line| line.len() == 77 && line.ends_with(b"\r")), "{}", text.len());
            assert_eq!(BASE64.decode(lines.concat().into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>()).unwrap(), *text);
            assert_eq!(coded.base64, in_base64(text));
        }
    }

    #[test]
    fn bodies_stand_where_the_parts_are_empty() {
        let frame = b"A: 1\r\n\r\n--b\r\nB: 2\r\n\r\n\r\n--b\r\nC: 3\r\n\r\n\r\n--b--\r\n";
        let mail = with_bodies(frame, [b"one", b"\r\n\r\n\r\n--"]).unwrap();
        assert_eq!(mail, b"A: 1\r\n\r\n--b\r\nB: 2\r\n\r\none\r\n--b\r\nC: 3\r\n\r\n\r\n\r\n\r\n--\r\n--b--\r\n");
        assert!(with_bodies(b"A: 1\r\n\r\n--b\r\nB: 2\r\n\r\n\r\n--b--\r\n", [b"one", b"two"]).is_err(), "a place is missing");
    }

    #[test]
    fn a_text_in_ascii_between_others_leaves_nothing_behind() {
        let mut press = Coded::default();
        for text in ["川を渡った\n", "over the river\n", "川を渡った家族\n", "", "川\n"] {
            let (after, fresh) = (press.encode(text).unwrap(), Coded::default().encode(text).unwrap().body.into_owned());
            assert_eq!(*after.body, fresh, "{text}");
        }
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
