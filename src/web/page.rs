//! Answers that are pages: their headers (S5), and the errors told as pages.

use super::{State, WebError};
use crate::language::Language;
use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
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
    }
    let defaults: [(HeaderName, HeaderValue); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
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
