//! Answers that are pages: their headers (S5), and the errors told as pages.

use super::conditional::none_match_names;
use super::fields::Fields;
use super::{State, WebError};
use crate::language::Language;
use crate::vault::content_hash;
use askama::Template;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Nothing but our own style sheet and images; no scripts, no frames round us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// The same for a page with a video that we serve ourselves.
const MEDIA_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// Lets a page play recordings of ours.
pub(super) fn with_media(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, MEDIA_POLICY);
    response
}

/// An HTML page.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => WebError::Internal(error.into()).into_response(),
    }
}

/// Forbids every cache to keep an answer.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A public page with a weak validator. Caches ask before they use it again, so that what was
/// withdrawn is gone everywhere; who holds it already is told so in a few octets (304).
pub(super) async fn unless_held(response: Response, asked: Fields<'_>) -> Result<Response, WebError> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await?;
    let tag = format!("\"{}\"", &content_hash(&[&bytes])[..32]);
    parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    parts.headers.insert(ETAG, HeaderValue::try_from(format!("W/{tag}"))?);
    if none_match_names(asked, &tag) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// A page that belongs to the holder of a token: kept by no cache.
pub fn private_page(status: StatusCode, page: &impl Template) -> Response {
    no_store(html(status, page))
}

/// The style sheet.
pub(super) fn assets() -> Router<State> {
    Router::new().route(
        "/assets/style.css",
        get(|| async {
            let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
            (headers, include_str!("../../templates/web/style.css"))
        }),
    )
}

/// Headers that every answer carries unless it set its own, and errors as pages.
pub(super) fn with_common_headers(router: Router<State>, state: &State) -> Router<State> {
    router.layer(from_fn_with_state(state.clone(), finish))
}

async fn finish(axum::extract::State(state): axum::extract::State<State>, request: Request, next: Next) -> Response {
    state.metrics.requests.inc();
    let language = language_of(&state, request.uri().path());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<Arc<WebError>>() {
        response = no_store(error.page(&state, &language));
    } else if let Some(error) = bare(&response) {
        let mut page = no_store(error.page(&state, &language));
        for name in [ALLOW, CONNECTION] {
            if let Some(value) = response.headers_mut().remove(&name) {
                page.headers_mut().insert(name, value);
            }
        }
        response = page;
    }
    for (name, value) in default_headers() {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// What every answer says unless it says otherwise.
pub(super) const fn default_headers() -> [(HeaderName, HeaderValue); 3] {
    [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]
}

/// What the framework refused by itself, in a line of plain text: a query or form that cannot be
/// read, a body that is too large or does not come, a method that an address does not take.
fn bare(response: &Response) -> Option<WebError> {
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.is_empty() && !media_type.starts_with("text/plain") {
        return None;
    }
    let status = response.status();
    let refusals = [
        StatusCode::BAD_REQUEST,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::UNPROCESSABLE_ENTITY,
    ];
    refusals.contains(&status).then_some(WebError::Refused(status))
}

/// What stands before a room's addresses: nothing, or a language. Each language is named, since
/// a place for any word would take the addresses of a category called “petitions”.
pub(super) fn prefixes(state: &State) -> BTreeSet<String> {
    state.site.languages.iter().map(|language| format!("/{language}")).chain([String::new()]).collect()
}

/// The language of an address: its first segment where that is one of the site's languages.
pub(super) fn language_of(state: &State, path: &str) -> Language {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let named = state.site.languages.iter().find(|language| language.to_string() == first);
    named.unwrap_or_else(|| state.site.default_language()).clone()
}
