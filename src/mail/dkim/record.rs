//! The record in DNS that holds a public key (RFC 6376 §3.6.1).

use super::key::{Algorithm, Key};
use super::tags;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest string in a TXT record (RFC 1035 §3.3); longer texts are several strings.
const LONGEST_STRING: usize = 255;

/// Where the record of a selector is.
pub fn name(selector: &str, domain: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

/// Whether a text can be a selector: labels of letters, digits and hyphens (§3.1).
pub fn is_selector(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 100 && text.split('.').all(is_label)
}

/// The text to publish for a key.
pub fn text(key: &Key) -> anyhow::Result<String> {
    Ok(format!("v=DKIM1; k={}; p={}", key.algorithm(), STANDARD.encode(key.public()?)))
}

/// A text in strings of at most 255 octets, which verifiers join without anything between them
/// (§3.6.2.2).
pub fn strings(text: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    let mut rest = text;
    while rest.len() > LONGEST_STRING {
        let end = (0..=LONGEST_STRING).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let (string, after) = rest.split_at(end);
        strings.push(string);
        rest = after;
    }
    strings.push(rest);
    strings
}

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its kind.
    pub algorithm: Algorithm,
    /// As [`Key::public`] gives it; empty: the key was revoked.
    pub public: Vec<u8>,
    /// Whether verifiers are asked to treat its mails as if they were not signed (`t=y`).
    pub testing: bool,
    /// Whether it may sign with SHA-256, and mail at all (`h=`, `s=`).
    pub serves_mail: bool,
}

impl KeyRecord {
    /// Reads a record as verifiers do; what they would refuse is told.
    pub fn parse(text: &str) -> Result<Self, String> {
        let list = tags::parse(text)?;
        if list.iter().position(|(name, _)| name == "v").is_some_and(|at| at > 0) || tags::value(&list, "v").is_some_and(|v| v != "DKIM1") {
            return Err("it does not begin with v=DKIM1".to_owned());
        }
        let algorithm = tags::value(&list, "k").unwrap_or("rsa");
        let algorithm = Algorithm::from_stored(algorithm).map_err(|_| format!("“{algorithm}” is not a kind of key"))?;
        let public: String = tags::value(&list, "p").ok_or("it has no p= with the key")?.split(' ').collect();
        let public = STANDARD.decode(public).map_err(|_| "the key behind p= is damaged: a letter or a part of it is missing")?;
        let allows = |tag: &str, wanted: &[&str]| {
            tags::value(&list, tag).is_none_or(|named| named.split(':').any(|name| wanted.contains(&name.trim())))
        };
        Ok(Self {
            algorithm,
            public,
            testing: tags::value(&list, "t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y")),
            serves_mail: allows("h", &["sha256"]) && allows("s", &["*", "email"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_read_back_from_its_strings() {
        for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
            let key = Key::generate(algorithm).unwrap();
            let text = text(&key).unwrap();
            let parts = strings(&text);
            assert_eq!(parts.len(), if algorithm == Algorithm::Rsa { 2 } else { 1 });
            assert!(parts.iter().all(|part| part.len() <= 255));
            let record = KeyRecord::parse(&parts.concat()).unwrap();
            assert_eq!(record, KeyRecord { algorithm, public: key.public().unwrap(), testing: false, serves_mail: true });
        }
        assert_eq!(name("c1", "example.org"), "c1._domainkey.example.org");
    }

    #[test]
    fn records_of_others_are_read_as_verifiers_read_them() {
        let record = KeyRecord::parse("p=AAAA BBBB; t=s:y; h=sha1 : sha256; s=email").unwrap();
        assert_eq!((record.algorithm, record.public.len(), record.testing, record.serves_mail), (Algorithm::Rsa, 6, true, true));
        assert!(KeyRecord::parse("v=DKIM1; p=").unwrap().public.is_empty(), "revoked");
        assert!(!KeyRecord::parse("v=DKIM1; h=sha1; p=AAAA").unwrap().serves_mail);
        assert!(!KeyRecord::parse("v=DKIM1; s=tlsrpt; p=AAAA").unwrap().serves_mail);
        for wrong in ["", "v=DKIM1", "v=DKIM2; p=AAAA", "p=AAAA; v=DKIM1", "v=DKIM1; k=dsa; p=AAAA", "v=DKIM1; p=A", "v=spf1 -all"] {
            assert!(KeyRecord::parse(wrong).is_err(), "{wrong}");
        }
    }
}
