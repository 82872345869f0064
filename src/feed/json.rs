//! JSON Feed 1.1.

use super::model::{Attachment, Clean, Entry, Feed, Person};
use crate::clock::Timestamp;
use crate::site::FeedFormat;
use anyhow::Context as _;
use serde::Serialize;

/// The whole document stays below this (F15).
const LIMIT: usize = 250_000;
/// Room for what stands before the entries.
const HEAD: usize = 4_000;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a Clean,
    home_page_url: &'a Clean,
    feed_url: String,
    /// Older entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    description: &'a Clean,
    authors: [Author<'a>; 1],
    language: String,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a Clean>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a Clean,
    url: &'a Clean,
    title: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a Clean>,
    summary: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Clean>,
    date_published: Timestamp,
    date_modified: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a Clean>,
    language: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    url: &'a Clean,
    mime_type: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<i64>,
}

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let older = feed.links.iter().find(|(rel, _)| matches!(*rel, "next" | "prev-archive"));
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: &feed.home,
        feed_url: feed.address(FeedFormat::Json),
        next_url: older.map(|(_, part)| feed.address_of(*part, FeedFormat::Json)),
        description: &feed.description,
        authors: [Author { name: &feed.author, url: Some(&feed.home) }],
        language: feed.topic.language.to_string(),
        items: items_that_fit(&feed.entries)?,
    };
    serde_json::to_vec(&document).context("a JSON feed could not be written")
}

/// Every entry, with its text as far as there is room, the newest first; the others with their
/// summary only. Where not even summaries fit, the oldest entries give way.
fn items_that_fit(entries: &[Entry]) -> anyhow::Result<Vec<Item<'_>>> {
    let mut items: Vec<Item<'_>> = entries.iter().map(short).collect();
    let mut size = HEAD;
    let mut sizes = Vec::with_capacity(items.len());
    for item in &items {
        let octets = serde_json::to_vec(item)?.len() + 1;
        if size + octets > LIMIT && !sizes.is_empty() {
            break;
        }
        size += octets;
        sizes.push(octets);
    }
    items.truncate(sizes.len());
    for ((item, short), entry) in items.iter_mut().zip(sizes).zip(entries) {
        let whole = self::item(entry);
        let more = (serde_json::to_vec(&whole)?.len() + 1).saturating_sub(short);
        if whole.content_html.is_some() && size + more <= LIMIT {
            size += more;
            *item = whole;
        }
    }
    Ok(items)
}

/// An item must have a text, in HTML or without (JSON Feed 1.1).
fn short(entry: &Entry) -> Item<'_> {
    let text = if entry.summary.is_empty() { &entry.title } else { &entry.summary };
    Item { content_html: None, content_text: Some(text), ..item(entry) }
}

fn item(entry: &Entry) -> Item<'_> {
    Item {
        id: &entry.id,
        url: &entry.link,
        title: &entry.title,
        content_html: entry.html.as_ref(),
        content_text: None,
        summary: &entry.summary,
        image: entry.image.as_ref(),
        date_published: entry.published,
        date_modified: entry.updated,
        authors: entry.authors.iter().map(author).collect(),
        tags: entry.categories.iter().map(|label| &label.title).chain(&entry.tags).collect(),
        language: entry.language.to_string(),
        attachments: entry.attachments.iter().map(file).collect(),
    }
}

fn author(person: &Person) -> Author<'_> {
    Author { name: &person.name, url: person.url.as_ref() }
}

fn file(file: &Attachment) -> File<'_> {
    File { url: &file.url, mime_type: &file.media_type, title: file.title.as_ref(), size_in_bytes: file.length }
}
