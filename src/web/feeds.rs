//! Feeds over HTTP: the bytes on the shelf, with validators and codings.

use super::client::{Visitor, public_network};
use super::conditional::{Verdict, evaluate, is_conditional};
use super::feed_address::FeedAddress;
use super::page::default_headers;
use super::place::{Address, language_of_host};
use super::{State, WebError, feed_page};
use crate::feed::{Answer, FeedKey, Part, Published, Settings};
use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderValue, LAST_MODIFIED,
    LINK, RETRY_AFTER, USER_AGENT, VARY,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::net::SocketAddr;
use std::sync::Arc;

/// On what an answer depends: a browser that goes to a feed is shown a page (F25).
pub(super) const VARIES: HeaderValue = HeaderValue::from_static("Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode");

/// How long a client waits that has asked for whole feeds too often.
const COME_LATER: HeaderValue = HeaderValue::from_static("60");

/// What every answer to a request for a feed says, made once.
pub(super) struct Head {
    /// With a feed.
    full: HeaderMap,
    /// Where the client has it: only what tells caches how to go on (RFC 9110 §15.4.5).
    unchanged: HeaderMap,
}

impl Head {
    pub(super) fn new(settings: &Settings) -> Self {
        let unchanged = caching(settings);
        let mut full = unchanged.clone();
        full.extend(default_headers());
        Self { full, unchanged }
    }
}

fn caching(settings: &Settings) -> HeaderMap {
    let mut head = HeaderMap::with_capacity(16);
    let kept = format!("public, max-age={}, stale-if-error=86400", settings.ttl.as_secs());
    head.insert(CACHE_CONTROL, HeaderValue::try_from(kept).unwrap_or(HeaderValue::from_static("public")));
    head.insert(VARY, VARIES);
    head.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    head
}

/// The answer to what readers ask for most, a feed at its own path, found before anything else is
/// looked at.
pub(super) fn at_once<B>(state: &State, request: &Request<B>, peer: SocketAddr) -> Option<Response> {
    let (uri, headers) = (request.uri(), request.headers());
    if !matches!(*request.method(), Method::GET | Method::HEAD) || uri.query().is_some() || navigates(headers) {
        return None;
    }
    let feed = state.shelf.at(uri.path())?;
    if has_ended(state, &feed.key) {
        return None;
    }
    // An old site's host may mean another language.
    if !state.site.legacy.is_empty() && language_of_host(&state.site, host(headers)) != state.site.default_language() {
        return None;
    }
    state.metrics.requests.inc();
    Some(serve(state, &feed, &Visitor { peer, headers }))
}

/// In seconds: a day.
const ARCHIVE_AGE: u64 = 86_400;

/// The answer to a request for a feed; nothing if the address asks for none. `A-IM` (RFC 3229)
/// is ignored: those who send it do not understand 226.
pub(super) async fn answer(state: &State, address: &Address, visitor: &Visitor<'_>) -> Option<Result<Response, WebError>> {
    Some(match address.feed(&state.site)? {
        FeedAddress::Of(key) => match find(state, &key).await {
            Ok(Some(feed)) if navigates(visitor.headers) && !address.asks_for_raw() => feed_page::show(state, &feed, visitor.headers).await,
            Ok(Some(feed)) => Ok(serve(state, &feed, visitor)),
            Ok(None) => Ok(later()),
            Err(error) => Err(error),
        },
        FeedAddress::Unknown => Err(WebError::NotFound),
    })
}

/// A feed that there is; nothing while it cannot be told, or made: 404 would make readers forget
/// it.
async fn find(state: &State, key: &FeedKey) -> Result<Option<Arc<Published>>, WebError> {
    if has_ended(state, key) {
        return Err(WebError::Gone);
    }
    if key.part == Part::Current && key.topic.is_common() {
        return match state.shelf.get(key) {
            None if state.shelf.is_complete() && !state.shelf.is_withheld(key) => Err(WebError::NotFound),
            found => Ok(found),
        };
    }
    if !state.shelf.is_complete() {
        return Ok(None);
    }
    match state.0.demand.get(key).await? {
        Answer::Found(feed) => Ok(Some(feed)),
        Answer::Unknown => Err(WebError::NotFound),
        Answer::Busy => Ok(None),
    }
}

fn has_ended(state: &State, key: &FeedKey) -> bool {
    key.topic.category().is_some_and(|slug| state.site.has_ended(slug, state.clock.now()))
}

fn later() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], "The feeds are being made.\n").into_response()
}

/// A feed, or as little of it as the client needs.
fn serve(state: &State, feed: &Published, visitor: &Visitor<'_>) -> Response {
    let headers = visitor.headers;
    if let Some(agent) = headers.get(USER_AGENT) {
        state.readers().hear(&feed.path, agent.as_bytes());
    }
    let is_made = |coding| feed.coded.get(coding).is_some();
    let (status, coding) = match evaluate(headers, &feed.hash, feed.last_modified, is_made) {
        Verdict::Full(_) if !is_conditional(headers) && is_flood(state, visitor) => {
            let mut answer = refusal(state, StatusCode::TOO_MANY_REQUESTS);
            answer.headers_mut().insert(RETRY_AFTER, COME_LATER);
            return answer;
        }
        Verdict::Full(coding) => (StatusCode::OK, coding),
        Verdict::Unchanged(coding) => (StatusCode::NOT_MODIFIED, coding),
        Verdict::Failed => return refusal(state, StatusCode::PRECONDITION_FAILED),
    };
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    let head = answer.headers_mut();
    *head = if status == StatusCode::NOT_MODIFIED { state.0.feed_head.unchanged.clone() } else { state.0.feed_head.full.clone() };
    head.insert(ETAG, feed.coded.etag(coding).clone());
    head.insert(LINK, feed.links.clone());
    if let Part::Archive(_) = feed.key.part {
        head.insert(CACHE_CONTROL, archive_kept(state.feed.ttl.as_secs()));
    }
    if let Some(date) = &feed.last_modified_date {
        head.insert(LAST_MODIFIED, date.clone());
    }
    if status == StatusCode::NOT_MODIFIED {
        return answer;
    }
    head.insert(CONTENT_TYPE, feed.content_type.clone());
    if let Some(name) = coding.name() {
        head.insert(CONTENT_ENCODING, name);
    }
    let bytes = feed.coded.get(coding).cloned().unwrap_or_default();
    // Also on HEAD, whose answer has no body to be measured.
    head.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    *answer.body_mut() = Body::from(bytes);
    answer
}

/// A document of the archive hardly ever changes; but when an article is withdrawn because it
/// endangers somebody, no cache may keep it for long.
fn archive_kept(ttl: u64) -> HeaderValue {
    HeaderValue::try_from(format!("public, max-age={}", ARCHIVE_AGE.max(ttl))).unwrap_or(HeaderValue::from_static("public"))
}

/// Whether a person goes to this address in a browser (Fetch Metadata, W3C): feed readers, and
/// what a page or a program fetches, say otherwise or nothing.
pub(super) fn navigates(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes());
    says("sec-fetch-dest", "document") && says("sec-fetch-mode", "navigate")
}

/// Whether a network fetches whole feeds so often that no reader is behind it (F22). Networks
/// that are not public stand for many: a proxy that is not named in `trusted_proxies`, say.
fn is_flood(state: &State, visitor: &Visitor<'_>) -> bool {
    public_network(&state.web, visitor).is_some_and(|network| !state.0.floods.admit(network, state.clock.now()))
}

/// An answer without a feed, which no cache keeps.
fn refusal(state: &State, status: StatusCode) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer.headers_mut().clone_from(&state.0.feed_head.full);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}
