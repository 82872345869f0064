//! The letter kit: a letter filled with what a supporter gives, as text, `mailto:` (RFC 6068)
//! and `.eml`. Nothing of it is kept (P6).

use super::public::{LetterText, PublicMission, PublicPage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What browsers and mail programs take as one link, in characters.
pub(super) const SAFE_MAILTO: usize = 2000;
/// The longest name or town.
const LONGEST: usize = 80;
/// RFC 3986 §2.3: only these stand as they are.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a supporter signs, if they do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    name: String,
    town: String,
}

impl Signature {
    /// A signature from what was typed: one line each, without controls.
    pub fn new(name: &str, town: &str) -> Self {
        Self { name: one_line(name), town: one_line(town) }
    }

    /// The name, perhaps empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The town, perhaps empty.
    pub fn town(&self) -> &str {
        &self.town
    }

    fn lines(&self) -> Vec<&str> {
        [self.name(), self.town()].into_iter().filter(|line| !line.is_empty()).collect()
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// A letter ready to leave a supporter's own hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledLetter {
    /// Its language.
    pub language: String,
    /// Its subject.
    pub subject: String,
    /// Its text with the signature below.
    pub text: String,
}

/// Everything a supporter can take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The letter.
    pub letter: FilledLetter,
    /// A link that opens a mail program; `None` where the addressee has no mail address, there
    /// is no short letter, or it is too long.
    pub mailto: Option<String>,
    /// A mail file with the whole letter, where the addressee has a mail address.
    pub eml: Option<String>,
}

impl Filled {
    /// Fills the letter in a language (its tag).
    pub fn new(page: &PublicPage, mission: &PublicMission, tag: &str, signature: &Signature) -> Option<Self> {
        let letter = page.letter(tag)?;
        let letter = FilledLetter { language: tag.to_owned(), subject: letter.subject.clone(), text: signed(&letter.body, signature) };
        let mailto =
            page.short_letters.get(tag).and_then(|short| mailto(mission, short, signature)).filter(|link| link.len() <= SAFE_MAILTO);
        let eml = mission.email.as_deref().map(|email| eml(email, &letter));
        Some(Self { letter, mailto, eml })
    }
}

fn signed(body: &str, signature: &Signature) -> String {
    let lines = signature.lines();
    if lines.is_empty() { body.to_owned() } else { format!("{body}\n\n{}", lines.join("\n")) }
}

/// The link that opens a mail program with the short letter.
pub(super) fn mailto(mission: &PublicMission, short: &LetterText, signature: &Signature) -> Option<String> {
    let email = mission.email.as_deref()?;
    let escape = |text: &str| utf8_percent_encode(text, &UNRESERVED).to_string();
    // RFC 6068 §5: line breaks in a body are %0D%0A; the @ of the address may stand.
    let body = escape(&signed(&short.body, signature).replace('\n', "\r\n"));
    Some(format!("mailto:{}?subject={}&body={body}", escape(email).replace("%40", "@"), escape(&short.subject)))
}

/// A mail to be opened, looked at and sent by the supporter's own program.
fn eml(email: &str, letter: &FilledLetter) -> String {
    let body = STANDARD.encode(letter.text.replace('\n', "\r\n"));
    let mut lines = vec![
        format!("To: {email}"),
        format!("Subject: {}", encoded_words(&letter.subject)),
        // Tells mail programs that it is a draft.
        "X-Unsent: 1".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
        String::new(),
    ];
    // Base64 is ASCII, so chunks of octets are chunks of characters.
    lines.extend(body.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()));
    lines.join("\r\n") + "\r\n"
}

/// RFC 2047 words of at most 75 characters that split no character.
fn encoded_words(text: &str) -> String {
    /// 75 less `=?UTF-8?B?` and `?=`, in octets before base64.
    const OCTETS: usize = 45;
    if text.is_ascii() && text.len() < 60 && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= OCTETS => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn page() -> PublicPage {
        let letter = |subject: &str, body: &str| LetterText { subject: subject.to_owned(), body: body.to_owned() };
        PublicPage {
            letters: [("ja".to_owned(), letter("難民の保護について", "大使閣下\n\nお願いします。"))].into(),
            short_letters: [("ja".to_owned(), letter("お願い & 保護", "保護を。\n\n100%"))].into(),
            ..PublicPage::default()
        }
    }

    fn mission() -> PublicMission {
        PublicMission {
            id: "cn-tokyo".to_owned(),
            name: BTreeMap::new(),
            city: BTreeMap::new(),
            country: "JP".to_owned(),
            postal_address: BTreeMap::new(),
            phone: None,
            fax: None,
            email: Some("embassy@example.org".to_owned()),
            languages: vec!["ja".to_owned()],
        }
    }

    #[test]
    fn a_mail_link_carries_the_short_letter_escaped_and_signed() {
        let filled = Filled::new(&page(), &mission(), "ja", &Signature::new("金\r\nBcc: x@example.org", "Tokyo")).unwrap();
        let link = filled.mailto.unwrap();
        assert!(link.starts_with("mailto:embassy@example.org?subject=%E3%81%8A"), "{link}");
        assert!(link.contains("%20%26%20") && link.contains("%0D%0A%0D%0A100%25"), "{link}");
        assert!(link.is_ascii() && !link.contains(' '));
        assert_eq!(filled.letter.text, "大使閣下\n\nお願いします。\n\n金 Bcc: x@example.org\nTokyo");
    }

    #[test]
    fn a_mail_file_is_read_back_as_the_letter() {
        let eml = Filled::new(&page(), &mission(), "ja", &Signature::default()).unwrap().eml.unwrap();
        let message = mail_parser::MessageParser::default().parse(eml.as_bytes()).unwrap();
        assert_eq!(message.subject(), Some("難民の保護について"));
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), "大使閣下\n\nお願いします。");
        assert!(eml.lines().all(|line| line.len() <= 76));
    }

    #[test]
    fn without_a_mail_address_or_with_a_long_text_there_is_no_mail_link() {
        let nowhere = PublicMission { email: None, ..mission() };
        let filled = Filled::new(&page(), &nowhere, "ja", &Signature::default()).unwrap();
        assert_eq!((filled.mailto, filled.eml), (None, None));
        let mut long = page();
        long.short_letters.insert("ja".to_owned(), LetterText { subject: "長".to_owned(), body: "長".repeat(300) });
        assert_eq!(Filled::new(&long, &mission(), "ja", &Signature::default()).unwrap().mailto, None);
    }
}
