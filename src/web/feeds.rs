//! Feeds over HTTP: the bytes on the shelf, with validators and codings.

use super::client::{Visitor, public_network};
use super::conditional::{Verdict, evaluate, is_conditional};
use super::feed_address::FeedAddress;
use super::fields::{Fields, text};
use super::page::default_headers;
use super::place::{Address, language_of_host};
use super::{State, WebError, feed_page};
use crate::feed::{Answer, Coding, FeedKey, Pages, Part, Published, Settings};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderName, HeaderValue,
    LAST_MODIFIED, LINK, RETRY_AFTER, USER_AGENT, VARY,
};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// On what an answer depends: a browser that goes to a feed is shown a page (F25).
pub(super) const VARIES: HeaderValue = HeaderValue::from_static("Accept-Encoding, Sec-Fetch-Dest, Sec-Fetch-Mode");

/// How long a client waits that has asked for whole feeds too often.
const COME_LATER: HeaderValue = HeaderValue::from_static("60");

/// In seconds: a day. A document of the archive hardly ever changes; but when an article is
/// withdrawn because it endangers somebody, no cache may keep it for long.
const ARCHIVE_AGE: u64 = 86_400;

/// What answers about feeds have in common, made once.
pub(super) struct Head {
    /// How long caches keep a feed.
    kept: HeaderValue,
    /// How long they keep a document of its archive.
    archive_kept: HeaderValue,
    /// What every answer says of who may have it, and on what it depends.
    terms: [(HeaderName, HeaderValue); 2],
    /// What an answer with a feed says beside.
    guards: [(HeaderName, HeaderValue); 3],
}

impl Head {
    pub(super) fn new(settings: &Settings) -> Self {
        let ttl = settings.ttl.as_secs();
        let header = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("public"));
        Self {
            kept: header(format!("public, max-age={ttl}, stale-if-error=86400")),
            archive_kept: header(format!("public, max-age={}", ARCHIVE_AGE.max(ttl))),
            terms: [(VARY, VARIES), (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))],
            guards: default_headers(),
        }
    }
}

/// What a client is told about a feed, with its bytes or without.
pub(super) struct Reply<'s> {
    head: &'s Head,
    feed: Arc<Published>,
    told: Told,
}

#[derive(Clone, Copy)]
enum Told {
    Feed(Coding),
    Unchanged(Coding),
    ConditionFailed,
    ComeLater,
}

impl Reply<'_> {
    pub(super) const fn status(&self) -> StatusCode {
        match self.told {
            Told::Feed(_) => StatusCode::OK,
            Told::Unchanged(_) => StatusCode::NOT_MODIFIED,
            Told::ConditionFailed => StatusCode::PRECONDITION_FAILED,
            Told::ComeLater => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// What a `GET` is answered with.
    pub(super) fn body(&self) -> Option<&Bytes> {
        let Told::Feed(coding) = self.told else { return None };
        self.feed.coded.get(coding)
    }

    /// The same, as the kernel sends it best, if it has it.
    pub(super) fn pages(&self) -> Option<&Pages> {
        let Told::Feed(coding) = self.told else { return None };
        self.feed.coded.pages(coding)
    }

    /// Says each header field once. With 304 only what tells caches how to go on (RFC 9110
    /// §15.4.5).
    pub(super) fn fields(&self, mut say: impl FnMut(&HeaderName, &HeaderValue)) {
        let (head, feed) = (self.head, &self.feed);
        let mut all = |fields: &[(HeaderName, HeaderValue)]| fields.iter().for_each(|(name, value)| say(name, value));
        all(&head.terms);
        if !matches!(self.told, Told::Unchanged(_)) {
            all(&head.guards);
        }
        let (Told::Feed(coding) | Told::Unchanged(coding)) = self.told else {
            // No cache keeps an answer without a feed.
            say(&CACHE_CONTROL, &HeaderValue::from_static("no-store"));
            if let Told::ComeLater = self.told {
                say(&RETRY_AFTER, &COME_LATER);
            }
            // Else nobody could tell where this answer ends (RFC 9112 §6.3).
            say(&CONTENT_LENGTH, &HeaderValue::from_static("0"));
            return;
        };
        say(&CACHE_CONTROL, if let Part::Archive(_) = feed.key.part { &head.archive_kept } else { &head.kept });
        say(&ETAG, feed.coded.etag(coding));
        if let Some(date) = &feed.last_modified_date {
            say(&LAST_MODIFIED, date);
        }
        let Some(bytes) = self.body() else { return };
        say(&LINK, &feed.links);
        say(&CONTENT_TYPE, &feed.content_type);
        if let Some(name) = coding.name() {
            say(&CONTENT_ENCODING, &name);
        }
        // Also on HEAD, whose answer has no body to be measured.
        say(&CONTENT_LENGTH, &HeaderValue::from(bytes.len()));
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(self.body().cloned().map_or_else(Body::empty, Body::from));
        *response.status_mut() = self.status();
        let head = response.headers_mut();
        self.fields(|name, value| drop(head.insert(name, value.clone())));
        response
    }
}

/// What to tell a client that asks for a feed at its own path, which is what readers ask for
/// most; nothing where more must be looked at.
pub(super) fn at_its_path<'s>(state: &'s State, path: &str, visitor: &Visitor<'_>) -> Option<Reply<'s>> {
    let feed = state.shelf.at(path)?;
    if navigates(visitor.headers) || has_ended(state, &feed.key) {
        return None;
    }
    // An old site's host may mean another language.
    if !state.site.legacy.is_empty() && language_of_host(&state.site, host(visitor.headers)) != state.site.default_language() {
        return None;
    }
    state.metrics.requests.inc();
    Some(tell(state, feed, visitor))
}

/// The answer to a request for a feed at any address; nothing if the address asks for none. `A-IM` (RFC 3229)
/// is ignored: those who send it do not understand 226.
pub(super) async fn answer(state: &State, address: &Address, visitor: &Visitor<'_>) -> Option<Result<Response, WebError>> {
    Some(match address.feed(&state.site)? {
        FeedAddress::Of(key) => match find(state, &key).await {
            Ok(Some(feed)) if navigates(visitor.headers) && !address.asks_for_raw() => feed_page::show(state, &feed, visitor.headers).await,
            Ok(Some(feed)) => Ok(tell(state, feed, visitor).into_response()),
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
fn tell<'s>(state: &'s State, feed: Arc<Published>, visitor: &Visitor<'_>) -> Reply<'s> {
    let headers = visitor.headers;
    if let Some(agent) = headers.get(USER_AGENT) {
        state.readers().hear(&feed.path, agent);
    }
    let is_made = |coding| feed.coded.get(coding).is_some();
    let told = match evaluate(headers, &feed.hash, feed.last_modified, is_made) {
        Verdict::Full(_) if !is_conditional(headers) && is_flood(state, visitor) => Told::ComeLater,
        Verdict::Full(coding) => Told::Feed(coding),
        Verdict::Unchanged(coding) => Told::Unchanged(coding),
        Verdict::Failed => Told::ConditionFailed,
    };
    Reply { head: &state.0.feed_head, feed, told }
}

/// Whether a person goes to this address in a browser (Fetch Metadata, W3C): feed readers, and
/// what a page or a program fetches, say otherwise or nothing.
pub(super) fn navigates(headers: Fields<'_>) -> bool {
    let says = |name, value: &str| headers.get(HeaderName::from_static(name)) == Some(value.as_bytes());
    says("sec-fetch-dest", "document") && says("sec-fetch-mode", "navigate")
}

/// Whether a network fetches whole feeds so often that no reader is behind it (F22). Networks
/// that are not public stand for many: a proxy that is not named in `trusted_proxies`, say.
fn is_flood(state: &State, visitor: &Visitor<'_>) -> bool {
    public_network(&state.web, visitor).is_some_and(|network| !state.0.floods.admit(network, state.clock.now()))
}

fn host(headers: Fields<'_>) -> &str {
    headers.get(HOST).and_then(text).unwrap_or_default()
}
