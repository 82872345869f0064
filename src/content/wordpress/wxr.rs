//! Reads a WordPress export (WXR, "WordPress eXtended RSS" 1.0 to 1.2) in a stream: what it
//! declares first, then one item after another.
//!
//! The file may be anybody's. Nothing is fetched, no entity is declared (a document type is
//! refused), depth and sizes are bounded, and what WordPress itself gets wrong — control
//! characters, broken UTF-8, a file cut off by a time limit — is survived and told.

use super::guarded::Guarded;
use super::html::unescape;
use crate::content::text::is_xml_char;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// An item holds elements two below itself; deeper ones are no export.
const DEEPEST: usize = 12;
/// Elements with the same name in one item, such as its tags.
const MOST_REPEATED: usize = 2_000;
/// Categories, tags and authors of the whole site.
const MOST_TERMS: usize = 200_000;
/// Values beside the text, in octets; longer ones are of no use here.
const LONGEST_VALUE: usize = 64 << 10;

/// What stands before the items.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// The site's name.
    pub(super) title: String,
    /// As WordPress writes it, `en-US` or `ja`.
    pub(super) language: String,
    /// The address of the home page.
    pub(super) home: String,
    /// Where WordPress itself is installed.
    pub(super) site: String,
    /// Display names by login.
    pub(super) authors: HashMap<String, String>,
    /// Categories, tags and the terms of plugins.
    pub(super) terms: Vec<Declared>,
}

/// A category, tag or other term as declared.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) id: Option<u64>,
    pub(super) taxonomy: String,
    /// Percent-encoded where it is not ASCII.
    pub(super) slug: String,
    /// The slug of what it is below; empty: of nothing.
    pub(super) parent: String,
    /// HTML, as WordPress stores names.
    pub(super) name: String,
    /// HTML, or data of a plugin.
    pub(super) description: String,
}

/// A term that an item is filed under.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) domain: String,
    pub(super) nicename: String,
    pub(super) name: String,
}

/// A post, a page, an attachment, or anything else of the table of posts.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) id: u64,
    /// `post`, `page`, `attachment`, `nav_menu_item`, …
    pub(super) kind: String,
    /// `publish`, `draft`, …
    pub(super) status: String,
    pub(super) title: String,
    pub(super) link: String,
    pub(super) guid: String,
    /// A login.
    pub(super) creator: String,
    pub(super) content: String,
    pub(super) excerpt: String,
    /// Percent-encoded where it is not ASCII.
    pub(super) name: String,
    /// In the site's zone, `2011-07-05 09:00:00`; all zeros: none.
    pub(super) date: String,
    pub(super) date_gmt: String,
    pub(super) modified: String,
    pub(super) modified_gmt: String,
    pub(super) password: String,
    pub(super) parent: u64,
    pub(super) attachment_url: String,
    pub(super) terms: Vec<Filed>,
    /// Those that mean something here: see [`is_wanted`].
    pub(super) meta: Vec<(String, String)>,
    pub(super) comments: u64,
    /// Characters that were left out, since XML and UTF-8 have none such.
    pub(super) repaired: u64,
}

impl Item {
    /// The first value of a custom field.
    pub(super) fn meta(&self, key: &str) -> Option<&str> {
        self.meta.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Custom fields that are read; a site has dozens more that only its plugins understand.
fn is_wanted(key: &str) -> bool {
    matches!(key, "_thumbnail_id" | "enclosure" | "_wp_attachment_image_alt" | "trid")
        || key.starts_with("_wpml_")
        || key.starts_with("_icl_")
}

/// Why a file cannot be read as an export at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("it declares a document type, which no export of WordPress does; it is not read")]
    DocumentType,
    #[error("it is written in {0}; convert it first, for example with  iconv -f {0} -t UTF-8  (and write UTF-8 in its first line)")]
    Encoding(String),
    #[error("it is not an export of WordPress: no <rss> with a <channel> and  wp:  elements. In WordPress: Tools, Export, All content")]
    NotAnExport,
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What a reader gives, one after another.
#[derive(Debug)]
pub(super) enum Part {
    /// Everything before the first item; given once.
    Header(Box<Header>),
    /// An item.
    Item(Box<Item>),
    /// The file ends; `Some`: in the middle, for this reason.
    End(Option<String>),
}

/// A file that is being read.
pub(super) struct Export {
    xml: Reader<Guarded<BufReader<File>>>,
    buffer: Vec<u8>,
    /// Names of the elements that are open.
    path: Vec<String>,
    text: String,
    /// Characters left out of the text so far.
    repaired: u64,
    header: Header,
    header_given: bool,
    item: Option<Box<Item>>,
    declared: Declared,
    author: (String, String),
    filed: Option<Filed>,
    meta: (String, String),
    saw_wordpress: bool,
    ended: bool,
}

impl Export {
    pub(super) fn open(path: &Path) -> Result<Self, Refused> {
        let file = File::open(path).map_err(|error| Refused::Unreadable(error.to_string()))?;
        let mut xml = Reader::from_reader(Guarded::new(BufReader::with_capacity(256 << 10, file)));
        // Old versions wrote `&` in titles as it is.
        xml.config_mut().allow_dangling_amp = true;
        Ok(Self {
            xml,
            buffer: Vec::new(),
            path: Vec::new(),
            text: String::new(),
            repaired: 0,
            header: Header::default(),
            header_given: false,
            item: None,
            declared: Declared::default(),
            author: Default::default(),
            filed: None,
            meta: Default::default(),
            saw_wordpress: false,
            ended: false,
        })
    }

    /// Octets read so far.
    pub(super) fn octets(&self) -> u64 {
        self.xml.get_ref().octets
    }

    /// The next part; after [`Part::End`] nothing follows.
    pub(super) fn next(&mut self) -> Result<Part, Refused> {
        while !self.ended {
            self.buffer.clear();
            self.xml.get_mut().restart();
            let mut buffer = std::mem::take(&mut self.buffer);
            let part = match self.xml.read_event_into(&mut buffer) {
                Ok(event) => self.event(event)?,
                Err(error) => {
                    let line = self.xml.get_ref().line;
                    Some(self.cut_off(format!("line {line}: {error}"))?)
                }
            };
            if buffer.capacity() > 4 << 20 {
                buffer = Vec::new();
            }
            self.buffer = buffer;
            if let Some(part) = part {
                return Ok(part);
            }
        }
        Ok(Part::End(None))
    }

    /// What is before the first item, if no item came.
    fn cut_off(&mut self, why: String) -> Result<Part, Refused> {
        self.ended = true;
        if self.saw_wordpress { Ok(Part::End(Some(why))) } else { Err(Refused::NotAnExport) }
    }

    fn event(&mut self, event: Event<'_>) -> Result<Option<Part>, Refused> {
        match event {
            Event::Start(start) => return self.start(&start),
            Event::End(_) => return Ok(self.end()),
            Event::Empty(start) => {
                if let Some(part) = self.start(&start)? {
                    // Only an item follows the header; it is empty then.
                    self.end();
                    return Ok(Some(part));
                }
                return Ok(self.end());
            }
            Event::Text(text) => self.push(&text),
            Event::CData(text) => self.push(&text),
            Event::GeneralRef(name) => {
                let name = String::from_utf8_lossy(&name);
                // What XML does not know, HTML may; it is read with the HTML.
                self.push(unescape(&format!("&{name};")).as_bytes());
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().and_then(Result::ok).map(|name| String::from_utf8_lossy(&name).into_owned());
                if let Some(name) =
                    encoding.filter(|name| !["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| known.eq_ignore_ascii_case(name)))
                {
                    return Err(Refused::Encoding(name));
                }
            }
            Event::DocType(_) => return Err(Refused::DocumentType),
            Event::Eof => {
                let open = self.path.last().cloned();
                return match open {
                    Some(name) => self.cut_off(format!("it ends in the middle, inside <{name}>")).map(Some),
                    None if self.saw_wordpress => {
                        self.ended = true;
                        Ok(Some(Part::End(None)))
                    }
                    None => Err(Refused::NotAnExport),
                };
            }
            Event::Comment(_) | Event::PI(_) => {}
        }
        Ok(None)
    }

    fn push(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if let Cow::Owned(_) = text {
            self.repaired += text.matches(char::REPLACEMENT_CHARACTER).count() as u64;
        }
        let before = self.text.len();
        self.text.extend(text.chars().filter(|c| is_xml_char(*c)));
        if self.text.len() - before < text.len() {
            self.repaired += text.chars().filter(|c| !is_xml_char(*c)).count() as u64;
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Option<Part>, Refused> {
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        if self.path.len() >= DEEPEST {
            return self
                .cut_off(format!("line {}: elements lie deeper in each other than in any export", self.xml.get_ref().line))
                .map(Some);
        }
        match (self.path.len(), name.as_str()) {
            (0, name) if name != "rss" && name != "br" && name != "b" => return Err(Refused::NotAnExport),
            (1, name) if self.path[0] == "rss" && name != "channel" => return Err(Refused::NotAnExport),
            _ => {}
        }
        self.saw_wordpress |= name.starts_with("wp:");
        self.text.clear();
        if name == "category" && self.item.is_some() {
            let attribute = |wanted: &str| {
                let found = start.attributes().with_checks(false).flatten().find(|attribute| attribute.key.as_ref() == wanted.as_bytes());
                found.map(|attribute| unescape(&String::from_utf8_lossy(&attribute.value))).unwrap_or_default()
            };
            self.filed = Some(Filed { domain: attribute("domain"), nicename: attribute("nicename"), name: String::new() });
        }
        let is_item = self.path.len() == 2 && name == "item";
        self.path.push(name);
        if is_item {
            self.item = Some(Box::default());
            self.repaired = 0;
            if !self.header_given {
                self.header_given = true;
                return Ok(Some(Part::Header(Box::new(std::mem::take(&mut self.header)))));
            }
        }
        Ok(None)
    }

    fn end(&mut self) -> Option<Part> {
        let name = self.path.pop()?;
        let text = std::mem::take(&mut self.text);
        let parent = self.path.last().map(String::as_str).unwrap_or_default();
        match (&mut self.item, self.path.len(), parent) {
            (Some(_), 2, "channel") => {
                let mut item = self.item.take()?;
                item.repaired = self.repaired;
                return Some(Part::Item(item));
            }
            (Some(item), 3, "item") => element(item, &name, text, &mut self.filed, &mut self.meta),
            (Some(_), 4, "wp:postmeta") if text.len() <= LONGEST_VALUE => match name.as_str() {
                "wp:meta_key" => self.meta.0 = text,
                "wp:meta_value" => self.meta.1 = text,
                _ => {}
            },
            (None, 2, "channel") => self.of_channel(&name, text),
            (None, 3, _) if text.len() <= LONGEST_VALUE => self.of_declaration(&name, text),
            _ => {}
        }
        None
    }

    fn of_channel(&mut self, name: &str, text: String) {
        let header = &mut self.header;
        match name {
            "title" => header.title = text,
            "language" => header.language = text.trim().to_owned(),
            "wp:base_blog_url" => header.home = text.trim().to_owned(),
            "wp:base_site_url" => header.site = text.trim().to_owned(),
            "link" if header.home.is_empty() => header.home = text.trim().to_owned(),
            "wp:author" if header.authors.len() < MOST_TERMS => {
                let (login, display) = std::mem::take(&mut self.author);
                header.authors.insert(login, display);
            }
            "wp:category" | "wp:tag" | "wp:term" if header.terms.len() < MOST_TERMS => {
                let mut declared = std::mem::take(&mut self.declared);
                if name == "wp:category" {
                    "category".clone_into(&mut declared.taxonomy);
                } else if name == "wp:tag" {
                    "post_tag".clone_into(&mut declared.taxonomy);
                }
                header.terms.push(declared);
            }
            _ => {}
        }
    }

    fn of_declaration(&mut self, name: &str, text: String) {
        let declared = &mut self.declared;
        match name {
            "wp:author_login" => self.author.0 = text,
            "wp:author_display_name" => self.author.1 = text,
            "wp:term_id" => declared.id = text.trim().parse().ok(),
            "wp:term_taxonomy" => declared.taxonomy = text,
            "wp:category_nicename" | "wp:tag_slug" | "wp:term_slug" => declared.slug = text,
            "wp:category_parent" | "wp:term_parent" => declared.parent = text,
            "wp:cat_name" | "wp:tag_name" | "wp:term_name" => declared.name = text,
            "wp:category_description" | "wp:tag_description" | "wp:term_description" => declared.description = text,
            _ => {}
        }
    }
}

/// An element of an item.
fn element(item: &mut Item, name: &str, text: String, filed: &mut Option<Filed>, meta: &mut (String, String)) {
    if name == "content:encoded" {
        item.content = text;
        return;
    }
    if text.len() > LONGEST_VALUE {
        return;
    }
    let word = || text.trim().to_owned();
    match name {
        "title" => item.title = text,
        "link" => item.link = word(),
        // Byte for byte, but for the line breaks with which a file may have been made pretty.
        "guid" => item.guid = word(),
        "dc:creator" => item.creator = text,
        "excerpt:encoded" => item.excerpt = text,
        "wp:post_id" => item.id = text.trim().parse().unwrap_or(0),
        "wp:post_date" => item.date = word(),
        "wp:post_date_gmt" => item.date_gmt = word(),
        "wp:post_modified" => item.modified = word(),
        "wp:post_modified_gmt" => item.modified_gmt = word(),
        "wp:post_name" => item.name = word(),
        "wp:status" => item.status = word(),
        "wp:post_type" => item.kind = word(),
        "wp:post_password" => item.password = text,
        "wp:post_parent" => item.parent = text.trim().parse().unwrap_or(0),
        "wp:attachment_url" => item.attachment_url = word(),
        "wp:comment" => item.comments += 1,
        "category" => {
            if let Some(filed) = filed.take()
                && item.terms.len() < MOST_REPEATED
            {
                item.terms.push(Filed { name: text, ..filed });
            }
        }
        "wp:postmeta" => {
            let (key, value) = std::mem::take(meta);
            if is_wanted(&key) && item.meta.len() < MOST_REPEATED {
                item.meta.push((key, value));
            }
        }
        _ => {}
    }
}
