//! Feeds over HTTP: the bytes on the shelf, with validators and codings.

use super::conditional::{Coding, Verdict, evaluate, http_date};
use super::feed_address::FeedAddress;
use super::place::Address;
use super::{State, WebError};
use crate::feed::{Answer, FeedKey, Part, Published};
use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED,
    RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// In seconds: a day.
const ARCHIVE_AGE: u64 = 86_400;

/// The answer to a request for a feed; nothing if the address asks for none. `A-IM` (RFC 3229)
/// is ignored: those who send it do not understand 226.
pub(super) async fn answer(state: &State, address: &Address, headers: &HeaderMap) -> Option<Result<Response, WebError>> {
    Some(match address.feed(&state.site)? {
        FeedAddress::Of(key) => find(state, &key, headers).await,
        FeedAddress::Unknown => Err(WebError::NotFound),
    })
}

async fn find(state: &State, key: &FeedKey, headers: &HeaderMap) -> Result<Response, WebError> {
    if key.topic.category().is_some_and(|slug| state.site.has_ended(slug, state.clock.now())) {
        return Err(WebError::Gone);
    }
    if key.part == Part::Current && key.topic.is_common() {
        return match state.shelf.get(key) {
            Some(feed) => serve(state, key, feed, headers),
            None if state.shelf.is_complete() && !state.shelf.is_withheld(key) => Err(WebError::NotFound),
            // Just started: 404 would make readers forget the feed.
            None => Ok(later()),
        };
    }
    if !state.shelf.is_complete() {
        return Ok(later());
    }
    match state.demand.get(key).await? {
        Answer::Found(feed) => serve(state, key, feed, headers),
        Answer::Unknown => Err(WebError::NotFound),
        Answer::Busy => Ok(later()),
    }
}

fn later() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], "The feeds are being made.\n").into_response()
}

fn serve(state: &State, key: &FeedKey, feed: Arc<Published>, headers: &HeaderMap) -> Result<Response, WebError> {
    let (status, coding) = match evaluate(headers, &feed.hash, feed.last_modified) {
        Verdict::Full(coding) => (StatusCode::OK, coding),
        Verdict::Unchanged(coding) => (StatusCode::NOT_MODIFIED, coding),
    };
    let mut answer = HeaderMap::new();
    answer.insert(ETAG, HeaderValue::try_from(coding.etag(&feed.hash))?);
    if let Some(last_modified) = feed.last_modified {
        answer.insert(LAST_MODIFIED, HeaderValue::try_from(http_date(last_modified))?);
    }
    answer.insert(CACHE_CONTROL, HeaderValue::try_from(cache_control(key.part, state.feed.ttl.as_secs()))?);
    answer.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if status == StatusCode::NOT_MODIFIED {
        return Ok((status, answer).into_response());
    }
    answer.insert(CONTENT_TYPE, HeaderValue::try_from(format!("{}; charset=utf-8", key.format.media_type()))?);
    if coding == Coding::Gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let bytes = Bytes::from_owner(OnShelf { feed, coding });
    answer.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok((status, answer, Body::from(bytes)).into_response())
}

/// A document of the archive hardly ever changes; but when an article is withdrawn because it
/// endangers somebody, no cache may keep it for long.
fn cache_control(part: Part, ttl: u64) -> String {
    match part {
        Part::Archive(_) => format!("public, max-age={}", ARCHIVE_AGE.max(ttl)),
        Part::Current | Part::Page(_) => format!("public, max-age={ttl}, stale-if-error=86400"),
    }
}

/// The bytes of a feed as they lie on the shelf: sent without a copy.
struct OnShelf {
    feed: Arc<Published>,
    coding: Coding,
}

impl AsRef<[u8]> for OnShelf {
    fn as_ref(&self) -> &[u8] {
        match self.coding {
            Coding::Identity => &self.feed.identity,
            Coding::Gzip => &self.feed.gzip,
        }
    }
}
