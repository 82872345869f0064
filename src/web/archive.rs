//! Mailings marked public, in a browser, without personal links.

use super::client::Visitor;
use super::page::language_of;
use super::place::{Address, host};
use super::{Layout, State, WebError, feeds, html, page};
use crate::delivery;
use crate::feed::{Subject, Topic};
use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Path, Query, State as Shared};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use std::net::SocketAddr;

/// Mailings on one page.
const PAGE: usize = 50;

/// Mails bring their styles with them (S5); nothing else is allowed that other pages forbid.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

/// The archive's addresses, with and without a language before them.
pub(super) fn router(state: &State) -> Router<State> {
    page::prefixes(state).into_iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/archive"), get(with_slash))
            .route(&format!("{prefix}/archive/"), get(index))
            .route(&format!("{prefix}/archive/feed"), get(feed))
            .route(&format!("{prefix}/archive/feed.xml"), get(feed))
            .route(&format!("{prefix}/archive/atom.xml"), get(feed))
            .route(&format!("{prefix}/archive/feed.json"), get(feed))
            .route(&format!("{prefix}/archive/{{mailing}}"), get(mailing))
    })
}

#[derive(Deserialize)]
struct Place {
    /// Only mailings with smaller numbers.
    before: Option<i64>,
}

struct Entry {
    subject: String,
    /// Where it differs from the page's.
    lang: Option<String>,
    href: String,
    date: String,
}

#[derive(Template)]
#[template(path = "web/archive.html")]
struct IndexPage {
    layout: Layout,
    heading: String,
    mailings: Vec<Entry>,
    older: Option<String>,
}

async fn with_slash(uri: Uri) -> Redirect {
    Redirect::permanent(&format!("{}/", uri.path()))
}

async fn index(Shared(state): Shared<State>, uri: Uri, Query(place): Query<Place>) -> Result<Response, WebError> {
    let language = language_of(&state, uri.path());
    let topic = Topic { language: language.clone(), subject: Subject::Mailings };
    let layout = Layout::new(&state, &language, "/archive/");
    let title = format!("{} – {}", layout.voice.say("archive-title"), layout.site_title);
    let layout = layout.with_feeds(&state, &topic, &title);
    let mut connection = state.db.reader().acquire().await?;
    // One more than is shown tells whether there are older ones.
    let limit = i64::try_from(PAGE)? + 1;
    let mut found = delivery::public_mailings(&mut connection, &language, place.before.unwrap_or(i64::MAX), limit).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let older = found.last().filter(|_| more).map(|last| format!("{}?before={}", layout.path("/archive/"), last.id));
    let mailings = found
        .into_iter()
        .map(|mailing| Entry {
            href: layout.path(&format!("/archive/{}", mailing.id)),
            lang: (mailing.language != language).then(|| mailing.language.to_string()),
            date: layout.voice.date(mailing.made_at.in_zone(&state.site.time_zone).date()),
            subject: mailing.subject,
        })
        .collect();
    Ok(html(StatusCode::OK, &IndexPage { heading: layout.voice.say("archive-title"), layout, mailings, older }))
}

async fn mailing(Shared(state): Shared<State>, uri: Uri, Path(mailing): Path<String>) -> Result<Response, WebError> {
    let language = language_of(&state, uri.path());
    let id: i64 = mailing.parse().map_err(|_| WebError::NotFound)?;
    let mut connection = state.db.reader().acquire().await?;
    let (text, mark) = delivery::public_text(&mut connection, id, &language).await?.ok_or(WebError::NotFound)?;
    let text = without_slots(&text, &mark, &state.site.path_in(&language, "/preferences"));
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")), (CONTENT_SECURITY_POLICY, POLICY)], text).into_response())
}

/// The same as a feed.
async fn feed(
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, WebError> {
    let address = Address::of(&state.site, host(&headers), uri.path(), uri.query());
    feeds::answer(&state, &address, &Visitor { peer, headers: (&headers).into() }).await.unwrap_or(Err(WebError::NotFound))
}

/// The text with one link in the place of everybody's own.
fn without_slots(text: &str, mark: &str, link: &str) -> String {
    let opening = delivery::slot(mark, "");
    let opening = opening.trim_end_matches('}');
    let mut parts = text.split(opening);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(link);
        shown.push_str(part.split_once("}}").map_or("", |(_, after)| after));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{UNSUBSCRIBE, slot};

    #[test]
    fn every_slot_of_ours_is_filled_and_nothing_else() {
        let text = format!("<a href=\"{}\">x</a> {{{{slot:other:unsubscribe}}}} {}", slot("m1", UNSUBSCRIBE), slot("m1", "act"));
        assert_eq!(without_slots(&text, "m1", "/preferences"), "<a href=\"/preferences\">x</a> {{slot:other:unsubscribe}} /preferences");
    }
}
