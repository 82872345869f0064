//! For search engines: `robots.txt` and the site map (sitemaps.org 0.9), an index of one file for
//! the lists and at least one for each year, so that an edit changes the file of its year only.

use super::conditional::none_match_names;
use super::excerpt::page_of;
use super::{State, WebError};
use crate::content::{self, Line, Lines, Signpost};
use crate::vault::content_hash;
use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// Addresses in one file. 50,000 are allowed, in 50 MB; with five languages each, so many take
/// a fifth of that and are made in a moment.
const PER_FILE: usize = 10_000;

const OPENING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `/robots.txt`, `/sitemap.xml` and the files it names.
pub(super) fn router() -> Router<State> {
    Router::new().route("/robots.txt", get(robots)).route("/sitemap.xml", get(index)).route("/sitemap/{file}", get(file))
}

/// Search engines may read everything but what belongs to one person.
async fn robots(Shared(state): Shared<State>) -> Response {
    const RULES: &str =
        "User-agent: *\nDisallow: /confirm/\nDisallow: /preferences/\nDisallow: /unsubscribe/\nDisallow: /approve/\nDisallow: /stop/\n";
    let text = format!("{RULES}\nSitemap: {}\n", state.site.link("/sitemap.xml"));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "public, max-age=86400")], text).into_response()
}

/// The files of a year: its own canonical articles, the oldest first, so that a new one changes
/// the last file only.
fn files(lines: &Lines) -> BTreeMap<String, Vec<&Arc<Line>>> {
    let mut years: BTreeMap<&str, Vec<&Arc<Line>>> = BTreeMap::new();
    // What is a copy is found at its original.
    for line in lines.all().iter().rev().filter(|line| !line.elsewhere) {
        years.entry(line.month.get(..4).unwrap_or_default()).or_default().push(line);
    }
    let mut files = BTreeMap::new();
    for (year, lines) in years {
        for (number, lines) in lines.chunks(PER_FILE).enumerate() {
            let name = if number == 0 { format!("{year}.xml") } else { format!("{year}-{}.xml", number + 1) };
            files.insert(name, lines.to_vec());
        }
    }
    files
}

/// Changes with every line of a file, and with every translation of one.
fn stamp(lines: &Lines, file: &[&Arc<Line>]) -> String {
    let versions = file.iter().flat_map(|line| lines.in_group(&line.group));
    let numbers: Vec<u8> = versions.flat_map(|line| [line.id.to_le_bytes(), line.changed_seq.to_le_bytes()]).flatten().collect();
    content_hash(&[&numbers])
}

async fn index(Shared(state): Shared<State>, headers: HeaderMap) -> Result<Response, WebError> {
    let lines = state.register.lines(&state.db, &state.site).await?;
    let mut xml = format!("{OPENING}<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    let mut entry = |name: &str, newest: Option<i64>| {
        let _ = write!(xml, "<sitemap><loc>{}</loc>", escaped(&state.site.link(&format!("/sitemap/{name}"))));
        push_last_modified(&mut xml, newest);
        xml.push_str("</sitemap>\n");
    };
    entry("lists.xml", lines.all().iter().map(|line| line.updated_at.as_seconds()).max());
    for (name, lines) in files(&lines) {
        entry(&name, lines.iter().map(|line| line.updated_at.as_seconds()).max());
    }
    xml.push_str("</sitemapindex>\n");
    let stamp = content_hash(&[xml.as_bytes()]);
    Ok(answer(&headers, &stamp, Some(xml)))
}

async fn file(Shared(state): Shared<State>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response, WebError> {
    let lines = state.register.lines(&state.db, &state.site).await?;
    if name == "lists.xml" {
        let xml = lists(&state, &lines);
        return Ok(answer(&headers, &content_hash(&[xml.as_bytes()]), Some(xml)));
    }
    let files = files(&lines);
    let file = files.get(&name).ok_or(WebError::NotFound)?;
    let stamp = stamp(&lines, file);
    if none_match_names((&headers).into(), &format!("\"{stamp}\"")) {
        return Ok(answer(&headers, &stamp, None));
    }
    let mut connection = state.db.reader().acquire().await?;
    let xml = articles(&mut connection, &state, &lines, file).await?;
    Ok(answer(&headers, &stamp, Some(xml)))
}

/// The articles of a file, each with its translations.
async fn articles(connection: &mut AnyConnection, state: &State, lines: &Lines, file: &[&Arc<Line>]) -> anyhow::Result<String> {
    let mut ids: Vec<i64> = file.iter().flat_map(|line| lines.in_group(&line.group)).map(|line| line.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let posts: HashMap<i64, Signpost> = content::signposts(connection, &ids).await?.into_iter().map(|post| (post.id, post)).collect();
    let mut xml = opening();
    for line in file {
        let Some(post) = posts.get(&line.id) else { continue };
        let versions = lines.in_group(&line.group).iter().filter(|version| !version.elsewhere);
        let alternates: Vec<(String, String)> =
            versions.filter_map(|version| Some((version.language.to_string(), page_of(&state.site, posts.get(&version.id)?)))).collect();
        push_url(&mut xml, &page_of(&state.site, post), Some(line.updated_at.as_seconds()), &alternates);
    }
    xml.push_str("</urlset>\n");
    Ok(xml)
}

/// The first page and the categories, in every language.
fn lists(state: &State, lines: &Lines) -> String {
    let site = &state.site;
    let mut pages: Vec<(Vec<&str>, Option<i64>)> = vec![(Vec::new(), lines.all().iter().map(|line| line.updated_at.as_seconds()).max())];
    for category in site.categories.iter().filter(|category| !site.has_ended(&category.slug, state.clock.now())) {
        let slugs = site.with_descendants(&category.slug);
        let filed = |line: &&Arc<Line>| line.categories.iter().any(|slug| slugs.iter().any(|wanted| **wanted == **slug));
        let newest = lines.all().iter().filter(filed).map(|line| line.updated_at.as_seconds()).max();
        pages.push((vec!["category", &category.slug], newest));
    }
    let mut xml = opening();
    for (segments, newest) in pages {
        let alternates: Vec<(String, String)> =
            site.languages.iter().map(|language| (language.to_string(), site.link(&site.page_path(language, &segments)))).collect();
        for (_, address) in &alternates {
            push_url(&mut xml, address, newest, &alternates);
        }
    }
    xml.push_str("</urlset>\n");
    xml
}

fn opening() -> String {
    format!("{OPENING}<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n")
}

fn push_url(xml: &mut String, address: &str, last_modified: Option<i64>, alternates: &[(String, String)]) {
    let _ = write!(xml, "<url><loc>{}</loc>", escaped(address));
    push_last_modified(xml, last_modified);
    if alternates.len() > 1 {
        for (tag, address) in alternates {
            let _ = write!(xml, "<xhtml:link rel=\"alternate\" hreflang=\"{tag}\" href=\"{}\"/>", escaped(address));
        }
    }
    xml.push_str("</url>\n");
}

/// W3C Datetime, in whole seconds of UTC.
fn push_last_modified(xml: &mut String, seconds: Option<i64>) {
    if let Some(instant) = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        let _ = write!(xml, "<lastmod>{instant}</lastmod>");
    }
}

fn escaped(address: &str) -> String {
    address.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;")
}

fn answer(headers: &HeaderMap, stamp: &str, xml: Option<String>) -> Response {
    let tag = format!("\"{stamp}\"");
    let common = [(CACHE_CONTROL, "public, max-age=600".to_owned()), (ETAG, tag.clone())];
    match xml {
        Some(xml) if !none_match_names(headers.into(), &tag) => {
            (common, [(CONTENT_TYPE, "application/xml; charset=utf-8")], xml).into_response()
        }
        _ => (StatusCode::NOT_MODIFIED, common).into_response(),
    }
}
