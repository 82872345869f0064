//! Pages for supporters: subscribe, confirm, choose, leave. GET shows, POST acts (S1).

mod choosing;
mod confirming;
mod fields;
mod leaving;
mod preferences;
mod signing_up;

use super::client::NetworkLimit;
use super::layout::NavLink;
use super::{Layout, State, WebError, page, private_page};
use crate::language::Language;
use crate::vault::{Purpose, TokenRefused};
use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;
use std::time::Duration;

/// Forms that a network may send in an hour.
const FORMS_AN_HOUR: usize = 5;

/// The addresses of this room, each with and without a language before it.
pub(super) fn router(state: &State) -> Router<State> {
    let limit = Arc::new(NetworkLimit::new(FORMS_AN_HOUR, Duration::from_hours(1)));
    page::prefixes(state)
        .into_iter()
        .fold(Router::new(), |router, prefix| {
            router
                .route(&format!("{prefix}/subscribe"), get(signing_up::show).post(signing_up::take))
                .route(&format!("{prefix}/confirm/{{token}}"), get(confirming::show).post(confirming::act))
                .route(&format!("{prefix}/preferences"), get(preferences::ask).post(preferences::send_link))
                .route(&format!("{prefix}/preferences/{{token}}"), get(preferences::show).post(preferences::act))
                .route(&format!("{prefix}/unsubscribe/{{token}}"), get(leaving::show).post(leaving::act))
        })
        .layer(axum::Extension(limit))
}

/// What the address of a page says: its language, and the token where it has one.
struct Visit {
    language: Language,
    token: String,
}

impl FromRequestParts<State> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, WebError> {
        let params = RawPathParams::from_request_parts(parts, state).await?;
        let param = |wanted: &str| params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let language = page::language_of(state, parts.uri.path());
        Ok(Self { language, token: param("token").unwrap_or_default().to_owned() })
    }
}

/// What a link opens, and where one gets another when it opens nothing.
struct Door {
    purpose: Purpose,
    /// The texts for a link that is too old.
    expired: &'static str,
    /// The page that leads to a fresh one, and what its button says.
    fresh: (&'static str, &'static str),
}

impl Door {
    /// The row that the link is for.
    fn open(&self, state: &State, visit: &Visit) -> Result<i64, Closed> {
        state.vault.read_token(self.purpose, &visit.token, state.clock.now()).map(|claims| claims.subject).map_err(|refused| {
            let (status, key) = match refused {
                TokenRefused::Invalid => (StatusCode::NOT_FOUND, "link-broken"),
                TokenRefused::Expired => (StatusCode::GONE, self.expired),
            };
            Closed { status, key, fresh: self.fresh }
        })
    }

    /// The page for a link that is genuine, but whose row is no more.
    fn gone(&self, key: &'static str) -> Closed {
        Closed { status: StatusCode::GONE, key, fresh: self.fresh }
    }
}

/// Why a link opens nothing.
struct Closed {
    status: StatusCode,
    key: &'static str,
    fresh: (&'static str, &'static str),
}

impl Closed {
    fn page(&self, state: &State, visit: &Visit) -> Response {
        Message::new(state, &visit.language, self.key).with_link(self.fresh.0, self.fresh.1).respond(self.status)
    }
}

/// A page that only tells something.
#[derive(Template)]
#[template(path = "web/message.html")]
pub(super) struct Message {
    layout: Layout,
    heading: String,
    paragraphs: Vec<String>,
    links: Vec<NavLink>,
}

impl Message {
    /// The page whose texts are `KEY-heading` and `KEY-text`.
    pub(super) fn new(state: &State, language: &Language, key: &str) -> Self {
        let layout = Layout::new(state, language, "/").private();
        let site = layout.site_title.clone();
        let heading = layout.voice.say(&format!("{key}-heading"));
        let paragraphs = vec![layout.voice.say_with(&format!("{key}-text"), "site", site.as_str())];
        Self { heading, paragraphs, links: Vec::new(), layout }
    }

    /// The same page with a button that leads on.
    fn with_link(mut self, path: &str, key: &str) -> Self {
        self.links.push(NavLink { href: self.layout.path(path), text: self.layout.voice.say(key) });
        self
    }

    pub(super) fn respond(&self, status: StatusCode) -> Response {
        private_page(status, self)
    }
}
