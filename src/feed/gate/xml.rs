//! RSS and Atom, read again, as strictly as libxml2 and expat read them: `quick-xml` lets pass
//! what XML 1.0 and its namespaces forbid.

use super::super::clean::is_xml;
use super::web;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The ids of its entries, in order, if it is well-formed (XML 1.0 §2.1), its prefixes are declared
/// (Namespaces in XML §5), and its links, dates and lengths are such.
pub(super) fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if let Some(c) = text.chars().find(|c| !is_xml(*c)) {
        return Err(format!("it holds U+{:04X}, which XML cannot", u32::from(c)));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut witness = Witness::default();
    loop {
        let event = reader.read_event().map_err(|error| format!("{error} at octet {}", reader.error_position()))?;
        if matches!(event, Event::Eof) {
            break;
        }
        witness.see(&event).map_err(|why| format!("{why}, before octet {}", reader.buffer_position()))?;
    }
    if witness.open.is_empty() && witness.has_root { Ok(witness.ids) } else { Err("it has no end".to_owned()) }
}

/// What was seen so far.
#[derive(Default)]
struct Witness {
    has_root: bool,
    /// Elements that are open, each with how many prefixes were declared before it.
    open: Vec<(String, usize)>,
    /// Prefixes that are declared here.
    declared: Vec<String>,
    /// The text of the element that is open, if it matters.
    text: Option<String>,
    ids: Vec<String>,
}

impl Witness {
    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => self.start(element),
            Event::Empty(element) => {
                self.start(element)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => {
                let text = text.decode().map_err(|error| error.to_string())?;
                if text.contains("]]>") {
                    return Err("“]]>” stands in a text".to_owned());
                }
                self.add(&text)
            }
            Event::CData(text) => self.add(&text.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => {
                let mut room = [0; 4];
                self.add(character(reference)?.encode_utf8(&mut room))
            }
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(_) if !self.has_root => Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Err("it holds what no feed needs".to_owned()),
        }
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        if self.open.is_empty() && self.has_root {
            return Err("it has two roots".to_owned());
        }
        self.has_root = true;
        let name = utf8(element.name().into_inner())?.to_owned();
        self.open.push((name.clone(), self.declared.len()));
        let mut names = vec![name];
        for attribute in element.attributes() {
            // Two of one name are an error here.
            let attribute = attribute.map_err(|error| error.to_string())?;
            let (key, raw) = (utf8(attribute.key.into_inner())?, utf8(&attribute.value)?);
            let value = unescape(raw).map_err(|error| error.to_string())?;
            if raw.contains('<') || !value.chars().all(is_xml) {
                return Err(format!("the attribute {key} is not escaped"));
            }
            match key.strip_prefix("xmlns:") {
                Some(prefix) => self.declared.push(prefix.to_owned()),
                None => names.push(key.to_owned()),
            }
            check_attribute(key, &value)?;
        }
        for name in &names {
            if let Some((prefix, _)) = name.split_once(':').filter(|(prefix, _)| *prefix != "xml")
                && !self.declared.iter().any(|declared| declared == prefix)
            {
                return Err(format!("nobody declared the prefix of {name}"));
            }
        }
        self.text = self.matters().then(String::new);
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        if let Some(text) = self.text.take() {
            self.check_text(text)?;
        }
        let (_, declared) = self.open.pop().ok_or("something ends that did not begin")?;
        self.declared.truncate(declared);
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        if self.open.is_empty() && !text.trim().is_empty() {
            return Err("it holds text outside its root".to_owned());
        }
        if let Some(whole) = &mut self.text {
            whole.push_str(text);
        }
        Ok(())
    }

    /// The names of the element that is open and of the one round it.
    fn place(&self) -> (&str, &str) {
        let name = |from_end: usize| self.open.iter().rev().nth(from_end).map_or("", |(name, _)| name.as_str());
        (name(1), name(0))
    }

    fn matters(&self) -> bool {
        matches!(
            self.place(),
            ("item", "guid" | "link" | "pubDate")
                | ("channel", "link" | "lastBuildDate" | "ttl")
                | ("image", "link" | "url")
                | ("entry", "id" | "updated" | "published")
                | ("feed", "updated" | "icon" | "logo")
        )
    }

    fn check_text(&mut self, text: String) -> Result<(), String> {
        match self.place() {
            ("item", "guid") | ("entry", "id") => {
                self.ids.push(text);
                Ok(())
            }
            (_, "link" | "url" | "icon" | "logo") => web(&text),
            (_, "pubDate" | "lastBuildDate") => match jiff::fmt::rfc2822::parse(&text) {
                Ok(_) => Ok(()),
                Err(_) => Err(format!("“{text}” is no date")),
            },
            (_, "updated" | "published") => text.parse::<jiff::Timestamp>().map(drop).map_err(|_| format!("“{text}” is no date")),
            _ => number(&text),
        }
    }
}

fn check_attribute(key: &str, value: &str) -> Result<(), String> {
    match key {
        "href" | "url" | "uri" | "domain" => web(value),
        "length" | "fileSize" => number(value),
        _ => Ok(()),
    }
}

fn number(text: &str) -> Result<(), String> {
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) { Ok(()) } else { Err(format!("“{text}” is no number")) }
}

/// The character that a reference stands for. Without a document type there are five entities;
/// HTML in Atom is full of them.
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    let entity = match &**reference {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        other => match reference.resolve_char_ref().map_err(|error| error.to_string())? {
            Some(c) if is_xml(c) => c,
            Some(c) => return Err(format!("it refers to U+{:04X}, which XML cannot hold", u32::from(c))),
            None => return Err(format!("nobody declared &{};", String::from_utf8_lossy(other))),
        },
    };
    Ok(entity)
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| error.to_string())
}
