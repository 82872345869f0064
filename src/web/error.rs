//! What a visitor sees when something is not there or did not work.

use super::{Layout, State};
use crate::language::Language;
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// An answer that is not the page asked for.
#[derive(Debug)]
pub enum WebError {
    /// There is nothing at this address.
    NotFound,
    /// There was once.
    Gone,
    /// Too many requests of one kind from one place.
    TooMany,
    /// The request is not one that the address takes.
    Refused(StatusCode),
    /// Something of ours failed; it is logged, not shown.
    Internal(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for WebError {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

#[derive(Template)]
#[template(path = "web/error.html")]
struct ErrorPage {
    layout: Layout,
    message: String,
}

impl WebError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(status) => *status,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn message_key(&self) -> &'static str {
        match self {
            Self::NotFound => "error-not-found",
            Self::Gone => "error-gone",
            Self::TooMany => "error-too-many",
            Self::Refused(StatusCode::PAYLOAD_TOO_LARGE) => "error-too-large",
            Self::Refused(StatusCode::REQUEST_TIMEOUT) => "error-too-slow",
            Self::Refused(_) => "error-refused",
            Self::Internal(_) => "error-internal",
        }
    }

    /// The page that tells it, in the visitor's language.
    pub fn page(&self, state: &State, language: &Language) -> Response {
        let layout = Layout::new(state, language, "/").private();
        let message = layout.voice.say(self.message_key());
        super::html(self.status(), &ErrorPage { layout, message })
    }
}

/// Where no language is known: the bare status, told as a page by the outermost layer, which
/// knows the language of the address.
impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(error = format!("{error:#}"), "a request failed");
        }
        let status = self.status();
        let mut response = status.into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}
