//! RSS 2.0.

use super::GENERATOR;
use super::clean::{Clean, Link as Address};
use super::extension;
use super::media::Attachment;
use super::model::{Entry, Feed, Label, Person, escaped};
use crate::clock::Timestamp;
use crate::site::{FeedFormat, Site};
use anyhow::Context as _;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::syndication::{SyndicationExtension, UpdatePeriod};
use rss::{Category, Channel, Enclosure, Guid, Image, Item};
use std::time::Duration;

const SYNDICATION: &str = "http://purl.org/rss/1.0/modules/syndication/";

pub(super) fn render(feed: &Feed<'_>) -> anyhow::Result<Vec<u8>> {
    let own = Link {
        href: feed.address(FeedFormat::Rss),
        rel: "self".to_owned(),
        mime_type: Some(FeedFormat::Rss.media_type().to_owned()),
        ..Link::default()
    };
    let elements: Vec<_> = feed.entries.iter().map(|entry| entry.media.elements()).collect();
    let own_elements: Vec<_> = feed.archive_mark().into_iter().collect();
    let mut namespaces = extension::namespaces(elements.iter().flatten().chain(&own_elements));
    // The crate leaves the extension out, without a word, unless its prefix is declared.
    namespaces.insert("sy".to_owned(), SYNDICATION.to_owned());
    let channel = Channel {
        title: String::from(&feed.title),
        link: String::from(&feed.home),
        description: String::from(&feed.description),
        // And no `dc:language`, which would say it twice.
        language: Some(feed.topic.language.to_string()),
        copyright: feed.rights.as_ref().map(String::from),
        last_build_date: feed.updated().map(|(updated, _)| date(feed.site, updated)),
        generator: Some(GENERATOR.to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some((feed.ttl.as_secs() / 60).to_string()),
        image: feed.logo.as_ref().map(|logo| image(feed, logo)),
        items: feed.entries.iter().zip(&elements).map(|(entry, elements)| item(feed.site, entry, elements)).collect(),
        atom_ext: Some(AtomExtension { links: std::iter::once(own).chain(feed.hubs.iter().map(hub)).chain(neighbours(feed)).collect() }),
        syndication_ext: Some(rhythm(feed.ttl)),
        namespaces,
        extensions: extension::rss(&own_elements),
        ..Channel::default()
    };
    channel.write_to(Vec::new()).context("an RSS feed could not be written")
}

/// The documents before and after it (RFC 5005).
fn neighbours(feed: &Feed<'_>) -> impl Iterator<Item = Link> {
    feed.links.iter().map(|(rel, part)| Link {
        href: feed.address_of(*part, FeedFormat::Rss),
        rel: (*rel).to_owned(),
        mime_type: Some(FeedFormat::Rss.media_type().to_owned()),
        ..Link::default()
    })
}

fn hub(hub: &Address) -> Link {
    Link { href: String::from(hub), rel: "hub".to_owned(), ..Link::default() }
}

/// Its title and link must be those of the channel.
fn image(feed: &Feed<'_>, logo: &Address) -> Image {
    Image { url: String::from(logo), title: String::from(&feed.title), link: String::from(&feed.home), ..Image::default() }
}

fn item(site: &Site, entry: &Entry, elements: &[extension::Element]) -> Item {
    let names = |people: &[Person]| people.iter().map(|person| String::from(&person.name)).collect();
    Item {
        title: Some(String::from(&entry.title)),
        link: Some(String::from(&entry.link)),
        description: Some(escaped(entry.summary.as_str())),
        categories: entry.categories.iter().map(filed).chain(entry.tags.iter().map(tagged)).collect(),
        enclosure: entry.media.attachments.iter().find_map(enclosure),
        guid: Some(Guid { value: String::from(&entry.id), permalink: false }),
        pub_date: Some(date(site, entry.published)),
        extensions: extension::rss(elements),
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

fn filed(label: &Label) -> Category {
    Category { name: String::from(&label.title), domain: Some(String::from(&label.page)) }
}

fn tagged(tag: &Clean) -> Category {
    Category { name: String::from(tag), domain: None }
}

/// RSS has one enclosure an item, and no way to say that a length is not known.
fn enclosure(attachment: &Attachment) -> Option<Enclosure> {
    let length = attachment.length?.to_string();
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
