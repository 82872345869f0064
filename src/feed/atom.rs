//! Atom 1.0 (RFC 4287).

use super::GENERATOR;
use super::clean::{Clean, Link};
use super::extension::{self, Element, Namespace};
use super::media::Attachment;
use super::model::{Deleted, Entry, Feed, Label, Person, Translation};
use crate::clock::Timestamp;
use crate::site::FeedFormat;
use anyhow::Context as _;
use atom_syndication as atom;
use chrono::{DateTime, FixedOffset};

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let own: Vec<Element> = feed.deleted.iter().map(tombstone).chain(feed.archive_mark()).collect();
    let elements: Vec<_> = feed.entries.iter().map(|entry| entry.media.elements()).collect();
    let document = atom::Feed {
        title: atom::Text::plain(&feed.title),
        subtitle: Some(atom::Text::plain(&feed.description)),
        id: String::from(&feed.id),
        updated: feed.updated().map_or_else(|| date(Timestamp::from_millis(0), 0), |(updated, tie)| date(updated, tie)),
        // An entry without authors has the feed's (§4.1.1).
        authors: vec![atom::Person { name: String::from(&feed.author), uri: Some(String::from(&feed.home)), ..atom::Person::default() }],
        links: vec![
            link("self", feed.address(FeedFormat::Atom), Some(FeedFormat::Atom.media_type()), None),
            link("alternate", String::from(&feed.home), Some("text/html"), Some(&feed.topic.language.to_string())),
        ]
        .into_iter()
        .chain(feed.hubs.iter().map(|hub| link("hub", String::from(hub), None, None)))
        .chain(neighbours(feed))
        .collect(),
        generator: Some(atom::Generator { value: GENERATOR.to_owned(), ..atom::Generator::default() }),
        rights: feed.rights.as_ref().map(atom::Text::plain),
        icon: feed.icon.as_ref().map(String::from),
        logo: feed.logo.as_ref().map(String::from),
        lang: Some(feed.topic.language.to_string()),
        extensions: extension::atom(&own),
        namespaces: extension::namespaces(elements.iter().flatten().chain(&own)),
        entries: feed.entries.iter().zip(&elements).map(|(entry, elements)| self::entry(entry, elements)).collect(),
        ..atom::Feed::default()
    };
    let config = atom::WriteConfig { write_document_declaration: false, indent_size: None };
    let bytes = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    document.write_with_config(bytes, config).context("an Atom feed could not be written")
}

/// The documents before and after it (RFC 5005).
fn neighbours(feed: &Feed<'_>) -> impl Iterator<Item = atom::Link> {
    let address = |part| feed.address_of(part, FeedFormat::Atom);
    feed.links.iter().map(move |(rel, part)| link(rel, address(*part), Some(FeedFormat::Atom.media_type()), None))
}

fn entry(entry: &Entry, elements: &[Element]) -> atom::Entry {
    let language = entry.language.to_string();
    let own = link("alternate", String::from(&entry.link), Some("text/html"), Some(&language));
    atom::Entry {
        title: text(&entry.title, &language),
        id: String::from(&entry.iri),
        updated: date(entry.updated, entry.article),
        published: Some(date(entry.published, 0)),
        authors: entry.authors.iter().map(person).collect(),
        contributors: entry.contributors.iter().map(person).collect(),
        categories: entry.categories.iter().map(category).chain(entry.tags.iter().map(tag)).collect(),
        links: std::iter::once(own)
            .chain(entry.translations.iter().map(translation))
            .chain(own_again(entry))
            .chain(entry.original.iter().map(related))
            .chain(entry.media.attachments.iter().map(enclosure))
            .collect(),
        summary: (!entry.summary.is_empty()).then(|| text(&entry.summary, &language)),
        // Without it the link and the summary must be there (§4.1.2, §4.1.3).
        content: entry.html.as_ref().map(|html| atom::Content {
            lang: Some(language.clone()),
            value: Some(String::from(html)),
            content_type: Some("html".to_owned()),
            ..atom::Content::default()
        }),
        extensions: extension::atom(elements),
        ..atom::Entry::default()
    }
}

fn text(value: &Clean, language: &str) -> atom::Text {
    atom::Text { lang: Some(language.to_owned()), ..atom::Text::plain(value) }
}

fn link(rel: &str, href: String, mime_type: Option<&str>, language: Option<&str>) -> atom::Link {
    atom::Link {
        href,
        rel: rel.to_owned(),
        mime_type: mime_type.map(str::to_owned),
        hreflang: language.map(str::to_owned),
        title: None,
        length: None,
    }
}

fn translation(other: &Translation) -> atom::Link {
    link("alternate", String::from(&other.link), Some("text/html"), Some(&other.language.to_string()))
}

/// Of several alternates some readers follow the first, others (feedparser, newsboat, rss2email)
/// the last, whatever its language. So the entry's own page is both; without a language it is
/// another link than the first (RFC 4287 §4.1.2).
fn own_again(entry: &Entry) -> Option<atom::Link> {
    (!entry.translations.is_empty()).then(|| link("alternate", String::from(&entry.link), Some("text/html"), None))
}

/// The original of a copy of ours.
fn related(original: &Link) -> atom::Link {
    link("related", String::from(original), Some("text/html"), None)
}

fn enclosure(file: &Attachment) -> atom::Link {
    atom::Link {
        title: file.title.as_ref().map(String::from),
        length: file.length.map(|length| length.to_string()),
        ..link("enclosure", String::from(&file.url), Some(file.media_type.as_str()), None)
    }
}

fn person(person: &Person) -> atom::Person {
    atom::Person { name: String::from(&person.name), uri: person.url.as_ref().map(String::from), ..atom::Person::default() }
}

fn category(label: &Label) -> atom::Category {
    atom::Category { term: String::from(&label.slug), scheme: Some(String::from(&label.page)), label: Some(String::from(&label.title)) }
}

fn tag(tag: &Clean) -> atom::Category {
    atom::Category { term: String::from(tag), scheme: None, label: None }
}

/// An entry that readers should forget (RFC 6721 §3).
fn tombstone(gone: &Deleted) -> Element {
    Element::new(Namespace::Tombstones, "deleted-entry").with("ref", gone.id.clone()).with("when", Clean::new(gone.at.to_string()))
}

/// No two entries may share an `updated` (F10), also those imported with one date: the second
/// is the article's, the fraction tells it from others.
fn date(instant: Timestamp, tie: i64) -> DateTime<FixedOffset> {
    let micros = instant.as_seconds().saturating_mul(1_000_000).saturating_add(tie.rem_euclid(1_000_000));
    DateTime::from_timestamp_micros(micros).unwrap_or_default().fixed_offset()
}
