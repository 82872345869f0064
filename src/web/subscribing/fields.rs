//! What a form sent: names and values, in order.

use super::super::WebError;
use crate::clock::Timestamp;
use crate::vault::{Claims, Purpose, Vault};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;

/// A form younger than this was not filled by a person.
const YOUNGEST: Duration = Duration::from_secs(2);
/// A form older than this may have been collected for later.
const OLDEST: Duration = Duration::from_hours(24);
/// The field with the form's age.
const AGE: &str = "form";
/// The field that no person sees, and robots fill.
const TRAP: &str = "website";

/// The fields of a form. A body of another type (RFC 8058 allows `multipart/form-data`) has
/// none that we know.
pub(super) struct Fields(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let is_multipart = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
        let body = axum::body::Bytes::from_request(request, state).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        Ok(if is_multipart { Self(multipart(&body)) } else { Self(url::form_urlencoded::parse(&body).into_owned().collect()) })
    }
}

/// The one field that a mail program sends (RFC 8058 §3.1); our own forms are never multipart.
fn multipart(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let one_click = text.contains(r#"name="List-Unsubscribe""#) && text.contains("One-Click");
    if one_click { vec![("List-Unsubscribe".to_owned(), "One-Click".to_owned())] } else { Vec::new() }
}

impl Fields {
    /// The first value of a field, without the spaces round it; empty if there is none.
    pub(super) fn first(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Every value of a field.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Whether a robot filled what it could find.
    pub(super) fn fell_into_the_trap(&self) -> bool {
        !self.first(TRAP).is_empty()
    }

    /// Whether the form is one of ours, and as old as a form is that a person filled.
    pub(super) fn is_of_our_making(&self, vault: &Vault, now: Timestamp) -> bool {
        let Ok(claims) = vault.read_token(Purpose::FormAge, self.first(AGE), now) else { return false };
        let age = now.since(Timestamp::from_millis(claims.subject));
        age >= YOUNGEST && age <= OLDEST
    }
}

/// The token that tells when a form was made.
pub(super) fn form_token(vault: &Vault, now: Timestamp) -> String {
    vault.token(&Claims::lasting(Purpose::FormAge, now.as_millis()))
}

/// Refuses a network that sent too many forms.
pub(super) fn within_limit(admitted: bool) -> Result<(), WebError> {
    if admitted { Ok(()) } else { Err(WebError::TooMany) }
}
