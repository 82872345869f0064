//! A message as staff read it in a terminal.

use super::mime::Part;

/// The longest text that is shown.
const LONGEST: usize = 64 * 1024;

/// What a person would want to see of a message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Letter {
    /// The sender, as it stands.
    pub from: String,
    /// To whom, as it stands.
    pub to: String,
    /// When, as it stands.
    pub date: String,
    /// Decoded.
    pub subject: String,
    /// The text that there is, without attachments.
    pub text: String,
}

impl Letter {
    /// Reads a message. Nothing in it can move a terminal's cursor.
    pub fn read(message: &[u8]) -> Self {
        let part = Part::parse(message);
        let raw = |name: &str| harmless(&part.raw_header(name).unwrap_or_default());
        let subject = harmless(part.head().and_then(|head| head.subject()).unwrap_or_default());
        let text: String = part.readable().unwrap_or_default().chars().take(LONGEST).collect();
        let lines: Vec<String> = text.lines().map(harmless).collect();
        Self { from: raw("From"), to: raw("To"), date: raw("Date"), subject, text: lines.join("\n") }
    }
}

/// Without controls, and without what turns the direction of writing.
fn harmless(line: &str) -> String {
    let is_dangerous =
        |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    line.chars().filter(|c| !is_dangerous(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_as_text_and_moves_no_cursor() {
        let letter = Letter::read(
            "From: Kim <kim@example.net>\r\nSubject: =?iso-2022-jp?B?GyRCJCozUCQoGyhC?=\r\nDate: today\r\n\r\nHello\u{1b}[2J\r\n\u{202e}there\r\n".as_bytes(),
        );
        assert_eq!((letter.from.as_str(), letter.text.as_str()), ("Kim <kim@example.net>", "Hello[2J\nthere"));
        assert_eq!(letter.subject, "お覚え");
        let nothing = Letter::read(b"");
        assert_eq!((nothing.subject.as_str(), nothing.text.as_str()), ("", ""));
    }
}
