//! JSON Feed 1.1.

use super::clean::{Clean, Link};
use super::media::Attachment;
use super::model::{Entry, Feed, Person};
use crate::clock::Timestamp;
use crate::site::FeedFormat;
use anyhow::Context as _;
use serde::Serialize;

/// The whole document stays below this (F15).
const LIMIT: usize = 250_000;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a Clean,
    home_page_url: &'a Link,
    feed_url: String,
    /// Older entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    description: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favicon: Option<&'a Link>,
    authors: [Author<'a>; 1],
    language: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    protocol: &'static str,
    url: &'a Link,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a Link>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a Clean,
    url: &'a Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_url: Option<&'a Link>,
    #[serde(skip_serializing_if = "Clean::is_empty")]
    title: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a Clean>,
    #[serde(skip_serializing_if = "Clean::is_empty")]
    summary: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Link>,
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
    url: &'a Link,
    mime_type: &'a Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<i64>,
}

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let older = feed.links.iter().find(|(rel, _)| matches!(*rel, "next" | "prev-archive"));
    let mut document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: &feed.home,
        feed_url: feed.address(FeedFormat::Json),
        next_url: older.map(|(_, part)| feed.address_of(*part, FeedFormat::Json)),
        description: &feed.description,
        icon: feed.icon.as_ref(),
        favicon: feed.icon.as_ref(),
        authors: [Author { name: &feed.author, url: Some(&feed.home) }],
        language: feed.topic.language.to_string(),
        hubs: feed.hubs.iter().map(|url| Hub { protocol: "WebSub", url }).collect(),
        items: Vec::new(),
    };
    let head = serde_json::to_vec(&document)?.len();
    document.items = items_that_fit(&feed.entries, head)?;
    serde_json::to_vec(&document).context("a JSON feed could not be written")
}

/// Every entry, with its text as far as there is room, the newest first; the others with their
/// summary only; `head` octets stand before them. Where not even summaries fit, the oldest entries give way.
fn items_that_fit(entries: &[Entry], head: usize) -> anyhow::Result<Vec<Item<'_>>> {
    let mut items: Vec<Item<'_>> = entries.iter().map(short).collect();
    let mut size = head;
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
        external_url: entry.original.as_ref(),
        title: &entry.title,
        content_html: entry.html.as_ref(),
        content_text: None,
        summary: &entry.summary,
        image: entry.picture.as_ref(),
        date_published: entry.published,
        date_modified: entry.updated,
        authors: entry.authors.iter().map(author).collect(),
        tags: entry.categories.iter().map(|label| &label.title).chain(&entry.tags).collect(),
        language: entry.language.to_string(),
        attachments: entry.media.attachments.iter().map(file).collect(),
    }
}

fn author(person: &Person) -> Author<'_> {
    Author { name: &person.name, url: person.url.as_ref() }
}

fn file(file: &Attachment) -> File<'_> {
    File { url: &file.url, mime_type: &file.media_type, title: file.title.as_ref(), size_in_bytes: file.length }
}
