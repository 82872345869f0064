//! Values that can break no format: text that XML can carry, links that every reader can follow.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use url::{Position, Url};

/// Text that XML 1.0 can carry (§2.2). The feed crates write other code points as they are,
/// and what they write is then no XML.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct Clean(String);

impl Clean {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Scrub::default().text(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&Clean> for String {
    fn from(text: &Clean) -> Self {
        text.0.clone()
    }
}

/// Makes text clean, and counts what it had to remove (F6).
#[derive(Default)]
pub(super) struct Scrub {
    /// In characters.
    pub(super) removed: usize,
}

impl Scrub {
    pub(super) fn text(&mut self, text: impl AsRef<str>) -> Clean {
        let text = text.as_ref();
        let foreign = text.chars().filter(|c| !is_text(*c)).count();
        if foreign == 0 {
            return Clean(text.to_owned());
        }
        self.removed += foreign;
        Clean(text.chars().filter(|c| is_text(*c)).collect())
    }
}

/// Whether it belongs into a text: XML allows the controls U+007F to U+009F and advises against
/// them (§2.2); where they stand, a text was read in a wrong encoding.
const fn is_text(c: char) -> bool {
    is_xml(c) && !matches!(c, '\u{7F}'..='\u{9F}')
}

/// Whether XML 1.0 §2.2 allows this character in a document.
pub(super) const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// What a URI cannot hold as it is (RFC 3986 §2), of what the parser of addresses lets pass.
const UNSAFE: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
/// Brackets stand only round the host (§3.2.2).
const UNSAFE_AFTER_HOST: AsciiSet = UNSAFE.add(b'[').add(b']');

/// The absolute address of something on the web, in ASCII: a URI (RFC 3986), so that readers who
/// know no IRIs follow it too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(super) struct Link(Clean);

impl Link {
    /// The link that a text is, if it is one: `http:` or `https:`, with a host.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
        let (host, rest) = (&url[..Position::BeforePath], &url[Position::BeforePath..]);
        let link = format!("{}{}", utf8_percent_encode(host, &UNSAFE), utf8_percent_encode(rest, &UNSAFE_AFTER_HOST));
        Some(Self(Clean::new(link)))
    }

    /// One that the site made of its own address and an escaped path.
    pub(super) fn own(link: String) -> Self {
        Self::parse(&link).unwrap_or(Self(Clean(link)))
    }
}

impl From<&Link> for String {
    fn from(link: &Link) -> Self {
        Self::from(&link.0)
    }
}

impl From<&Link> for Clean {
    fn from(link: &Link) -> Self {
        link.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_removed_and_counted() {
        let mut scrub = Scrub::default();
        assert_eq!(scrub.text("a\u{0}\u{8}b\u{fffe}\tc\n\u{92}\u{1f54a}").as_str(), "ab\tc\n\u{1f54a}");
        assert_eq!(scrub.text("clean").as_str(), "clean");
        assert_eq!(scrub.removed, 4);
    }

    #[test]
    fn a_link_is_an_address_of_the_web_in_ascii() {
        for (text, link) in [
            ("http://example.org/?a=1&b=<2>\"'", "http://example.org/?a=1&b=%3C2%3E%22%27"),
            ("https://例え.jp/名?q=|{}[]^`#部", "https://xn--r8jz45g.jp/%E5%90%8D?q=%7C%7B%7D%5B%5D%5E%60#%E9%83%A8"),
            ("http://[::1]:8080/a%20b", "http://[::1]:8080/a%20b"),
            ("HTTP://Example.org", "http://example.org/"),
        ] {
            assert_eq!(String::from(&Link::parse(text).unwrap()), link);
        }
        for no_link in ["", "/a", "example.org", "javascript:alert(1)", "data:,x", "mailto:a@example.org", "http://", "urn:x:y"] {
            assert_eq!(Link::parse(no_link), None, "{no_link}");
        }
    }
}
