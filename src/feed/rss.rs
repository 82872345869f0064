//! RSS 2.0.

use super::model::{Attachment, Clean, Entry, Feed, escaped};
use crate::clock::Timestamp;
use crate::site::{FeedFormat, Site};
use anyhow::Context as _;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::syndication::{SyndicationExtension, UpdatePeriod};
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Enclosure, Guid, Item};
use std::time::Duration;

const SYNDICATION: &str = "http://purl.org/rss/1.0/modules/syndication/";
const HISTORY: &str = "http://purl.org/syndication/history/1.0";

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let own = Link {
        href: feed.address(FeedFormat::Rss),
        rel: "self".to_owned(),
        mime_type: Some(FeedFormat::Rss.media_type().to_owned()),
        ..Link::default()
    };
    let channel = Channel {
        title: String::from(&feed.title),
        link: String::from(&feed.home),
        description: String::from(&feed.description),
        language: Some(feed.topic.language.to_string()),
        last_build_date: feed.updated().map(|entry| date(feed.site, entry.updated)),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some((feed.ttl.as_secs() / 60).to_string()),
        items: feed.entries.iter().map(|entry| item(feed.site, entry)).collect(),
        atom_ext: Some(AtomExtension { links: std::iter::once(own).chain(related(feed)).collect() }),
        dublin_core_ext: Some(DublinCoreExtension { languages: vec![feed.topic.language.to_string()], ..DublinCoreExtension::default() }),
        syndication_ext: Some(rhythm(feed.ttl)),
        // The crate leaves the extension out, without a word, unless its prefix is declared.
        namespaces: std::iter::once(("sy", SYNDICATION))
            .chain(feed.is_archive().then_some(("fh", HISTORY)))
            .map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()))
            .collect(),
        extensions: archive_mark(feed),
        ..Channel::default()
    };
    channel.write_to(Vec::new()).context("an RSS feed could not be written")
}

/// The documents before and after it (RFC 5005).
fn related(feed: &Feed<'_>) -> impl Iterator<Item = Link> {
    feed.links.iter().map(|(rel, part)| Link {
        href: feed.address_of(*part, FeedFormat::Rss),
        rel: (*rel).to_owned(),
        mime_type: Some(FeedFormat::Rss.media_type().to_owned()),
        ..Link::default()
    })
}

/// `fh:archive` (RFC 5005 §4) where it is one.
fn archive_mark(feed: &Feed<'_>) -> ExtensionMap {
    let mark = Extension { name: "fh:archive".to_owned(), ..Extension::default() };
    let marks = feed.is_archive().then(|| ("fh".to_owned(), [("archive".to_owned(), vec![mark])].into()));
    marks.into_iter().collect()
}

fn item(site: &Site, entry: &Entry) -> Item {
    let names = |people: &[super::model::Person]| people.iter().map(|person| String::from(&person.name)).collect();
    Item {
        title: Some(String::from(&entry.title)),
        link: Some(String::from(&entry.link)),
        description: Some(escaped(entry.summary.as_str())),
        categories: entry.categories.iter().map(|label| category(&label.title, Some(&label.page))).chain(tags(entry)).collect(),
        enclosure: entry.attachments.iter().find_map(enclosure),
        guid: Some(Guid { value: String::from(&entry.id), permalink: false }),
        pub_date: Some(date(site, entry.published)),
        content: entry.html.as_ref().map(String::from),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: names(&entry.authors),
            contributors: names(&entry.contributors),
            languages: vec![entry.language.to_string()],
            ..DublinCoreExtension::default()
        }),
        ..Item::default()
    }
}

fn tags(entry: &Entry) -> impl Iterator<Item = Category> {
    entry.tags.iter().map(|tag| category(tag, None))
}

fn category(name: &Clean, page: Option<&Clean>) -> Category {
    Category { name: String::from(name), domain: page.map(String::from) }
}

/// RSS has one enclosure an item, and no way to say that a length is not known.
fn enclosure(attachment: &Attachment) -> Option<Enclosure> {
    let length = attachment.length.filter(|length| *length >= 0)?.to_string();
    Some(Enclosure { url: String::from(&attachment.url), length, mime_type: String::from(&attachment.media_type) })
}

/// How often `sy:` says to look: as often as `ttl` does.
fn rhythm(ttl: Duration) -> SyndicationExtension {
    let (period, seconds) = if ttl <= Duration::from_hours(1) { (UpdatePeriod::Hourly, 3600) } else { (UpdatePeriod::Daily, 86_400) };
    let mut rhythm = SyndicationExtension::default();
    rhythm.set_period(period);
    rhythm.set_frequency(u32::try_from((seconds / ttl.as_secs().max(1)).max(1)).unwrap_or(1));
    rhythm
}

/// RFC 822 as RSS has it: English names, a year of four digits, a numeric zone.
fn date(site: &Site, instant: Timestamp) -> String {
    instant.in_zone(&site.time_zone).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
