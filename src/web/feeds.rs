//! Feeds over HTTP: the bytes on the shelf, with validators and codings.

use super::conditional::{Coding, Verdict, evaluate, http_date};
use super::place::{Address, FeedAddress};
use super::{State, WebError};
use crate::feed::{FeedKey, Published};
use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED,
    RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// The answer to a request for a feed; nothing if the address asks for none. `A-IM` (RFC 3229)
/// is ignored: those who send it do not understand 226.
pub(super) fn answer(state: &State, address: &Address, headers: &HeaderMap) -> Option<Result<Response, WebError>> {
    Some(match address.feed(&state.site)? {
        FeedAddress::Of(key) => find(state, &key, headers),
        FeedAddress::Unknown => Err(WebError::NotFound),
    })
}

fn find(state: &State, key: &FeedKey, headers: &HeaderMap) -> Result<Response, WebError> {
    match state.shelf.get(key) {
        Some(feed) => serve(state, key, feed, headers),
        None if state.shelf.is_complete() => Err(WebError::NotFound),
        // Just started: 404 would make readers forget the feed.
        None => Ok((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], "The feeds are being made.\n").into_response()),
    }
}

fn serve(state: &State, key: &FeedKey, feed: Arc<Published>, headers: &HeaderMap) -> Result<Response, WebError> {
    let (status, coding) = match evaluate(headers, &feed.hash, feed.last_modified) {
        Verdict::Full(coding) => (StatusCode::OK, coding),
        Verdict::Unchanged(coding) => (StatusCode::NOT_MODIFIED, coding),
    };
    let ttl = state.feed.ttl.as_secs();
    let mut answer = HeaderMap::new();
    answer.insert(ETAG, HeaderValue::try_from(coding.etag(&feed.hash))?);
    answer.insert(LAST_MODIFIED, HeaderValue::try_from(http_date(feed.last_modified))?);
    answer.insert(CACHE_CONTROL, HeaderValue::try_from(format!("public, max-age={ttl}, stale-if-error=86400"))?);
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
