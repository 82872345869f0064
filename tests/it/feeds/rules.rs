//! The rules of the W3C's feed validator that can hit us, by the names of its messages (its page
//! `docs/error` and `docs/warning` explain each), and those of JSON Feed 1.1.

use super::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a document served at an address, one message a line.
pub fn findings(document: &str, address: &str) -> Vec<String> {
    let root = Node::parse(document);
    let mut findings = Findings { list: Vec::new(), address: address.to_owned() };
    findings.namespaces(&root);
    findings.characters(document);
    match root.name.as_str() {
        "rss" => findings.rss(&root),
        "feed" => findings.atom(&root),
        name => findings.tell("UndefinedElement", name),
    }
    findings.list
}

/// Each prefix that everybody knows, and what it stands for.
const PREFIXES: [(&str, &str); 7] = [
    ("atom", "http://www.w3.org/2005/Atom"),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("sy", "http://purl.org/rss/1.0/modules/syndication/"),
    ("media", "http://search.yahoo.com/mrss/"),
    ("at", "http://purl.org/atompub/tombstones/1.0"),
    ("fh", "http://purl.org/syndication/history/1.0"),
];
/// Relations of links that are registered with IANA.
const RELATIONS: [&str; 12] =
    ["alternate", "current", "enclosure", "first", "hub", "last", "next", "next-archive", "prev-archive", "previous", "related", "self"];
const CHANNEL: &str = "title link description language copyright lastBuildDate generator docs ttl image item category atom:link sy:updatePeriod sy:updateFrequency sy:updateBase fh:archive fh:complete";
const ITEM: &str = "title link description category enclosure guid pubDate content:encoded media:content media:player media:thumbnail dc:creator dc:contributor dc:language atom:link";
const FEED: &str =
    "title id updated author category generator icon link logo rights subtitle entry at:deleted-entry fh:archive fh:complete";
const ENTRY: &str =
    "title id updated author category contributor link published rights summary content media:content media:player media:thumbnail";
/// What may stand more than once.
const REPEATED: &str = "item entry category link atom:link author contributor dc:creator dc:contributor media:content media:thumbnail media:player at:deleted-entry";

struct Findings {
    list: Vec<String>,
    address: String,
}

impl Findings {
    fn tell(&mut self, message: &str, what: &str) {
        self.list.push(format!("{message}: {}", what.chars().take(120).collect::<String>()));
    }

    fn require(&mut self, holds: bool, message: &str, what: &str) {
        if !holds {
            self.tell(message, what);
        }
    }

    fn namespaces(&mut self, root: &Node) {
        for (name, uri) in &root.attributes {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.require(PREFIXES.contains(&(prefix, uri)), "NonstdPrefix or UnknownNamespace", &format!("{prefix}={uri}"));
            }
        }
        for node in root.everything() {
            if let Some((prefix, _)) = node.name.split_once(':') {
                self.require(root.attributes.contains_key(&format!("xmlns:{prefix}")), "MissingNamespace", &node.name);
            }
        }
    }

    /// Controls of the second block, and what stands for a character that was lost.
    fn characters(&mut self, document: &str) {
        for c in document.chars().filter(|c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}')) {
            self.tell("BadCharacters", &format!("U+{:04X}", u32::from(c)));
        }
    }

    fn children(&mut self, node: &Node, allowed: &str) {
        let mut seen = BTreeSet::new();
        for child in &node.children {
            let is = |list: &str| list.split(' ').any(|name| name == child.name);
            self.require(is(allowed), "UndefinedElement", &child.name);
            self.require(seen.insert(child.name.clone()) || is(REPEATED), "DuplicateElement", &child.name);
        }
        self.require(node.text.trim().is_empty() || node.children.is_empty(), "UnexpectedText", &node.text);
    }

    fn rss(&mut self, root: &Node) {
        self.require(root.get("version") == "2.0", "InvalidRSSVersion", root.get("version"));
        let channel = root.child("channel").unwrap();
        self.children(channel, CHANNEL);
        for (name, message) in [("title", "MissingTitle"), ("link", "MissingLink"), ("description", "MissingDescription")] {
            self.require(!channel.text_of(name).trim().is_empty(), message, name);
        }
        self.uri(channel.text_of("link"), "InvalidFullLink");
        self.uri(channel.text_of("docs"), "InvalidFullLink");
        self.language(channel.text_of("language"), "MissingDCLanguage");
        if channel.child("lastBuildDate").is_some() {
            self.rfc822(channel.text_of("lastBuildDate"));
        }
        for name in ["ttl", "sy:updateFrequency"] {
            self.require(channel.text_of(name).parse::<u32>().is_ok_and(|number| number > 0), "InvalidPositiveInteger", name);
        }
        let period = channel.text_of("sy:updatePeriod");
        self.require(["hourly", "daily", "weekly"].contains(&period), "InvalidUpdatePeriod", period);
        let own: Vec<&Node> = channel.all("atom:link").filter(|link| link.get("rel") == "self").collect();
        self.require(own.len() == 1, "MissingAtomSelfLink", "");
        self.links(channel.all("atom:link"));
        if let Some(image) = channel.child("image") {
            self.children(image, "url title link");
            self.uri(image.text_of("url"), "InvalidFullLink");
            self.require(image.text_of("link") == channel.text_of("link"), "ImageLinkDoesntMatch", image.text_of("link"));
            self.require(image.text_of("title") == channel.text_of("title"), "ImageTitleDoesntMatch", image.text_of("title"));
            let extension = image.text_of("url").rsplit('.').next().unwrap_or_default().to_lowercase();
            self.require(["png", "jpg", "jpeg", "gif"].contains(&extension.as_str()), "ImageUrlFormat", &extension);
        }
        let after_items = channel.children.iter().skip_while(|child| child.name != "item").find(|child| child.name != "item");
        self.require(after_items.is_none(), "MisplacedItem", after_items.map_or("", |child| &child.name));
        let mut guids = BTreeSet::new();
        for item in channel.all("item") {
            self.item(item);
            self.require(guids.insert(item.text_of("guid").to_owned()), "DuplicateValue", item.text_of("guid"));
        }
    }

    fn item(&mut self, item: &Node) {
        self.children(item, ITEM);
        self.require(item.child("link").is_some(), "MissingItemLink", "");
        self.require(item.child("title").is_some(), "MissingItemTitle", "");
        self.uri(item.text_of("link"), "InvalidFullLink");
        self.rfc822(item.text_of("pubDate"));
        let guid = item.child("guid");
        self.require(guid.is_some_and(|guid| guid.get("isPermaLink") == "false"), "MissingGuid", item.text_of("guid"));
        self.id(item.text_of("guid"));
        let at = |name: &str| item.children.iter().position(|child| child.name == name);
        let ordered = at("content:encoded").is_none_or(|content| at("description").is_some_and(|summary| summary < content));
        self.require(ordered, "NeedDescriptionBeforeContent", item.text_of("title"));
        for language in item.all("dc:language") {
            self.language(&language.text, "InvalidLanguage");
        }
        for file in item.all("enclosure") {
            self.require(file.get("length").parse::<u64>().is_ok_and(|length| length > 0), "InvalidIntegerAttribute", file.get("length"));
            self.require(is_media_type(file.get("type")), "InvalidMIMEAttribute", file.get("type"));
            self.uri(file.get("url"), "InvalidURLAttribute");
        }
        self.require(item.all("enclosure").count() < 2, "DuplicateEnclosure", "");
        for category in item.all("category") {
            self.require(!category.text.trim().is_empty(), "NotBlank", "category");
        }
        self.media(item);
        for name in ["description", "content:encoded"] {
            self.html(item.text_of(name));
        }
    }

    fn media(&mut self, item: &Node) {
        for node in item.everything() {
            match node.name.as_str() {
                "media:content" => {
                    let is_medium = ["audio", "video", "image"].contains(&node.get("medium"));
                    self.require(is_medium, "InvalidMediaMedium", node.get("medium"));
                    let is_found = node.attributes.contains_key("url") || node.child("media:player").is_some();
                    self.require(is_found, "MissingAttribute", "media:content url");
                    if node.attributes.contains_key("type") {
                        self.require(is_media_type(node.get("type")), "InvalidMIMEAttribute", node.get("type"));
                    }
                }
                "media:player" | "media:thumbnail" => self.uri(node.get("url"), "MissingAttribute"),
                _ => {}
            }
        }
    }

    fn atom(&mut self, root: &Node) {
        self.require(root.get("xmlns") == "http://www.w3.org/2005/Atom", "InvalidNamespace", root.get("xmlns"));
        self.children(root, FEED);
        for name in ["title", "id", "updated", "author"] {
            self.require(root.child(name).is_some(), "MissingElement", name);
        }
        self.rfc3339(root.text_of("updated"));
        self.id(root.text_of("id"));
        self.language(root.get("xml:lang"), "MissingDCLanguage");
        self.require(root.all("link").any(|link| link.get("rel") == "self"), "MissingSelf", "");
        self.links(root.all("link"));
        for name in ["icon", "logo"] {
            if root.child(name).is_some() {
                self.uri(root.text_of(name), "InvalidLink");
            }
        }
        let mut after = root.children.iter().skip_while(|child| child.name != "entry");
        let misplaced = after.find(|child| child.name != "entry" && !child.name.contains(':'));
        self.require(misplaced.is_none(), "MisplacedMetadata", misplaced.map_or("", |child| &child.name));
        let (mut ids, mut moments) = (BTreeSet::new(), BTreeSet::new());
        for entry in root.all("entry") {
            self.entry(entry);
            self.require(ids.insert(entry.text_of("id").to_owned()), "DuplicateEntries", entry.text_of("id"));
            self.require(moments.insert(entry.text_of("updated").to_owned()), "DuplicateUpdated", entry.text_of("updated"));
        }
        for gone in root.all("at:deleted-entry") {
            self.require(!gone.get("ref").is_empty(), "MissingAttribute", "ref");
            self.rfc3339(gone.get("when"));
        }
    }

    fn entry(&mut self, entry: &Node) {
        self.children(entry, ENTRY);
        for name in ["title", "id", "updated"] {
            self.require(!entry.text_of(name).trim().is_empty(), "MissingElement", name);
        }
        self.id(entry.text_of("id"));
        self.rfc3339(entry.text_of("updated"));
        self.rfc3339(entry.text_of("published"));
        self.require(entry.text_of("published") <= entry.text_of("updated"), "ImplausibleDate", entry.text_of("updated"));
        self.links(entry.all("link"));
        let has_alternate = entry.all("link").any(|link| link.get("rel") == "alternate");
        self.require(has_alternate || entry.child("content").is_some(), "MissingContentOrAlternate", entry.text_of("id"));
        let is_told = entry.child("content").is_some() || entry.child("summary").is_some();
        self.require(is_told, "MissingTextualContent", entry.text_of("id"));
        for person in entry.all("author").chain(entry.all("contributor")) {
            self.require(!person.text_of("name").trim().is_empty(), "MissingElement", "name");
            if person.child("uri").is_some() {
                self.uri(person.text_of("uri"), "InvalidURIAttribute");
            }
        }
        for category in entry.all("category") {
            self.require(!category.get("term").is_empty(), "MissingAttribute", "term");
            if category.attributes.contains_key("scheme") {
                self.uri(category.get("scheme"), "InvalidURIAttribute");
            }
        }
        self.media(entry);
        if entry.child("content").is_some_and(|content| content.get("type") == "html") {
            self.html(entry.text_of("content"));
        }
    }

    /// Links of a feed, an entry or a channel.
    fn links<'n>(&mut self, links: impl Iterator<Item = &'n Node>) {
        let mut alternates = BTreeMap::new();
        for link in links {
            let (rel, href) = (link.get("rel"), link.get("href"));
            self.uri(href, "MissingHref");
            self.require(RELATIONS.contains(&rel), "UnregisteredAtomLinkRel", rel);
            self.require(link.get("type").is_empty() || is_media_type(link.get("type")), "InvalidMIMEType", link.get("type"));
            self.require(rel != "self" || href == self.address.clone(), "SelfDoesntMatchLocation", href);
            self.require(rel != "enclosure" || !link.get("type").is_empty(), "MissingTypeAttr", href);
            let length = link.get("length");
            self.require(length.is_empty() || length.parse::<u64>().is_ok_and(|length| length > 0), "InvalidNonNegativeInteger", length);
            if rel == "alternate" {
                let twin = alternates.insert((link.get("type").to_owned(), link.get("hreflang").to_owned()), href.to_owned());
                self.require(twin.is_none(), "DuplicateAtomLink", href);
            }
        }
    }

    /// An absolute URI in ASCII (RFC 3986).
    fn uri(&mut self, uri: &str, message: &str) {
        let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
        let allowed = |c: u8| c.is_ascii_alphanumeric() || b";/?:@&=+$.-_!~*'()%,#[]".contains(&c);
        self.require(rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed)), message, uri);
    }

    fn id(&mut self, id: &str) {
        self.require(!(id.len() < 9 && id.bytes().all(|c| c.is_ascii_digit())), "NotSufficientlyUnique", id);
        self.require(id.trim() == id, "UnexpectedWhitespace", id);
        if let Some(rest) = id.strip_prefix("tag:") {
            let specific = rest.split_once(':').filter(|(authority, _)| authority.contains(',')).map(|(_, specific)| specific);
            let allowed = |c: u8| c.is_ascii_alphanumeric() || b";/?:@&=+$.-_!~*'()%,".contains(&c);
            self.require(specific.is_some_and(|specific| !specific.is_empty() && specific.bytes().all(allowed)), "InvalidTAG", id);
        }
    }

    fn language(&mut self, tag: &str, message: &str) {
        let primary = tag.split('-').next().unwrap_or_default();
        self.require((2..=3).contains(&primary.len()) && primary.bytes().all(|c| c.is_ascii_lowercase()), message, tag);
    }

    fn rfc822(&mut self, date: &str) {
        let parts: Vec<&str> = date.split(' ').collect();
        let zone = parts.last().is_some_and(|zone| zone.len() == 5 && zone.starts_with(['+', '-']));
        let year = parts.get(3).is_some_and(|year| year.len() == 4);
        // The weekday is compared with the date.
        let is_date = parts.len() == 6 && zone && year && jiff::fmt::rfc2822::parse(date).is_ok();
        self.require(is_date, "InvalidRFC2822Date or ProblematicalRFC822Date or IncorrectDOW", date);
    }

    fn rfc3339(&mut self, date: &str) {
        self.require(date.parse::<jiff::Timestamp>().is_ok() && date.contains('T'), "InvalidRFC3339Date", date);
    }

    /// What a reader shows as HTML.
    fn html(&mut self, html: &str) {
        for tag in html.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_lowercase();
            let evil = ["script", "style", "meta", "embed", "object", "iframe", "form", "link", "base"].contains(&name.as_str());
            self.require(!evil, "SecurityRisk", tag);
            let Some((tag, _)) = tag.split_once('>') else { continue };
            for (at, _) in tag.match_indices("=\"") {
                let attribute = tag[..at].rsplit(' ').next().unwrap_or_default().to_lowercase();
                let value = tag[at + 2..].split('"').next().unwrap_or_default();
                self.require(!attribute.starts_with("on") && attribute != "style", "SecurityRiskAttr", &attribute);
                if ["href", "src", "poster", "cite"].contains(&attribute.as_str()) {
                    let scheme = value.split_once(':').map_or("", |(scheme, _)| scheme);
                    self.require(["http", "https", "mailto", "tel", "data"].contains(&scheme), "ContainsRelRef", value);
                }
            }
        }
    }
}

fn is_media_type(text: &str) -> bool {
    let token =
        |part: &str| !part.is_empty() && !part.contains([' ', '(', ')', '<', '>', '@', ',', ';', ':', '\\', '"', '/', '[', ']', '?', '=']);
    text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// What is wrong with a JSON Feed (its specification, version 1.1).
pub fn json_findings(document: &str, address: &str) -> Vec<String> {
    let mut findings = Findings { list: Vec::new(), address: address.to_owned() };
    let json: serde_json::Value = serde_json::from_str(document).unwrap();
    findings.require(document.starts_with("{\"version\":\"https://jsonfeed.org/version/1.1\""), "version first", document);
    findings.require(json["feed_url"] == address, "feed_url", &json["feed_url"].to_string());
    findings.require(json["title"].is_string() && json["items"].is_array(), "required", "title, items");
    findings.require(document.len() <= 250_000, "too long", &document.len().to_string());
    for old in ["author", "expired"] {
        findings.require(json[old].is_null(), "deprecated", old);
    }
    for url in ["home_page_url", "feed_url", "icon", "favicon", "next_url"].iter().filter(|url| !json[**url].is_null()) {
        findings.uri(json[*url].as_str().unwrap_or_default(), url);
    }
    let mut ids = BTreeSet::new();
    for item in json["items"].as_array().into_iter().flatten() {
        let id = item["id"].as_str().unwrap_or_default();
        findings.require(!id.is_empty() && ids.insert(id.to_owned()), "id", id);
        findings.require(item["content_html"].is_string() || item["content_text"].is_string(), "content", id);
        for url in ["url", "external_url", "image"].iter().filter(|url| !item[**url].is_null()) {
            findings.uri(item[*url].as_str().unwrap_or_default(), url);
        }
        for date in ["date_published", "date_modified"] {
            findings.rfc3339(item[date].as_str().unwrap_or_default());
        }
        findings.html(item["content_html"].as_str().unwrap_or_default());
        for file in item["attachments"].as_array().into_iter().flatten() {
            findings.uri(file["url"].as_str().unwrap_or_default(), "attachment");
            findings.require(is_media_type(file["mime_type"].as_str().unwrap_or_default()), "mime_type", &file.to_string());
            findings.require(file["size_in_bytes"].is_null() || file["size_in_bytes"].is_u64(), "size_in_bytes", &file.to_string());
        }
    }
    findings.list
}
