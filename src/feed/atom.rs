//! Atom 1.0 (RFC 4287).

use super::model::{Attachment, Clean, Entry, Feed, Label, Person, Translation};
use crate::clock::Timestamp;
use crate::site::FeedFormat;
use anyhow::Context as _;
use atom_syndication as atom;
use atom_syndication::extension::{Extension, ExtensionMap};
use chrono::{DateTime, FixedOffset};

const HISTORY: &str = "http://purl.org/syndication/history/1.0";

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let document = atom::Feed {
        title: atom::Text::plain(&feed.title),
        subtitle: Some(atom::Text::plain(&feed.description)),
        id: String::from(&feed.id),
        updated: feed.updated().map_or_else(|| date(Timestamp::from_millis(0), 0), updated),
        // An entry without authors has the feed's (§4.1.1).
        authors: vec![atom::Person { name: String::from(&feed.author), uri: Some(String::from(&feed.home)), ..atom::Person::default() }],
        links: vec![
            link("self", feed.address(FeedFormat::Atom), Some(FeedFormat::Atom.media_type()), None),
            link("alternate", String::from(&feed.home), Some("text/html"), Some(&feed.topic.language.to_string())),
        ]
        .into_iter()
        .chain(related(feed))
        .collect(),
        namespaces: feed.is_archive().then(|| ("fh".to_owned(), HISTORY.to_owned())).into_iter().collect(),
        extensions: archive_mark(feed),
        lang: Some(feed.topic.language.to_string()),
        entries: feed.entries.iter().map(entry).collect(),
        ..atom::Feed::default()
    };
    let config = atom::WriteConfig { write_document_declaration: false, indent_size: None };
    let bytes = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    document.write_with_config(bytes, config).context("an Atom feed could not be written")
}

/// The documents before and after it (RFC 5005).
fn related(feed: &Feed<'_>) -> impl Iterator<Item = atom::Link> {
    let address = |part| feed.address_of(part, FeedFormat::Atom);
    feed.links.iter().map(move |(rel, part)| link(rel, address(*part), Some(FeedFormat::Atom.media_type()), None))
}

/// `fh:archive` (RFC 5005 §4) where it is one.
fn archive_mark(feed: &Feed<'_>) -> ExtensionMap {
    let mark = Extension { name: "fh:archive".to_owned(), ..Extension::default() };
    let marks = feed.is_archive().then(|| ("fh".to_owned(), [("archive".to_owned(), vec![mark])].into()));
    marks.into_iter().collect()
}

fn entry(entry: &Entry) -> atom::Entry {
    let language = entry.language.to_string();
    let own = link("alternate", String::from(&entry.link), Some("text/html"), Some(&language));
    atom::Entry {
        title: text(&entry.title, &language),
        id: String::from(&entry.iri),
        updated: updated(entry),
        published: Some(date(entry.published, 0)),
        authors: entry.authors.iter().map(person).collect(),
        contributors: entry.contributors.iter().map(person).collect(),
        categories: entry.categories.iter().map(category).chain(entry.tags.iter().map(tag)).collect(),
        links: std::iter::once(own)
            .chain(entry.translations.iter().map(translation))
            .chain(own_again(entry))
            .chain(entry.attachments.iter().map(enclosure))
            .collect(),
        summary: (!entry.summary.is_empty()).then(|| text(&entry.summary, &language)),
        // Without it the link and the summary must be there (§4.1.2, §4.1.3).
        content: entry.html.as_ref().map(|html| atom::Content {
            lang: Some(language.clone()),
            value: Some(String::from(html)),
            content_type: Some("html".to_owned()),
            ..atom::Content::default()
        }),
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

/// No two entries may share an `updated` (F10), also those imported with one date: the second
/// is the article's, the fraction tells it from others.
fn updated(entry: &Entry) -> DateTime<FixedOffset> {
    date(entry.updated, entry.tie)
}

fn date(instant: Timestamp, tie: i64) -> DateTime<FixedOffset> {
    let micros = instant.as_seconds().saturating_mul(1_000_000).saturating_add(tie.rem_euclid(1_000_000));
    DateTime::from_timestamp_micros(micros).unwrap_or_default().fixed_offset()
}
