//! A site that offers a feed: RSS, Atom or JSON Feed.
//!
//! A feed shows only the newest articles, so one that has fallen out of it has not vanished.

use super::item::{CategoryName, Item, followable, plain, written_summary};
use crate::content::media::Files;
use crate::content::{Credit, Enclosure, Role};
use crate::problem::Reason;
use feed_rs::model::{Entry, Link, Text};
use feed_rs::parser;
use url::Url;

/// The articles of a feed, in its order, each once.
pub(super) fn read(bytes: &[u8], url: &Url) -> Result<Vec<Item>, Reason> {
    let parser = parser::Builder::new()
        .base_uri(Some(url))
        // What has no id is known by its link, as readers know it; the crate would hash it
        // together with the title.
        .id_generator(|links, _, _| links.first().map(|link| link.href.clone()).unwrap_or_default())
        .sanitize_content(false)
        .build();
    let feed = parser.parse(bytes).map_err(|error| {
        Reason::new(
            format!("{url} did not answer with a feed that is understood: {error}"),
            "open the address in a browser: it must show RSS, Atom or JSON Feed, and not a page",
        )
    })?;
    let mut items: Vec<Item> = Vec::with_capacity(feed.entries.len());
    for entry in feed.entries {
        let mut item = item(&entry, url);
        item.language = item.language.or_else(|| feed.language.clone());
        if !items.iter().any(|known| known.uid == item.uid) {
            items.push(item);
        }
    }
    Ok(items)
}

fn item(entry: &Entry, url: &Url) -> Item {
    let base = entry.base.as_deref().and_then(|base| url.join(base).ok()).unwrap_or_else(|| url.clone());
    let link = permalink(&entry.links).and_then(|link| absolute(&link.href, &base)).unwrap_or_default();
    let summary = entry.summary.as_ref().map(html_of).unwrap_or_default();
    let content = entry.content.as_ref().and_then(|content| {
        let body = content.body.clone()?;
        Some(if is_plain(content.content_type.as_ref()) { paragraphs(&body) } else { body })
    });
    let (summary, html) = match content {
        Some(html) => (written_summary(&summary), html),
        None => (None, summary),
    };
    Item {
        path: entry.id.clone(),
        uid: entry.id.clone(),
        language: entry.language.clone(),
        group: None,
        slug: last_part(&link),
        title: entry.title.as_ref().map(|title| plain(&html_of(title))).unwrap_or_default(),
        summary,
        html,
        date: entry.published.or(entry.updated).map(|date| date.timestamp_millis()),
        updated: entry
            .updated
            .filter(|updated| entry.published.is_some_and(|published| *updated > published))
            .map(|date| date.timestamp_millis()),
        categories: entry.categories.iter().map(|category| category_name(category.label.as_ref().unwrap_or(&category.term))).collect(),
        tags: Vec::new(),
        credits: entry.authors.iter().filter_map(credit).collect(),
        enclosures: enclosures(entry, &base),
        image: image(entry),
        files: Files::default(),
        link,
    }
}

/// Atom says whether a text is HTML. RSS does not, and most of its titles are plain: what has a
/// numbered reference or a closing tag in it is none of them.
fn html_of(text: &Text) -> String {
    if is_plain(text.content_type.as_ref()) && !text.content.contains("&#") && !text.content.contains("</") {
        paragraphs(&text.content)
    } else {
        text.content.clone()
    }
}

fn is_plain(media_type: &str) -> bool {
    media_type.starts_with("text/plain")
}

fn paragraphs(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<p>{}</p>", escaped.replace("\n\n", "</p><p>"))
}

/// A link as it stands there, if it is whole; else as it is followed from there.
fn absolute(link: &str, base: &Url) -> Option<String> {
    if Url::parse(link).is_ok() { Some(link.to_owned()) } else { followable(link, base) }
}

/// The link to the article itself.
fn permalink(links: &[Link]) -> Option<&Link> {
    let by_rel = |rel: Option<&str>| {
        links.iter().find(|link| link.rel.as_deref() == rel && link.media_type.as_deref().is_none_or(|media| media == "text/html"))
    };
    by_rel(Some("alternate")).or_else(|| by_rel(None))
}

/// The last part of a path that says something, as a slug.
fn last_part(link: &str) -> String {
    let Ok(url) = Url::parse(link) else { return String::new() };
    let last = url.path_segments().and_then(|parts| parts.rev().find(|part| !part.is_empty()).map(str::to_owned));
    let last = last.unwrap_or_default();
    last.rsplit_once('.').map_or(last.clone(), |(name, _)| name.to_owned())
}

fn category_name(title: &str) -> CategoryName {
    CategoryName { id: None, slug: crate::site::slug(title), title: plain(title) }
}

/// A mail address that stands for a name is left out: nobody asked to be published by us.
fn credit(person: &feed_rs::model::Person) -> Option<Credit> {
    let name = person.name.as_ref().map(|name| plain(name)).filter(|name| !name.is_empty() && !name.contains('@'))?;
    Some(Credit { role: Role::Author, name, url: person.uri.clone() })
}

fn enclosures(entry: &Entry, base: &Url) -> Vec<Enclosure> {
    let length = |octets: Option<u64>| octets.filter(|octets| *octets > 0).and_then(|octets| i64::try_from(octets).ok());
    // JSON Feed's attachments are links with a media type and no relation.
    let linked =
        entry.links.iter().filter(|link| link.rel.as_deref() == Some("enclosure") || (link.rel.is_none() && link.media_type.is_some()));
    let linked = linked.filter_map(|link| {
        let media_type = link.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        Some(Enclosure {
            url: followable(&link.href, base)?,
            media_type,
            length: length(link.length),
            title: link.title.as_deref().map(plain),
        })
    });
    let media = entry.media.iter().flat_map(|media| &media.content).filter_map(|content| {
        let media_type = content.content_type.as_ref()?.to_string();
        let url = followable(content.url.as_ref()?.as_str(), base)?;
        (!media_type.starts_with("image/")).then_some(Enclosure { url, media_type, length: length(content.size), title: None })
    });
    let mut found: Vec<Enclosure> = Vec::new();
    for enclosure in linked.chain(media) {
        if !found.iter().any(|known| known.url == enclosure.url) {
            found.push(enclosure);
        }
    }
    found
}

fn image(entry: &Entry) -> Option<String> {
    let pictures = entry.media.iter().flat_map(|media| &media.content);
    let picture = pictures.filter(|content| content.content_type.as_ref().is_some_and(|kind| kind.ty() == "image"));
    let thumbnails = entry.media.iter().flat_map(|media| &media.thumbnails).map(|thumbnail| thumbnail.image.uri.clone());
    picture.filter_map(|content| content.url.as_ref().map(ToString::to_string)).chain(thumbnails).next()
}
