//! A message as far as it must be understood: its head, and its parts one below another when they
//! are asked for. Nothing here descends by itself, so no nesting costs more than it is worth.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{HeaderName, HeaderValue, Message, MessageParser};
use std::borrow::Cow;

/// A head longer than this is cut: nobody's is.
const LONGEST_HEAD: usize = 64 * 1024;
/// Parts of one multipart that are looked at.
const MOST_PARTS: usize = 20;
/// The longest boundary (RFC 2046 §5.1.1 allows seventy).
const LONGEST_BOUNDARY: usize = 200;
/// How deep text is looked for.
const DEPTH: usize = 4;

/// A message, or a part of one.
pub(super) struct Part<'x> {
    /// None: there is no header at all, as a part may have it (RFC 2046 §5.1).
    head: Option<Message<'x>>,
    body: &'x [u8],
}

impl<'x> Part<'x> {
    /// Reads a head and leaves the body as it is.
    pub(super) fn parse(bytes: &'x [u8]) -> Self {
        let (head, body) = split_head(bytes);
        Self { head: MessageParser::default().parse_headers(&head[..head.len().min(LONGEST_HEAD)]), body }
    }

    /// The head, for what mail-parser reads well: senders, subject, date.
    pub(super) fn head(&self) -> Option<&Message<'x>> {
        self.head.as_ref()
    }

    /// The values of all headers of a name, as they stand, unfolded.
    pub(super) fn raw_headers(&self, name: &str) -> impl Iterator<Item = String> {
        let all = self.head.iter().flat_map(Message::headers_raw);
        all.filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| unfold(value))
    }

    /// The first header of a name.
    pub(super) fn raw_header(&self, name: &str) -> Option<String> {
        self.raw_headers(name).next()
    }

    /// The media type in lower case: `multipart`, `report`. Plain text where none is said.
    pub(super) fn media_type(&self) -> (String, String) {
        match self.content_type() {
            Some(kind) => (kind.ctype().to_lowercase(), kind.subtype().unwrap_or_default().to_lowercase()),
            None => ("text".to_owned(), "plain".to_owned()),
        }
    }

    /// An attribute of the media type.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.content_type()?.attribute(name)
    }

    fn content_type(&self) -> Option<&mail_parser::ContentType<'x>> {
        self.head.as_ref()?.header(HeaderName::ContentType)?.as_content_type()
    }

    /// The parts of a multipart; none of anything else.
    pub(super) fn parts(&self) -> Vec<Part<'x>> {
        let Some(boundary) = self.attribute("boundary").filter(|boundary| (1..=LONGEST_BOUNDARY).contains(&boundary.len())) else {
            return Vec::new();
        };
        if self.media_type().0 != "multipart" {
            return Vec::new();
        }
        split_parts(self.body, boundary).into_iter().map(Self::parse).collect()
    }

    /// The body without its transfer encoding. What claims an encoding it is not in is left as it is.
    pub(super) fn decoded(&self) -> Cow<'x, [u8]> {
        let encoding = match self.head.as_ref().and_then(|head| head.header(HeaderName::ContentTransferEncoding)) {
            Some(HeaderValue::Text(encoding)) => encoding.to_lowercase(),
            _ => String::new(),
        };
        let decoded = match encoding.trim() {
            "base64" => base64_decode(self.body),
            "quoted-printable" => quoted_printable_decode(self.body),
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    /// The body as text, in whatever character set.
    pub(super) fn text(&self) -> String {
        let bytes = self.decoded();
        let decoder = self.attribute("charset").and_then(|name| charset_decoder(name.as_bytes()));
        decoder.map_or_else(|| String::from_utf8_lossy(&bytes).into_owned(), |decode| decode(&bytes))
    }

    /// The first text that a person would read; of HTML what is left without tags.
    pub(super) fn readable(&self) -> Option<String> {
        self.readable_within(DEPTH)
    }

    fn readable_within(&self, depth: usize) -> Option<String> {
        let (kind, subtype) = self.media_type();
        match (kind.as_str(), subtype.as_str()) {
            ("text", "html") => Some(html_to_text(&self.text())),
            ("text", _) => Some(self.text()),
            ("multipart", _) if depth > 0 => self.parts().iter().find_map(|part| part.readable_within(depth - 1)),
            _ => None,
        }
    }
}

/// A folded header on one line (RFC 5322 §2.2.3).
fn unfold(value: &str) -> String {
    value.replace(['\r', '\n'], "").trim().to_owned()
}

/// What is before the first empty line, and what is after it.
fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return (&bytes[..at], &bytes[next..]);
        }
        at = next;
    }
    (bytes, &[])
}

/// What is between the lines of a boundary (RFC 2046 §5.1.1); what is cut off at the end counts.
fn split_parts<'x>(body: &'x [u8], boundary: &str) -> Vec<&'x [u8]> {
    let (mut parts, mut begin, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if let Some(rest) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes())) {
            let rest = rest.trim_ascii();
            if rest.is_empty() || rest == b"--" {
                parts.extend(begin.map(|begin| strip_line_end(&body[begin..at])));
                begin = rest.is_empty().then_some(next);
                if begin.is_none() || parts.len() >= MOST_PARTS {
                    return parts;
                }
            }
        }
        at = next;
    }
    parts.extend(begin.map(|begin| &body[begin..]));
    parts
}

/// The line end before a boundary belongs to it.
fn strip_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: a\r\n b\r\nTo: x@example.org\r\nTo: y@example.org\r\nContent-Type: multipart/report; boundary=\"x\"; report-type=delivery-status\r\n\r\nbefore\r\n--x\r\n\r\nplain\r\n--x\r\nContent-Type: text/html; charset=iso-2022-jp\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>a=20b</p>\r\n--x--\r\nafter";

    #[test]
    fn a_message_is_read_part_by_part() {
        let message = Part::parse(MAIL);
        assert_eq!(message.media_type(), ("multipart".to_owned(), "report".to_owned()));
        assert_eq!(message.attribute("report-type"), Some("delivery-status"));
        assert_eq!(message.raw_headers("to").collect::<Vec<_>>(), ["x@example.org", "y@example.org"]);
        assert_eq!(message.raw_header("Subject").as_deref(), Some("a b"));
        let parts = message.parts();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].text().as_str(), parts[0].media_type().1.as_str()), ("plain", "plain"));
        assert_eq!(parts[1].readable().unwrap().trim(), "a b");
        assert_eq!(message.readable().as_deref(), Some("plain"));
    }

    #[test]
    fn nothing_is_endless() {
        let endless = [b"Content-Type: multipart/mixed; boundary=x\n\n".to_vec(), b"--x\n".repeat(50_000)].concat();
        assert_eq!(Part::parse(&endless).parts().len(), MOST_PARTS);
        let mut nested = Vec::new();
        for _ in 0..20_000 {
            nested.extend_from_slice(b"Content-Type: message/rfc822\n\n");
        }
        assert_eq!(Part::parse(&nested).readable(), None);
        for odd in [&b""[..], b"\n", b"\r\n\r\n", b"no header at all", b":\n\n", b"Content-Type: multipart/mixed\n\n--\n", &[0xff; 100]] {
            let part = Part::parse(odd);
            let _ = (part.parts().len(), part.readable(), part.decoded().len());
        }
    }
}
